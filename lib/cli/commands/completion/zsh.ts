import type { CommandLine, OptionWord, Subcommand, Value } from './words.js'

/** A script for zsh's completion system (zshcompsys(1)): to be sourced, or as a file _ts-ipvs in a folder of $fpath. */
export function zsh({ subcommands, leading, ipvsadmCommands, ipvsadmOptions }: CommandLine): string {
  return `#compdef ts-ipvs
# Completes ts-ipvs in zsh: source <(ts-ipvs completion zsh)

_ts-ipvs_namespaces() {
  compadd -- /run/netns/*(N:t)
}

_ts-ipvs() {
  local -i at=2 # where the first word is that is not --netns or its value
  case $words[2] in
    (--netns) at=4 ;;
    (--netns=*) at=3 ;;
  esac
  if (( CURRENT == 2 )) && compset -P --netns=; then
    _ts-ipvs_namespaces
  elif (( CURRENT == 3 && at == 4 )); then
    _ts-ipvs_namespaces
  elif (( CURRENT == 2 || CURRENT == at )); then
    local -a subcommands=(
${subcommands.map(({ name, help }) => `      ${quote(`${name}:${help}`)}\n`).join('')}    )
    local -a options=(
${[...leading, ...ipvsadmCommands].flatMap(described).join('')}    )
    _describe -o option options
    _describe subcommand subcommands
  else
    words=("\${(@)words[at,-1]}")
    (( CURRENT -= at - 1 ))
    case $words[1] in
${subcommands.map(command => `      (${command.name})${argumentsOf(command)} ;;\n`).join('')}      (-*)
        local -a options=(
${ipvsadmOptions
  .flatMap(specification)
  .map(line => `          ${line}\n`)
  .join('')}        )
        case $words[1] in
${ipvsadmCommands.flatMap(commandCase).join('')}          (*) _arguments -s : $options ;;
        esac ;;
    esac
  fi
}

if [[ $funcstack[1] == _ts-ipvs ]]; then
  _ts-ipvs "$@"
else
  compdef _ts-ipvs ts-ipvs
fi
`
}

function described({ names, help }: OptionWord): string[] {
  return names.map(name => `      ${quote(`${name}:${help}`)}\n`)
}

function argumentsOf({ options, argument }: Subcommand): string {
  return specifications(options, typeof argument === 'string' ? [] : [`':argument:${action(argument)}'`])
}

function specifications(options: readonly OptionWord[], others: readonly string[] = []): string {
  const lines = [...options.flatMap(specification), ...others].map(line => ` \\\n          ${line}`)
  return `\n        _arguments -s :${lines.join('')}`
}

/** A command of ipvsadm that takes something, which comes next. */
function commandCase({ names, takes, value, optional }: OptionWord): string[] {
  if (takes === undefined || optional) return []
  return [`          (${names.join(' | ')}) _arguments -s : ${quote(`:${escapeColons(takes)}:${action(value)}`)} $options ;;\n`]
}

/** As _arguments takes them: names that exclude each other, explanation, what follows. */
function specification({ names, help, takes, value, optional }: OptionWord): string[] {
  const takesWhat = takes === undefined ? '' : `${optional ? '::' : ':'}${escapeColons(takes)}:${action(value)}`
  const suffix = (name: string): string => (takes === undefined ? '' : name.startsWith('--') ? '=' : '+')
  const explanation = help.replaceAll(/[[\]\\]/g, '\\$&')
  return names.map(name => quote(`(${names.join(' ')})${name}${suffix(name)}[${explanation}]${takesWhat}`))
}

function action(value: Value): string {
  if (value === 'file') return '_files'
  if (value === 'namespace') return '_ts-ipvs_namespaces'
  return value === 'unknown' ? ' ' : `(${value.join(' ')})`
}

const escapeColons = (text: string): string => text.replaceAll(/[:\\]/g, '\\$&')
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
