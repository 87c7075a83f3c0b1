/** What can stand where on the command line, for the scripts of all shells. */
import type { Argument, Command, Option } from 'commander'
import { SCHEDULERS } from '../../../ipvs/explain.js'
import type { Io } from '../../io.js'
import { OPTIONS, type OptionSpec } from '../../ipvsadm/options.js'
import { makeProgram } from '../../program.js'

/** What an option or an argument takes: one of a list, a file, a network namespace that has a name, or what no shell can know. */
export type Value = readonly string[] | 'file' | 'namespace' | 'unknown'

export interface OptionWord {
  /** With their dashes. */
  readonly names: readonly string[]
  readonly help: string
  /** Name of what it takes, as the help has it. Default: it takes nothing. */
  readonly takes?: string
  readonly value: Value
  /** It may stand without its value. */
  readonly optional: boolean
}

export interface Subcommand {
  readonly name: string
  readonly help: string
  readonly options: readonly OptionWord[]
  /** What its first argument can be. */
  readonly argument: Value
}

export interface CommandLine {
  readonly subcommands: readonly Subcommand[]
  /** May stand before all others. */
  readonly leading: readonly OptionWord[]
  /** ipvsadm's commands, which come first, and its other options. */
  readonly ipvsadmCommands: readonly OptionWord[]
  readonly ipvsadmOptions: readonly OptionWord[]
}

/** What ipvsadm's options take, where that is known. */
const IPVSADM_VALUES: Readonly<Record<string, Value>> = {
  scheduler: SCHEDULERS,
  'start-daemon': ['master', 'backup'],
  'stop-daemon': ['master', 'backup'],
  'tun-type': ['ipip', 'gue', 'gre'],
}

export function commandLine(io: Io): CommandLine {
  const program = makeProgram(io)
  const commands = program.createHelp().visibleCommands(program)
  const names = commands.map(command => command.name())
  const isCommand = (option: OptionSpec): boolean => option.kind === 'command'
  return {
    subcommands: commands.map(command => subcommand(command, names)),
    leading: program.options.map(optionWord),
    ipvsadmCommands: OPTIONS.filter(isCommand).map(ipvsadmWord),
    ipvsadmOptions: OPTIONS.filter(option => !isCommand(option)).map(ipvsadmWord),
  }
}

function subcommand(command: Command, names: readonly string[]): Subcommand {
  const [argument] = command.registeredArguments
  return {
    name: command.name(),
    help: command.description(),
    options: command.createHelp().visibleOptions(command).map(optionWord),
    argument: command.name() === 'help' ? names : choicesOf(argument),
  }
}

function optionWord(option: Option): OptionWord {
  const takes = option.required || option.optional ? (/[<[](.*)[\]>]/.exec(option.flags)?.[1] ?? 'value') : undefined
  return {
    names: [option.short, option.long].filter(name => name != null),
    help: option.description,
    ...(takes !== undefined && { takes }),
    value: option.long === '--netns' ? 'namespace' : takes === 'file' ? 'file' : choicesOf(option),
    optional: option.optional,
  }
}

function choicesOf(taker: Option | Argument | undefined): Value {
  return taker?.argChoices ?? 'unknown'
}

function ipvsadmWord({ name, short, argument, help }: OptionSpec): OptionWord {
  return {
    names: [...(short === undefined ? [] : [`-${short}`]), `--${name}`],
    help,
    ...(argument && { takes: argument.name }),
    value: IPVSADM_VALUES[name] ?? 'unknown',
    optional: argument?.optional === true,
  }
}
