/** The types of keys and data: what nft calls them, their numbers and their lengths (nftables, include/datatype.h). */
import { BadValue, shown } from '../netlink/schema.js'
import type { DataType } from './types.js'

/**
 * The order of a number's bytes: that of the machine, or that of the network. Nft keeps it with a set and prints numbers accordingly;
 * types that are one byte long have `none`.
 */
export type ByteOrder = 'host' | 'network' | 'none'

/** What values of a type look like. */
export type Form = 'number' | 'boolean' | 'ipv4' | 'ipv6' | 'link' | 'name' | 'protocol' | 'bytes'

type Row = readonly [number: number, bits: number, order: ByteOrder, form?: Form]

/** The numbers are TYPE_* of nft. 0 bits: as long as the set says. */
const TYPES = {
  nf_proto: [2, 8, 'none'],
  bitmask: [3, 0, 'none'],
  integer: [4, 0, 'none'],
  string: [5, 0, 'host', 'name'],
  ll_addr: [6, 0, 'network', 'link'],
  ipv4_addr: [7, 32, 'network', 'ipv4'],
  ipv6_addr: [8, 128, 'network', 'ipv6'],
  ether_addr: [9, 48, 'network', 'link'],
  ether_type: [10, 16, 'network'],
  arp_op: [11, 16, 'network'],
  inet_proto: [12, 8, 'none', 'protocol'],
  inet_service: [13, 16, 'network'],
  icmp_type: [14, 8, 'network'],
  tcp_flag: [15, 8, 'network'],
  dccp_pkttype: [16, 4, 'none'],
  mh_type: [17, 8, 'network'],
  time: [18, 32, 'host'],
  mark: [19, 32, 'host'],
  iface_index: [20, 32, 'host'],
  iface_type: [21, 16, 'host'],
  realm: [22, 32, 'host'],
  classid: [23, 32, 'host'],
  uid: [24, 32, 'host'],
  gid: [25, 32, 'host'],
  ct_state: [26, 32, 'host'],
  ct_dir: [27, 8, 'none'],
  ct_status: [28, 32, 'host'],
  icmpv6_type: [29, 8, 'network'],
  ct_label: [30, 128, 'host'],
  pkt_type: [31, 8, 'host'],
  icmp_code: [32, 8, 'network'],
  icmpv6_code: [33, 8, 'network'],
  icmpx_code: [34, 8, 'network'],
  devgroup: [35, 32, 'host'],
  dscp: [36, 6, 'network'],
  ecn: [37, 2, 'network'],
  fib_addrtype: [38, 32, 'host'],
  boolean: [39, 1, 'none', 'boolean'],
  ct_event: [40, 32, 'host'],
  ifname: [41, 128, 'host', 'name'],
  igmp_type: [42, 8, 'network'],
  date: [43, 64, 'host'],
  hour: [44, 32, 'host'],
  day: [45, 8, 'host'],
  cgroupsv2: [46, 64, 'host'],
} as const satisfies Readonly<Record<string, Row>>

/**
 * Nft's words for types of values: `nft describe` tells of each.
 *
 * | values | types |
 * |---|---|
 * | an address as text | `ipv4_addr`, `ipv6_addr`, `ether_addr`, `ll_addr` |
 * | a name | `ifname`, `string` |
 * | a name or a number | `inet_proto`: `'tcp'`, 6 |
 * | true or false | `boolean` |
 * | a number, above 2^53 a bigint | all others |
 *
 * Ports are `inet_service`. `time` counts milliseconds, `date` nanoseconds since 1970, `hour` seconds of the day. `integer`, `string`,
 * `bitmask` and `ll_addr` have no length of their own.
 */
export type DataTypeName = keyof typeof TYPES

/** A type as it is written. */
export interface ResolvedType {
  readonly number: number
  /** Bytes. */
  readonly length: number
  /** How many of its bits are used. */
  readonly bits: number
  readonly order: ByteOrder
  readonly form: Form
}

const BY_NUMBER: ReadonlyMap<number, DataTypeName> = new Map(
  Object.entries(TYPES).map(([name, [number]]) => [number, name as DataTypeName]),
)

/** NFT_DATA_VALUE_MAXLEN */
export const MAXIMUM = 64

const rowOf = (name: DataTypeName): Row => TYPES[name]

/** What a type is. Throws a `BadValue`. */
export function resolveType(type: DataType): ResolvedType {
  if (typeof type === 'string') return resolveName(type)
  if (type === null || typeof type !== 'object') throw unknownType(type)
  const { type: name, length, order, ...others } = type
  for (const field in others) throw new BadValue('type', 'there is no such field: there are type, length, order').within(field)
  if (!Number.isInteger(length) || length < 1 || length > MAXIMUM)
    throw new BadValue('range', `${shown(length)}: give 1 to ${MAXIMUM} bytes`).within('length')
  if (order !== undefined && order !== 'host' && order !== 'network')
    throw new BadValue('type', `${shown(order)}: give "host" or "network"`).within('order')
  const known = typeof name === 'number' ? BY_NUMBER.get(name) : name
  if (known === undefined)
    return { number: checkNumber(name as number), length, bits: 8 * length, order: order ?? 'none', form: 'bytes' }
  if (typeof known !== 'string' || !Object.hasOwn(TYPES, known)) throw unknownType(name).within('type')
  const [number, bits, natural, form = 'number'] = rowOf(known)
  if (order !== undefined && (bits > 0 || natural !== 'none'))
    throw new BadValue('type', `${shown(order)}: ${known} has an order of its own`).within('order')
  if (bits > 0) return { number, length, bits, order: natural, form: length === (bits + 7) >> 3 ? form : 'bytes' }
  // Numbers of several bytes mean nothing without an order.
  const ordered = form !== 'number' || length === 1 || order !== undefined
  return { number, length, bits: 8 * length, order: order ?? natural, form: ordered ? form : 'bytes' }
}

function resolveName(name: DataTypeName): ResolvedType {
  if (!Object.hasOwn(TYPES, name)) throw unknownType(name)
  const [number, bits, order, form = 'number'] = rowOf(name)
  if (bits === 0)
    throw new BadValue(
      'type',
      `${shown(name)}: has no length of its own: give { type: ${shown(name)}, length: … } with its bytes`,
    )
  return { number, length: (bits + 7) >> 3, bits, order, form }
}

function checkNumber(number: number): number {
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff) return number
  throw new BadValue('type', `${shown(number)}: give the name of a type, or its number`).within('type')
}

function unknownType(name: unknown): BadValue {
  const remedy = name === 'verdict' ? 'only the data of a map can be verdicts' : `give one of ${Object.keys(TYPES).join(', ')}`
  return new BadValue('type', `${shown(name)}: ${remedy}`)
}

/** The bytes of a type by its number; undefined for one that has no length of its own. */
export function lengthOfType(number: number): number | undefined {
  const name = BY_NUMBER.get(number)
  const bits = name === undefined ? 0 : rowOf(name)[1]
  return bits === 0 ? undefined : (bits + 7) >> 3
}

/** The byte order of a type that was read. */
export function orderOfType(type: DataType): ByteOrder {
  if (typeof type === 'string') return rowOf(type)[2]
  if (type.order !== undefined) return type.order
  return typeof type.type === 'string' ? rowOf(type.type)[2] : 'none'
}

/** A type as it is told. `order` counts for those that have none of their own. */
export function typeFromWire(number: number, length: number, order: 'host' | 'network' | undefined): DataType {
  const name = BY_NUMBER.get(number)
  if (name === undefined) return { type: number, length }
  if (lengthOfType(number) === length) return name
  return order !== undefined && rowOf(name)[2] === 'none' && rowOf(name)[1] === 0
    ? { type: name, length, order }
    : { type: name, length }
}
