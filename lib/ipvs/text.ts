/** The tables as `ipvsadm -L` prints them. */
import { familyOf, parseIPv4, writeAddress } from '../netlink/address.js'
import { NO_STATISTICS } from './statistics.js'
import type {
  Info,
  Protocol,
  RealServer,
  Statistics,
  Unnamed,
  VirtualServer,
  VirtualServerKey,
  VirtualServerWithRealServers,
} from './types.js'

/** What is told of each real server: the options of `ipvsadm -L` are none, --stats, --rate, --thresholds, --persistent-conn, --tun-info. */
export type TableView = 'connections' | 'statistics' | 'rates' | 'thresholds' | 'persistent-connections' | 'tunnels'

/** Names instead of numbers, as ipvsadm without -n shows them. */
export interface Names {
  /** Name of a host, or its address where it has none. */
  host(address: string): string
  /** Name of a port, or its number where it has none. A firewall mark has no protocol. */
  port(port: number, protocol: Protocol | Unnamed | undefined): string
}

export interface TableOptions {
  /** Default `connections`. `statistics` and `rates` show zeros for what was read without statistics. */
  readonly view?: TableView | undefined
  /** Counters digit by digit instead of in K, M, G and T. Default false. */
  readonly exact?: boolean | undefined
  /** By mark, family, protocol, address and port; real servers by address and port. Default true; else the order that they are given in. */
  readonly sorted?: boolean | undefined
  /** Default: numbers. */
  readonly names?: Names | undefined
}

/** No names. */
export const NUMBERS: Names = { host: address => address, port: String }

/** ipvsadm holds an address with its port in 60 bytes, and cuts those of IPv4 to fit their columns. */
const ENDPOINT = 59
const VIRTUAL_COLUMN = 33
const REAL_COLUMN = 28

const PROTOCOLS: Readonly<Record<string, string>> = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' }
const FORWARD: Readonly<Record<string, string>> = {
  masquerade: 'Masq',
  local: 'Local',
  tunnel: 'Tunnel',
  'direct-route': 'Route',
  bypass: 'Bypass',
}

export function namedEndpoint(names: Names, address: string, port: number, protocol: Protocol | Unnamed | undefined): string {
  const host = names.host(address)
  const text = familyOf(address) === 'ipv6' ? `[${host}]` : host
  return `${text}:${names.port(port, protocol)}`.slice(0, ENDPOINT)
}

export function protocolOf(vs: VirtualServerKey): Protocol | Unnamed | undefined {
  return 'firewallMark' in vs ? undefined : vs.protocol
}

/** `TCP  10.0.0.1:80`, `FWM  7 IPv6` */
function virtualServerName(vs: VirtualServerKey, names: Names): string {
  if ('firewallMark' in vs) return `FWM  ${vs.firewallMark}${vs.family === 'ipv6' ? ' IPv6' : ''}`
  const protocol = (PROTOCOLS[vs.protocol] ?? '?').padEnd(4)
  const text = `${protocol} ${namedEndpoint(names, vs.address, vs.port, vs.protocol)}`
  return familyOf(vs.address) === 'ipv6' ? text : text.slice(0, VIRTUAL_COLUMN)
}

function realServerName(rs: RealServer, vs: VirtualServerKey, names: Names): string {
  const text = namedEndpoint(names, rs.address, rs.port, protocolOf(vs))
  return (familyOf(rs.address) === 'ipv6' ? text : text.slice(0, REAL_COLUMN)).padEnd(REAL_COLUMN)
}

/** Configuration behind the name of a virtual server: ` rr (flag-1) persistent 360 mask 255.255.255.0 pe sip ops`. */
function configuration(vs: VirtualServer): string {
  const { scheduler, schedulerFlags, persistence, onePacket } = vs
  return [
    scheduler,
    schedulerFlags && `(${schedulerFlags.join(',')})`,
    persistence && `persistent ${persistence.timeout}`,
    persistence?.netmask !== undefined && `mask ${persistence.netmask}`,
    persistence?.engine && `pe ${persistence.engine}`,
    onePacket && 'ops',
  ]
    .filter(Boolean)
    .join(' ')
}

const UNITS: readonly (readonly [below: bigint, divisor: bigint, unit: string])[] = [
  [1_000_000_000n, 1_000n, 'K'],
  [100_000_000_000n, 1_000_000n, 'M'],
  [100_000_000_000_000n, 1_000_000_000n, 'G'],
]

/** A counter in nine columns, the first of which is a blank unless the number needs it. */
function counter(value: bigint, exact: boolean): string {
  const digits = String(value)
  if (exact) return digits.padStart(Math.max(9, digits.length + 1))
  if (value < 100_000_000n) return digits.padStart(9)
  const [, divisor, unit] = UNITS.find(([below]) => value < below) ?? [0n, 1_000_000_000_000n, 'T']
  return `${String(value / divisor).padStart(8)}${unit}`
}

function totals(statistics: Statistics | undefined, exact: boolean): string {
  const { connections, incomingPackets, outgoingPackets, incomingBytes, outgoingBytes } = statistics ?? NO_STATISTICS
  return [connections, incomingPackets, outgoingPackets, incomingBytes, outgoingBytes].map(n => counter(n, exact)).join('')
}

function rates(statistics: Statistics | undefined, exact: boolean, wide: (value: bigint) => string): string {
  const s = statistics ?? NO_STATISTICS
  return (
    [s.connectionRate, s.incomingPacketRate, s.outgoingPacketRate].map(wide).join('') +
    [s.incomingByteRate, s.outgoingByteRate].map(n => counter(n, exact)).join('')
  )
}

/** How a view looks: its heading, and what stands behind the names. */
interface Layout {
  readonly title: string
  virtualServer(vs: VirtualServer, name: string, exact: boolean): string
  realServer(rs: RealServer, exact: boolean): string
}

const plain = (vs: VirtualServer, name: string): string => `${name} ${configuration(vs)}`
const forward = (rs: RealServer): string => (FORWARD[rs.forwarding] ?? String(rs.forwarding)).padEnd(7)
const pad = (value: string | number, width: number): string => ` ${String(value).padEnd(width)}`
/** What most views end with. */
const connections = (rs: RealServer): string => pad(rs.activeConnections, 10) + pad(rs.inactiveConnections, 10)
const numbersTitle = (names: readonly string[]): string =>
  `${'Prot LocalAddress:Port'.padEnd(33)} ${names.map(name => name.padStart(8)).join(' ')}\n  -> RemoteAddress:Port`
const wordsTitle = (names: readonly string[], widths: readonly number[]): string =>
  `${'Prot LocalAddress:Port'.padEnd(33)}${names.map((name, i) => pad(name, widths[i] ?? 0)).join('')}\n  -> RemoteAddress:Port`

const TENS = [10, 10, 10, 10]
const PERSISTENT = [9, 11, 10, 10]

const LAYOUTS: Readonly<Record<TableView, Layout>> = {
  connections: {
    title: 'Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
    virtualServer: plain,
    realServer: rs => ` ${forward(rs)}${pad(rs.weight, 6)}${connections(rs)}`,
  },
  statistics: {
    title: numbersTitle(['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes']),
    virtualServer: (vs, name, exact) => name.padEnd(VIRTUAL_COLUMN) + totals(vs.statistics, exact),
    realServer: (rs, exact) => totals(rs.statistics, exact),
  },
  rates: {
    title: numbersTitle(['CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS']),
    virtualServer: (vs, name, exact) => name.padEnd(VIRTUAL_COLUMN) + rates(vs.statistics, exact, n => counter(n, exact)),
    realServer: (rs, exact) => rates(rs.statistics, exact, n => ` ${String(n).padStart(8)}`),
  },
  thresholds: {
    title: wordsTitle(['Uthreshold', 'Lthreshold', 'ActiveConn', 'InActConn'], TENS),
    virtualServer: plain,
    realServer: rs => pad(rs.upperThreshold, 10) + pad(rs.lowerThreshold, 10) + connections(rs),
  },
  'persistent-connections': {
    title: wordsTitle(['Weight', 'PersistConn', 'ActiveConn', 'InActConn'], PERSISTENT),
    virtualServer: plain,
    realServer: rs => pad(rs.weight, 9) + pad(rs.persistentConnections, 11) + connections(rs),
  },
  tunnels: {
    title:
      'Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn',
    virtualServer: plain,
    realServer: rs => ` ${forward(rs)}${pad(tunnelInfo(rs), 13)}${pad(rs.weight, 6)}${connections(rs)}`,
  },
}

const CHECKSUM_SIGNS = { none: '-c', checksum: '+c', 'remote-checksum': 'r+c' } as const

/** `gue:6080:+c`; `n/a` where there is no tunnel. */
function tunnelInfo({ tunnel }: RealServer): string {
  if (tunnel === undefined || typeof tunnel.type === 'number') return 'n/a'
  if (tunnel.type === 'ipip') return 'ipip'
  const sign = CHECKSUM_SIGNS[tunnel.checksum ?? 'none']
  return tunnel.type === 'gue' ? `gue:${tunnel.port}:${sign}` : `gre:${sign}`
}

/** What stands above the rows of a view. Without `info` the first line is left out, as in the listing of one virtual server. */
export function formatHeading(info: Info | undefined, view: TableView = 'connections'): string {
  const { title } = LAYOUTS[view]
  return info ? `IP Virtual Server version ${info.version} (size=${info.connectionTableSize})\n${title}` : title
}

/** The rows: virtual servers, each with its real servers below it. No line feed at the end. */
export function formatRows(
  virtualServers: readonly VirtualServerWithRealServers[],
  { view = 'connections', exact = false, sorted = true, names = NUMBERS }: TableOptions = {},
): string {
  const layout = LAYOUTS[view]
  const lines: string[] = []
  for (const vs of sorted ? sortVirtualServers(virtualServers) : virtualServers) {
    lines.push(layout.virtualServer(vs, virtualServerName(vs, names), exact))
    for (const rs of vs.realServers) lines.push(`  -> ${realServerName(rs, vs, names)}${layout.realServer(rs, exact)}`)
  }
  return lines.join('\n')
}

/** The listing of `ipvsadm -L`, without a line feed at the end. */
export function formatTable(
  virtualServers: readonly VirtualServerWithRealServers[],
  info?: Info,
  options: TableOptions = {},
): string {
  const heading = formatHeading(info, options.view)
  return virtualServers.length === 0 ? heading : `${heading}\n${formatRows(virtualServers, options)}`
}

/** Virtual servers by mark, family, protocol, address and port, their real servers by address and port: as ipvsadm, but by unsigned numbers. */
export function sortVirtualServers<T extends VirtualServerWithRealServers>(virtualServers: readonly T[]): T[] {
  return sortBy(virtualServers, virtualServerOrder).map(vs => ({ ...vs, realServers: sortRealServers(vs.realServers) }))
}

/** Tables hold many: with IPv4 alone the keys are numbers, which cost no memory. */
function sortRealServers(realServers: readonly RealServer[]): RealServer[] {
  const narrow = realServers.every(({ address }) => familyOf(address) === 'ipv4')
  return narrow ? sortBy(realServers, rs => ipv4(rs.address) * 65536 + rs.port) : sortBy(realServers, realServerOrder)
}

/** Sorts by keys that are made once for each item. */
function sortBy<T>(items: readonly T[], keyOf: (item: T) => string | number): T[] {
  const keyed = items.map(item => ({ item, key: keyOf(item) }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.map(({ item }) => item)
}

const scratch = new Uint8Array(16)

function ipv4(address: string): number {
  parseIPv4(address, scratch, 0)
  return (((scratch[0] ?? 0) * 256 + (scratch[1] ?? 0)) * 256 + (scratch[2] ?? 0)) * 256 + (scratch[3] ?? 0)
}

/** The bytes of an address, each as a character, and two for a port: strings are compared by these. */
function bytesOf(address: string, port: number): string {
  writeAddress(address, familyOf(address), scratch, 0)
  return String.fromCharCode(...scratch, port)
}

const PROTOCOL_ORDER: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 }

function virtualServerOrder(vs: VirtualServerKey): string {
  if ('firewallMark' in vs) {
    const { firewallMark, family } = vs
    return String.fromCharCode(firewallMark >>> 16, firewallMark & 0xffff, family === 'ipv6' ? 1 : 0)
  }
  const { protocol, address, port } = vs
  const number = typeof protocol === 'number' ? protocol : (PROTOCOL_ORDER[protocol] ?? 0)
  return String.fromCharCode(0, 0, familyOf(address) === 'ipv6' ? 1 : 0, number) + bytesOf(address, port)
}

function realServerOrder({ address, port }: RealServer): string {
  return bytesOf(address, port)
}
