import t from 'tap'
import { BadValue } from '../../lib/netlink/schema.js'
import { type DataTypeName, orderOfType, resolveType, typeFromWire } from '../../lib/nft/data-types.js'
import type { DataType, Scalar } from '../../lib/nft/types.js'
import { Tuple } from '../../lib/nft/values/tuple.js'
import { type Values, valuesOf } from '../../lib/nft/values/values.js'
import { fromHex, hex } from './objects/harness.js'

const LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** What nft 1.0.6 writes for a set of each type: its number, its bytes, its byte order (0 none, 1 the machine's, 2 the network's). */
const BY_NFT: Readonly<Partial<Record<DataTypeName, readonly [number, number, number]>>> = {
  nf_proto: [2, 1, 0],
  ipv4_addr: [7, 4, 2],
  ipv6_addr: [8, 16, 2],
  ether_addr: [9, 6, 2],
  ether_type: [10, 2, 2],
  arp_op: [11, 2, 2],
  inet_proto: [12, 1, 0],
  inet_service: [13, 2, 2],
  icmp_type: [14, 1, 2],
  tcp_flag: [15, 1, 2],
  dccp_pkttype: [16, 1, 0],
  mh_type: [17, 1, 2],
  time: [18, 4, 1],
  mark: [19, 4, 1],
  iface_index: [20, 4, 1],
  iface_type: [21, 2, 1],
  realm: [22, 4, 1],
  classid: [23, 4, 1],
  uid: [24, 4, 1],
  gid: [25, 4, 1],
  ct_state: [26, 4, 1],
  ct_dir: [27, 1, 0],
  ct_status: [28, 4, 1],
  icmpv6_type: [29, 1, 2],
  ct_label: [30, 16, 1],
  pkt_type: [31, 1, 1],
  icmp_code: [32, 1, 2],
  icmpv6_code: [33, 1, 2],
  icmpx_code: [34, 1, 2],
  devgroup: [35, 4, 1],
  dscp: [36, 1, 2],
  ecn: [37, 1, 2],
  fib_addrtype: [38, 4, 1],
  boolean: [39, 1, 0],
  ct_event: [40, 4, 1],
  ifname: [41, 16, 1],
  igmp_type: [42, 1, 2],
  date: [43, 8, 1],
  hour: [44, 4, 1],
  day: [45, 1, 1],
  cgroupsv2: [46, 8, 1],
}

t.test('each type has the number, the length and the byte order that nft gives it', async t => {
  const orders = ['none', 'host', 'network'] as const
  for (const [name, [number, length, order]] of Object.entries(BY_NFT) as [DataTypeName, [number, number, number]][]) {
    const { number: ours, length: bytes, order: of } = resolveType(name)
    t.strictSame([ours, bytes, of], [number, length, orders[order]], name)
    t.equal(typeFromWire(number, length, undefined), name)
    t.equal(orderOfType(name), orders[order])
  }
})

/** The bytes of a number of the machine's order. */
const host = (text: string): string => (LITTLE ? (text.match(/../g) ?? []).reverse().join('') : text)

const VALUES: readonly (readonly [DataType, given: Scalar, bytes: string, told?: Scalar])[] = [
  ['ipv4_addr', '10.0.0.1', '0a000001'],
  ['ipv4_addr', new Uint8Array([1, 2, 3, 4]), '01020304', '1.2.3.4'],
  ['ipv6_addr', '2001:db8:0:0::1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['ether_addr', '2:0:0:0:0:aB', '0200000000ab', '02:00:00:00:00:ab'],
  [{ type: 'll_addr', length: 3 }, '01:02:03', '010203'],
  ['inet_proto', 'tcp', '06'],
  ['inet_proto', 'icmpv6', '3a', 'ipv6-icmp'],
  ['inet_proto', 17, '11', 'udp'],
  ['inet_proto', 250, 'fa'],
  ['inet_service', 443, '01bb'],
  ['inet_service', 443n, '01bb', 443],
  ['mark', 0x12345678, host('12345678')],
  ['mark', 0xffff_ffff, 'ffffffff'],
  ['iface_type', 1, host('0001')],
  ['dscp', 63, '3f'],
  ['dscp', fromHex('40'), '40', fromHex('40')],
  ['boolean', true, '01'],
  ['boolean', false, '00'],
  ['boolean', fromHex('02'), '02', fromHex('02')],
  ['date', 1_577_836_800_000_000_000n, host('15e59a35b98a0000')],
  ['date', 5, host('0000000000000005')],
  ['cgroupsv2', 9_007_199_254_740_991, host('001fffffffffffff')],
  ['cgroupsv2', 9_007_199_254_740_992n, host('0020000000000000')],
  ['ct_label', 1n << 127n, host('80000000000000000000000000000000')],
  [{ type: 'integer', length: 3, order: 'network' }, 0x12345, '012345'],
  [{ type: 'integer', length: 3, order: 'host' }, 0x12345, host('012345')],
  [{ type: 'integer', length: 6, order: 'network' }, 2 ** 48 - 1, 'ffffffffffff'],
  [{ type: 'integer', length: 1 }, 5, '05'],
  [{ type: 'integer', length: 2 }, fromHex('0102'), '0102', fromHex('0102')],
  [{ type: 4, length: 2, order: 'network' }, 258, '0102'],
  [{ type: 'mark', length: 2 }, fromHex('0102'), '0102', fromHex('0102')],
  [{ type: 99, length: 2 }, fromHex('0102'), '0102', fromHex('0102')],
  ['ifname', 'eth0', `65746830${'00'.repeat(12)}`],
  ['ifname', 'eth\\*', `6574682a${'00'.repeat(12)}`],
  ['ifname', 'é', `c3a9${'00'.repeat(14)}`],
  ['ifname', '', '00'.repeat(16)],
  ['ifname', 'abcdefghijklmno', '6162636465666768696a6b6c6d6e6f00'],
  ['ifname', fromHex('61'.repeat(16)), '61'.repeat(16), fromHex('61'.repeat(16))],
  ['ifname', fromHex(`610062${'00'.repeat(13)}`), `610062${'00'.repeat(13)}`, fromHex(`610062${'00'.repeat(13)}`)],
  ['ifname', fromHex(`ff${'00'.repeat(15)}`), `ff${'00'.repeat(15)}`, fromHex(`ff${'00'.repeat(15)}`)],
  [{ type: 'string', length: 8 }, 'Linux', '4c696e7578000000'],
]

t.test('a value has the bytes that registers hold, and comes back as what it is', async t => {
  for (const [type, given, bytes, told = given] of VALUES) {
    const values = valuesOf(resolveType(type))
    const memory = new Uint8Array(values.length + 8).fill(0xee)
    values.write(memory, 4, given)
    t.equal(hex(memory), `eeeeeeee${bytes}eeeeeeee`, `${JSON.stringify(type)} ${String(given)}`)
    const read = values.read(memory, 4)
    t.strictSame(read, told)
    const again = new Uint8Array(values.length)
    values.write(again, 0, read)
    t.equal(hex(again), bytes)
  }
})

/** What `task` refuses. */
function refused(task: () => unknown): string | undefined {
  try {
    task()
    return undefined
  } catch (error) {
    if (error instanceof BadValue) return `${error.kind} ${error.path && `${error.path}: `}${error.message}`
    throw error
  }
}

const REFUSED: readonly (readonly [DataType, unknown, RegExp])[] = [
  ['ipv4_addr', '10.0.0', /^type "10.0.0": give an IPv4 address, as "10.0.0.1"$/],
  ['ipv4_addr', '::1', /^type "::1": give an IPv4 address/],
  [
    'ipv4_addr',
    '10.0.0.0/8',
    /^type "10.0.0.0\/8": give an IPv4 address.*: prefixes are for sets with the flag "interval", and for data with dataInterval$/,
  ],
  ['ipv4_addr', 5, /^type 5: give an IPv4 address/],
  ['ipv4_addr', new Uint8Array(3), /^range 3 bytes: give an IPv4 address.*, or a Uint8Array of 4$/],
  ['ipv6_addr', '10.0.0.1', /^type "10.0.0.1": give an IPv6 address, as "2001:db8::1"$/],
  ['ether_addr', '01:02', /^type "01:02": give 6 bytes as "01:02:03:04:05:06"$/],
  ['ether_addr', '01:02:03:04:05:0g', /^type /],
  ['inet_proto', 'tpc', /^type "tpc": give one of icmp, igmp, tcp, .*, or a number from 0 to 255$/],
  ['inet_proto', 256, /^type 256: give one of /],
  ['inet_service', 65536, /^range 65536: give a whole number from 0 to 65535$/],
  ['inet_service', -1, /^range -1: /],
  ['inet_service', 1.5, /^range 1.5: /],
  ['inet_service', Number.NaN, /^range NaN: /],
  ['inet_service', '80', /^type "80": give a whole number from 0 to 65535$/],
  ['inet_service', null, /^type null: /],
  ['dscp', 64, /^range 64: give a whole number from 0 to 63$/],
  ['date', 2 ** 53, /^range 9007199254740992: give a whole number from 0 to 18446744073709551615$/],
  ['date', 1n << 64n, /^range 18446744073709551616n: /],
  ['boolean', 1, /^type 1: give true or false$/],
  ['ifname', 'eth*', /^type "eth\*": names that begin so are for sets with the flag "interval": give "eth\\\\\*" for the one$/],
  ['ifname', 'abcdefghijklmnop', /^range "abcdefghijklmnop": is too long: give a text of at most 15 bytes without NUL$/],
  ['ifname', 'a\0b', /^type "a\\u0000b": give a text of at most 15 bytes without NUL$/],
  ['ifname', 'ééééééééé', /^range .* is too long/],
  [{ type: 'integer', length: 4 }, 5, /^type 5: give a Uint8Array of 4 bytes$/],
  [{ type: 99, length: 2 }, new Uint8Array(3), /^range 3 bytes: /],
]

t.test('a value that is none of its type is refused with what to give', async t => {
  for (const [type, value, message] of REFUSED) {
    const values = valuesOf(resolveType(type))
    t.match(
      refused(() => values.write(new Uint8Array(values.length), 0, value)),
      message,
    )
  }
})

t.test('a type that there is not is refused', async t => {
  const types: readonly (readonly [unknown, RegExp])[] = [
    ['ipv4', /^type "ipv4": give one of nf_proto, /],
    ['verdict', /^type "verdict": only the data of a map can be verdicts$/],
    ['constructor', /^type "constructor": give one of /],
    ['integer', /^type "integer": has no length of its own: give \{ type: "integer", length: … \} with its bytes$/],
    [5, /^type 5: give one of /],
    [null, /^type null: /],
    [{ type: 'integer', length: 0 }, /^range length: 0: give 1 to 64 bytes$/],
    [{ type: 'integer', length: 65 }, /^range length: 65: /],
    [{ type: 'integer', length: 2, order: 'big' }, /^type order: "big": give "host" or "network"$/],
    [{ type: 'mark', length: 4, order: 'network' }, /^type order: "network": mark has an order of its own$/],
    [{ type: 'nothing', length: 4 }, /^type type: "nothing": give one of /],
    [{ type: -1, length: 4 }, /^type type: -1: give the name of a type, or its number$/],
  ]
  for (const [type, message] of types)
    t.match(
      refused(() => resolveType(type as DataType)),
      message,
    )
})

const tupleOf = (...types: DataType[]): Tuple =>
  new Tuple(
    types.map((type): Values => valuesOf(resolveType(type), 'network')),
    types.length > 1,
  )

type Range = readonly [types: DataType[], given: unknown, from: string, to: string, told?: unknown]

const RANGES: readonly Range[] = [
  [['ipv4_addr'], '10.0.0.0/8', '0a000000', '0affffff'],
  [['ipv4_addr'], '0.0.0.0/0', '00000000', 'ffffffff'],
  [['ipv4_addr'], '10.0.0.1/32', '0a000001', '0a000001', '10.0.0.1'],
  [['ipv4_addr'], '10.0.0.128/25', '0a000080', '0a0000ff'],
  [['ipv4_addr'], { from: '10.0.0.1', to: '10.0.0.2' }, '0a000001', '0a000002'],
  [['ipv4_addr'], { from: '10.0.0.0', to: '10.0.0.3' }, '0a000000', '0a000003', '10.0.0.0/30'],
  [['ipv4_addr'], { from: '10.0.0.0', to: '10.1.255.255' }, '0a000000', '0a01ffff', '10.0.0.0/15'],
  [['ipv4_addr'], { from: '10.0.0.0', to: '10.1.255.254' }, '0a000000', '0a01fffe'],
  [['ipv6_addr'], 'fe80::/10', `fe80${'00'.repeat(14)}`, `febf${'ff'.repeat(14)}`],
  [['mark'], { from: 1, to: 256 }, '00000001', '00000100'],
  [['mark'], 5, '00000005', '00000005'],
  [['inet_service'], { from: 0, to: 65535 }, '0000', 'ffff'],
  [['ifname'], 'eth*', `657468${'00'.repeat(13)}`, `657468${'ff'.repeat(13)}`],
  // "*" alone is the element for all that no other is for.
  [['ifname'], { from: '', to: fromHex('ff'.repeat(16)) }, '00'.repeat(16), 'ff'.repeat(16)],
  [['ifname'], 'eth\\*', `6574682a${'00'.repeat(12)}`, `6574682a${'00'.repeat(12)}`],
  [
    ['ipv4_addr', 'inet_service', 'inet_proto'],
    ['10.0.0.0/8', { from: 80, to: 90 }, 'tcp'],
    '0a0000000050000006000000',
    '0affffff005a000006000000',
  ],
]

t.test('a range is its first and its last value, and a prefix or a beginning where it is one', async t => {
  for (const [types, given, from, to, told = given] of RANGES) {
    const tuple = tupleOf(...types)
    const memory = new Uint8Array(2 * tuple.length).fill(0xee)
    tuple.writeRange(memory, 0, tuple.length, given)
    t.equal(hex(memory), from + to, JSON.stringify(given))
    t.strictSame(tuple.readRange(memory, 0, tuple.length), told)
  }
})

t.test('a range that is none is refused with its place', async t => {
  const ranges: readonly (readonly [DataType[], unknown, RegExp])[] = [
    [['ipv4_addr'], '10.0.0.1/8', /^range "10.0.0.1\/8": has bits behind its prefix: give "10.0.0.0\/8"$/],
    [['ipv4_addr'], '10.0.0.0/33', /^type "10.0.0.0\/33": give an IPv4 address.*, or a prefix with 0 to 32 bits$/],
    [['ipv4_addr'], '10.0.0.0/', /^type /],
    [['ipv4_addr'], '10.0.0.0/08', /^type /],
    [['ipv4_addr'], '10.0.0.0/8x', /^type /],
    [['ipv4_addr'], '10.0.0/8', /^type /],
    [['ipv6_addr'], '10.0.0.0/8', /^type .*give an IPv6 address/],
    [['ipv4_addr'], { from: '10.0.0.2', to: '10.0.0.1' }, /^range .*: ends before it begins$/],
    [['ipv4_addr'], { from: '10.0.0.2' }, /^type to: is missing: a range is \{ from, to \}$/],
    [['ipv4_addr'], { from: 'x', to: '10.0.0.1' }, /^type from: "x": give an IPv4 address/],
    [['mark', 'inet_service'], [1, { from: 1, to: 65536 }], /^range \[1\].to: 65536: /],
    [['mark', 'inet_service'], [1], /^range \[1\]: has 1 values: give 2$/],
    [['mark', 'inet_service'], 1, /^type 1: give a list of 2 values: it is a concatenation$/],
  ]
  for (const [types, value, message] of ranges) {
    const tuple = tupleOf(...types)
    t.match(
      refused(() => tuple.writeRange(new Uint8Array(128), 0, 64, value)),
      message,
    )
  }
})

t.test('numbers in the order of the machine are compared as numbers', async t => {
  const tuple = new Tuple([valuesOf(resolveType('mark'))], false)
  const memory = new Uint8Array(8)
  tuple.writeRange(memory, 0, 4, { from: 255, to: 256 })
  t.strictSame(tuple.readRange(memory, 0, 4), { from: 255, to: 256 })
  t.match(
    refused(() => tuple.writeRange(memory, 0, 4, { from: 256, to: 255 })),
    /ends before it begins/,
  )
})
