import type { Io } from './io.js'
import { makeProgram } from './program.js'

/** What `--help` prints: the subcommands and ipvsadm's options. */
export function helpText(io: Io): string {
  let text = ''
  makeProgram(io)
    .configureOutput({ writeOut: part => (text += part) })
    .outputHelp()
  return text
}
