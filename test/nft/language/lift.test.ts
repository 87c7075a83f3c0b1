import t from 'tap'
import type { Expression } from '../../../lib/nft/expressions/index.js'
import { type LiftContext, liftRule } from '../../../lib/nft/lift/index.js'
import { type LowerContext, lowerRule } from '../../../lib/nft/lower/index.js'
import type { Family } from '../../../lib/nft/types.js'
import { bytes as x } from '../support/bytes.js'
import type { LiftCase } from './lift/case.js'
import { HEADERS } from './lift/headers.js'
import { PIECES } from './lift/pieces.js'
import { SETS } from './lift/sets.js'
import { STATE } from './lift/state.js'
import { STATEMENTS } from './lift/statements.js'

function contextOf({ family, sets = [] }: Pick<LiftCase, 'family' | 'sets'>): LiftContext {
  return {
    family,
    setNamed(name) {
      const found = sets.find(({ set }) => set.name === name)
      return found && { set: { family, table: 't', ...found.set }, elements: found.elements }
    },
    devices: { nameOf: index => (index === 1 ? 'lo' : undefined), indexOf: () => undefined },
  }
}

for (const [what, cases] of Object.entries({
  headers: HEADERS,
  pieces: PIECES,
  state: STATE,
  sets: SETS,
  statements: STATEMENTS,
}))
  t.test(`${what} of rules that nft wrote`, async t => {
    for (const rule of cases)
      t.strictSame(liftRule({ expressions: rule.expressions }, contextOf(rule)), rule.statements, `${rule.family}: ${rule.name}`)
  })

const LOWER: LowerContext = { family: 'inet', table: 't', chain: {}, setNamed: () => undefined, nextId: () => 1 }
const lift = (family: Family, ...expressions: readonly Expression[]) => liftRule({ expressions }, contextOf({ family }))
const tcp: readonly Expression[] = [
  { kind: 'meta', key: 'l4proto', destination: 1 },
  { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
]
const port: Expression = { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 }
const is22: Expression = { kind: 'cmp', source: 1, operator: 'eq', data: x('0016') }
const dport22 = { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } }

t.test('rules of others are read as nft reads them', async t => {
  const all: Expression = { kind: 'bitwise', source: 1, destination: 1, length: 4, mask: x('ffffffff'), xor: x('00000000') }
  const address: Expression = { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 }
  t.strictSame(
    lift('ip', address, all, { kind: 'cmp', source: 1, operator: 'eq', data: x('0a000001') }),
    [{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '10.0.0.1' } }],
    'a mask of all bits says nothing',
  )
  const both: Expression = { kind: 'payload', destination: 1, base: 'transport', offset: 0, length: 4 }
  t.strictSame(
    lift('ip', ...tcp, both, { kind: 'cmp', source: 8, operator: 'eq', data: x('00500016') }),
    [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'sport' } }, right: 80 } }, dport22],
    'fields that are loaded at once are told one by one, from whatever name of the register',
  )
  t.strictSame(
    lift(
      'ip',
      ...tcp,
      port,
      { kind: 'cmp', source: 1, operator: 'gte', data: x('0016') },
      { kind: 'cmp', source: 1, operator: 'lte', data: x('0050') },
    ),
    [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: { range: [22, 80] } } }],
    'at least and at most are a range',
  )
  t.strictSame(
    lift(
      'ip',
      { kind: 'match', name: 'comment', revision: 0, info: x('00') },
      { kind: 'target', name: 'TEE', revision: 1, info: x('00') },
    ),
    [{ xt: { type: 'match', name: 'comment' } }, { xt: { type: 'target', name: 'TEE' } }],
    'extensions of xtables have their names',
  )
  t.strictSame(
    lift('ip', { kind: 'meta', key: 'iifname', destination: 1 }, { kind: 'cmp', source: 1, operator: 'eq', data: x('6c6f00') }),
    [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lo' } }],
    'a name with its zero is a whole name',
  )
})

t.test('a statement before another goes only where that says the same', async t => {
  t.strictSame(lift('inet', ...tcp, port, is22), [dport22], 'the protocol of a port')
  t.strictSame(
    lift('inet', ...tcp, { kind: 'counter', bytes: 0n, packets: 0n }, port, is22),
    [{ match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } }, { counter: { packets: 0, bytes: 0 } }, dport22],
    'not where something is done between the two',
  )
  const present: Expression = {
    kind: 'exthdr',
    destination: 1,
    type: 44,
    offset: 0,
    length: 1,
    flags: ['present'],
    operation: 'ipv6',
  }
  const exists: Expression = { kind: 'cmp', source: 1, operator: 'eq', data: x('01') }
  const family = (data: string): readonly Expression[] => [
    { kind: 'meta', key: 'nfproto', destination: 1 },
    { kind: 'cmp', source: 1, operator: 'eq', data: x(data) },
  ]
  const frag = { match: { op: '==', left: { exthdr: { name: 'frag' } }, right: true } }
  t.strictSame(lift('inet', ...family('0a'), present, exists), [frag], 'extension headers are of IPv6')
  t.strictSame(
    lift('inet', ...family('02'), present, exists),
    [{ match: { op: '==', left: { meta: { key: 'nfproto' } }, right: 'ipv4' } }, frag],
    'and never of IPv4',
  )
})

t.test('what the language can not say stays as it is', async t => {
  const load: Expression = { kind: 'meta', key: 'mark', destination: 1 }
  const options: Expression = { kind: 'payload', destination: 1, base: 'network', offset: 20, length: 2 }
  const rules: readonly (readonly [string, ...(readonly Expression[])])[] = [
    ['an expression that is not known', { kind: 'opaque', name: 'new' }],
    ['a register that nothing looks at', load],
    ['a register that is loaded twice', load, load, is22],
    ['a register that is empty', is22],
    ['a set that is not there', port, { kind: 'lookup', source: 1, set: 'none' }],
    ['a key without a word', { kind: 'meta', key: 99, destination: 1 }, is22],
    ['a flag without a word', { kind: 'log', flags: [64] }],
    ['a verdict without a word', { kind: 'immediate', destination: 0, data: { verdict: 'queue' } }],
    ['a time without a word', { kind: 'limit', rate: 5n, unit: 7n, burst: 5, of: 'packets', flags: [] }],
    ['a kind of object without a word', { kind: 'objref', type: 'tunnel', name: 'x' }],
    [
      'something behind the end of a name',
      { kind: 'meta', key: 'iifname', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('6c6f0041') },
    ],
    [
      'bits beside a mask',
      options,
      { kind: 'bitwise', source: 1, destination: 1, length: 2, mask: x('00f0'), xor: x('0000') },
      is22,
    ],
    [
      'the header of a tunnel of another length',
      { kind: 'inner', number: 0, type: 'vxlan', flags: ['link'], headerSize: 12, expression: load },
      is22,
    ],
  ]
  for (const [what, ...expressions] of rules) {
    const statements = lift('inet', ...expressions)
    t.strictSame(statements, [{ bytecode: expressions }], what)
    t.strictSame(lowerRule(statements, LOWER).expressions, expressions, `${what}: and is written so`)
  }
})
