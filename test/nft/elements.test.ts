import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { BadValue } from '../../lib/netlink/schema.js'
import { ElementReader } from '../../lib/nft/objects/element-reader.js'
import { type Purpose, writeElements } from '../../lib/nft/objects/elements.js'
import type { Element, Elements } from '../../lib/nft/types.js'
import { attribute, fromHex, hex } from './objects/harness.js'

type Set = Elements['set']

const NESTED = 0x8000
const common = { family: 'ip', table: 't', name: 's' } as const
const addresses: Set = { ...common, key: 'ipv4_addr' }
const ranges: Set = { ...addresses, flags: ['interval'] }
const endpoints: Set = { ...common, key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] }

/** What was written: the messages, each with its first element, and how many elements were told between interruptions. */
interface Written {
  readonly messages: { readonly first: number; readonly start: number; end: number }[]
  readonly bytes: Uint8Array
  readonly counts: number[]
}

function write(set: Set, elements: readonly Element[], purpose: Purpose = 'add', size = 16): Written {
  const writer = new MessageWriter(size)
  writer.bytes.fill(0xee)
  const messages: Written['messages'] = []
  const end = (): void => {
    const last = messages.at(-1)
    if (last) last.end = writer.offset
  }
  const counts = [
    ...writeElements(writer, { set, elements }, purpose, first => {
      end()
      messages.push({ first, start: writer.offset, end: 0 })
    }),
  ]
  end()
  return { messages, bytes: writer.written().slice(), counts }
}

/** The list of elements of the only message. */
function listOf(set: Set, elements: readonly Element[], purpose?: Purpose): string {
  const { bytes } = write(set, elements, purpose)
  const head = attribute(1, '7400') + attribute(2, '7300')
  const text = hex(bytes)
  if (!text.startsWith(head)) throw new Error(text)
  return text.slice(head.length + 8)
}

function readAll(set: Set, { bytes, messages }: Pick<Written, 'bytes' | 'messages'>): Element[] {
  const reader = new ElementReader(set)
  const message = new MessageReader(bytes)
  const elements: Element[] = []
  for (const { start, end } of messages) reader.read(message, start, end, elements)
  reader.end(elements)
  return elements
}

/** Reads lists of elements in hexadecimal, each of a message. */
function readLists(set: Set, lists: readonly string[]): Element[] {
  const reader = new ElementReader(set)
  const elements: Element[] = []
  for (const list of lists) {
    const bytes = fromHex(attribute(1, '7400') + attribute(2, '7300') + attribute(3 | NESTED, list))
    reader.read(new MessageReader(bytes), 0, bytes.length, elements)
  }
  reader.end(elements)
  return elements
}

const value = (type: number, bytes: string): string => attribute(type | NESTED, attribute(1, bytes))
const key = (bytes: string): string => value(1, bytes)
const element = (...attributes: string[]): string => attribute(1 | NESTED, attributes.join(''))
const flags = (bits: number): string => attribute(3, bits.toString(16).padStart(8, '0'))
const end = (bytes: string): string => element(key(bytes), flags(1))
const u32 = (number: number): string => Buffer.from(new Uint32Array([number]).buffer).toString('hex')

const OPEN = `0104${u32(1)}`

/** The bytes are those of nft 1.0.6. */
const WRITTEN: Readonly<Record<string, readonly [set: Set, element: Element, bytes: string]>> = {
  'a key': [addresses, { key: '10.0.0.1' }, element(key('0a000001'))],
  'a key that is filled up': [{ ...common, key: 'inet_service' }, { key: 80 }, element(key('0050'))],
  'a concatenation and its data': [
    endpoints,
    { key: ['10.0.0.1', 'tcp', 443], data: ['10.0.0.2', 8080] },
    element(key('0a0000010600000001bb0000'), value(2, '0a0000021f900000')),
  ],
  'a verdict': [
    { ...addresses, data: 'verdict' },
    { key: '10.0.0.1', data: { verdict: 'jump', chain: 'c' } },
    element(key('0a000001'), attribute(2 | NESTED, attribute(2 | NESTED, attribute(1, 'fffffffd') + attribute(2, '6300')))),
  ],
  'an object': [
    { ...addresses, objects: 'counter' },
    { key: '10.0.0.1', object: 'c' },
    element(key('0a000001'), attribute(9, '6300')),
  ],
  'a prefix': [ranges, { key: '10.0.0.0/8' }, element(key('0a000000')) + end('0b000000')],
  'a range': [ranges, { key: { from: '10.0.0.1', to: '10.0.0.255' } }, element(key('0a000001')) + end('0a000100')],
  'an address among ranges': [ranges, { key: '10.0.0.1' }, element(key('0a000001')) + end('0a000002')],
  'a range to the end': [ranges, { key: '240.0.0.0/4' }, element(key('f0000000'), attribute(6, OPEN))],
  'all there is': [ranges, { key: '0.0.0.0/0' }, element(key('00000000'), attribute(6, OPEN))],
  'the last of few bits': [
    { ...common, key: 'dscp', flags: ['interval'] },
    { key: { from: 60, to: 63 } },
    element(key('3c'), attribute(6, OPEN)),
  ],
  'a range of names': [
    { ...common, key: 'ifname', flags: ['interval'] },
    { key: 'eth*' },
    element(key(`657468${'00'.repeat(13)}`)) + end(`657469${'00'.repeat(13)}`),
  ],
  'a range and its data': [
    { ...ranges, data: 'inet_service' },
    { key: '10.0.0.0/8', data: 80 },
    element(key('0a000000'), value(2, '0050')) + end('0b000000'),
  ],
  'ranges of a concatenation': [
    { ...common, key: ['ipv4_addr', 'inet_service'], flags: ['interval'] },
    { key: ['10.0.0.0/8', { from: 80, to: 90 }] },
    element(key('0a00000000500000'), value(10, '0affffff005a0000')),
  ],
  'a mark among ranges, in the order of the network': [
    { ...common, key: 'mark', flags: ['interval'] },
    { key: 256 },
    element(key('00000100')) + end('00000101'),
  ],
  'data that are a range': [
    { ...addresses, data: 'inet_service', dataInterval: true },
    { key: '10.0.0.1', data: { from: 80, to: 90 } },
    element(key('0a000001'), value(2, '0050005a')),
  ],
  'the element for all others': [
    { ...addresses, data: 'inet_service' },
    { key: '*', data: 80 },
    element(value(2, '0050'), flags(2)),
  ],
  'times, and a comment': [
    addresses,
    { key: '10.0.0.1', timeout: 10, expires: 1.5, comment: 'hu' },
    element(key('0a000001'), attribute(4, '0000000000002710'), attribute(5, '00000000000005dc'), attribute(6, '0003687500')),
  ],
  'a range to the end with a comment': [
    ranges,
    { key: '240.0.0.0/4', comment: 'top' },
    element(key('f0000000'), attribute(6, `0004746f7000${OPEN}`)),
  ],
  'one expression': [
    addresses,
    { key: '10.0.0.1', expressions: [{ kind: 'opaque', name: 'x' }] },
    element(key('0a000001'), attribute(7 | NESTED, attribute(1, '7800'))),
  ],
  'several expressions': [
    addresses,
    {
      key: '10.0.0.1',
      expressions: [
        { kind: 'opaque', name: 'x' },
        { kind: 'opaque', name: 'y' },
      ],
    },
    element(
      key('0a000001'),
      attribute(11 | NESTED, attribute(1 | NESTED, attribute(1, '7800')) + attribute(1 | NESTED, attribute(1, '7900'))),
    ),
  ],
  'what is not known': [
    addresses,
    { key: '10.0.0.1', flags: 4, userData: [{ type: 9, data: fromHex('aa') }], unknown: [{ type: 99, data: fromHex('bbcc') }] },
    element(key('0a000001'), flags(4), attribute(6, '0901aa'), attribute(99, 'bbcc')),
  ],
}

for (const [what, [set, given, bytes]] of Object.entries(WRITTEN))
  t.test(`an element is written as nft writes it, and read again: ${what}`, async t => {
    t.equal(listOf(set, [given]), bytes)
    t.strictSame(readAll(set, write(set, [given])), [given])
  })

t.test('to name an element nothing is written but its key', async t => {
  const set: Set = { ...ranges, data: 'verdict' }
  const given: Element = { key: '10.0.0.0/8', data: { verdict: 'drop' }, timeout: 5, comment: 'x', expressions: [] }
  t.equal(listOf(set, [given], 'name'), element(key('0a000000')) + end('0b000000'))
  t.equal(listOf(set, [{ key: '240.0.0.0/4' }], 'name'), element(key('f0000000')))
  t.equal(listOf(set, [{ key: '*' }], 'name'), element(flags(2)))
})

t.test('an anonymous set is named by its id as well', async t => {
  const { bytes } = write({ ...addresses, id: 7 }, [{ key: '10.0.0.1' }])
  t.match(hex(bytes), new RegExp(`^${attribute(1, '7400')}${attribute(2, '7300')}${attribute(4, '00000007')}`))
})

const one = (from: string): string => element(key(from))

/** Intervals in every order in which they may come. */
const INTERVALS: Readonly<Record<string, readonly [lists: string[], keys: unknown[]]>> = {
  'the highest first, as the kernel tells them': [
    [one('f0000000') + end('0a000002') + one('0a000001') + end('0a000001') + one('0a000000') + end('00000000')],
    ['240.0.0.0/4', '10.0.0.1', '10.0.0.0'],
  ],
  'the lowest first, as nft sends them': [
    [end('00000000') + one('0a000000') + end('0a000001') + one('0a000001') + end('0a000002') + one('f0000000')],
    ['10.0.0.0', '10.0.0.1', '240.0.0.0/4'],
  ],
  'each end in a message of its own': [
    [end('0b000000'), one('0a000000'), end('01000000'), one('00000000')],
    ['10.0.0.0/8', '0.0.0.0/8'],
  ],
  'each beginning in a message of its own': [
    [one('0a000000'), end('0b000000'), one('0c000000'), end('0d000000')],
    ['10.0.0.0/8', '12.0.0.0/8'],
  ],
  'no end at all': [[one('0a000000')], [{ from: '10.0.0.0', to: '255.255.255.255' }]],
  'no beginning': [[end('0a000000')], []],
  'an end that is open': [
    [element(key('f0000000'), attribute(6, OPEN)) + end('0b000000') + one('0a000000')],
    ['240.0.0.0/4', '10.0.0.0/8'],
  ],
  nothing: [[''], []],
}

for (const [what, [lists, keys]] of Object.entries(INTERVALS))
  t.test(`beginnings and ends of intervals are put together: ${what}`, async t => {
    t.strictSame(
      readLists(ranges, lists).map(read => read.key),
      keys,
    )
  })

t.test('attributes that are not those of the set are kept', async t => {
  const told = (set: Set, ...attributes: string[]): Element | undefined => readLists(set, [element(...attributes)])[0]
  t.strictSame(told(addresses, key('0a0000')), {
    key: new Uint8Array(0),
    unknown: [{ type: 1 | NESTED, data: fromHex(attribute(1, '0a0000')) }],
  })
  t.strictSame(told(addresses, key('0a000001'), value(2, '0050')), {
    key: '10.0.0.1',
    unknown: [{ type: 2 | NESTED, data: fromHex(attribute(1, '0050')) }],
  })
  t.strictSame(told(addresses, key('0a000001'), value(10, '0a000002')), {
    key: '10.0.0.1',
    unknown: [{ type: 10 | NESTED, data: fromHex(attribute(1, '0a000002')) }],
  })
  t.strictSame(told({ ...addresses, data: 'verdict' }, key('0a000001'), value(2, '0050')), {
    key: '10.0.0.1',
    unknown: [{ type: 2 | NESTED, data: fromHex(attribute(1, '0050')) }],
  })
  t.strictSame(told({ ...addresses, data: 'mark' }, key('0a000001')), { key: '10.0.0.1' })
  t.strictSame(told(addresses, key('0a000001'), key('0a000001'))?.unknown?.length, 1, 'twice the same')
  const both: Set = { ...common, key: ['ipv4_addr', 'mark'], flags: ['interval'] }
  t.strictSame(told(both, key('0a00000100000005')), { key: ['10.0.0.1', 5] }, 'without an end it is one key')
  t.strictSame(told(ranges, key('0a000001'), flags(0))?.key, { from: '10.0.0.1', to: '255.255.255.255' })
})

t.test('bytes that are no elements are none', async t => {
  for (const list of ['', '0800', '04000180', 'ffff0180', `${element(key('0a000001')).slice(0, -8)}`])
    t.ok(readLists(addresses, [list]).length <= 1, list)
  t.strictSame(readLists(addresses, [element(`0c000180${'00'.repeat(4)}`)]), [])
  const reader = new ElementReader(addresses)
  const none: Element[] = []
  reader.read(new MessageReader(new Uint8Array(0)), 0, 0, none)
  t.strictSame(none, [])
})

t.test('long lists are split over messages, the two ends of an interval stay together', async t => {
  const elements = Array.from({ length: 4000 }, (_, i): Element => ({ key: `10.${i >> 8}.${i & 255}.0/25`, comment: `${i}` }))
  for (const [set, given] of [
    [ranges, elements],
    [endpoints, elements.map((_, i): Element => ({ key: [`10.0.${i >> 8}.${i & 255}`, 'udp', i], data: ['10.0.0.1', 80] }))],
  ] as const) {
    const all = write(set, given)
    t.ok(all.messages.length > 1)
    t.equal(all.messages[0]?.first, 0)
    const reader = new ElementReader(set)
    const message = new MessageReader(all.bytes)
    const read: Element[] = []
    for (const { first, start, end } of all.messages) {
      t.equal(read.length, first, 'a message begins with a whole element')
      reader.read(message, start, end, read)
      t.ok(end - start < 65535 + 32)
    }
    t.strictSame(read, given)
    t.equal(
      all.counts.reduce((a, b) => a + b, 0),
      given.length,
    )
    t.ok(Math.max(...all.counts) <= 500)
  }
})

t.test('the memory that messages are written into grows wherever it is at its end', async t => {
  const given: Element[] = [
    { key: '10.0.0.0/8', comment: 'x'.repeat(100), data: { verdict: 'jump', chain: 'c'.repeat(255) } },
    {
      key: { from: '20.0.0.1', to: '20.0.0.5' },
      data: { verdict: 'accept' },
      unknown: [{ type: 99, data: new Uint8Array(600) }],
    },
    { key: '*', data: { verdict: 'drop' } },
  ]
  const set: Set = { ...ranges, data: 'verdict' }
  const expected = hex(write(set, given, 'add', 1 << 16).bytes)
  for (let size = 16; size < 1600; size += 4)
    if (hex(write(set, given, 'add', size).bytes) !== expected) t.fail(`with ${size} bytes at first`)
  t.strictSame(readAll(set, write(set, given)), given)
})

t.test('an element that fits in no message is refused', async t => {
  const large = { type: 99, data: new Uint8Array(65530) }
  t.throws(() => write(addresses, [{ key: '10.0.0.1' }, { key: '10.0.0.2', unknown: [large] }]), {
    path: 'elements[1]',
    message: /bytes are too many for one element/,
  })
})

/** What is refused. */
function refused(set: unknown, elements: readonly unknown[]): string | undefined {
  try {
    write(set as Set, elements as Element[])
    return undefined
  } catch (error) {
    if (error instanceof BadValue) return `${error.path}: ${error.message}`
    throw error
  }
}

const OVERLAPPING: Readonly<Record<string, readonly [keys: unknown[], message: RegExp]>> = {
  'one within another': [
    ['10.0.0.0/8', '12.0.0.0/8', '10.1.0.0/16'],
    /^elements\[2\].key: "10.1.0.0\/16": overlaps elements\[0\].key, "10.0.0.0\/8"$/,
  ],
  'the one before': [
    ['10.1.0.0/16', '1.0.0.0', '10.0.0.0/8'],
    /^elements\[2\].key: .* overlaps elements\[0\].key, "10.1.0.0\/16"$/,
  ],
  'twice the same': [
    ['10.0.0.1', '10.0.0.2', '10.0.0.1'],
    /^elements\[2\].key: "10.0.0.1": overlaps elements\[0\].key, "10.0.0.1"$/,
  ],
  'the end of one and the beginning of another': [
    [
      { from: '10.0.0.1', to: '10.0.0.5' },
      { from: '10.0.0.5', to: '10.0.0.6' },
    ],
    /^elements\[1\].key: .*overlaps elements\[0\].key/,
  ],
  'at the end of all': [['255.0.0.0/8', '1.0.0.0', '255.255.255.255'], /^elements\[2\].key: .*overlaps elements\[0\].key/],
}

for (const [what, [keys, message]] of Object.entries(OVERLAPPING))
  t.test(`intervals of one command that overlap are refused, and both are named: ${what}`, async t => {
    t.match(
      refused(
        ranges,
        keys.map(given => ({ key: given })),
      ),
      message,
    )
    t.equal(refused({ ...ranges, flags: [] }, [{ key: '10.0.0.1' }, { key: '10.0.0.1' }]), undefined, 'only intervals')
  })

/** Numbers that look random, and are always the same. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state
  }
}

t.test('intervals in any order that touch each other are taken, and of those that overlap by one the two are found', async t => {
  const random = numbers(7)
  const next = (below: number): number => random.next().value % below
  for (let round = 0; round < 10; round++) {
    const count = 2 + next(700)
    const keys: { from: number; to: number }[] = []
    for (let at = 0; keys.length < count; ) {
      const from = at + next(2) * next(5)
      keys.push({ from, to: from + next(4) })
      at = (keys.at(-1)?.to ?? 0) + 1
    }
    const order = keys.map(range => ({ range, by: next(1 << 30) })).sort((a, b) => a.by - b.by)
    const set: Set = { ...common, key: 'mark', flags: ['interval'] }
    const shuffled = order.map(({ range }): Element => ({ key: range.from === range.to ? range.from : range }))
    t.strictSame(readAll(set, write(set, shuffled)), shuffled)
    const [first, second] = [next(count), next(count)]
    if (first === second) continue
    const victim = order[first]?.range as { from: number; to: number }
    const twice = shuffled.map((given, i): Element => (i === second ? { key: victim.to } : given))
    t.match(refused(set, twice), /^elements\[\d+\].key: .*: overlaps elements\[\d+\].key, /)
    const [, a, b] = /\[(\d+)\].*\[(\d+)\]/.exec(refused(set, twice) ?? '') ?? []
    t.strictSame(
      [Number(b), Number(a)].sort((x, y) => x - y),
      [first, second].sort((x, y) => x - y),
    )
  }
})

t.test('what can not be an element is refused with its place', async t => {
  const verdicts = { ...addresses, data: 'verdict' }
  const cases: readonly (readonly [set: unknown, element: unknown, message: RegExp])[] = [
    [addresses, null, /^elements\[1\]: null: give an element, as \{ key: … \}$/],
    [addresses, {}, /^elements\[1\].key: is missing$/],
    [addresses, { key: '10.0.0' }, /^elements\[1\].key: "10.0.0": give an IPv4 address/],
    [addresses, { key: new Uint8Array(5) }, /^elements\[1\].key: 5 bytes: give /],
    [addresses, { key: '10.0.0.0/8' }, /^elements\[1\].key: .*prefixes are for sets with the flag "interval", and for data/],
    [
      addresses,
      { key: { from: '10.0.0.1', to: '10.0.0.2' } },
      /^elements\[1\].key: .*: ranges are for sets with the flag "interval"/,
    ],
    [addresses, { key: '10.0.0.1', data: 5 }, /^elements\[1\].data: it is no map to data$/],
    [addresses, { key: '10.0.0.1', object: 'x' }, /^elements\[1\].object: it is no map to objects$/],
    [addresses, { key: '10.0.0.1', timeout: -1 }, /^elements\[1\].timeout: -1: give seconds, from 0$/],
    [addresses, { key: '10.0.0.1', flags: 1 }, /^elements\[1\].flags: 1: 1 and 2 have fields of their own$/],
    [addresses, { key: '10.0.0.1', comment: 'x'.repeat(200) }, /^elements\[1\].comment: .*is too long/],
    [addresses, { key: '10.0.0.1', tiemout: 5 }, /^elements\[1\].tiemout: there is no such field/],
    [verdicts, { key: '10.0.0.1' }, /^elements\[1\].data: is missing: it is a map$/],
    [verdicts, { key: '10.0.0.1', data: 5 }, /^elements\[1\].data: 5: give a verdict, as \{ verdict: 'accept' \}$/],
    [verdicts, { key: '10.0.0.1', data: { verdict: 'jump' } }, /^elements\[1\].data.chain: is missing/],
    [{ ...addresses, objects: 'counter' }, { key: '10.0.0.1' }, /^elements\[1\].object: is missing: it is a map$/],
    [
      { ...addresses, objects: 'counter' },
      { key: '10.0.0.1', data: 5, object: 'x' },
      /^elements\[1\].data: it is no map to data$/,
    ],
    [
      { ...addresses, data: 'mark' },
      { key: '10.0.0.1', data: { from: 1, to: 2 } },
      /^elements\[1\].data: .*give a whole number.*: ranges are for .* data with dataInterval$/,
    ],
    [endpoints, { key: ['10.0.0.1', 'tcp'], data: ['10.0.0.1', 80] }, /^elements\[1\].key: .*has 2 values: give 3$/],
    [endpoints, { key: ['10.0.0.1', 'tcp', 99999], data: ['10.0.0.1', 80] }, /^elements\[1\].key\[2\]: 99999: give /],
    [endpoints, { key: ['10.0.0.1', 'tcp', 80], data: ['x', 80] }, /^elements\[1\].data\[0\]: "x": give /],
  ]
  for (const [set, bad, message] of cases) {
    const good: unknown =
      set === endpoints
        ? { key: ['10.0.0.9', 'tcp', 80], data: ['10.0.0.1', 80] }
        : set === verdicts
          ? { key: '10.0.0.9', data: { verdict: 'drop' } }
          : 'objects' in (set as Set)
            ? { key: '10.0.0.9', object: 'c' }
            : 'data' in (set as Set)
              ? { key: '10.0.0.9', data: 5 }
              : { key: '10.0.0.9' }
    t.match(refused(set, [good, bad]), message)
  }
})

t.test('what can not be their set is refused', async t => {
  const cases: readonly (readonly [set: unknown, message: RegExp])[] = [
    [{ ...addresses, name: undefined }, /^set.name: is missing$/],
    [{ ...addresses, table: undefined }, /^set.table: is missing$/],
    [{ ...addresses, key: undefined }, /^set.key: is missing: give the type of the keys$/],
    [{ ...addresses, key: ['mark', 'x'] }, /^set.key\[1\]: "x": give one of /],
    [{ ...addresses, data: 'x' }, /^set.data: "x": give one of /],
    [{ ...addresses, flags: ['x'] }, /^set.flags\[0\]: "x": give one of /],
  ]
  for (const [set, message] of cases) t.match(refused(set, [{ key: '10.0.0.1' }]), message)
})
