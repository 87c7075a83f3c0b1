#!/usr/bin/env node
/**
 * The program as it is shipped. The build makes one file of this and of all that ipvsadm's grammar needs, which is evaluated only when it is
 * imported, and another one of the subcommands.
 */
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
  if (!isIpvsadm(process.argv.slice(2), program)) {
    const { main, runProcess } = await import('./subcommands.js')
    return runProcess(main, program)
  }
  const { tuneForShortRuns } = await import('./tuning.js')
  tuneForShortRuns()
  const { runProcess } = await import('./process.js')
  const { main } = await import('./main.js')
  return runProcess(main, program)
}
