import t from 'tap'
import { BadValue } from '../../lib/netlink/schema.js'
import { readSet, writeSet, writeSetKey } from '../../lib/nft/objects/set.js'
import { typesFromWire } from '../../lib/nft/objects/set-types.js'
import type { NftSet } from '../../lib/nft/types.js'
import { attribute, fromHex, hex, readBack, refusal, written } from './objects/harness.js'

const NESTED = 0x8000
const common = { family: 'ip', table: 't', name: 's' } as const
const names = attribute(1, '7400') + attribute(2, '7300')
const u32 = (value: number): string => Buffer.from(new Uint32Array([value]).buffer).toString('hex')
const be32 = (value: number): string => value.toString(16).padStart(8, '0')
const order = (key: number, data?: number): string => `0004${u32(key)}${data === undefined ? '' : `0104${u32(data)}`}`

interface Fields {
  readonly flags?: number
  readonly key: readonly [type: number, length: number]
  readonly data?: readonly [type: number, length: number]
  readonly more?: string
  readonly userData: string
  readonly behind?: string
}

/** The attributes of a set in the order in which they are written. */
function bytesOf({ flags = 0, key, data, more = '', userData, behind = '' }: Fields): string {
  const [id, middle] = more.startsWith('id:') ? [more.slice(3, 11), more.slice(11)] : ['ffffffff', more]
  return (
    names +
    attribute(3, be32(flags)) +
    attribute(4, be32(key[0])) +
    attribute(5, be32(key[1])) +
    (data ? attribute(6, be32(data[0])) + attribute(7, be32(data[1])) : '') +
    (middle.startsWith('policy') ? attribute(8, be32(1)) : '') +
    (middle.startsWith('policy') ? middle.slice(6) : middle).replace('ID', attribute(10, id)) +
    (middle.includes('ID') ? '' : attribute(10, id)) +
    attribute(13, userData) +
    behind
  )
}

const field = (length: number): string => attribute(1 | NESTED, attribute(1, be32(length)))

const WRITTEN: Readonly<Record<string, readonly [set: Omit<NftSet, 'family' | 'table' | 'name'>, bytes: Fields]>> = {
  'a set': [{ key: 'ipv4_addr' }, { key: [7, 4], userData: order(2) }],
  'a list of one type is that type': [{ key: ['mark'] }, { key: [19, 4], userData: order(1) }],
  'a concatenation': [{ key: ['ipv4_addr', 'inet_proto', 'inet_service'] }, { key: [0x730d, 12], userData: order(0) }],
  'a map': [
    { key: 'ipv4_addr', data: 'mark' },
    { flags: 8, key: [7, 4], data: [19, 4], userData: order(2, 1) },
  ],
  'a verdict map': [
    { key: 'mark', data: 'verdict' },
    { flags: 8, key: [19, 4], data: [0xffffff00, 0], userData: order(1) },
  ],
  'a map to ranges': [
    { key: 'ipv4_addr', data: ['ipv4_addr', 'inet_service'], dataInterval: true },
    { flags: 8, key: [7, 4], data: [461, 16], userData: `${order(2, 0)}0604${u32(1)}` },
  ],
  'a map to objects': [
    { key: 'ipv4_addr', objects: 'limit' },
    { flags: 0x40, key: [7, 4], userData: order(2), behind: attribute(15, be32(4)) },
  ],
  'a concatenation of ranges': [
    { key: ['ipv4_addr', 'inet_service'], flags: ['interval'], size: 5 },
    {
      flags: 0x84,
      key: [461, 8],
      more: attribute(9 | NESTED, attribute(1, be32(5)) + attribute(2 | NESTED, field(4) + field(2))),
      userData: order(0),
    },
  ],
  'an anonymous set': [
    { key: 'mark', flags: ['anonymous', 'constant'], id: 7 },
    { flags: 3, key: [19, 4], more: 'id:00000007', userData: order(1) },
  ],
  'what else it can have': [
    {
      key: 'ipv4_addr',
      flags: ['interval', 'timeout', 'dynamic', 0x8000],
      policy: 'memory',
      timeout: 1.5,
      gcInterval: 2,
      autoMerge: true,
      comment: 'hi',
      userData: [{ type: 3, data: fromHex('aabb') }],
    },
    {
      flags: 0x8034,
      key: [7, 4],
      more: `policyID${attribute(11, '00000000000005dc')}${attribute(12, be32(2000))}`,
      userData: `${order(2)}0204${u32(1)}07036869000302aabb`,
    },
  ],
  'one expression': [
    { key: 'ipv4_addr', expressions: [{ kind: 'opaque', name: 'x' }] },
    { key: [7, 4], userData: order(2), behind: attribute(17 | NESTED, attribute(1, '7800')) },
  ],
  'several expressions': [
    {
      key: 'ipv4_addr',
      expressions: [
        { kind: 'opaque', name: 'x' },
        { kind: 'opaque', name: 'y' },
      ],
    },
    {
      flags: 0x100,
      key: [7, 4],
      userData: order(2),
      behind: attribute(18 | NESTED, attribute(1 | NESTED, attribute(1, '7800')) + attribute(1 | NESTED, attribute(1, '7900'))),
    },
  ],
}

for (const [what, [set, bytes]] of Object.entries(WRITTEN))
  t.test(`sets are written as nft writes them, and read again: ${what}`, async t => {
    const given: NftSet = { ...common, ...set }
    const data = written(writer => writeSet(writer, given))
    t.equal(hex(data), bytesOf(bytes))
    const read = readBack(data, (...where) => readSet('ip', ...where))
    // The kernel does not tell the id.
    const { id, key, ...others } = read as NftSet
    const { id: _id, key: _key, ...expected } = given
    t.strictSame(others, expected)
    t.strictSame(key, Array.isArray(given.key) && given.key.length === 1 ? given.key[0] : given.key)
  })

t.test('what nft keeps with a set is understood, or left as it is', async t => {
  const read = (userData: string, fields: Partial<Fields> = {}): NftSet | undefined =>
    readBack(fromHex(bytesOf({ key: [19, 4], ...fields, userData })), (...where) => readSet('ip', ...where))
  const left = (userData: string, fields?: Partial<Fields>): unknown => read(userData, fields)?.userData?.map(({ type }) => type)
  t.equal(left(order(1)), undefined)
  t.strictSame(left(order(2)), [0], 'an order that is not that of the type')
  t.strictSame(left('00020100'), [0], 'a number that is none')
  t.strictSame(left(order(1) + order(1)), [0, 0], 'twice the same')
  t.equal(left(`${order(1, 0)}0204${u32(0)}0604${u32(0)}`), undefined, 'what is not so')
  t.strictSame(left(`${order(1)}0204${u32(5)}`), [2])
  t.strictSame(left(`${order(1)}0300ff00`), [3, 255])
  t.strictSame(left(`${order(1)}0702c3ff`), [7], 'a comment that is no text')
  t.strictSame(read(order(1), { key: [4, 2] })?.key, { type: 'integer', length: 2, order: 'host' })
  t.strictSame(read(order(2), { key: [4, 2] })?.key, { type: 'integer', length: 2, order: 'network' })
  t.strictSame(read('', { key: [4, 2] })?.key, { type: 'integer', length: 2 })
  for (const userData of [order(2), order(1) + order(1), '00020100', `${order(1)}0204${u32(5)}0300ff00`]) {
    const set = read(userData)
    t.ok(set)
    const again = readBack(
      written(writer => set && writeSet(writer, set)),
      (...where) => readSet('ip', ...where),
    )
    t.strictSame(again, set, userData)
  }
})

const fold = (...numbers: number[]): number => numbers.reduce((folded, number) => (folded << 6) | number)

t.test('the types of a set follow from its number and its length', async t => {
  const cases: readonly (readonly [
    number: number,
    length: number,
    hints: Parameters<typeof typesFromWire>[2],
    types: unknown,
  ])[] = [
    [7, 4, {}, 'ipv4_addr'],
    [461, 8, {}, ['ipv4_addr', 'inet_service']],
    [461, 8, { fields: [4, 2] }, ['ipv4_addr', 'inet_service']],
    [461, 8, { plain: true }, { type: 461, length: 8 }],
    [461, 12, {}, { type: 461, length: 12 }],
    [461, 8, { fields: [4, 4, 4] }, { type: 461, length: 8 }],
    [0, 4, {}, { type: 0, length: 4 }],
    [47, 4, {}, { type: 47, length: 4 }],
    [13, 4, {}, { type: 'inet_service', length: 4 }],
    [13, 8, {}, { type: 13, length: 8 }],
    [(4 << 6) | 7, 8, {}, [{ type: 'integer', length: 4 }, 'ipv4_addr']],
    [(4 << 6) | 7, 12, {}, [{ type: 'integer', length: 8 }, 'ipv4_addr']],
    [(4 << 6) | 7, 8, { fields: [2, 4], interval: true }, [{ type: 'integer', length: 2, order: 'network' }, 'ipv4_addr']],
    [
      (4 << 6) | 4,
      16,
      {},
      [
        { type: 'integer', length: 4 },
        { type: 'integer', length: 12 },
      ],
    ],
    // Six: of the first two bits are left, which may be none.
    [3914101976, 36, {}, [{ type: 3, length: 4 }, 'ifname', 'mark', 'ipv4_addr', 'mark', 'uid']],
    [fold(7, 19, 19, 24, 25), 24, {}, [{ type: 0, length: 4 }, 'ipv4_addr', 'mark', 'mark', 'uid', 'gid']],
    [fold(7, 19, 19, 24, 25), 40, {}, [{ type: 0, length: 20 }, 'ipv4_addr', 'mark', 'mark', 'uid', 'gid']],
    [461, 12, { fields: [4, 4, 2] }, [{ type: 0, length: 4 }, 'ipv4_addr', 'inet_service']],
  ]
  for (const [number, length, hints, types] of cases)
    t.strictSame(typesFromWire(number, length, hints), types, `${number}, ${length} bytes`)
})

t.test('a set of more than five types is only written where it is said that nft can not list it', async t => {
  const set: NftSet = { ...common, key: ['ipv4_addr', 'mark', 'mark', 'mark', 'mark', 'mark'] }
  const error = refusal(writer => writeSet(writer, set))
  t.equal(error?.path, 'key')
  t.match(error?.message, /^has 6 types: nft can not list a set of more than 5: give unlistable: true if that does not matter$/)
  const data = written(writer => writeSet(writer, { ...set, unlistable: true }))
  const read = readBack(data, (...where) => readSet('ip', ...where))
  t.equal(read?.unlistable, true)
  t.equal(hex(written(writer => read && writeSet(writer, read))), hex(data))
})

t.test('what can not be a set is refused with its place', async t => {
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ key: undefined }, 'key', /^is missing: give the type of the keys$/],
    [{ key: 'ipv4' }, 'key', /^"ipv4": give one of /],
    [{ key: ['mark', 'ipv4'] }, 'key[1]', /^"ipv4": give one of /],
    [{ key: [] }, 'key', /^\[\]: give 1 to 16 types$/],
    [{ key: Array.from({ length: 5 }, () => 'ipv6_addr') }, 'key', /has 80 bytes: at most 64 are possible$/],
    [{ data: 'ipv4' }, 'data', /^"ipv4": give one of /],
    [{ data: ['mark', 'verdict'] }, 'data[1]', /^"verdict": only the data of a map can be verdicts$/],
    [{ data: 'mark', objects: 'counter' }, 'objects', /^a map has data or objects, not both$/],
    [{ objects: 'nothing' }, 'objects', /^"nothing": give one of /],
    [{ dataInterval: true }, 'dataInterval', /^only data that are values can be ranges$/],
    [{ flags: ['intervall'] }, 'flags[0]', /^"intervall": give one of anonymous, constant, interval, timeout, dynamic$/],
    [{ timeout: 5 }, 'timeout', /^needs the flag "timeout"$/],
    [{ gcInterval: 5 }, 'gcInterval', /^needs the flag "timeout"$/],
    [{ flags: ['timeout'], timeout: -1 }, 'timeout', /^-1: give seconds, 0 or from 0\.001 to 18446744073\.708$/],
    [{ flags: ['timeout'], timeout: '5' }, 'timeout', /^"5": give seconds, 0 or from 0\.001 to 18446744073\.708$/],
    [{ flags: ['timeout'], timeout: 0.0004 }, 'timeout', /^0\.0004: give seconds, 0 or from 0\.001 to/],
    [
      { flags: ['timeout'], timeout: 18446744073.709 },
      'timeout',
      /^18446744073\.709: give seconds, 0 or from 0\.001 to 18446744073\.708$/,
    ],
    [
      { flags: ['timeout'], gcInterval: 4294967.296 },
      'gcInterval',
      /^4294967\.296: give seconds, 0 or from 0\.001 to 4294967\.295$/,
    ],
    [{ flags: ['anonymous'] }, 'id', /^is missing: nothing else names an anonymous set$/],
    [{ policy: 'speed' }, 'policy', /^"speed": give one of performance, memory$/],
    [{ name: undefined }, 'name', /^is missing$/],
    [{ table: undefined }, 'table', /^is missing$/],
    [{ name: 'x'.repeat(256) }, 'name', /is too long: at most 255 bytes$/],
    [{ comment: 'x'.repeat(128) }, 'comment', /is too long: at most 127 bytes$/],
  ]
  for (const [fields, path, message] of cases) {
    const error = refusal(writer => writeSet(writer, { ...common, key: 'ipv4_addr', ...fields } as NftSet))
    t.ok(error instanceof BadValue, path)
    t.equal(error?.path, path)
    t.match(error?.message, message)
  }
})

t.test('a set is named by its name or its handle, and never by nothing', async t => {
  t.equal(hex(written(writer => writeSetKey(writer, { table: 't', name: 's', handle: 5 }))), names)
  t.equal(
    hex(written(writer => writeSetKey(writer, { table: 't', handle: 5 }))),
    attribute(1, '7400') + attribute(16, '0000000000000005'),
  )
  t.equal(refusal(writer => writeSetKey(writer, { table: 't' }))?.path, 'name')
  t.equal(refusal(writer => writeSetKey(writer, { name: 's' } as never))?.path, 'table')
})
