/** `ts-ipvs completion SHELL`: a script that completes this command line. It is text alone: nothing is started for a key. */
import { type Io, SUCCESS, write } from '../io.js'
import { bash } from './completion/bash.js'
import { fish } from './completion/fish.js'
import { type CommandLine, commandLine } from './completion/words.js'
import { zsh } from './completion/zsh.js'

const SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', (line: CommandLine) => string>> = { bash, zsh, fish }

export async function completion(io: Io, shell: keyof typeof SCRIPTS): Promise<number> {
  await write(io.stdout, SCRIPTS[shell](commandLine(io)))
  return SUCCESS
}
