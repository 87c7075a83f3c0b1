/** Directions of flows: plain object to attributes and back. */
import { AF_INET, AF_INET6, familyOf, formatAddress } from '../netlink/address.js'
import { ipAddress } from '../netlink/address-values.js'
import { align4, type MessageReader } from '../netlink/buffer.js'
import { address, type Check, Fields, whole } from '../netlink/fields.js'
import { nest, record } from '../netlink/record.js'
import { type AttributeType, BadValue, shown } from '../netlink/schema.js'
import { be16, u8 } from '../netlink/values.js'
import type { Tuple } from './types.js'
import { PROTOCOLS, protocolCheck, protocolNumber, protocolOf } from './words.js'

/** CTA_IP_* */
const ipAttributes = record({
  source: [1, ipAddress],
  destination: [2, ipAddress],
  source6: [3, ipAddress],
  destination6: [4, ipAddress],
})

/** CTA_PROTO_* */
const protocolAttributes = record({
  number: [1, u8],
  sourcePort: [2, be16],
  destinationPort: [3, be16],
  icmpId: [4, be16],
  icmpType: [5, u8],
  icmpCode: [6, u8],
  icmp6Id: [7, be16],
  icmp6Type: [8, u8],
  icmp6Code: [9, u8],
})

/** CTA_TUPLE_* */
export const tupleAttributes = record({ ip: [1, nest(ipAttributes)], protocol: [2, nest(protocolAttributes)], zone: [3, be16] })

type TupleRecord = NonNullable<ReturnType<typeof tupleAttributes.decode>>

/** A whole tuple. It is read past its table, of which it knows the numbers: there may be hundreds of thousands. */
export const tuple: AttributeType<Tuple> = {
  write: (writer, value) => tupleAttributes.encode(writer, toWire(value)),
  read: readTuple,
  nested: tupleAttributes,
}

function toWire({ protocol, source, destination, sourcePort, destinationPort, icmp, zone }: Tuple): TupleRecord {
  const ipv6 = familyOf(source) === 'ipv6'
  return {
    ip: ipv6 ? { source6: source, destination6: destination } : { source, destination },
    protocol: {
      number: protocolNumber(protocol),
      sourcePort,
      destinationPort,
      ...(icmp && ipv6 && { icmp6Type: icmp.type, icmp6Code: icmp.code, icmp6Id: icmp.id }),
      ...(icmp && !ipv6 && { icmpType: icmp.type, icmpCode: icmp.code, icmpId: icmp.id }),
    },
    zone,
  }
}

/** Parts of a tuple while it is read. */
interface Parts {
  source: string | undefined
  destination: string | undefined
  number: number
  sourcePort: number
  destinationPort: number
  type: number
  code: number
  id: number
  zone: number
}

/** Undefined where a part is missing. */
function readTuple(reader: MessageReader, start: number, length: number): Tuple | undefined {
  const parts: Parts = {
    source: undefined,
    destination: undefined,
    number: 0,
    sourcePort: -1,
    destinationPort: -1,
    type: -1,
    code: 0,
    id: 0,
    zone: -1,
  }
  const { u16 } = reader
  for (let offset = start; offset + 4 <= start + length; ) {
    const size = u16[offset >> 1] as number
    const end = offset + size
    if (size < 4 || end > start + length) return undefined
    const id = (u16[(offset >> 1) + 1] as number) & 0x3fff
    if (id === 1) readIp(reader, offset + 4, end, parts)
    else if (id === 2) readProtocol(reader, offset + 4, end, parts)
    else if (id === 3) parts.zone = port(reader.bytes, offset + 4)
    offset += align4(size)
  }
  return tupleOf(parts)
}

const port = (bytes: Uint8Array, offset: number): number => ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)

function readIp({ bytes, u16 }: MessageReader, start: number, stop: number, parts: Parts): void {
  for (let offset = start; offset + 4 <= stop; ) {
    const size = u16[offset >> 1] as number
    if (size < 8 || offset + size > stop) return
    const text = formatAddress(bytes, offset + 4, size === 20 ? 'ipv6' : 'ipv4')
    // CTA_IP_V4_SRC and _V6_SRC have odd numbers.
    if ((u16[(offset >> 1) + 1] as number) & 1) parts.source = text
    else parts.destination = text
    offset += align4(size)
  }
}

function readProtocol({ bytes, u16 }: MessageReader, start: number, stop: number, parts: Parts): void {
  for (let offset = start; offset + 4 <= stop; ) {
    const size = u16[offset >> 1] as number
    if (size < 5 || offset + size > stop) return
    const at = offset + 4
    const id = (u16[(offset >> 1) + 1] as number) & 0x3fff
    if (id === 1) parts.number = bytes[at] as number
    else if (id === 2) parts.sourcePort = port(bytes, at)
    else if (id === 3) parts.destinationPort = port(bytes, at)
    else if (id === 4 || id === 7) parts.id = port(bytes, at)
    else if (id === 5 || id === 8) parts.type = bytes[at] as number
    else if (id === 6 || id === 9) parts.code = bytes[at] as number
    offset += align4(size)
  }
}

function tupleOf({ source, destination, number, sourcePort, destinationPort, type, code, id, zone }: Parts): Tuple | undefined {
  if (source === undefined || destination === undefined) return undefined
  const protocol = protocolOf(number)
  const icmp = type < 0 ? undefined : { type, code, id }
  if (sourcePort >= 0 && zone < 0) return { protocol, source, destination, sourcePort, destinationPort }
  return {
    protocol,
    source,
    destination,
    ...(sourcePort >= 0 && { sourcePort, destinationPort }),
    ...(icmp && { icmp }),
    ...(zone >= 0 && { zone }),
  }
}

const portCheck = whole(0, 0xffff)
const octet = whole(0, 0xff)
/** Protocols whose tuples have ports (nf_conntrack_l4proto). GRE has its keys there. */
const WITH_PORTS: ReadonlySet<number> = new Set([
  PROTOCOLS.tcp,
  PROTOCOLS.udp,
  PROTOCOLS.dccp,
  PROTOCOLS.gre,
  PROTOCOLS.sctp,
  PROTOCOLS.udplite,
])

/** A whole tuple. */
export const tupleCheck: Check<Tuple> = value => {
  const fields = new Fields(value, ['protocol', 'source', 'destination', 'sourcePort', 'destinationPort', 'icmp', 'zone'])
  const number = fields.required('protocol', protocolCheck)
  const source = fields.required('source', address)
  const destination = fields.required('destination', address)
  if (familyOf(source) !== familyOf(destination))
    throw new BadValue('range', `${shown(destination)}: is of another family than the source ${source}`).within('destination')
  const icmp = number === PROTOCOLS.icmp || number === PROTOCOLS.icmpv6
  const ipv6 = familyOf(source) === 'ipv6'
  if (icmp && (number === PROTOCOLS.icmpv6) !== ipv6) {
    const remedy = ipv6 ? 'the addresses are of IPv6: give icmpv6' : 'the addresses are of IPv4: give icmp'
    throw new BadValue('range', remedy).within('protocol')
  }
  for (const name of icmp ? ['sourcePort', 'destinationPort'] : ['icmp'])
    if (fields.has(name)) throw new BadValue('range', `${protocolOf(number)} has no such part: leave it out`).within(name)
  const zone = fields.optional('zone', portCheck)
  return {
    protocol: protocolOf(number),
    source,
    destination,
    ...(WITH_PORTS.has(number) && {
      sourcePort: fields.required('sourcePort', portCheck),
      destinationPort: fields.required('destinationPort', portCheck),
    }),
    ...(icmp && { icmp: fields.required('icmp', icmpCheck) }),
    ...(zone !== undefined && { zone }),
  }
}

const icmpCheck: Check<NonNullable<Tuple['icmp']>> = value => {
  const fields = new Fields(value, ['type', 'code', 'id'])
  return { type: fields.required('type', octet), code: fields.required('code', octet), id: fields.required('id', portCheck) }
}

/** Types of ICMP that are answered, and by which (nf_conntrack_proto_icmp.c, invmap). */
const ANSWERS: Readonly<Record<number, number>> = { 8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17 }
/** The same of ICMPv6: echo, and node information. */
const ANSWERS6: Readonly<Record<number, number>> = { 128: 129, 129: 128, 139: 140, 140: 139 }

/** A tuple turned around. Throws a `BadValue` for ICMP that has no answer. */
export function inverse({ protocol, source, destination, sourcePort, destinationPort, icmp }: Tuple): Tuple {
  const turned = { protocol, source: destination, destination: source }
  if (icmp) {
    const type = (protocol === 'icmp' ? ANSWERS : ANSWERS6)[icmp.type]
    if (type === undefined)
      throw new BadValue('range', `${icmp.type}: such ICMP has no answers, and is not tracked`).within('type').within('icmp')
    return { ...turned, icmp: { ...icmp, type } }
  }
  if (sourcePort === undefined || destinationPort === undefined) return turned
  return { ...turned, sourcePort: destinationPort, destinationPort: sourcePort }
}

/** The number of a tuple's family. */
export const familyNumberOf = ({ source }: Tuple): number => (familyOf(source) === 'ipv6' ? AF_INET6 : AF_INET)
