/** What the kernel reads from a request of the IPVS family, and what it refuses (ip_vs_ctl.c, ip_vs_genl_parse_service and …_dest). */

import { ADDRESS, type DaemonRecord, daemon, plainDestination, plainService } from '../ipvs/wire.js'
import { AF_INET6 } from '../netlink/address.js'
import type { MessageReader } from '../netlink/buffer.js'
import { EINVAL, Errno } from './errno.js'
import type { Call } from './genetlink.js'
import { binary, nestedRule, type Payload, type Policy, parse, type Report, text, u8Rule, u16Rule, u32Rule } from './policy.js'

/** ip_vs_cmd_policy */
export const commandPolicy: Policy = { 1: nestedRule, 2: nestedRule, 3: nestedRule, 4: u32Rule, 5: u32Rule, 6: u32Rule }

/** ip_vs_svc_policy */
const servicePolicy: Policy = {
  1: u16Rule,
  2: u16Rule,
  3: binary(ADDRESS),
  4: u16Rule,
  5: u32Rule,
  6: text(15),
  7: binary(8),
  8: u32Rule,
  9: u32Rule,
  10: nestedRule,
  11: text(16),
}

/** ip_vs_dest_policy */
const destinationPolicy: Policy = {
  1: binary(ADDRESS),
  2: u16Rule,
  3: u32Rule,
  4: u32Rule,
  5: u32Rule,
  6: u32Rule,
  7: u32Rule,
  8: u32Rule,
  9: u32Rule,
  10: nestedRule,
  11: u16Rule,
}
const tunnelPolicy: Policy = { 13: u8Rule, 14: u16Rule, 15: u16Rule }

/** ip_vs_daemon_policy */
const daemonPolicy: Policy = {
  1: u32Rule,
  2: text(15),
  3: u32Rule,
  4: u16Rule,
  5: u32Rule,
  6: { kind: 'unspecified', minimum: 16 },
  7: u16Rule,
  8: u8Rule,
}

/** What identifies a virtual server. A firewall mark of 0 is none. */
export interface ServiceKey {
  readonly addressFamily: number
  readonly firewallMark: number
  readonly protocol: number
  readonly address: Uint8Array
  readonly port: number
}

/** What else a virtual server has; on input `flags` are to be merged under `mask`. */
export interface ServiceSettings {
  readonly scheduler: string
  readonly engine: string
  readonly flags: number
  readonly mask: number
  /** Seconds. */
  readonly timeout: number
  readonly netmask: Uint8Array
}

export interface DestinationKey {
  readonly addressFamily: number
  readonly address: Uint8Array
  readonly port: number
}

export interface DestinationSettings {
  readonly forwarding: number
  readonly weight: number
  readonly upperThreshold: number
  readonly lowerThreshold: number
  readonly tunnelType: number
  readonly tunnelPort: number
  readonly tunnelFlags: number
}

const IPPROTO_TCP = 6

export function parseServiceKey(call: Call, top: Map<number, Payload>): ServiceKey {
  const { found, start, end } = nest(call, top.get(1), servicePolicy, {})
  if (!found.has(1) || !(found.has(5) || [2, 3, 4].every(id => found.has(id)))) throw new Errno(EINVAL)
  const { addressFamily = 0, protocol = 0, address, port = 0, firewallMark } = plainService.decode(call.reader, start, end)
  if (firewallMark !== undefined)
    return { addressFamily, firewallMark, protocol: IPPROTO_TCP, address: new Uint8Array(ADDRESS), port: 0 }
  return { addressFamily, firewallMark: 0, protocol, address: padded(address, addressFamily), port }
}

export function parseServiceSettings(call: Call, top: Map<number, Payload>): ServiceSettings {
  const { found, start, end } = nest(call, top.get(1), servicePolicy, {})
  const flags = found.get(7)
  if (!flags || ![6, 8, 9].every(id => found.has(id))) throw new Errno(EINVAL)
  const { scheduler = '', persistenceEngine: engine = '', timeout = 0, netmask } = plainService.decode(call.reader, start, end)
  return { scheduler, engine, ...flagsAndMask(call.reader, flags), timeout, netmask: (netmask ?? new Uint8Array(4)).slice(0, 4) }
}

/** A shorter form lacks the mask, or part of it: zeros stand for it (nla_memcpy). */
function flagsAndMask(reader: MessageReader, { start, end }: Payload): { flags: number; mask: number } {
  const words = new Uint32Array(2)
  new Uint8Array(words.buffer).set(reader.bytes.subarray(start, end))
  const [flags = 0, mask = 0] = words
  return { flags, mask }
}

/** What the functions below need to know of the kernel and of the virtual server. */
interface DestinationContext {
  /** Tunnels that this kernel knows: it passes over attributes that came after it. */
  readonly tunnels: readonly string[]
  /** The virtual server's family: the real server's, where the request does not say. */
  readonly addressFamily: number
}

export function parseDestinationKey(call: Call, top: Map<number, Payload>, context: DestinationContext): DestinationKey {
  const { address, port = 0, addressFamily: own } = destinationRecord(call, top, context).record
  const addressFamily = own || context.addressFamily
  return { addressFamily, address: padded(address, addressFamily), port }
}

export function parseDestinationSettings(
  call: Call,
  top: Map<number, Payload>,
  context: DestinationContext,
): DestinationSettings {
  const { found, record } = destinationRecord(call, top, context)
  if (![3, 4, 5, 6].every(id => found.has(id))) throw new Errno(EINVAL)
  return {
    forwarding: (record.forwarding ?? 0) & 7,
    weight: record.weight ?? 0,
    upperThreshold: record.upperThreshold ?? 0,
    lowerThreshold: record.lowerThreshold ?? 0,
    tunnelType: context.tunnels.includes('gue') ? (record.tunnelType ?? 0) : 0,
    tunnelPort: context.tunnels.includes('gue') ? (record.tunnelPort ?? 0) : 0,
    tunnelFlags: context.tunnels.includes('gre') ? (record.tunnelFlags ?? 0) : 0,
  }
}

function destinationRecord(call: Call, top: Map<number, Payload>, { tunnels }: DestinationContext) {
  const policy = tunnels.includes('gue') ? { ...destinationPolicy, ...tunnelPolicy } : destinationPolicy
  const { found, start, end } = nest(call, top.get(2), policy, {})
  if (!found.has(1) || !found.has(2)) throw new Errno(EINVAL)
  return { found, record: plainDestination.decode(call.reader, start, end) }
}

/** The only nest whose faults the kernel describes. */
export function parseDaemon(call: Call, top: Map<number, Payload>): DaemonRecord {
  const { start, end } = nest(call, top.get(3), daemonPolicy, call.request.report)
  return daemon.decode(call.reader, start, end)
}

interface Nest extends Payload {
  readonly found: Map<number, Payload>
}

/** EINVAL whatever is wrong with it. */
function nest(call: Call, payload: Payload | undefined, policy: Policy, report: Report): Nest {
  if (!payload) throw new Errno(EINVAL)
  const { start, end } = payload
  try {
    return { start, end, found: parse(call.reader, start, end, policy, report) }
  } catch (error) {
    throw error instanceof Errno ? new Errno(EINVAL) : error
  }
}

/** 16 bytes; of an IPv4 address the first 4 count (ip_vs_addr_copy). */
function padded(address: Uint8Array | undefined, family: number): Uint8Array {
  const bytes = new Uint8Array(ADDRESS)
  if (address) bytes.set(address.subarray(0, family === AF_INET6 ? ADDRESS : 4))
  return bytes
}
