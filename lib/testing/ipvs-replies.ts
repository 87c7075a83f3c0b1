/** What the kernel writes of a virtual server, a real server and a daemon, in its own order (ip_vs_ctl.c, ip_vs_genl_fill_…). */

import { type DaemonRecord, daemon, destination, type ServiceRecord, service } from '../ipvs/wire.js'
import type { MessageWriter } from '../netlink/buffer.js'
import { beginNest, endNest } from '../netlink/message.js'
import type { Counters, Destination, IpvsOptions, Service } from './ipvs.js'

const ATTRIBUTE = { service: 1, destination: 2, daemon: 3 }
const NLA_TYPE_MASK = 0x3fff

export function encodeService(writer: MessageWriter, it: Service, options: IpvsOptions): void {
  const nest = beginNest(writer, ATTRIBUTE.service)
  const { addressFamily, firewallMark, protocol, address, port, scheduler, flags, timeout, netmask } = it
  const key = firewallMark ? { addressFamily, firewallMark } : { addressFamily, protocol, address, port }
  service.encode(writer, { ...key, scheduler })
  if (it.engine !== '') service.encode(writer, { persistenceEngine: it.engine })
  service.encode(writer, { flags: { flags, mask: 0xffff_ffff }, timeout: Math.floor(timeout / options.hz), netmask })
  encodeStatistics(writer, it.counters, options, record => service.encode(writer, record))
  endNest(writer, nest)
}

export function encodeDestination(writer: MessageWriter, it: Destination, options: IpvsOptions): void {
  const nest = beginNest(writer, ATTRIBUTE.destination)
  const { address, port, addressFamily, settings, connections } = it
  const { forwarding, weight, upperThreshold, lowerThreshold, tunnelType, tunnelPort, tunnelFlags } = settings
  destination.encode(writer, { address, port, forwarding, weight })
  if (options.tunnels.includes('gue')) destination.encode(writer, { tunnelType, tunnelPort })
  if (options.tunnels.includes('gre')) destination.encode(writer, { tunnelFlags })
  destination.encode(writer, { upperThreshold, lowerThreshold, ...connections, addressFamily })
  encodeStatistics(writer, it.counters, options, record => destination.encode(writer, record))
  endNest(writer, nest)
}

export function encodeDaemon(writer: MessageWriter, record: DaemonRecord): void {
  const nest = beginNest(writer, ATTRIBUTE.daemon)
  const { group, group6, ...rest } = record
  daemon.encode(writer, rest)
  daemon.encode(writer, { group, group6 })
  endNest(writer, nest)
}

/** The counters in 32 bits and, since Linux 4.1, in 64. The kernel marks no nest of IPVS as one (nla_nest_start_noflag). */
function encodeStatistics(
  writer: MessageWriter,
  counters: Counters,
  { statistics64 }: IpvsOptions,
  encode: (record: Pick<ServiceRecord, 'statistics32' | 'statistics64'>) => void,
): void {
  const unmarked = (record: Parameters<typeof encode>[0]): void => {
    const start = writer.offset
    encode(record)
    writer.u16[(start >> 1) + 1] = (writer.u16[(start >> 1) + 1] as number) & NLA_TYPE_MASK
  }
  unmarked({ statistics32: narrow(counters) })
  if (statistics64) unmarked({ statistics64: counters })
}

const low = (value: bigint): number => Number(BigInt.asUintN(32, value))

/** ip_vs_genl_fill_stats: bytes are 64 bits wide here, too. */
function narrow(counters: Counters): NonNullable<ServiceRecord['statistics32']> {
  return {
    connections: low(counters.connections),
    incomingPackets: low(counters.incomingPackets),
    outgoingPackets: low(counters.outgoingPackets),
    incomingBytes: counters.incomingBytes,
    outgoingBytes: counters.outgoingBytes,
    connectionRate: low(counters.connectionRate),
    incomingPacketRate: low(counters.incomingPacketRate),
    outgoingPacketRate: low(counters.outgoingPacketRate),
    incomingByteRate: low(counters.incomingByteRate),
    outgoingByteRate: low(counters.outgoingByteRate),
  }
}
