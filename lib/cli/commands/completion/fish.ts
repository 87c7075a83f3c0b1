import type { CommandLine, OptionWord, Subcommand, Value } from './words.js'

/** A script for fish. */
export function fish({ subcommands, leading, ipvsadmCommands, ipvsadmOptions }: CommandLine): string {
  const options = (at: string, words: readonly OptionWord[]): string => words.map(word => optionLine(at, word)).join('')
  return `# Completes ts-ipvs in fish: ts-ipvs completion fish | source

function __ts_ipvs_at --description 'Whether the first word, --netns aside, is this: "" is for none yet, - for any option'
    set -l words (commandline -opc)
    set -l first ''
    set -l value no
    for word in $words[2..-1]
        if test $value = yes
            set value no
        else if test $word = --netns
            set value yes
        else if not string match -q -- '--netns=*' $word
            set first $word
            break
        end
    end
    string match -q -- '-*' $first; and set first -
    test "$first" = "$argv[1]"
end

complete -c ts-ipvs -f
${subcommands.map(subcommandLine).join('')}${options('', leading)}${options('', ipvsadmCommands)}${ipvsadmCommands.map(valueLine).join('')}${options('-', ipvsadmOptions)}${subcommands
  .map(({ name, options: words }) => options(name, words))
  .join('')}`
}

function subcommandLine({ name, help, argument }: Subcommand): string {
  const first = `complete -c ts-ipvs ${when('')} -a ${name} -d ${quote(help)}\n`
  return typeof argument === 'string' ? first : `${first}complete -c ts-ipvs ${when(name)} -a ${quote(argument.join(' '))}\n`
}

function optionLine(at: string, { names, help, takes, value, optional }: OptionWord): string {
  const flags = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ')
  const argument = takes === undefined || optional ? '' : ` ${parameter(value)}`
  return `complete -c ts-ipvs ${when(at)} ${flags}${argument} -d ${quote(help)}\n`
}

/** What follows a command of ipvsadm, which is then the first word already. */
function valueLine({ names, value }: OptionWord): string {
  if (typeof value === 'string') return ''
  const before = names.map(name => `test (commandline -opc)[-1] = ${name}`).join('; or ')
  return `complete -c ts-ipvs -n ${quote(before)} -a ${quote(value.join(' '))}\n`
}

function parameter(value: Value): string {
  if (value === 'file') return '-rF'
  if (value === 'namespace') return "-xa '(ls /run/netns 2>/dev/null)'"
  return value === 'unknown' ? '-x' : `-xa ${quote(value.join(' '))}`
}

const when = (at: string): string => `-n ${quote(`__ts_ipvs_at ${at === '' ? '""' : at}`)}`
const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
