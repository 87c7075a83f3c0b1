/** The program that is shipped, as `npm run build` has made it. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { helpText } from '../../lib/cli/help.js'
import { output, root, run } from '../package/support.js'
import { ioOf } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-bin.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const bin = join(root, 'dist/cli/bin.cjs')
const subcommands = join(root, 'dist/cli/subcommands.cjs')
const [text = '', subcommandsText = ''] = [bin, subcommands].map(file => readFileSync(file, 'utf8'))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const here = { cwd: folder }

/** Which of its modules a run has evaluated: the bundler makes each a function of that name. */
async function evaluated(...args: readonly string[]): Promise<string[]> {
  const coverage = mkdtempSync(join(folder, 'coverage.'))
  await run({ cwd: folder, env: { NODE_V8_COVERAGE: coverage } }, bin, ...args)
  const [file = ''] = readdirSync(coverage)
  const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: Script[] }
  const functions = result.filter(({ url }) => /\/dist\/cli\/\w+\.cjs$/.test(url)).flatMap(script => script.functions)
  if (functions.length === 0) throw new Error(`no coverage of ${bin}`)
  return functions
    .filter(({ functionName, ranges }) => /^(lib|node_modules)\//.test(functionName) && (ranges[0]?.count ?? 0) > 0)
    .map(({ functionName }) => functionName)
}

interface Script {
  readonly url: string
  readonly functions: readonly { readonly functionName: string; readonly ranges: readonly { readonly count: number }[] }[]
}

const packagesInText = (text: string): string[] =>
  packagesIn([...text.matchAll(/"(node_modules\/[^"]+)"/g)].map(([, name = '']) => name))

const packagesIn = (names: readonly string[]): string[] => [
  ...new Set(names.flatMap(name => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? [])),
]

const modulesOf = (text: string): string[] =>
  [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name).filter(name => !isBuiltin(name))

t.test('it is a program of two files that need nothing beside them', async t => {
  t.equal(statSync(bin).mode & 0o777, 0o755)
  t.strictSame(new Set(modulesOf(text)), new Set(['./subcommands.cjs']))
  t.strictSame(
    new Set(modulesOf(subcommandsText)),
    new Set(['@kubernetes/client-node', 'etcd3']),
    'but for packages that not everybody wants',
  )
  copyFileSync(bin, join(folder, 'alone.cjs'))
  copyFileSync(subcommands, join(folder, 'subcommands.cjs'))
  t.equal(await output(here, join(folder, 'alone.cjs'), 'help'), helpText(ioOf()))
})

t.test("ipvsadm's grammar has no package in its file, and reads no other one", async t => {
  t.strictSame(packagesInText(text), [])
  t.ok(text.length < subcommandsText.length / 2)
  copyFileSync(bin, join(folder, 'lonely.cjs'))
  rmSync(join(folder, 'subcommands.cjs'), { force: true })
  t.match(await run(here, join(folder, 'lonely.cjs'), '-A'), {
    status: 2,
    stderr: /You need to supply the 'service-address' option/,
  })
})

t.test('it tells its version, and evaluates nothing else for that', async t => {
  for (const option of ['--version', '-v']) t.equal(await output(here, bin, option), `ts-ipvs ${version}\n`)
  t.strictSame(await evaluated('--version'), ['lib/cli/version.ts'])
  const unread = await run(here, 'bash', '-c', `{ sleep 0.5; ${bin} --version; echo $? >&2; } | true`)
  t.match(unread, { stderr: /^141\n$/ }, 'quietly, when nobody reads it')
})

t.test('through a link of that name it is ipvsadm, with a version of its own', async t => {
  symlinkSync(bin, join(folder, 'ipvsadm'))
  const { stdout } = await run(here, join(folder, 'ipvsadm'), '-v')
  t.match(stdout, /^ipvsadm v1\.31 /)
})

t.test('a listing evaluates no library that it does not need, a subcommand only those that it needs', async t => {
  const listing = await evaluated('-Ln')
  t.ok(listing.includes('lib/cli/ipvsadm/index.ts'))
  t.strictSame(packagesIn(listing), [])
  t.notOk(listing.includes('lib/cli/program.ts'))
  t.strictSame(packagesIn(await evaluated('completion', 'bash')), ['commander'])
})

t.test('a subcommand that does not exist is refused, with the nearest one', async t => {
  t.match(await run(here, bin, 'aply'), { status: 2, stdout: '', stderr: /unknown command 'aply'\n\(Did you mean apply\?\)/ })
})

t.test('the licences of all packages in it are beside it', async t => {
  const packages = packagesInText(subcommandsText)
  t.ok(packages.includes('commander'))
  const licenses = readFileSync(join(root, 'dist/cli/LICENSES.txt'), 'utf8')
  for (const name of packages) t.match(licenses, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\([\\w.-]+\\)$`, 'm'), name)
})
