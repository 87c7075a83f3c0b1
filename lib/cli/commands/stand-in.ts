/** Stands in for functions of the library's lib/ipvs/rules.ts and lib/ipvs/text.ts, which are being written. */

import type { RealServer, VirtualServerKey, VirtualServerWithRealServers } from '../../ipvs/index.js'
import { realServerKeyToWire } from '../../ipvs/real-server.js'
import { virtualServerKeyToWire } from '../../ipvs/virtual-server.js'
import { familyOf } from '../../netlink/address.js'

export function formatRules(
  virtualServers: readonly VirtualServerWithRealServers[],
  _options: { readonly lossless: true },
): { text: string; lost: readonly string[] } {
  const lines = sortVirtualServers(virtualServers).map(vs =>
    'address' in vs ? `-A -t ${vs.address}:${vs.port} -s ${vs.scheduler}` : `-A -f ${vs.firewallMark} -s ${vs.scheduler}`,
  )
  const lost = virtualServers.filter(vs => vs.otherFlags !== undefined).map(() => 'flags')
  return { text: lines.join('\n'), lost }
}

export function sortVirtualServers(virtualServers: readonly VirtualServerWithRealServers[]): VirtualServerWithRealServers[] {
  return virtualServers
    .map(vs => ({ ...vs, realServers: [...vs.realServers].sort((a, b) => compare(orderOfReal(a), orderOfReal(b))) }))
    .sort((a, b) => compare(orderOf(a), orderOf(b)))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const hex = (number = 0): string => number.toString(16).padStart(8, '0')

function orderOf(vs: VirtualServerKey): string {
  const { firewallMark, addressFamily, protocol, address, port } = virtualServerKeyToWire(vs)
  return hex(firewallMark) + hex(addressFamily) + hex(protocol) + Buffer.from(address ?? []).toString('hex') + hex(port)
}

function orderOfReal(rs: RealServer): string {
  const { address, port } = realServerKeyToWire(rs)
  return familyOf(rs.address) + Buffer.from(address ?? []).toString('hex') + hex(port)
}
