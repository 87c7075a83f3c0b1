/** nft's data types, by their words and by their numbers (nftables 1.1.3, include/datatype.h). */
import { hexadecimal, jsonNumber, numberType } from './types/number.js'
import * as system from './types/system.js'
import { CLASS, CONTROL_GROUP, DEVICE, LABEL } from './types/system-types.js'
import { addressType, linkType, textType } from './types/text.js'
import { DATE, DURATION, HOUR, WEEKDAY } from './types/times.js'
import * as words from './types/words.js'
import type { ValueType } from './value-type.js'

export { printDuration } from './types/times.js'

const proto = numberType({ name: 'inet_proto', number: 12, bits: 8, order: 'network', symbols: system.internetProtocols })
const boolean = numberType({ name: 'boolean', number: 39, bits: 1, order: 'host', symbols: words.BOOLEANS })

export const INTEGER: ValueType = numberType({ name: 'integer', number: 4, bits: 0, order: 'none' })
/** A number of a packet that nft knows nothing of. */
export const RAW_INTEGER: ValueType = numberType({ name: 'integer', number: 4, bits: 0, order: 'network', format: hexadecimal() })
/** A kind of integer that has words. */
const MPTCP_SUBTYPE = numberType({ name: 'integer', number: 4, bits: 4, order: 'network', symbols: words.MPTCP_SUBTYPES })
export const VERDICT: ValueType = numberType({ name: 'verdict', number: 1, bits: 0, order: 'none' })
export const BOOLEAN: ValueType = {
  ...boolean,
  parse(given) {
    // Whatever is not 0 is true: nft shortens it so.
    return typeof given === 'boolean' ? BigInt(given) : boolean.parse(given, 64) === 0n ? 0n : 1n
  },
  json: value => value !== 0n,
}
/** Words of nft's own, where `/etc/protocols` has others. */
const OWN_PROTOCOLS: Readonly<Record<string, bigint>> = { icmpv6: 58n, comp: 108n }
const INET_PROTO: ValueType = { ...proto, parse: (given, bits) => OWN_PROTOCOLS[String(given)] ?? proto.parse(given, bits) }
const realm = numberType({ name: 'realm', number: 22, bits: 32, order: 'host', symbols: system.realms, quoted: true })
/** A realm without a name is text in JSON. */
const REALM: ValueType = { ...realm, json: value => String(realm.json(value, 32)) }
const ETHER_TYPE = numberType({
  name: 'ether_type',
  number: 10,
  bits: 16,
  order: 'network',
  symbols: words.ETHER_TYPES,
  format: hexadecimal(4),
})
/** In the header of a tunnel nft reads words, and lists numbers. */
const TUNNEL_ETHER_TYPE: ValueType = { ...ETHER_TYPE, json: jsonNumber }
/** What `reject` answers: only there are the codes listed as words. */
export const REJECT_CODES: Readonly<Record<'icmp' | 'icmpv6' | 'icmpx', ValueType>> = {
  icmp: numberType({ name: 'icmp_code', number: 32, bits: 8, order: 'network', symbols: words.ICMP_CODES }),
  icmpv6: numberType({ name: 'icmpv6_code', number: 33, bits: 8, order: 'network', symbols: words.ICMPV6_CODES }),
  icmpx: numberType({ name: 'icmpx_code', number: 34, bits: 8, order: 'network', symbols: words.ICMPX_CODES }),
}

/** All that sets can have, by their numbers. */
const TYPES: readonly ValueType[] = [
  VERDICT,
  numberType({ name: 'nf_proto', number: 2, bits: 8, order: 'host', symbols: words.FAMILIES }),
  numberType({ name: 'bitmask', number: 3, bits: 0, order: 'none', format: hexadecimal() }),
  INTEGER,
  textType('string', 5, 0),
  linkType('ll_addr', 6, 0),
  addressType('ipv4', 'ipv4_addr', 7),
  addressType('ipv6', 'ipv6_addr', 8),
  linkType('ether_addr', 9, 48),
  ETHER_TYPE,
  numberType({ name: 'arp_op', number: 11, bits: 16, order: 'network', symbols: words.ARP_OPERATIONS }),
  INET_PROTO,
  numberType({ name: 'inet_service', number: 13, bits: 16, order: 'network', symbols: system.services, silent: true }),
  numberType({ name: 'icmp_type', number: 14, bits: 8, order: 'network', symbols: words.ICMP_TYPES }),
  numberType({
    name: 'tcp_flag',
    number: 15,
    bits: 8,
    order: 'network',
    symbols: words.TCP_FLAGS,
    format: hexadecimal(),
    flags: true,
  }),
  numberType({ name: 'dccp_pkttype', number: 16, bits: 4, order: 'network', symbols: words.DCCP_TYPES }),
  numberType({ name: 'mh_type', number: 17, bits: 8, order: 'network', symbols: words.MOBILITY_TYPES }),
  DURATION,
  numberType({ name: 'mark', number: 19, bits: 32, order: 'host', symbols: system.marks, format: hexadecimal(8) }),
  DEVICE,
  numberType({ name: 'iface_type', number: 21, bits: 16, order: 'host', symbols: words.DEVICE_TYPES }),
  REALM,
  CLASS,
  numberType({ name: 'uid', number: 24, bits: 32, order: 'host', symbols: system.users, silent: true }),
  numberType({ name: 'gid', number: 25, bits: 32, order: 'host', symbols: system.groups, silent: true }),
  numberType({
    name: 'ct_state',
    number: 26,
    bits: 32,
    order: 'host',
    symbols: words.CT_STATES,
    format: hexadecimal(),
    flags: true,
  }),
  numberType({ name: 'ct_dir', number: 27, bits: 8, order: 'none', symbols: words.CT_DIRECTIONS }),
  numberType({
    name: 'ct_status',
    number: 28,
    bits: 32,
    order: 'host',
    symbols: words.CT_STATUS,
    format: hexadecimal(),
    flags: true,
  }),
  numberType({ name: 'icmpv6_type', number: 29, bits: 8, order: 'network', symbols: words.ICMPV6_TYPES }),
  LABEL,
  numberType({ name: 'pkt_type', number: 31, bits: 8, order: 'host', symbols: words.PACKET_TYPES }),
  numberType({ name: 'icmp_code', number: 32, bits: 8, order: 'network', symbols: words.ICMP_CODES, silent: true }),
  numberType({ name: 'icmpv6_code', number: 33, bits: 8, order: 'network', symbols: words.ICMPV6_CODES, silent: true }),
  numberType({ name: 'icmpx_code', number: 34, bits: 8, order: 'network', symbols: words.ICMPX_CODES, silent: true }),
  numberType({ name: 'devgroup', number: 35, bits: 32, order: 'host', symbols: system.deviceGroups, quoted: true }),
  numberType({ name: 'dscp', number: 36, bits: 6, order: 'network', symbols: words.DSCP, format: hexadecimal(2) }),
  numberType({ name: 'ecn', number: 37, bits: 2, order: 'network', symbols: words.ECN, format: hexadecimal() }),
  numberType({ name: 'fib_addrtype', number: 38, bits: 32, order: 'host', symbols: words.FIB_TYPES }),
  BOOLEAN,
  numberType({
    name: 'ct_event',
    number: 40,
    bits: 32,
    order: 'host',
    symbols: words.CT_EVENTS,
    format: hexadecimal(),
    flags: true,
  }),
  textType('ifname', 41, 128),
  numberType({ name: 'igmp_type', number: 42, bits: 8, order: 'network', symbols: words.IGMP_TYPES }),
  DATE,
  HOUR,
  WEEKDAY,
  CONTROL_GROUP,
]

const BY_NUMBER: ReadonlyMap<number, ValueType> = new Map(TYPES.map(type => [type.number, type]))
/** `time` is the word of two types: durations come first. */
const BY_NAME: ReadonlyMap<string, ValueType> = new Map([...TYPES].reverse().map(type => [type.name, type]))

/** The type of nft's word; undefined where there is none. */
export const typeNamed = (name: string): ValueType | undefined => BY_NAME.get(name)

/** The type of a number; undefined where there is none. */
export const typeNumbered = (number: number): ValueType | undefined => BY_NUMBER.get(number)

/** Types that share their word with another. */
const UNNAMED: Readonly<Record<string, ValueType>> = {
  date: DATE,
  raw: RAW_INTEGER,
  mptcp_subtype: MPTCP_SUBTYPE,
  tunnel_ether_type: TUNNEL_ETHER_TYPE,
}

/** One of the types that there certainly are, for tables. */
export function knownType(name: string): ValueType {
  const type = UNNAMED[name] ?? BY_NAME.get(name)
  if (type === undefined) throw new RangeError(`there is no type ${name}`)
  return type
}
