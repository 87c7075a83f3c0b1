import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { BadValue } from '../../lib/netlink/schema.js'
import { expression } from '../../lib/nft/expressions/index.js'
import type { Expression } from '../../lib/nft/index.js'
import { EXPRESSION_NAMES } from '../../lib/nft/kernel-options.js'
import { ruleAttributes } from '../../lib/nft/wire.js'
import { calculations } from '../kernel/nft/expressions/calculations.js'
import { bytes } from '../kernel/nft/expressions/group.js'
import { loads } from '../kernel/nft/expressions/loads.js'
import { objects } from '../kernel/nft/expressions/objects.js'
import { statements } from '../kernel/nft/expressions/statements.js'

/** What is thrown at the caller for an expression that is none: anything may come from JavaScript. */
function refusal(value: unknown): string | undefined {
  try {
    ruleAttributes.encode(new MessageWriter(64), { expressions: [{ kind: 'notrack' }, value as Expression] })
    return undefined
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const thrown = error.toError()
    return `${thrown.name}: ${thrown.message}`
  }
}

/** What is given as the second expression of a rule, and how what is said begins. */
const REFUSED: readonly [given: unknown, said: string][] = [
  [undefined, 'TypeError: expressions[1]: undefined: give an expression'],
  ['accept', 'TypeError: expressions[1]: "accept": give an expression'],
  [{}, 'TypeError: expressions[1].kind: undefined: there is no such expression here'],
  [{ kind: 'masquerade' }, 'TypeError: expressions[1].kind: "masquerade": there is no such expression here: there are bitwise, '],
  [{ kind: 'toString' }, 'TypeError: expressions[1].kind: "toString": there is no such expression'],
  [{ kind: 'opaque' }, "TypeError: expressions[1].name: undefined: give the kernel's name of it"],
  [{ kind: 'opaque', name: 'x', data: 'y' }, 'TypeError: expressions[1].data: "y": give a Uint8Array'],
  [
    { kind: 'meta', key: 'mark', destination: 1, register: 1 },
    'TypeError: expressions[1].register: there is no such field: the fields are destination, key, source',
  ],
  [{ kind: 'meta', destination: 1 }, 'TypeError: expressions[1].key: is missing'],
  [{ kind: 'meta', destination: 1, key: 'markk' }, 'TypeError: expressions[1].key: "markk": give one of length, protocol, '],
  [
    { kind: 'meta', key: 'mark' },
    'TypeError: expressions[1].destination: give either destination, to load, or source, to change',
  ],
  [{ kind: 'meta', key: 'mark', destination: 1, source: 1 }, 'TypeError: expressions[1].destination: give either'],
  [{ kind: 'ct', key: 'mark' }, 'TypeError: expressions[1].destination: give either'],
  [
    { kind: 'ct', key: 'bytes', destination: 1, direction: 'both' },
    'TypeError: expressions[1].direction: "both": give one of original, reply',
  ],
  [{ kind: 'payload', base: 'network', offset: 0, length: 4 }, 'TypeError: expressions[1].destination: give either'],
  [
    { kind: 'payload', destination: 1, base: 'network', offset: 0, length: 4, checksumType: 'internet' },
    'TypeError: expressions[1].checksumType: is only for a change, with source',
  ],
  [
    { kind: 'payload', destination: 1, base: 'network', offset: 0, length: 4, checksumOffset: 10 },
    'TypeError: expressions[1].checksumOffset: is only for',
  ],
  [
    { kind: 'payload', destination: 1, base: 'network', offset: 0, length: 4, checksumFlags: [] },
    'TypeError: expressions[1].checksumFlags: is only for',
  ],
  [
    { kind: 'payload', destination: 1, base: 'network', offset: -1, length: 4 },
    'RangeError: expressions[1].offset: -1: give a whole number from 0 to 4294967295',
  ],
  [{ kind: 'cmp', source: '1', operator: 'eq', data: bytes(1) }, 'TypeError: expressions[1].source: "1": give a whole number'],
  [
    { kind: 'cmp', source: 1, operator: '==', data: bytes(1) },
    'TypeError: expressions[1].operator: "==": give one of eq, neq, lt, lte, gt, gte',
  ],
  [{ kind: 'cmp', source: 1, operator: 'eq', data: bytes(17) }, 'RangeError: expressions[1].data: 17 bytes: give 1 to 16'],
  [{ kind: 'cmp', source: 1, operator: 'eq', data: bytes(0) }, 'RangeError: expressions[1].data: 0 bytes: give 1 to 16'],
  [
    { kind: 'cmp', source: 1, operator: 'eq', data: 6 },
    "TypeError: expressions[1].data: 6: give a Uint8Array or a verdict, as { verdict: 'accept' }",
  ],
  [
    { kind: 'immediate', destination: 0, data: { verdict: 'jump' } },
    'TypeError: expressions[1].data.chain: is missing: jump needs the name of a chain',
  ],
  [
    { kind: 'immediate', destination: 0, data: { verdict: 'jmp' } },
    'TypeError: expressions[1].data.verdict: "jmp": give one of drop, accept',
  ],
  [
    { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'x'.repeat(256) } },
    'RangeError: expressions[1].data.chain: ',
  ],
  [{ kind: 'bitwise', source: 1, destination: 1, length: 4, xor: bytes(4) }, 'TypeError: expressions[1].mask: is missing'],
  [
    { kind: 'bitwise', source: 1, destination: 1, length: 4, mask: bytes(2), xor: bytes(4) },
    'RangeError: expressions[1].mask: 2 bytes: give 4',
  ],
  [{ kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'lshift' }, 'TypeError: expressions[1].data: is missing'],
  [
    { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'or' },
    'TypeError: expressions[1].data: or needs either data or source2',
  ],
  [
    { kind: 'bitwise', source: 1, destination: 1, length: 8, operator: 'or', data: bytes(8) },
    'RangeError: expressions[1].length: 8: or takes data of 4 bytes: use mask-xor, which does the same',
  ],
  [
    { kind: 'lookup', set: 'm', source: 1, destination: 1, flags: ['invert'] },
    'TypeError: expressions[1].flags: invert is only for sets',
  ],
  [
    { kind: 'lookup', set: 's', source: 1, flags: ['inverted'] },
    'TypeError: expressions[1].flags[0]: "inverted": give one of invert',
  ],
  [{ kind: 'lookup', set: 's', source: 1, flags: 'invert' }, 'TypeError: expressions[1].flags: "invert": give a list of invert'],
  [
    { kind: 'dynset', set: 's', operation: 'add', key: 1, expression: { kind: 'counter' }, expressions: [] },
    'TypeError: expressions[1].expressions: give either expression or expressions',
  ],
  [
    { kind: 'dynset', set: 's', operation: 'add', key: 1, expressions: [{ kind: 'counter' }, { kind: 'limit', rate: 1n }] },
    'TypeError: expressions[1].expressions[1].unit: is missing',
  ],
  [
    { kind: 'dynset', set: 's', operation: 'add', key: 1, expression: { kind: 'log' } },
    'TypeError: expressions[1].expression.kind: "log": there is no such expression here: there are connlimit, counter, last, limit, quota',
  ],
  [
    { kind: 'dynset', set: 's', operation: 'add', key: 1, timeout: 0.5 },
    'RangeError: expressions[1].timeout: 0.5: give a whole number',
  ],
  [
    { kind: 'dynset', set: 's', operation: 'add', key: 1, flags: 'invert', expressions: [] },
    'TypeError: expressions[1].flags: "invert": give a list of invert',
  ],
  [
    {
      kind: 'inner',
      number: 0,
      type: 'vxlan',
      flags: [],
      headerSize: 8,
      expression: { kind: 'ct', key: 'mark', destination: 1 },
    },
    'TypeError: expressions[1].expression.kind: "ct": there is no such expression here: there are payload, meta',
  ],
  [
    { kind: 'exthdr', type: 0, offset: 0, length: 1 },
    'TypeError: expressions[1].destination: is missing: ipv6 can only be loaded',
  ],
  [{ kind: 'exthdr', operation: 'tcpopt', type: 2, source: 1, destination: 1 }, 'TypeError: expressions[1].source: give either'],
  [{ kind: 'exthdr', operation: 'tcpopt', type: 2, source: 1, length: 2 }, 'TypeError: expressions[1].offset: is missing'],
  [{ kind: 'exthdr', operation: 'tcpopt', type: 2, destination: 1, offset: 2 }, 'TypeError: expressions[1].length: is missing'],
  [
    { kind: 'exthdr', operation: 'tcpopt', type: 256, destination: 1, offset: 0, length: 1 },
    'RangeError: expressions[1].type: 256: give a whole number from 0 to 255',
  ],
  [{ kind: 'fib', destination: 1, result: 'oif', flags: [] }, 'TypeError: expressions[1].flags: give either saddr or daddr'],
  [
    { kind: 'fib', destination: 1, result: 'oif', flags: ['saddr', 'daddr'] },
    'TypeError: expressions[1].flags: give either saddr or daddr',
  ],
  [
    { kind: 'fib', destination: 1, result: 'oif', flags: ['saddr', 'iif', 'oif'] },
    'TypeError: expressions[1].flags: give iif or oif, not both',
  ],
  [{ kind: 'hash', destination: 1, modulus: 2 }, 'TypeError: expressions[1].source: is missing'],
  [{ kind: 'hash', destination: 1, modulus: 2, source: 2 }, 'TypeError: expressions[1].length: is missing'],
  [
    { kind: 'hash', destination: 1, modulus: 2, type: 'symmetric', seed: 1 },
    'TypeError: expressions[1].type: symmetric hashes the flow of the packet',
  ],
  [{ kind: 'socket', key: 'cgroupv2', destination: 1 }, 'TypeError: expressions[1].level: is missing: cgroupv2 needs one'],
  [{ kind: 'socket', key: 'mark', destination: 1, level: 1 }, 'TypeError: expressions[1].level: is only of cgroupv2'],
  [
    { kind: 'nat', type: 'dnat', family: 'ip', addressMax: 1 },
    'TypeError: expressions[1].addressMin: is missing beside addressMax',
  ],
  [{ kind: 'nat', type: 'dnat', family: 'ip', portMax: 1 }, 'TypeError: expressions[1].portMin: is missing beside portMax'],
  [{ kind: 'nat', type: 'masquerade', family: 'ip' }, 'TypeError: expressions[1].type: "masquerade": give one of snat, dnat'],
  [{ kind: 'tproxy', family: 'ip' }, 'TypeError: expressions[1].port: is missing: give address, port, or both'],
  [
    { kind: 'tproxy', family: 'unspecified', address: 1 },
    'TypeError: expressions[1].family: "unspecified": give the family of the address',
  ],
  [{ kind: 'dup' }, 'TypeError: expressions[1].address: is missing: ip, ip6 and inet need address, netdev needs device'],
  [{ kind: 'fwd', device: 1, address: 2 }, 'TypeError: expressions[1].family: is missing'],
  [{ kind: 'fwd', device: 1, family: 'ip' }, 'TypeError: expressions[1].address: is missing'],
  [{ kind: 'queue' }, 'TypeError: expressions[1].number: give either number or source'],
  [{ kind: 'queue', source: 1, total: 2 }, 'TypeError: expressions[1].total: is only beside number'],
  [{ kind: 'queue', number: 65536 }, 'RangeError: expressions[1].number: 65536: give a whole number from 0 to 65535'],
  [{ kind: 'log', group: 1, level: 'info' }, 'TypeError: expressions[1].level: give group or level, not both'],
  [{ kind: 'log', group: 1, flags: [] }, 'TypeError: expressions[1].flags: is only of the log, not of a group'],
  [{ kind: 'log', snaplen: 1 }, 'TypeError: expressions[1].snaplen: is only of a group'],
  [{ kind: 'log', queueThreshold: 1 }, 'TypeError: expressions[1].queueThreshold: is only of a group'],
  [{ kind: 'log', prefix: 'a\0b' }, 'TypeError: expressions[1].prefix: "a\\u0000b": give a text without NUL'],
  [{ kind: 'log', prefix: 'é'.repeat(64) }, 'RangeError: expressions[1].prefix: '],
  [{ kind: 'reject', type: 'icmp' }, 'TypeError: expressions[1].code: is missing: icmp needs one'],
  [{ kind: 'objref' }, 'TypeError: expressions[1].name: is missing: give type and name, or source and set'],
  [{ kind: 'objref', name: 'o' }, 'TypeError: expressions[1].type: is missing'],
  [
    { kind: 'objref', name: 'o', type: 'counter', set: 'm' },
    'TypeError: expressions[1].source: give type and name, or source and set',
  ],
  [{ kind: 'objref', set: 'm' }, 'TypeError: expressions[1].source: is missing: the register of the key'],
  [{ kind: 'objref', source: 1 }, 'TypeError: expressions[1].set: is missing: the name of the map'],
  [{ kind: 'counter', packets: -1n }, 'RangeError: expressions[1].packets: -1n: give a bigint from 0n to 18446744073709551615n'],
  [{ kind: 'counter', bytes: 1.5 }, 'TypeError: expressions[1].bytes: 1.5: give a bigint'],
  [{ kind: 'last', used: 1 }, 'TypeError: expressions[1].used: 1: give true or false'],
  [{ kind: 'match', name: 'x'.repeat(32), revision: 0, info: bytes(1) }, 'RangeError: expressions[1].name: '],
  [{ kind: 'target', name: 'MARK', revision: 0 }, 'TypeError: expressions[1].info: is missing'],
]

t.test('what can not be an expression is refused with its place and the remedy', async t => {
  for (const [given, said] of REFUSED) {
    const text = refusal(given)
    t.ok(text?.startsWith(said), `${said} (${text})`)
  }
})

/** One attribute, with its padding. */
function attribute(type: number, ...parts: (string | number[] | Uint8Array)[]): Uint8Array {
  const payload = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(`${part}\0`) : Uint8Array.from(part))))
  const whole = new Uint8Array((payload.length + 7) & ~3)
  new Uint16Array(whole.buffer, 0, 2).set([payload.length + 4, type])
  whole.set(payload, 4)
  return whole
}

const NESTED = 0x8000
const be32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const named = (name: string, ...data: Uint8Array[]): Uint8Array =>
  Buffer.concat([attribute(1, name), ...(data.length > 0 ? [attribute(2 | NESTED, ...data)] : [])])

/** Read, and written again: undefined when that is not the same. */
function roundTrip(given: Uint8Array): Expression | undefined {
  const read = expression.read(new MessageReader(given), 0, given.length)
  const writer = new MessageWriter(64)
  if (read) expression.write(writer, read)
  return Buffer.compare(writer.written(), given) === 0 ? read : undefined
}

const cmp = [attribute(1, be32(1)), attribute(2, be32(0)), attribute(3 | NESTED, attribute(1, [6]))]

const KEPT: readonly [what: string, given: Uint8Array, read: Expression][] = [
  [
    'one that is not known',
    named('novel', attribute(1, be32(7))),
    { kind: 'opaque', name: 'novel', data: attribute(1, be32(7)) },
  ],
  ['one that is not known, without attributes', named('novel'), { kind: 'opaque', name: 'novel' }],
  ['a known one', named('cmp', ...cmp), { kind: 'cmp', source: 1, operator: 'eq', data: Uint8Array.of(6) }],
  [
    'an attribute that is not known',
    named('cmp', ...cmp, attribute(9, [1, 2, 3])),
    { kind: 'cmp', source: 1, operator: 'eq', data: Uint8Array.of(6), unknown: [{ type: 9, data: Uint8Array.of(1, 2, 3) }] },
  ],
  [
    'words that are not known',
    named('cmp', attribute(1, be32(1)), attribute(2, be32(77)), attribute(3 | NESTED, attribute(1, [6]))),
    { kind: 'cmp', source: 1, operator: 77, data: Uint8Array.of(6) },
  ],
  [
    'bits that are not known',
    named('lookup', attribute(1, 's'), attribute(2, be32(1)), attribute(5, be32(0x41))),
    { kind: 'lookup', set: 's', source: 1, flags: ['invert', 0x40] },
  ],
  [
    'one that lacks what it must have',
    named('cmp', attribute(1, be32(1))),
    { kind: 'opaque', name: 'cmp', data: attribute(1, be32(1)) },
  ],
  [
    'an attribute of another length',
    named('counter', attribute(1, be32(7))),
    { kind: 'counter', unknown: [{ type: 1, data: Uint8Array.from(be32(7)) }] },
  ],
  [
    'one that has attributes and should not',
    named('notrack', attribute(1, be32(7))),
    { kind: 'opaque', name: 'notrack', data: attribute(1, be32(7)) },
  ],
  [
    'fields that do not go together',
    named('meta', attribute(2, be32(3))),
    { kind: 'opaque', name: 'meta', data: attribute(2, be32(3)) },
  ],
  [
    'one that is not known within another',
    named('dynset', attribute(1, 's'), attribute(3, be32(0)), attribute(4, be32(1)), attribute(7 | NESTED, named('novel'))),
    { kind: 'dynset', set: 's', operation: 'add', key: 1, expression: { kind: 'opaque', name: 'novel' } },
  ],
]

t.test('what is not known is kept, and written back byte for byte', async t => {
  for (const [what, given, read] of KEPT) t.strictSame(roundTrip(given), read, what)
})

/** What the kernel tells and refuses to be told. */
const TOLD_ONLY: Readonly<Record<string, readonly string[]>> = { 'quota.flags': ['depleted'] }

const withNested = (given: Expression): Expression[] =>
  'expression' in given && given.expression ? [given, given.expression] : [given]

const GROUPS = [...calculations, ...loads, ...objects, ...statements]

t.test('bytes that are no expression are not read as one', async t => {
  for (const given of [
    attribute(2, be32(1)),
    Uint8Array.of(1, 2, 3, 4),
    Buffer.concat([named('cmp', ...cmp), attribute(5, [1])]),
  ])
    t.equal(expression.read(new MessageReader(Uint8Array.from(given)), 0, given.length), undefined)
})

t.test('an offset in an error means an attribute of an expression', async t => {
  const expressions: Expression[] = [
    { kind: 'notrack' },
    { kind: 'cmp', source: 1, operator: 'eq', data: bytes(4) },
    {
      kind: 'dynset',
      set: 's',
      operation: 'add',
      key: 1,
      expressions: [{ kind: 'counter' }, { kind: 'limit', rate: 1n, unit: 1n }],
    },
    {
      kind: 'inner',
      number: 0,
      type: 'vxlan',
      flags: [],
      headerSize: 8,
      expression: { kind: 'meta', destination: 1, key: 'l4proto' },
    },
    { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'there' } },
  ]
  const writer = new MessageWriter(64)
  ruleAttributes.encode(writer, { expressions })
  const reader = new MessageReader(writer.written())
  const paths = new Set<string | undefined>()
  for (let offset = 0; offset < reader.end; offset += 4) paths.add(ruleAttributes.path(reader, 0, reader.end, offset))
  for (const path of [
    'expressions',
    'expressions[0]',
    'expressions[1].source',
    'expressions[1].data.value',
    'expressions[2].expressions[0]',
    'expressions[2].expressions[1].unit',
    'expressions[3].expression.key',
    'expressions[4].data.verdict.chain',
  ])
    t.ok(paths.has(path), path)
  t.notOk(paths.has(undefined))
})

t.test('a list of expressions that is too long for its attribute is refused', async t => {
  const expressions = Array.from({ length: 2000 }, (): Expression => ({ kind: 'cmp', source: 1, operator: 'eq', data: bytes(4) }))
  t.throws(() => ruleAttributes.encode(new MessageWriter(64), { expressions }), {
    kind: 'range',
    path: 'expressions',
    message: /has \d+ bytes: an attribute holds at most 65531/,
  })
})

t.test('the cases under a kernel have every expression, every field, and every word', async t => {
  const variants = new Map<string, Expression[]>()
  for (const group of GROUPS)
    for (const variant of group.variants.flatMap(withNested))
      variants.set(variant.kind, [...(variants.get(variant.kind) ?? []), variant])
  t.strictSame([...variants.keys()].sort(), EXPRESSION_NAMES)
  for (const [kind, list] of variants) {
    const [first] = list
    // What a table knows is said where something else is given.
    const fields =
      refusal({ ...first, mistake: 1 })
        ?.match(/the fields are (.*)$/)?.[1]
        ?.split(', ')
        .filter(name => name !== '') ?? []
    t.ok(fields.length > 0 || kind === 'notrack', `${kind}: ${fields}`)
    for (const field of fields) {
      const given = list
        .map(variant => (variant as unknown as Record<string, unknown>)[field])
        .filter(value => value !== undefined)
      t.ok(given.length > 0, `${kind}.${field}`)
      const sample = list.find(variant => field in variant)
      const wrong = Array.isArray(given[0]) ? ['mistake'] : 'mistake'
      const words =
        refusal({ ...sample, [field]: wrong })
          ?.match(/: give one of (.*)$/)?.[1]
          ?.split(', ') ?? []
      const seen = [...given.flat(), ...(TOLD_ONLY[`${kind}.${field}`] ?? [])]
      t.strictSame(
        words.filter(word => !seen.includes(word)),
        [],
        `${kind}.${field}: ${words}`,
      )
    }
  }
})
