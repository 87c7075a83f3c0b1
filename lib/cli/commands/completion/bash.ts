import type { CommandLine, OptionWord, Subcommand, Value } from './words.js'

/** A script for bash, which needs nothing else (no package bash-completion). */
export function bash({ subcommands, leading, ipvsadmCommands, ipvsadmOptions }: CommandLine): string {
  const names = subcommands.map(({ name }) => name)
  const contexts = subcommands.map(({ name, options }) => ({ pattern: name, options }))
  const cases = [
    { pattern: '', options: leading },
    ...contexts,
    { pattern: '-*', options: [...ipvsadmCommands, ...ipvsadmOptions] },
  ].flatMap(({ pattern, options }) => options.flatMap(option => valueCase(pattern, option)))
  return `# Completes ts-ipvs in bash: source <(ts-ipvs completion bash)

_ts_ipvs() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} first='' words='' from='' i
  # Bash takes the = of --option=value for a word.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != --netns ]]; then
      first=\${COMP_WORDS[i]}
      break
    fi
    if [[ \${COMP_WORDS[i + 1]} == = ]]; then ((i++)); fi
    ((i++))
  done

  case $first in
    '') if [[ $cur == -* ]]; then words='${list(leading, ipvsadmCommands)}'; else words='${names.join(' ')}'; fi ;;
${subcommands.map(command => `    ${command.name}) ${wordsOf(command)} ;;\n`).join('')}    -*) words='${list(ipvsadmOptions)}' ;;
  esac
  case $first/$prev in
${cases.join('')}  esac

  case $from in
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
    namespaces) mapfile -t COMPREPLY < <(cd /run/netns 2>/dev/null && compgen -f -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
  esac
}
complete -F _ts_ipvs ts-ipvs
`
}

function list(...options: readonly (readonly OptionWord[])[]): string {
  return options.flatMap(some => some.flatMap(({ names }) => names)).join(' ')
}

function wordsOf({ options, argument }: Subcommand): string {
  const words = typeof argument === 'string' ? [] : argument
  return `words='${[...words, list(options)].join(' ').trim()}'`
}

/** What can follow an option that takes something. */
function valueCase(pattern: string, { names, takes, value, optional }: OptionWord): string[] {
  if (takes === undefined || optional) return []
  const patterns = names.map(name => `${pattern}/${name}`).join(' | ')
  return [`    ${patterns}) ${assignment(value)} ;;\n`]
}

function assignment(value: Value): string {
  if (value === 'file') return 'from=files'
  if (value === 'namespace') return 'from=namespaces'
  return value === 'unknown' ? "words=''" : `words='${value.join(' ')}'`
}
