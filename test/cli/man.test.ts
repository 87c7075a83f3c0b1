import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { helpText } from '../../lib/cli/help.js'
import { DIFFERENCES } from '../../lib/cli/ipvsadm/differences.js'
import { OPTIONS } from '../../lib/cli/ipvsadm/options.js'
import { manPage } from '../../lib/cli/man.js'
import { makeProgram } from '../../lib/cli/program.js'
import { output, root, run } from '../package/support.js'
import { cli, ioOf } from './support.js'

const program = makeProgram(ioOf())
const subcommands = program.createHelp().visibleCommands(program)
const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-man.'))
const page = join(folder, 'ts-ipvs.8')
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Bold and underlined characters are printed twice, with a backspace between. */
const OVERSTRUCK = new RegExp(`.${String.fromCharCode(8)}`, 'g')

/** The page as a terminal shows it. */
let text = ''
t.before(async () => {
  writeFileSync(page, manPage(ioOf(), { version: '1.2.3', date: new Date('2001-02-03T04:05:06Z') }))
  const shown = await output({ cwd: folder }, 'mandoc', '-T', 'utf8', '-O', 'width=1000', page)
  text = shown.replaceAll(OVERSTRUCK, '')
})

/** What stands below a heading, up to the next one of that kind. */
function below(heading: string, indent: string): string {
  const [, rest = ''] = text.split(`\n${indent}${heading}\n`)
  return rest.split(new RegExp(`\\n${indent}\\S`))[0] ?? ''
}

t.test('the man page has no fault that mandoc would warn of', async t => {
  t.match(await run({ cwd: folder }, 'mandoc', '-T', 'lint', '-W', 'warning', page), { status: 0, stdout: '', stderr: '' })
})

t.test('the package ships it, with its own version', async t => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const shipped = readFileSync(join(root, 'dist/cli/ts-ipvs.8'), 'utf8')
  const date = new Date(/ "(\d{4}-\d\d-\d\d)" /.exec(shipped)?.[1] ?? '')
  t.equal(shipped, manPage(ioOf(), { version, date }))
})

t.test('it has the sections that a man page has', async t => {
  const sections = [...text.matchAll(/^[A-Z][A-Z' ]+$/gm)].map(([name]) => name)
  t.strictSame(sections, [
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    "IPVSADM'S OPTIONS",
    'SUBCOMMANDS',
    'FILES',
    'EXIT STATUS',
    'ENVIRONMENT',
    'DIFFERENCES FROM IPVSADM',
    'SEE ALSO',
  ])
  for (const word of ['/run/ts-ipvs', 'NO_COLOR', 'NODE_DEBUG', 'ipvsadm(8)']) t.ok(text.includes(word), word)
})

t.test("it and --help have each of ipvsadm's options", async t => {
  const section = below("IPVSADM'S OPTIONS", '')
  const help = helpText(ioOf())
  for (const { name, short } of OPTIONS) {
    const option = new RegExp(`^ *${short ? `-${short}, ` : ''}--${name}(?![\\w-])`, 'm')
    t.match(section, option, `man: --${name}`)
    t.match(help, option, `help: --${name}`)
  }
})

t.test('it and --help have each subcommand, with just the same options', async t => {
  const help = helpText(ioOf())
  const { run } = await cli()
  const namesIn = (text: string): unknown[] => [...text.matchAll(/^ *(--?\w[-\w]*(?:, --\w[-\w]*)?)/gm)].map(([, names]) => names)
  for (const command of subcommands) {
    const term = command.createHelp().subcommandTerm(command)
    t.ok(help.includes(`\n  ${term} `), `help: ${term}`)
    const inMan = below(term, '   ')
    const declared = command.createHelp().visibleOptions(command)
    t.strictSame(
      namesIn(inMan),
      declared.map(({ short, long }) => [short, long].filter(Boolean).join(', ')),
      `man: ${command.name()}`,
    )
    if (command.name() === 'help') continue // there is no help for help
    const { status, stdout } = await run(['help', command.name()])
    t.equal(status, 0)
    t.strictSame(namesIn(stdout), namesIn(inMan), `help ${command.name()}`)
  }
})

t.test('it tells the differences from ipvsadm', async t => {
  const section = below('DIFFERENCES FROM IPVSADM', '')
  for (const difference of DIFFERENCES) t.ok(section.includes(difference.replaceAll('`', '')), difference)
})

t.test('help without a subcommand is the help of both halves', async t => {
  const { run } = await cli()
  t.match(await run(['help']), { status: 0, stdout: helpText(ioOf()), stderr: '' })
})
