/** Tables as `top` reads them. */
import type { RealServer, Statistics, VirtualServerWithRealServers } from '../../../lib/ipvs/index.js'

export const NO_TRAFFIC: Statistics = {
  connections: 0n,
  incomingPackets: 0n,
  outgoingPackets: 0n,
  incomingBytes: 0n,
  outgoingBytes: 0n,
  connectionRate: 0n,
  incomingPacketRate: 0n,
  outgoingPacketRate: 0n,
  incomingByteRate: 0n,
  outgoingByteRate: 0n,
}

export function realServer(address: string, options: Partial<RealServer> = {}): RealServer {
  return {
    address,
    port: 80,
    weight: 1,
    forwarding: 'masquerade',
    upperThreshold: 0,
    lowerThreshold: 0,
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
    statistics: NO_TRAFFIC,
    ...options,
  }
}

export function virtualServer(
  address: string,
  realServers: readonly RealServer[] = [],
  statistics: Partial<Statistics> = {},
): VirtualServerWithRealServers {
  return { protocol: 'tcp', address, port: 80, scheduler: 'rr', statistics: { ...NO_TRAFFIC, ...statistics }, realServers }
}
