/** ipvsadm's options, told to people. */
import type { Help } from 'commander'
import { OPTIONS, type OptionSpec } from './options.js'

/** In the order in which they are told. */
export const KINDS: readonly { readonly kind: OptionSpec['kind']; readonly title: string }[] = [
  { kind: 'command', title: "ipvsadm's commands, one of which comes first" },
  { kind: 'service', title: 'The virtual server' },
  { kind: 'option', title: 'Options of these commands' },
  { kind: 'daemon-option', title: 'Options of a synchronisation daemon' },
]

/** `-s, --scheduler <scheduler>`, `--syncid <id>`, `-p, --persistent [seconds]`. */
export function optionTerm({ name, short, argument }: OptionSpec): string {
  const names = `${short === undefined ? '' : `-${short}, `}--${name}`
  if (argument === undefined) return names
  return `${names} ${argument.optional ? `[${argument.name}]` : `<${argument.name}>`}`
}

/** As the rest of the help looks. */
export function ipvsadmHelp(help: Help): string {
  const width = Math.max(...OPTIONS.map(option => optionTerm(option).length))
  const lines = KINDS.flatMap(({ kind, title }) => {
    const options = OPTIONS.filter(option => option.kind === kind)
    const items = options.map(option => help.formatItem(optionTerm(option), width, option.help, help))
    return help.formatItemList(`${title}:`, items, help)
  })
  return lines.join('\n').trimEnd()
}
