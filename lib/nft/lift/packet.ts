/** What is known of the packet where a rule is: its protocols, and which statements say no more than that (src/proto.c, src/payload.c). */
import type { Family } from '../types.js'
import type { Layer, Protocol } from '../vocabulary/protocol.js'
import { protocolNamed } from '../vocabulary/protocols.js'
import type { Entry } from './reading.js'
import type { PacketValue, SelectorValue } from './value.js'

/** A statement that may only be there for those behind it. */
export interface Dependency {
  readonly entry: Entry
  readonly left: PacketValue | SelectorValue
  readonly value: bigint
}

export interface Packet {
  readonly family: Family
  readonly protocols: Partial<Record<Layer, Protocol | 'unknown'>>
  /** Bits of the link layer's headers before the last one: behind `ether` there may be several of `vlan`. */
  linkOffset: number
  /** Headers of the link layer before the last one, with where they begin. */
  readonly linkHeaders: { readonly protocol: Protocol; readonly offset: number }[]
  /** Type of the ICMP message, for its fields depend on it. */
  message: bigint | undefined
  readonly dependencies: Partial<Record<Layer, Dependency>>
}

const LAYER_ABOVE: Readonly<Record<Layer, Layer | undefined>> = {
  link: 'network',
  network: 'transport',
  transport: 'inner',
  inner: undefined,
}

export const above = (layer: Layer | 'device'): Layer | undefined => (layer === 'device' ? 'link' : LAYER_ABOVE[layer])

const BEGINNINGS: Readonly<Record<Family, readonly [Layer, string] | undefined>> = {
  ip: ['network', 'ip'],
  ip6: ['network', 'ip6'],
  arp: ['network', 'arp'],
  bridge: ['link', 'ether'],
  inet: undefined,
  netdev: undefined,
}

export function packetOf(family: Family): Packet {
  const beginning = BEGINNINGS[family]
  const protocols = beginning ? { [beginning[0]]: protocolNamed(beginning[1]) } : {}
  return { family, protocols, linkOffset: 0, linkHeaders: [], message: undefined, dependencies: {} }
}

/** The header of a layer, where it is known. */
export function headerOf(packet: Packet, layer: Layer): Protocol | undefined {
  const protocol = packet.protocols[layer]
  return protocol === 'unknown' ? undefined : protocol
}

const TRANSPORTS: ReadonlyMap<bigint, string> = new Map([
  [1n, 'icmp'],
  [2n, 'igmp'],
  [6n, 'tcp'],
  [17n, 'udp'],
  [33n, 'dccp'],
  [47n, 'gre'],
  [50n, 'esp'],
  [51n, 'ah'],
  [58n, 'icmpv6'],
  [108n, 'comp'],
  [132n, 'sctp'],
  [136n, 'udplite'],
])
const FAMILIES: ReadonlyMap<bigint, string> = new Map([
  [2n, 'ip'],
  [10n, 'ip6'],
])
const ETHERNET: ReadonlyMap<bigint, string> = new Map([
  [0x0800n, 'ip'],
  [0x0806n, 'arp'],
  [0x86ddn, 'ip6'],
  [0x8100n, 'vlan'],
  [0x88a8n, 'vlan'],
])
/** ARPHRD_ETHER */
const DEVICES: ReadonlyMap<bigint, string> = new Map([[1n, 'ether']])

function found(table: ReadonlyMap<bigint, string>, value: bigint): Protocol | 'unknown' {
  const name = table.get(value)
  return (name === undefined ? undefined : protocolNamed(name)) ?? 'unknown'
}

/** What a key of `meta` or `ct` tells of the packet (meta_expr_pctx_update, ct_expr_pctx_update). */
export function learnFromKey(packet: Packet, key: string, value: bigint): void {
  const { protocols, family } = packet
  const behindLink = family === 'netdev' || family === 'bridge'
  if (key === 'l4proto' || key === 'protocol of ct') protocols.transport = found(TRANSPORTS, value)
  else if (key === 'nfproto' || key === 'l3proto') {
    if (family !== 'ip' && family !== 'ip6') protocols.network = found(FAMILIES, value)
  } else if (key === 'protocol' && behindLink) protocols.network = found(ETHERNET, value)
  else if ((key === 'iiftype' || key === 'oiftype') && family !== 'bridge') protocols.link = found(DEVICES, value)
}

/** What a field of a header tells of what comes next (payload_expr_pctx_update): the layer that it may go with. */
export function learnFromField(packet: Packet, { layer, protocol, field }: PacketValue, value: bigint): Layer | undefined {
  if (!protocol || field?.name !== nextOf(protocol)) return undefined
  if (protocol.name === 'icmp' || protocol.name === 'icmpv6') {
    packet.message = value
    return layer
  }
  const name = protocol.upper.find(([number]) => BigInt(number) === value)?.[1]
  const upper = name === undefined ? undefined : protocolNamed(name)
  if (upper && upper.layer === layer) {
    if (layer === 'link') packet.linkHeaders.push({ protocol, offset: packet.linkOffset })
    packet.linkOffset += layer === 'link' ? lengthOf(protocol) : 0
  }
  const next = upper?.layer ?? above(layer) ?? layer
  packet.protocols[next] = upper ?? 'unknown'
  return upper?.layer === layer ? layer : above(layer)
}

/** The field by which nft knows what comes next: of ICMP the type. */
const nextOf = (protocol: Protocol): string | undefined =>
  protocol.next ?? (protocol.name === 'icmp' || protocol.name === 'icmpv6' ? 'type' : undefined)

/** Bits. */
export const lengthOf = (protocol: Protocol): number => Math.max(...protocol.fields.map(field => field.offset + field.bits))
