/**
 * Statements that nft adds on its own, `meta l4proto tcp` before `tcp dport 22`, are not told: what stands behind them says the same
 * (src/payload.c, payload_dependency_kill; src/netlink_delinearize.c, ct_meta_common_postprocess).
 */
import type { Layer } from '../vocabulary/protocol.js'
import { typesOfField } from './message.js'
import { above, type Dependency, headerOf, type Packet } from './packet.js'
import type { OptionValue, PacketValue, SelectorValue } from './value.js'

/** The statement may go once something of the layer is told. */
export function remember(packet: Packet, layer: Layer, dependency: Dependency): void {
  packet.dependencies[layer] = dependency
}

export function release(packet: Packet, layer: Layer): void {
  const dependency = packet.dependencies[layer]
  if (!dependency) return
  dependency.entry.statement = undefined
  delete packet.dependencies[layer]
}

/** Those between other statements than matches stay. */
export function forget(packet: Packet): void {
  for (const layer of Object.keys(packet.dependencies) as Layer[]) delete packet.dependencies[layer]
}

const isLinked = (packet: Packet): boolean => packet.family === 'bridge' || packet.family === 'netdev' || packet.family === 'inet'

/** A piece of a header makes its dependency go, unless that says more: `ip protocol tcp` is also about IPv4. */
export function releaseFor(packet: Packet, value: PacketValue, compared = false): void {
  const dependency = packet.dependencies[value.layer]
  if (!dependency || !value.field || value.protocol?.name === 'th') return
  // What is compared with one type says which header comes next, not that there is one before it.
  if (compared && value.layer === 'link' && value.field.name === 'type' && isLinked(packet) && dependency.left.kind === 'packet')
    return
  if (isImplied(packet, dependency, value)) release(packet, value.layer)
}

function isImplied(packet: Packet, { left, value: given }: Dependency, value: PacketValue): boolean {
  const protocol = left.kind === 'packet' ? left.protocol?.name : undefined
  // `vlan id` is also about the type of the frame, if that is the usual one; nft never adds `vlan type`.
  if (isLinked(packet) && value.layer === 'link' && (protocol === 'vlan' || protocol === 'ether'))
    return protocol === 'ether' && given === VLAN
  if (protocol === 'icmp' || protocol === 'icmpv6') return value.layer !== 'transport' || needsMessage(value, given)
  const network = protocol === 'ip' || protocol === 'ip6'
  return !(isLinked(packet) && network && value.layer === 'transport')
}

const VLAN = 0x8100n

/** Whether the type of the message follows from a field, which no other type has. */
function needsMessage({ protocol, field }: PacketValue, message: bigint): boolean {
  const types = protocol && field ? typesOfField(protocol, field) : undefined
  return types?.length === 1 && types[0] === message
}

const ETHERNET: ReadonlyMap<bigint, 'ip' | 'ip6' | 'other'> = new Map([
  [0x0800n, 'ip'],
  [0x86ddn, 'ip6'],
])

/** The family that the dependency of the network layer is about; undefined where it may go in any case. */
function familyOf({ left, value }: Dependency): 'ip' | 'ip6' | 'other' | undefined {
  if (left.kind === 'packet') return left.layer === 'link' ? (ETHERNET.get(value) ?? 'other') : undefined
  const key = 'meta' in left.json ? left.json.meta.key : 'ct' in left.json ? left.json.ct.key : ''
  if (key === 'nfproto' || key === 'l3proto') return value === 2n ? 'ip' : value === 10n ? 'ip6' : 'other'
  return key === 'protocol' ? (ETHERNET.get(value) ?? 'other') : undefined
}

const ICMP = 1n
const ICMPV6 = 58n

function mayGo(packet: Packet, key: string, value: bigint): boolean {
  const dependency = packet.dependencies.network
  const family = dependency && familyOf(dependency)
  if (family === undefined) return true
  if (packet.family === 'ip' || packet.family === 'ip6') return packet.family === family
  if (!isLinked(packet) || key !== 'l4proto') return true
  return (family === 'ip' && value === ICMP) || (family === 'ip6' && value === ICMPV6)
}

const LAYERS: Readonly<Record<string, Layer | 'device'>> = {
  nfproto: 'link',
  protocol: 'link',
  l4proto: 'network',
  iiftype: 'device',
  l3proto: 'link',
  'protocol of ct': 'network',
}

/** What a match of a key of `meta` or `ct` does to those before it, and that it may go itself. */
export function dependOnKey(packet: Packet, key: string, dependency: Dependency): void {
  const layer = LAYERS[key]
  if (layer === undefined) return
  if (layer !== 'device' && packet.dependencies[layer] && mayGo(packet, key, dependency.value)) release(packet, layer)
  const next = above(layer)
  if (next) remember(packet, next, dependency)
}

/** Of which family the dependency of the network layer is, if it is of one. */
function releaseFamily(packet: Packet, family: 'ip' | 'ip6'): void {
  const dependency = packet.dependencies.network
  if (dependency && familyOf(dependency) === family) release(packet, 'network')
}

/** Only one that says the same. */
export function releaseTransport(packet: Packet, protocol: bigint): void {
  if (packet.dependencies.transport?.value === protocol) release(packet, 'transport')
}

/** Addresses of a connection say of which family it is, where they are compared. */
export function releaseForAddress(packet: Packet, { json }: SelectorValue): void {
  if (!('ct' in json) || !/addr$/.test(json.ct.key)) return
  const family = /^ip6?/.exec(json.ct.key)?.[0] ?? headerOf(packet, 'network')?.name
  if (family === 'ip' || family === 'ip6') releaseFamily(packet, family)
}

const TRANSPORTS: Readonly<Record<string, bigint>> = { 'tcp option': 6n, 'sctp chunk': 132n, 'dccp option': 33n }

/** Options and extension headers are of one protocol each. */
export function releaseForOption(packet: Packet, { of }: OptionValue): void {
  const transport = TRANSPORTS[of]
  if (transport === undefined) releaseFamily(packet, of === 'exthdr' ? 'ip6' : 'ip')
  else releaseTransport(packet, transport)
}
