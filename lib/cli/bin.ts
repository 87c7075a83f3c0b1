#!/usr/bin/env node
/** The program as it is shipped: the build makes one file of this and of all that it imports, which is evaluated only when it is imported. */
import { writeSync } from 'node:fs'
import { version } from './version.js'

/** A link of that name makes it take the place of ipvsadm. */
const program = /(^|\/)ipvsadm$/.test(process.argv[1] ?? '') ? 'ipvsadm' : 'ts-ipvs'

if (program === 'ts-ipvs' && /^(--version|-v)$/.test(process.argv.slice(2).join(' '))) printVersion()
else void run()

/** Without a stream: to make one takes longer than all of the rest. */
function printVersion(): void {
  try {
    writeSync(1, `ts-ipvs ${version}\n`)
  } catch {
    process.exitCode = 141 // nobody reads it: as if SIGPIPE had ended the program
  }
}

async function run(): Promise<void> {
  const { isIpvsadm } = await import('./dispatch.js')
  if (isIpvsadm(process.argv.slice(2), program)) (await import('./tuning.js')).tuneForShortRuns()
  const { runProcess } = await import('./process.js')
  const { main } = await import('./main.js')
  await runProcess(main, program)
}
