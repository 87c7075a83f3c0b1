import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type * as json from '../../../lib/nft/json/index.js'
import { renderDocument, renderExpression, renderStatements } from '../../../lib/nft/render/index.js'
import type { Family } from '../../../lib/nft/types.js'

const SOURCES = join(dirname(fileURLToPath(import.meta.url)).replace(/build\/js\//, ''), 'render')
const read = (name: string): string => readFileSync(join(SOURCES, name), 'utf8')

t.test('rules are the text that nft 1.1.3 prints, where their JSON is what nft -j prints', async t => {
  for (const file of readdirSync(SOURCES).filter(name => name.endsWith('.txt'))) {
    const family = file.replace('.txt', '') as Family
    for (const pair of read(file).trim().split('\n\n')) {
      const [text = '', statements = ''] = pair.split('\n')
      t.equal(renderStatements(JSON.parse(statements), { family }), text, `${family}: ${text}`)
    }
  }
})

t.test('rulesets are the text that nft list ruleset prints', async t => {
  for (const file of readdirSync(join(SOURCES, 'rulesets')).filter(name => name.endsWith('.json'))) {
    const text = read(join('rulesets', file.replace('.json', '.txt')))
    t.equal(renderDocument(JSON.parse(read(join('rulesets', file)))), text, file)
  }
})

const inTable = (family: Family, ...objects: readonly object[]): json.Document =>
  ({ nftables: [{ table: { family, name: 't' } }, ...objects] }) as unknown as json.Document
const lines = (document: json.Document): readonly string[] =>
  renderDocument(document)
    .split('\n')
    .map(line => line.trim())

interface ObjectRow {
  readonly what: string
  readonly object: object
  readonly lines: readonly string[]
}
const named = { family: 'ip', table: 't', name: 'x' }

const OBJECTS: readonly ObjectRow[] = [
  {
    what: 'a flowtable with devices and flags',
    object: { flowtable: { ...named, hook: 'ingress', prio: 0, dev: ['eth0', 'lo'], flags: ['counter', 'offload'] } },
    lines: ['flowtable x {', 'hook ingress priority filter', 'devices = { eth0, lo }', 'flags offload', 'counter'],
  },
  { what: 'a secmark', object: { secmark: { ...named, context: 'system_u:x' } }, lines: ['secmark x {', '"system_u:x"'] },
  { what: 'a SYN proxy with one number', object: { synproxy: { ...named, mss: 5 } }, lines: ['mss 5', 'wscale 0'] },
  { what: 'a quota without a unit', object: { quota: { ...named, bytes: 1025, inv: true } }, lines: ['over 1025 bytes'] },
  { what: 'a limit with the burst that all have', object: { limit: { ...named, rate: 1, per: 'hour' } }, lines: ['rate 1/hour'] },
  {
    what: 'times of a connection in the order of the kernel',
    object: { 'ct timeout': { ...named, protocol: 'udp', policy: { replied: 12, unreplied: 15 } } },
    lines: ['policy = { unreplied : 15s, replied : 12s }'],
  },
  {
    what: 'times with fractions of a second',
    object: {
      set: { ...named, type: 'ipv4_addr', flags: ['timeout'], timeout: 3600.5, elem: [{ elem: { val: '::', expires: 0.25 } }] },
    },
    lines: ['timeout 1h500ms', 'elements = { :: expires 250ms }'],
  },
  {
    what: 'an element with several states',
    object: {
      set: {
        ...named,
        type: 'mark',
        elem: [{ elem: { val: 1, timeout: 5, stmt: [{ counter: { packets: 1, bytes: 2 } }, { last: null }] } }],
      },
    },
    lines: ['elements = { 0x00000001 counter packets 1 bytes 2 last used never timeout 5s }'],
  },
  {
    what: 'a map whose data have the type of an expression',
    object: { map: { ...named, type: { typeof: { meta: { key: 'iif' } } }, map: { typeof: { ct: { key: 'mark' } } } } },
    lines: ['typeof iif : ct mark'],
  },
  {
    what: 'a map without elements whose data are ranges',
    object: { map: { ...named, type: 'mark', map: 'ipv4_addr', interval: true } },
    lines: ['type mark : interval ipv4_addr'],
  },
  {
    what: 'a chain of two devices',
    object: { chain: { ...named, family: 'netdev', type: 'filter', hook: 'ingress', prio: 0, dev: ['a', 'b'], policy: 'drop' } },
    lines: ['type filter hook ingress devices = { a, b } priority filter; policy drop;'],
  },
]

t.test('objects that this kernel may lack, and what nft -j leaves out', async t => {
  for (const { what, object, lines: expected } of OBJECTS) {
    const family = (Object.values(object)[0] as { readonly family: Family }).family
    const text = lines(inTable(family, object))
    for (const line of expected) t.ok(text.includes(line), `${what}: ${line}`)
  }
})

t.test('what is put into a map of the table has the type of its data', async t => {
  const map = { map: { ...named, type: 'ipv4_addr', map: 'mark' } }
  const chain = { chain: { ...named, name: 'c' } }
  const elem = { payload: { protocol: 'ip', field: 'saddr' } }
  const rule = { rule: { ...named, chain: 'c', expr: [{ map: { op: 'add', elem, data: 7, map: '@x' } }] } }
  t.ok(lines(inTable('ip', map, chain, rule)).includes('add @x { ip saddr : 0x00000007 }'))
})

t.test('objects that commands add are rendered, those of tables that are not there are not', async t => {
  const add = { add: { chain: { ...named, name: 'c' } } }
  t.ok(lines(inTable('ip', add)).includes('chain c {'))
  t.notOk(lines(inTable('ip6', add)).includes('chain c {'))
})

t.test('a chain without a name stands in the rule that jumps to it', async t => {
  const chains = ['in', '__chain7'].map(name => ({ chain: { ...named, name } }))
  const jump = { rule: { ...named, chain: 'in', expr: [{ jump: { target: '__chain7' } }] } }
  const inside = ['accept', 'drop'].map(verdict => ({ rule: { ...named, chain: '__chain7', expr: [{ [verdict]: null }] } }))
  const text = '\tchain in {\n\t\tjump {\n\t\t\taccept\n\t\t\tdrop\n\t\t}\n\t}\n'
  t.equal(renderDocument(inTable('ip', ...chains, jump, ...inside)), `table ip t {\n${text}}\n`)
})

const meta = (key: string): json.Expression => ({ meta: { key } })
const match = (left: unknown, right: unknown, op = '=='): object => ({ match: { op, left, right } })

interface Row {
  readonly statement: object
  readonly text: string
  readonly family?: Family
}
const STATEMENTS: readonly Row[] = [
  { statement: { queue: { num: 3 } }, text: 'queue to 3' },
  { statement: { queue: { num: { range: [1, 5] }, flags: ['bypass', 'fanout'] } }, text: 'queue flags bypass,fanout to 1-5' },
  { statement: { flow: { op: 'add', flowtable: '@ft' } }, text: 'flow add @ft' },
  { statement: { secmark: 'ssh' }, text: 'meta secmark set "ssh"' },
  { statement: { xt: { type: 'target', name: 'LOG' } }, text: 'xt target "LOG"' },
  { statement: { last: { used: 3_723_080 } }, text: 'last used 1h2m3s80ms' },
  { statement: { counter: { packets: -1, bytes: 5 } }, text: 'counter packets 18446744073709551615 bytes 5' },
  { statement: { reject: { type: 'icmp', expr: 'port-unreachable' } }, text: 'reject', family: 'ip' },
  { statement: { reject: { type: 'icmp', expr: 'port-unreachable' } }, text: 'reject with icmp port-unreachable' },
  { statement: match({ fib: { result: 'check', flags: ['saddr', 'iif'] } }, false), text: 'fib saddr . iif oif missing' },
  { statement: match({ 'dccp option': { type: 4 } }, true), text: 'dccp option 4 exists' },
  { statement: match(meta('ibrname'), 'br0'), text: 'meta ibrname "br0"' },
  { statement: match({ ct: { key: 'saddr', dir: 'reply' } }, '::1'), text: 'ct reply ip6 saddr ::1', family: 'ip6' },
  { statement: match({ ct: { key: 'bytes' } }, '18446744073709551615', '>'), text: 'ct bytes > 18446744073709551615' },
  { statement: match(meta('time'), '2026-01-31 10:00:00', '<'), text: 'meta time < "2026-01-31 10:00:00"' },
  { statement: match(meta('hour'), { range: ['08:00', '17:30'] }), text: 'meta hour "08:00"-"17:30"' },
  { statement: match(meta('day'), { range: ['Monday', 'Friday'] }), text: 'meta day 1-5' },
  { statement: match(meta('l4proto'), { range: [6, 17] }), text: 'meta l4proto 6-17' },
  { statement: match(meta('iif'), '7'), text: 'iif 7' },
  { statement: match(meta('rtclassid'), 'a-name'), text: 'meta rtclassid "a-name"' },
]

t.test('statements that not every kernel has, and constants that not every machine has', async t => {
  for (const { statement, text, family = 'inet' } of STATEMENTS)
    t.equal(renderStatements([statement as json.Statement], { family }), text, text)
})

t.test('calculations have brackets where nft would read them otherwise', async t => {
  const mark = meta('mark')
  const rows: readonly (readonly [json.Expression, string])[] = [
    [{ '&': [mark, 255] }, 'meta mark & 0x000000ff'],
    [{ '<<': [{ '&': [mark, 255] }, 8] }, '(meta mark & 0x000000ff) << 8'],
    [{ '|': [{ '<<': [mark, 8] }, 1] }, 'meta mark << 8 | 0x1'],
    [{ '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, { '|': ['fin', 'syn'] }] }, 'tcp flags & (fin | syn)'],
  ]
  for (const [expression, text] of rows) t.equal(renderExpression(expression, { family: 'inet' }), text)
})
