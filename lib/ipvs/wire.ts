/** The kernel's IPVS family as tables (include/uapi/linux/ip_vs.h). The numbers are ours: installed headers may be older than the kernel. */

import type { Family } from '../netlink/generic.js'
import {
  type Attributes,
  type AttributeType,
  attributes,
  be16,
  cstring,
  type Definition,
  nested,
  type RecordOf,
  raw,
  s32,
  u8,
  u16,
  u32,
  u64,
} from '../netlink/schema.js'

export const command = {
  newService: 1,
  setService: 2,
  delService: 3,
  getService: 4,
  newDest: 5,
  setDest: 6,
  delDest: 7,
  getDest: 8,
  newDaemon: 9,
  delDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const

/** IP_VS_SVC_F_*. The scheduler decides what 0x8 to 0x20 mean. */
export const serviceFlag = { persistent: 1, hashed: 2, onePacket: 4, scheduler1: 8, scheduler2: 0x10, scheduler3: 0x20 } as const
/** What this library sets and clears; other bits stay as they are. */
export const OWN_FLAGS = 0x3d

/** `struct ip_vs_flags`: new = old & ~mask | flags & mask. */
const flagsAndMask: AttributeType<{ readonly flags: number; readonly mask: number }> = {
  write(writer, { flags, mask }) {
    writer.u32[writer.offset >> 2] = flags
    writer.u32[(writer.offset >> 2) + 1] = mask
    writer.offset += 8
  },
  read: (reader, offset, length) =>
    length < 8 ? undefined : { flags: reader.u32[offset >> 2] as number, mask: reader.u32[(offset >> 2) + 1] as number },
}

/** 64-bit counters. The kernel puts an attribute 11 before them where they have to be aligned to 8 bytes. */
const counters64 = attributes({
  connections: [1, u64],
  incomingPackets: [2, u64],
  outgoingPackets: [3, u64],
  incomingBytes: [4, u64],
  outgoingBytes: [5, u64],
  connectionRate: [6, u64],
  incomingPacketRate: [7, u64],
  outgoingPacketRate: [8, u64],
  incomingByteRate: [9, u64],
  outgoingByteRate: [10, u64],
  padding: [11, raw],
}).without('padding')

/** 32-bit counters, the only ones before Linux 4.1; bytes are 64 bits wide here, too. */
const counters32 = attributes({
  connections: [1, u32],
  incomingPackets: [2, u32],
  outgoingPackets: [3, u32],
  incomingBytes: [4, u64],
  outgoingBytes: [5, u64],
  connectionRate: [6, u32],
  incomingPacketRate: [7, u32],
  outgoingPacketRate: [8, u32],
  incomingByteRate: [9, u32],
  outgoingByteRate: [10, u32],
  padding: [11, raw],
}).without('padding')

export const service = attributes({
  addressFamily: [1, u16],
  protocol: [2, u16],
  address: [3, raw],
  port: [4, be16],
  firewallMark: [5, u32],
  scheduler: [6, cstring],
  flags: [7, flagsAndMask],
  /** Seconds; the kernel keeps jiffies. */
  timeout: [8, u32],
  /** IPv4: the mask in network byte order. IPv6: a prefix length in host byte order. */
  netmask: [9, raw],
  statistics32: [10, nested(counters32)],
  persistenceEngine: [11, cstring],
  statistics64: [12, nested(counters64)],
})
export type ServiceRecord = RecordOf<typeof service extends Attributes<infer D> ? D : never>

export const destination = attributes({
  address: [1, raw],
  port: [2, be16],
  forwarding: [3, u32],
  weight: [4, s32],
  upperThreshold: [5, u32],
  lowerThreshold: [6, u32],
  activeConnections: [7, u32],
  inactiveConnections: [8, u32],
  persistentConnections: [9, u32],
  statistics32: [10, nested(counters32)],
  addressFamily: [11, u16],
  statistics64: [12, nested(counters64)],
  tunnelType: [13, u8],
  tunnelPort: [14, be16],
  tunnelFlags: [15, u16],
})
export type DestinationRecord = RecordOf<typeof destination extends Attributes<infer D> ? D : never>

export const daemon = attributes({
  state: [1, u32],
  interface: [2, cstring],
  syncId: [3, u32],
  maximumLength: [4, u16],
  group: [5, raw],
  group6: [6, raw],
  /** In host byte order, unlike every other port of the family. */
  port: [7, u16],
  ttl: [8, u8],
})
export type DaemonRecord = RecordOf<typeof daemon extends Attributes<infer D> ? D : never>

/** Top-level attributes of every command but the info reply. */
export const request = attributes({
  service: [1, nested(service)],
  destination: [2, nested(destination)],
  daemon: [3, nested(daemon)],
  tcpTimeout: [4, u32],
  tcpFinTimeout: [5, u32],
  udpTimeout: [6, u32],
})

export type RequestRecord = RecordOf<typeof request extends Attributes<infer D> ? D : never>

/** The reply to getInfo; its numbers are those of other attributes in every other message. */
export const info = attributes({ version: [1, u32], connectionTableSize: [2, u32] })

/** Reading configuration only: counters are passed over. */
export const plainService = service.without('statistics32', 'statistics64')
export const plainDestination = destination.without('statistics32', 'statistics64')

export const ipvsFamily: Family = {
  name: 'IPVS',
  version: 1,
  commands: Object.fromEntries(Object.entries(command).map(([name, id]) => [id, name])),
  table: id => (id === command.setInfo ? info : request) as unknown as Attributes<Definition>,
  missing: 'load the module (modprobe ip_vs); in a container load it on the host; a kernel built without IPVS has none',
}

/** Addresses are 16 bytes whatever the family (`union nf_inet_addr`). */
export const ADDRESS = 16
