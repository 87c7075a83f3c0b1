/** `ts-ipvs nft`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type json, open } from '../../../lib/nft/index.js'
import { cli } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-nft.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function file(content: unknown): string {
  const path = join(folder, `${++files}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const of = { family: 'inet', table: 'web' } as const
const DOCUMENT = {
  nftables: [
    { table: { family: 'inet', name: 'web' } },
    { chain: { ...of, name: 'in', type: 'filter', hook: 'input', prio: 0, policy: 'drop' } },
    {
      set: { ...of, name: 'blocked', type: 'ipv4_addr', flags: ['interval'], elem: [{ prefix: { addr: '192.0.2.0', len: 24 } }] },
    },
    {
      rule: {
        ...of,
        chain: 'in',
        expr: [{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@blocked' } }, { drop: null }],
      },
    },
  ],
} as const satisfies json.Document

const TEXT = `table inet web {
	set blocked {
		type ipv4_addr
		flags interval
		elements = { 192.0.2.0/24 }
	}

	chain in {
		type filter hook input priority filter; policy drop;
		ip saddr @blocked drop
	}
}
`

t.test('apply carries out a document, list prints the ruleset as nft does', async t => {
  const { run } = await cli()
  t.strictSame(await run(['nft', 'apply', file(DOCUMENT)]), { status: 0, stdout: '', stderr: '' })
  t.strictSame(await run(['nft', 'list']), { status: 0, stdout: TEXT, stderr: '' })
  t.strictSame(await run(['nft', 'list', '--family', 'ip']), { status: 0, stdout: '', stderr: '' })
  const { stdout } = await run(['nft', 'list', '--json', '--table', 'web'])
  t.match(JSON.parse(stdout), { nftables: [{ metainfo: { json_schema_version: 1 } }, DOCUMENT.nftables[0]] })
})

t.test('apply reads the standard input, prints what the document asks for, and with --json the handles', async t => {
  const { run } = await cli()
  const document = { nftables: [...DOCUMENT.nftables, { list: { tables: null } }] }
  const { status, stdout } = await run(['nft', 'apply', '-', '--json'], { stdin: JSON.stringify(document) })
  const [echoed, tables] = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.equal(status, 0)
  t.match(echoed.nftables[3].rule, { chain: 'in', handle: Number })
  t.strictSame(Object.keys(tables.nftables[1]), ['table'])
})

t.test('check finds what is wrong, and changes nothing', async t => {
  const { run } = await cli()
  t.strictSame(await run(['nft', 'check', file(DOCUMENT)]), { status: 0, stdout: '', stderr: '' })
  t.strictSame(await run(['nft', 'list']), { status: 0, stdout: '', stderr: '' })
  const refused = await run(['nft', 'check', file({ nftables: [{ add: { chain: { ...of, name: 'in' } } }] })])
  t.match(refused, { status: 1, stderr: /nftables\[0\]\.add\.chain: chain in of table inet web can not be added/ })
})

t.test('what is wrong with a file is told with its place, and has status 2', async t => {
  const { run } = await cli()
  const misspelt = file({ nftables: [{ ad: {} }] })
  t.strictSame(await run(['nft', 'apply', misspelt]), {
    status: 2,
    stdout: '',
    stderr: `ts-ipvs: ${misspelt}: nftables[0].ad: there is no such field: did you mean add?\n`,
  })
  t.match(await run(['nft', 'apply', file('{')]), { status: 2, stderr: /: is no JSON: / })
  t.match(await run(['nft', 'apply', join(folder, 'none')]), { status: 2, stderr: /none can not be read: / })
  t.match(await run(['nft', 'apply']), { status: 2, stderr: 'ts-ipvs: nft apply: give a file, or - for the standard input\n' })
  t.match(await run(['nft', 'list', 'x']), { status: 2, stderr: 'ts-ipvs: nft list x: takes no file\n' })
  t.match(await run(['nft', 'lst']), { status: 2, stderr: /Allowed choices are list, apply, check, diff, watch/ })
})

t.test('diff prints the commands that are missing, a line each, with the status of diff(1)', async t => {
  const { run } = await cli()
  const wanted = file(DOCUMENT)
  t.strictSame(await run(['nft', 'diff', wanted]), {
    status: 1,
    stdout: [
      'add table inet web',
      'add chain inet web in { type filter hook input priority filter; policy drop; }',
      'add set inet web blocked { type ipv4_addr; flags interval }',
      'add element inet web blocked { 192.0.2.0/24 }',
      'add rule inet web in ip saddr @blocked drop\n',
    ].join('\n'),
    stderr: '',
  })
  await run(['nft', 'apply', wanted])
  t.strictSame(await run(['nft', 'diff', wanted]), { status: 0, stdout: '', stderr: '' })
  t.match(await run(['nft', 'diff', file('{')]), { status: 2 })
})

t.test('watch prints a line for each change, until it is interrupted', async t => {
  const { run, kernel } = await cli()
  const ending = new AbortController()
  const running = run(['nft', 'watch'], { signal: ending.signal })
  await sleep(100)
  await using nf = await open({ transport: kernel })
  await nf.apply(DOCUMENT)
  const rule = (await nf.rules())[0]
  await nf.apply({ nftables: [{ delete: { rule: { ...of, chain: 'in', handle: rule?.handle ?? 0 } } }] })
  await sleep(100)
  ending.abort()
  const { status, stdout, stderr } = await running
  t.strictSame([status, stderr], [0, ''])
  t.strictSame(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/^\S+ /, '').replace(/ # .*$/, '')),
    [
      'add table inet web',
      'add chain inet web in { type filter hook input priority filter; policy drop; }',
      'add set inet web blocked { type ipv4_addr; flags interval }',
      'add element inet web blocked { 192.0.2.0/24 }',
      `add rule inet web in handle ${rule?.handle} ip saddr @blocked drop`,
      `delete rule inet web in handle ${rule?.handle}`,
    ],
  )
})
