/** The tables as `ipvsadm -Ln` prints them. */
import { formatEndpoint } from '../netlink/address.js'
import { realServerKeyToWire } from './real-server.js'
import type { Info, RealServer, VirtualServer, VirtualServerWithRealServers } from './types.js'
import { virtualServerKeyToWire } from './virtual-server.js'

const FORWARD: Readonly<Record<string, string>> = {
  masquerade: 'Masq',
  local: 'Local',
  tunnel: 'Tunnel',
  'direct-route': 'Route',
  bypass: 'Bypass',
}

function serviceLine(vs: VirtualServer): string {
  const name =
    'firewallMark' in vs
      ? `FWM  ${vs.firewallMark}${vs.family === 'ipv6' ? ' IPv6' : ''}`
      : `${String(vs.protocol).toUpperCase().padEnd(4)} ${formatEndpoint(vs.address, vs.port)}`
  const { persistence, dormantPersistence } = vs
  const netmask = (persistence ?? dormantPersistence)?.netmask
  return [
    name,
    vs.scheduler,
    vs.schedulerFlags && `(${vs.schedulerFlags.join(',')})`,
    persistence && `persistent ${persistence.timeout}`,
    netmask !== undefined && `mask ${netmask}`,
    persistence?.engine && `pe ${persistence.engine}`,
    vs.onePacket && 'ops',
  ]
    .filter(Boolean)
    .join(' ')
}

function realServerLine(rs: RealServer): string {
  const name = formatEndpoint(rs.address, rs.port).padEnd(28)
  const forward = (FORWARD[rs.forwarding] ?? String(rs.forwarding)).padEnd(7)
  return `  -> ${name} ${forward} ${String(rs.weight).padEnd(6)} ${String(rs.activeConnections).padEnd(10)} ${String(rs.inactiveConnections).padEnd(10)}`
}

/** Sorted as ipvsadm does, but by unsigned numbers: its own subtraction overflows. */
function sorted<T>(items: readonly T[], keyOf: (item: T) => readonly (number | Uint8Array)[]): T[] {
  const keyed = items.map(item => ({ item, key: keyOf(item) }))
  keyed.sort((a, b) => {
    for (const [i, left] of a.key.entries()) {
      const right = b.key[i] as typeof left
      const order = typeof left === 'number' ? left - (right as number) : Buffer.compare(left, right as Uint8Array)
      if (order !== 0) return order
    }
    return 0
  })
  return keyed.map(({ item }) => item)
}

function orderOf(vs: VirtualServer): (number | Uint8Array)[] {
  const { firewallMark = 0, addressFamily = 0, protocol = 0, address, port = 0 } = virtualServerKeyToWire(vs)
  return [firewallMark, addressFamily, protocol, address ?? new Uint8Array(), port]
}

function realServerOrder(rs: RealServer): (number | Uint8Array)[] {
  const { addressFamily = 0, address, port = 0 } = realServerKeyToWire(rs)
  return [addressFamily, address ?? new Uint8Array(), port]
}

/** The listing of `ipvsadm -Ln`: virtual servers by mark, family, protocol, address and port, real servers by address and port. */
export function formatTable(virtualServers: readonly VirtualServerWithRealServers[], info: Info): string {
  return [
    `IP Virtual Server version ${info.version} (size=${info.connectionTableSize})`,
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
    ...sorted(virtualServers, orderOf).flatMap(vs => [
      serviceLine(vs),
      ...sorted(vs.realServers, realServerOrder).map(realServerLine),
    ]),
  ].join('\n')
}
