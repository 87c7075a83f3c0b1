/**
 * Whether a command line is one of ipvsadm's: its first word is an option, or there is none. Subcommands are words; `--netns NAME` may stand
 * before either.
 */
export function isIpvsadm(argv: readonly string[], program: string): boolean {
  if (program === 'ipvsadm') return true
  const [first, , third] = argv
  const word = first === '--netns' ? third : first?.startsWith('--netns=') ? argv[1] : first
  return word === undefined || word.startsWith('-')
}
