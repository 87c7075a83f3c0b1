import t from 'tap'
import { MessageReader } from '../../lib/netlink/buffer.js'
import { ElementReader } from '../../lib/nft/objects/element-reader.js'
import type { Purpose } from '../../lib/nft/objects/elements.js'
import type { Element, Elements } from '../../lib/nft/types.js'
import { addresses, endpoints, ranges, readAll, write } from './objects/element-lists.js'
import { attribute, fromHex, hex } from './objects/harness.js'

type Set = Elements['set']

const NESTED = 0x8000
const common = { family: 'ip', table: 't', name: 's' } as const
/** The list of elements of the only message. */
function listOf(set: Set, elements: readonly Element[], purpose?: Purpose): string {
  const { bytes } = write(set, elements, purpose)
  const head = attribute(1, '7400') + attribute(2, '7300')
  const text = hex(bytes)
  if (!text.startsWith(head)) throw new Error(text)
  return text.slice(head.length + 8)
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
    { key: { from: 60, to: Uint8Array.of(255) } },
    element(key('3c'), attribute(6, OPEN)),
  ],
  'a range of names': [
    { ...common, key: 'ifname', flags: ['interval'] },
    { key: 'eth*' },
    element(key(`657468${'00'.repeat(13)}`)) + end(`657469${'00'.repeat(13)}`),
  ],
  'all names there are, which is no catch-all element': [
    { ...common, key: 'ifname', flags: ['interval'] },
    { key: { from: '', to: fromHex('ff'.repeat(16)) } },
    element(key('00'.repeat(16)), attribute(6, OPEN)),
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
  'no end where the next one begins, the highest first, as nft writes maps': [
    [end('0a000003') + one('0a000002') + one('0a000000') + end('00000000')],
    ['10.0.0.2', '10.0.0.0/31'],
  ],
  'no end where the next one begins, the lowest first': [
    [one('0a000000') + one('0a000002') + end('0a000003')],
    ['10.0.0.0/31', '10.0.0.2'],
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
    message: /has 65548 bytes: an attribute holds at most 65531/,
  })
})
