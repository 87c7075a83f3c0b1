/** What the shells themselves offer with the scripts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { OPTIONS } from '../../lib/cli/ipvsadm/options.js'
import { makeProgram } from '../../lib/cli/program.js'
import { SCHEDULERS } from '../../lib/ipvs/explain.js'
import { output, root } from '../package/support.js'
import { cli, ioOf } from './support.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-completion.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const scriptOf = (shell: Shell): string => join(folder, `ts-ipvs.${shell}`)

t.before(async () => {
  const { run } = await cli()
  for (const shell of SHELLS) writeFileSync(scriptOf(shell), (await run(['completion', shell])).stdout)
  writeFileSync(join(folder, 'servers.yaml'), '')
})

/** The matches at the end of each line, in a place with two named network namespaces. */
async function complete(shell: Shell, lines: readonly string[]): Promise<string[][]> {
  const place = 'mount -t tmpfs none /run && mkdir /run/netns && touch /run/netns/blue /run/netns/green && exec "$@"'
  const driver = join(root, 'test/cli/shells', `complete.${shell}`)
  const command = ['--mount', 'sh', '-c', place, 'sh', shell, driver, scriptOf(shell), ...lines]
  const text = await output({ cwd: folder, env: { HOME: folder } }, 'unshare', ...command)
  const found = text.split(/^\n/m).slice(0, -1)
  if (found.length !== lines.length) throw new Error(`${shell} has answered ${found.length} of ${lines.length} times: ${text}`)
  return found.map(matches => matches.split('\n').slice(0, -1).sort())
}

const program = makeProgram(ioOf())
const subcommands = program.createHelp().visibleCommands(program)
const namesOf = (isWanted: (kind: string) => boolean): string[] =>
  OPTIONS.filter(({ kind }) => isWanted(kind)).flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])])

/** `offered`: among the matches. `only`: all matches. */
type Case = readonly [
  title: string,
  line: string,
  expected: { readonly only: readonly string[] } | { readonly offered: readonly string[] },
]
const cases: readonly Case[] = [
  ['subcommands', 'ts-ipvs ', { only: subcommands.map(command => command.name()) }],
  ['the subcommand that was begun', 'ts-ipvs ap', { only: ['apply'] }],
  ['subcommands behind --netns', 'ts-ipvs --netns blue ap', { only: ['apply'] }],
  ["ipvsadm's commands where an option begins", 'ts-ipvs -', { offered: ['--netns', ...namesOf(kind => kind === 'command')] }],
  ["ipvsadm's other options behind a command", 'ts-ipvs -A -', { offered: namesOf(kind => kind !== 'command') }],
  ['schedulers', 'ts-ipvs -A -s ', { only: SCHEDULERS }],
  ['schedulers that begin so', 'ts-ipvs -A --scheduler w', { only: ['wlc', 'wrr'] }],
  ['roles of a daemon', 'ts-ipvs --start-daemon ', { only: ['backup', 'master'] }],
  ['namespaces', 'ts-ipvs --netns ', { only: ['blue', 'green'] }],
  ['namespaces of a subcommand', 'ts-ipvs doctor --netns b', { only: ['blue'] }],
  ['files', 'ts-ipvs apply -f ser', { only: ['servers.yaml'] }],
  ['files of another option', 'ts-ipvs diff --state ser', { only: ['servers.yaml'] }],
  ['choices of an option', 'ts-ipvs save --format ', { only: ['ipvsadm', 'json', 'yaml'] }],
  ['choices of an argument', 'ts-ipvs completion z', { only: ['zsh'] }],
  ['what there is help for', 'ts-ipvs help dr', { only: ['drain'] }],
  ...subcommands.map((command): Case => {
    const options = command.createHelp().visibleOptions(command)
    return [`options of ${command.name()}`, `ts-ipvs ${command.name()} --`, { only: options.map(({ long }) => long ?? '') }]
  }),
]

for (const shell of SHELLS) {
  t.test(`${shell} completes`, async t => {
    const found = await complete(
      shell,
      cases.map(([, line]) => line),
    )
    for (const [i, [title, , expected]] of cases.entries()) {
      const matches = found[i] ?? []
      if ('only' in expected) t.strictSame(matches, [...expected.only].sort(), title)
      else
        t.same(
          expected.offered.filter(word => !matches.includes(word)),
          [],
          title,
        )
    }
  })
}

t.test('an unknown shell is refused', async t => {
  const { run } = await cli()
  t.match(await run(['completion', 'tcsh']), { status: 2, stdout: '', stderr: /bash, zsh, fish/ })
})
