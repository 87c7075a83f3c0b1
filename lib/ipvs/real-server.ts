/** A real server: plain object to wire record and back. */
import { AF_INET6, canonicalAddress, familyOf, formatAddress, formatEndpoint } from '../netlink/address.js'
import { statisticsFromWire } from './statistics.js'
import type { Forwarding, RealServer, RealServerConfig, RealServerKey, Tunnel } from './types.js'
import { integer, knownKeys, object, oneOf } from './validate.js'
import { addressToWire, familyNumber } from './virtual-server.js'
import type { DestinationRecord, ServiceRecord } from './wire.js'

const MAXIMUM = 0x7fffffff
const FORWARDING: readonly Forwarding[] = ['masquerade', 'local', 'tunnel', 'direct-route', 'bypass']
const MASQUERADE = 0
const TUNNEL = 2
const DIRECT_ROUTE = 3
const TUNNEL_TYPES = ['ipip', 'gue', 'gre'] as const
const CHECKSUMS = ['none', 'checksum', 'remote-checksum'] as const
const IPIP = { type: 'ipip' } as const

const KNOWN = {
  address: 0,
  port: 0,
  weight: 0,
  forwarding: 0,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: 0,
  activeConnections: 0,
  inactiveConnections: 0,
  persistentConnections: 0,
  statistics: 0,
}
const NO_TUNNEL = { tunnelType: undefined, tunnelPort: undefined, tunnelFlags: undefined }
const KNOWN_TUNNEL = { type: 0, port: 0, checksum: 0 }

/** The key alone. The family is always sent: without it the kernel takes the virtual server's. */
export function realServerKeyToWire(key: RealServerKey, field = 'realServer'): DestinationRecord {
  object(key, field)
  return {
    address: addressToWire(key.address, `${field}.address`),
    port: integer(key.port, `${field}.port`, 0, 65535),
    addressFamily: familyNumber(familyOf(key.address)),
  }
}

/** The whole real server, checked. The kernel replaces on set, so everything is sent every time. */
export function realServerToWire(config: RealServerConfig, field = 'realServer'): DestinationRecord {
  object(config, field)
  knownKeys(config, field, KNOWN) // first: a name that is misspelt is missing, too
  const { weight = 1, forwarding = 'masquerade', upperThreshold = 0, lowerThreshold = 0, tunnel } = config
  const { address, port, addressFamily } = realServerKeyToWire(config, field)
  const method = FORWARDING.indexOf(forwarding as Forwarding)
  if (method < 0) oneOf(forwarding, `${field}.forwarding`, FORWARDING)
  integer(upperThreshold, `${field}.upperThreshold`, 0, MAXIMUM)
  integer(lowerThreshold, `${field}.lowerThreshold`, 0, MAXIMUM)
  if (lowerThreshold > upperThreshold)
    throw new RangeError(
      `${field}.lowerThreshold: ${lowerThreshold} is above the upperThreshold ${upperThreshold}: give at most that`,
    )
  integer(weight, `${field}.weight`, 0, MAXIMUM)
  if (tunnel !== undefined && method !== TUNNEL)
    throw new RangeError(`${field}.tunnel: it is for forwarding 'tunnel', and this is '${forwarding}': change one of them`)
  const { tunnelType, tunnelPort, tunnelFlags } = tunnel === undefined ? NO_TUNNEL : tunnelToWire(tunnel, `${field}.tunnel`)
  // Field by field: a spread followed by other properties would take longer than all the rest of the encoding.
  return {
    address,
    port,
    addressFamily,
    forwarding: method,
    weight,
    upperThreshold,
    lowerThreshold,
    tunnelType,
    tunnelPort,
    tunnelFlags,
  }
}

/** Neither direct routing nor a tunnel can change a port: the kernel would take another one and never use it. */
export function checkPort(realServer: DestinationRecord, virtualServer: ServiceRecord, field = 'realServer'): void {
  const { forwarding, port } = realServer
  if (virtualServer.port === undefined || port === virtualServer.port || (forwarding !== TUNNEL && forwarding !== DIRECT_ROUTE))
    return
  throw new RangeError(
    `${field}.port: ${port} can not be reached by '${FORWARDING[forwarding]}', which leaves ports as they are: give ${virtualServer.port}, or forwarding 'masquerade'`,
  )
}

/** Only a tunnel leads to another family: the kernel would say EINVAL, which has a dozen meanings. */
export function checkFamily(realServer: DestinationRecord, virtualServer: ServiceRecord, field = 'realServer'): void {
  const { addressFamily, forwarding } = realServer
  if (addressFamily === virtualServer.addressFamily || forwarding === TUNNEL) return
  const [mine, its] = addressFamily === AF_INET6 ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6']
  throw new RangeError(
    `${field}.address: it is ${mine}, and the virtual server is ${its}: give an ${its} address, or forwarding 'tunnel'`,
  )
}

function tunnelToWire(tunnel: unknown, field: string): Pick<DestinationRecord, 'tunnelType' | 'tunnelPort' | 'tunnelFlags'> {
  object(tunnel, field)
  knownKeys(tunnel as object, field, KNOWN_TUNNEL)
  const { type, port, checksum } = tunnel as { type: unknown; port?: unknown; checksum?: unknown }
  const word = oneOf(type, `${field}.type`, TUNNEL_TYPES)
  if (word !== 'gue' && port !== undefined) throw new RangeError(`${field}.port: only gue has a port: leave it out`)
  if (word === 'ipip' && checksum !== undefined) throw new RangeError(`${field}.checksum: ipip has no checksum: leave it out`)
  const checksums = word === 'gre' ? CHECKSUMS.slice(0, 2) : CHECKSUMS
  return {
    tunnelType: TUNNEL_TYPES.indexOf(word),
    tunnelPort: word === 'gue' ? integer(port, `${field}.port`, 1, 65535) : undefined,
    tunnelFlags: checksum === undefined ? 0 : CHECKSUMS.indexOf(oneOf(checksum, `${field}.checksum`, checksums)),
  }
}

export function realServerFromWire(record: DestinationRecord, virtualServerFamily: number): RealServer {
  const family = (record.addressFamily || virtualServerFamily) === AF_INET6 ? 'ipv6' : 'ipv4'
  const statistics = statisticsFromWire(record)
  const forwarding = record.forwarding ?? MASQUERADE
  const realServer = {
    address: record.address ? formatAddress(record.address, 0, family) : '',
    port: record.port ?? 0,
    weight: record.weight ?? 0,
    forwarding: FORWARDING[forwarding] ?? forwarding,
    upperThreshold: record.upperThreshold ?? 0,
    lowerThreshold: record.lowerThreshold ?? 0,
    activeConnections: record.activeConnections ?? 0,
    inactiveConnections: record.inactiveConnections ?? 0,
    persistentConnections: record.persistentConnections ?? 0,
  }
  if (forwarding !== TUNNEL && !statistics) return realServer
  return { ...realServer, ...(forwarding === TUNNEL && { tunnel: tunnelFromWire(record) }), ...(statistics && { statistics }) }
}

function tunnelFromWire(record: DestinationRecord): NonNullable<RealServer['tunnel']> {
  const { tunnelType = 0, tunnelPort: port = 0, tunnelFlags: flags = 0 } = record
  const type = TUNNEL_TYPES[tunnelType]
  const checksum = CHECKSUMS[flags]
  if (type === 'ipip' && flags === 0) return IPIP
  if (type === 'gue' && checksum) return { type, port, ...(checksum !== 'none' && { checksum }) } as Tunnel
  if (type === 'gre' && checksum && flags < 2) return { type, ...(checksum !== 'none' && { checksum }) } as Tunnel
  return { type: tunnelType, port, flags }
}

/** `10.1.0.1:8080` */
export function describeRealServer(key: RealServerKey): string {
  return formatEndpoint(canonicalAddress(String(key?.address)) ?? String(key?.address), key?.port)
}

/** Whether the kernel's real server is as wished. Both records are of one key. */
export function sameRealServer(wished: DestinationRecord, actual: DestinationRecord): boolean {
  return (
    wished.weight === actual.weight &&
    wished.forwarding === actual.forwarding &&
    wished.upperThreshold === actual.upperThreshold &&
    wished.lowerThreshold === actual.lowerThreshold &&
    (wished.tunnelType ?? 0) === (actual.tunnelType ?? 0) &&
    (wished.tunnelPort ?? 0) === (actual.tunnelPort ?? 0) &&
    (wished.tunnelFlags ?? 0) === (actual.tunnelFlags ?? 0)
  )
}
