#!/usr/bin/env node
/** The program as it is shipped: the build makes one file of this and of all that it imports, which is evaluated only when it is imported. */
import { writeSync } from 'node:fs'
import { version } from './version.js'

/** A link of that name makes it take the place of ipvsadm. */
const program = /(^|\/)ipvsadm$/.test(process.argv[1] ?? '') ? 'ipvsadm' : 'ts-ipvs'

if (program === 'ts-ipvs' && /^(--version|-v)$/.test(process.argv.slice(2).join(' '))) printVersion()
else void run()

/**
 * ipvsadm's commands end soon: before code that was optimised for them would have paid for it, and before much of what they make is garbage.
 * So V8 shall not optimise, and use the same small memory for new objects again and again, for each new page costs a fault. With that -R of
 * 11,000 lines takes a quarter less time where faults are dear, as under a hypervisor.
 */
async function tuneForShortRuns(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--max-optimized-bytecode-size=0')
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** Without a stream: to make one takes longer than all of the rest. */
function printVersion(): void {
  try {
    writeSync(1, `ts-ipvs ${version}\n`)
  } catch {
    process.exitCode = 141 // nobody reads it: as if SIGPIPE had ended the program
  }
}

async function run(): Promise<void> {
  if (!/^[a-z]/.test(process.argv[2] ?? '')) await tuneForShortRuns()
  const { runProcess } = await import('./process.js')
  const { main } = await import('./main.js')
  await runProcess(main, program)
}
