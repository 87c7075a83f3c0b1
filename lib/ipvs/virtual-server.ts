/** A virtual server: plain object to wire record and back. */
import {
  AF_INET,
  AF_INET6,
  canonicalAddress,
  type Family,
  familyOf,
  formatAddress,
  formatEndpoint,
  maskOfPrefix,
  parseIPv4,
  writeAddress,
} from '../netlink/address.js'
import { statisticsFromWire } from './statistics.js'
import type { Persistence, SchedulerFlag, VirtualServer, VirtualServerConfig, VirtualServerKey } from './types.js'
import { boolean, integer, knownKeys, malformedAddress, name, object, oneOf, show } from './validate.js'
import { ADDRESS, OWN_FLAGS, type ServiceRecord, serviceFlag } from './wire.js'

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 }
const PROTOCOL_NAMES = new Map(Object.entries(PROTOCOLS).map(([word, number]) => [number, word]))

/** Seconds: the kernel multiplies with HZ, at most 1000, in 32 bits. */
const MAXIMUM_TIMEOUT = 4_294_967
const DEFAULT_TIMEOUT = 360
export const DEFAULT_SCHEDULER = 'wlc'

const FLAG_BITS: Readonly<Record<SchedulerFlag, number>> = {
  'sh-fallback': serviceFlag.scheduler1,
  'sh-port': serviceFlag.scheduler2,
  'mh-fallback': serviceFlag.scheduler1,
  'mh-port': serviceFlag.scheduler2,
  'flag-1': serviceFlag.scheduler1,
  'flag-2': serviceFlag.scheduler2,
  'flag-3': serviceFlag.scheduler3,
}

/** Includes what reading adds, so that what was read can be changed and written. */
const KNOWN = {
  protocol: 0,
  address: 0,
  port: 0,
  firewallMark: 0,
  family: 0,
  scheduler: 0,
  schedulerFlags: 0,
  persistence: 0,
  onePacket: 0,
  dormantPersistence: 0,
  otherFlags: 0,
  statistics: 0,
  realServers: 0,
}
const KNOWN_PERSISTENCE = { timeout: 0, netmask: 0, engine: 0 }

export function familyNumber(family: Family): number {
  return family === 'ipv6' ? AF_INET6 : AF_INET
}

/** Whether it is a firewall mark; a field that is there and undefined is none. */
function isMark(key: VirtualServerKey): key is Extract<VirtualServerKey, { firewallMark: number }> {
  return 'firewallMark' in key && key.firewallMark !== undefined
}

export function virtualServerFamily(key: VirtualServerKey): Family {
  return isMark(key) ? key.family : familyOf(key.address)
}

/** An address as the kernel's 16 bytes. */
export function addressToWire(text: unknown, field: string): Uint8Array {
  const bytes = new Uint8Array(ADDRESS)
  if (typeof text !== 'string' || !writeAddress(text, familyOf(text), bytes, 0)) throw malformedAddress(text, field)
  return bytes
}

function protocolToWire(value: unknown, field: string): number {
  const known = typeof value === 'string' && Object.hasOwn(PROTOCOLS, value) ? PROTOCOLS[value] : undefined
  if (known !== undefined) return known
  if (typeof value === 'number') return integer(value, field, 0, 0xffff)
  oneOf(value, field, ['tcp', 'udp', 'sctp'])
  return 0
}

/** The key alone, for commands that need no more. Takes numbers for protocols, so that what others made can be removed. */
export function virtualServerKeyToWire(key: VirtualServerKey, field = 'virtualServer'): ServiceRecord {
  object(key, field)
  if (isMark(key)) {
    const { protocol, address, port } = key as { protocol?: unknown; address?: unknown; port?: unknown }
    if (protocol !== undefined || address !== undefined || port !== undefined)
      throw new TypeError(`${field}: it has both a firewallMark and an address, port or protocol: give one or the other`)
    return {
      addressFamily: familyNumber(oneOf(key.family, `${field}.family`, ['ipv4', 'ipv6'])),
      firewallMark: integer(key.firewallMark, `${field}.firewallMark`, 1, 0xffffffff),
    }
  }
  const { protocol, address, port } = key as { protocol: unknown; address: unknown; port: unknown }
  return {
    protocol: protocolToWire(protocol, `${field}.protocol`),
    address: addressToWire(address, `${field}.address`),
    addressFamily: familyNumber(familyOf(address as string)),
    port: integer(port, `${field}.port`, 0, 65535),
  }
}

/** The whole virtual server, checked. The kernel replaces on set, so everything is sent every time. */
export function virtualServerToWire(config: VirtualServerConfig, field = 'virtualServer'): ServiceRecord {
  object(config, field)
  knownKeys(config, field, KNOWN) // first: a name that is misspelt is missing, too
  const { addressFamily, protocol, address, port, firewallMark } = virtualServerKeyToWire(config, field)
  if (firewallMark === undefined && (config as { family?: unknown }).family !== undefined)
    throw new TypeError(`${field}.family: it is for firewall marks: that of an address is in its text, leave it out`)
  if (protocol !== undefined && !PROTOCOL_NAMES.has(protocol))
    throw new RangeError(`${field}.protocol: IPVS balances tcp, udp and sctp; the kernel would take ${protocol} and never use it`)
  const scheduler = config.scheduler === undefined ? DEFAULT_SCHEDULER : name(config.scheduler, `${field}.scheduler`, 15)
  const { persistence, onePacket } = config
  if (persistence !== undefined) object(persistence, `${field}.persistence`)
  if (persistence && config.dormantPersistence !== undefined)
    throw new TypeError(`${field}: give persistence or dormantPersistence, not both`)
  if (onePacket !== undefined && boolean(onePacket, `${field}.onePacket`) && protocol !== undefined && protocol !== PROTOCOLS.udp)
    throw new RangeError(`${field}.onePacket: one-packet scheduling is for UDP and firewall marks`)
  if (port === 0 && !persistence)
    throw new RangeError(`${field}.port: port 0 stands for every port, and that needs persistence: give a port or persistence`)
  const flags =
    (persistence ? serviceFlag.persistent : 0) |
    (onePacket ? serviceFlag.onePacket : 0) |
    schedulerFlagsToWire(config.schedulerFlags, scheduler, `${field}.schedulerFlags`)
  const { timeout, netmask, persistenceEngine } = persistenceToWire(
    persistence ?? config.dormantPersistence,
    virtualServerFamily(config),
    persistence ? DEFAULT_TIMEOUT : 0,
    `${field}.${persistence ? 'persistence' : 'dormantPersistence'}`,
  )
  return {
    addressFamily,
    protocol,
    address,
    port,
    firewallMark,
    scheduler,
    flags: { flags, mask: OWN_FLAGS },
    timeout,
    netmask,
    persistenceEngine,
  }
}

function schedulerFlagsToWire(flags: unknown, scheduler: string, field: string): number {
  if (flags === undefined) return 0
  if (!Array.isArray(flags)) throw new TypeError(`${field}: give a list of flags`)
  let bits = 0
  for (const flag of flags) {
    const word = oneOf(flag, field, Object.keys(FLAG_BITS) as SchedulerFlag[])
    const owner = word.slice(0, 2)
    if (owner !== 'fl' && owner !== scheduler)
      throw new RangeError(
        `${field}: '${word}' belongs to the scheduler ${owner}, not ${scheduler}: choose that scheduler, or 'flag-1' to 'flag-3'`,
      )
    bits |= FLAG_BITS[word]
  }
  return bits
}

const IPV4_DEFAULT = Uint8Array.of(255, 255, 255, 255)
const IPV6_DEFAULT = new Uint8Array(Uint32Array.of(128).buffer)

function persistenceToWire(
  persistence: Persistence | undefined,
  family: Family,
  defaultTimeout: number,
  field: string,
): Pick<ServiceRecord, 'timeout' | 'netmask' | 'persistenceEngine'> {
  const netmask = family === 'ipv6' ? IPV6_DEFAULT : IPV4_DEFAULT
  if (persistence === undefined) return { timeout: defaultTimeout, netmask, persistenceEngine: undefined }
  object(persistence, field)
  knownKeys(persistence, field, KNOWN_PERSISTENCE)
  return {
    timeout:
      persistence.timeout === undefined
        ? defaultTimeout
        : integer(persistence.timeout, `${field}.timeout`, defaultTimeout ? 1 : 0, MAXIMUM_TIMEOUT),
    netmask: persistence.netmask === undefined ? netmask : netmaskToWire(persistence.netmask, family, `${field}.netmask`),
    persistenceEngine: persistence.engine === undefined ? undefined : name(persistence.engine, `${field}.engine`, 15),
  }
}

function netmaskToWire(netmask: string | number, family: Family, field: string): Uint8Array {
  if (family === 'ipv6') return new Uint8Array(Uint32Array.of(integer(netmask, field, 1, 128)).buffer)
  const text = typeof netmask === 'number' ? maskOfPrefix(integer(netmask, field, 0, 32)) : netmask
  const bytes = new Uint8Array(4)
  if (typeof text !== 'string' || !parseIPv4(text, bytes, 0))
    throw new RangeError(`${field}: ${show(netmask)} is no IPv4 mask: give '255.255.255.0', or a prefix length from 0 to 32`)
  return bytes
}

/** Undefined when the record names no virtual server. */
export function virtualServerKeyFromWire(record: ServiceRecord): VirtualServerKey {
  const family: Family = record.addressFamily === AF_INET6 ? 'ipv6' : 'ipv4'
  if (record.firewallMark) return { firewallMark: record.firewallMark, family }
  const protocol = record.protocol ?? 0
  return {
    protocol: (PROTOCOL_NAMES.get(protocol) as 'tcp' | undefined) ?? protocol,
    address: record.address ? formatAddress(record.address, 0, family) : family === 'ipv6' ? '::' : '0.0.0.0',
    port: record.port ?? 0,
  }
}

export function virtualServerFromWire(record: ServiceRecord): VirtualServer {
  const bits = record.flags?.flags ?? 0
  const scheduler = record.scheduler ?? 'none'
  const schedulerFlags = schedulerFlagsFromWire(bits, scheduler)
  const persistent = (bits & serviceFlag.persistent) !== 0
  const kept = persistenceFromWire(record)
  const otherFlags = (bits & ~(OWN_FLAGS | serviceFlag.hashed)) >>> 0
  const statistics = statisticsFromWire(record)
  return {
    ...virtualServerKeyFromWire(record),
    scheduler,
    ...(schedulerFlags.length > 0 && { schedulerFlags }),
    ...(persistent && { persistence: { ...kept, timeout: record.timeout ?? 0 } }),
    ...(bits & serviceFlag.onePacket && { onePacket: true as const }),
    ...(!persistent && (kept.timeout || kept.netmask !== undefined || kept.engine) && { dormantPersistence: kept }),
    ...(otherFlags !== 0 && { otherFlags }),
    ...(statistics && { statistics }),
  } as VirtualServer
}

function schedulerFlagsFromWire(bits: number, scheduler: string): SchedulerFlag[] {
  const named = scheduler === 'sh' || scheduler === 'mh'
  const flags: SchedulerFlag[] = []
  if (bits & serviceFlag.scheduler1) flags.push(named ? `${scheduler}-fallback` : 'flag-1')
  if (bits & serviceFlag.scheduler2) flags.push(named ? `${scheduler}-port` : 'flag-2')
  if (bits & serviceFlag.scheduler3) flags.push('flag-3')
  return flags
}

function persistenceFromWire(record: ServiceRecord): Persistence {
  const netmask = netmaskFromWire(record)
  return {
    ...(record.timeout && { timeout: record.timeout }),
    ...(netmask !== undefined && { netmask }),
    ...(record.persistenceEngine && { engine: record.persistenceEngine }),
  }
}

function netmaskFromWire({ netmask, addressFamily }: ServiceRecord): string | number | undefined {
  if (!netmask || netmask.length < 4) return undefined
  if (addressFamily === AF_INET6) {
    // Copied into memory of its own: what was received is a Buffer, whose slice is a view.
    const prefix = new Uint32Array(Uint8Array.from(netmask.subarray(0, 4)).buffer)[0]
    return prefix === 128 ? undefined : prefix
  }
  const mask = formatAddress(netmask, 0, 'ipv4')
  return mask === '255.255.255.255' ? undefined : mask
}

/** Canonical text of a key, for errors and for maps: `tcp 10.0.0.1:80`, also where the protocol is given as 6; `fwmark 5 ipv6`. */
export function describeVirtualServer(key: VirtualServerKey): string {
  if (key === null || typeof key !== 'object') return String(key)
  if (isMark(key)) return `fwmark ${key.firewallMark} ${key.family}`
  const { protocol, address, port } = key as { protocol: string | number; address: string; port: number }
  const name = typeof protocol === 'number' ? (PROTOCOL_NAMES.get(protocol) ?? protocol) : protocol
  return `${name} ${formatEndpoint(canonicalAddress(String(address)) ?? String(address), port)}`
}

/** Whether the kernel's virtual server is as wished. Both records are of one key. */
export function sameVirtualServer(wished: ServiceRecord, actual: ServiceRecord): boolean {
  return (
    wished.scheduler === (actual.scheduler ?? 'none') &&
    ((wished.flags?.flags ?? 0) ^ ((actual.flags?.flags ?? 0) & OWN_FLAGS)) === 0 &&
    wished.timeout === actual.timeout &&
    (wished.persistenceEngine ?? '') === (actual.persistenceEngine ?? '') &&
    Buffer.compare(wished.netmask ?? IPV4_DEFAULT, actual.netmask ?? IPV4_DEFAULT) === 0
  )
}
