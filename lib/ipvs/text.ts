/** The tables as `ipvsadm -Ln` prints them. */
import { formatEndpoint } from '../netlink/address.js'
import type { Info, RealServer, VirtualServer, VirtualServerWithRealServers } from './types.js'

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

/** The listing of `ipvsadm -Ln`, in the order of `virtualServers`. */
export function formatTable(virtualServers: readonly VirtualServerWithRealServers[], info: Info): string {
  return [
    `IP Virtual Server version ${info.version} (size=${info.connectionTableSize})`,
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
    ...virtualServers.flatMap(vs => [serviceLine(vs), ...vs.realServers.map(realServerLine)]),
  ].join('\n')
}
