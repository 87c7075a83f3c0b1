/** Numbers of the kernel that have names here. */
import { type Check, wordOrNumber } from '../netlink/fields.js'
import type { Protocol, State, StatusFlag } from './types.js'

export const PROTOCOLS: Readonly<Record<Protocol, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
}
const PROTOCOL_WORDS = new Map((Object.entries(PROTOCOLS) as [Protocol, number][]).map(([word, number]) => [number, word]))

export const protocolOf = (number: number): Protocol | number => PROTOCOL_WORDS.get(number) ?? number
export const protocolNumber = (protocol: Protocol | number): number =>
  typeof protocol === 'number' ? protocol : PROTOCOLS[protocol]
export const protocolCheck: Check<number> = wordOrNumber(PROTOCOLS, 255)

/** IPS_* */
export const STATUS: Readonly<Record<StatusFlag, number>> = {
  expected: 1,
  'seen-reply': 2,
  assured: 4,
  confirmed: 8,
  'source-nat': 0x10,
  'destination-nat': 0x20,
  'sequence-adjusted': 0x40,
  'source-nat-done': 0x80,
  'destination-nat-done': 0x100,
  dying: 0x200,
  'fixed-timeout': 0x400,
  template: 0x800,
  'nat-clash': 0x1000,
  helper: 0x2000,
  offload: 0x4000,
  'hardware-offload': 0x8000,
}
const STATUS_ENTRIES = Object.entries(STATUS) as [StatusFlag, number][]

/** Bits as words. Few combinations occur: each is one list, which is not to be changed. */
export function statusOf(bits: number): readonly StatusFlag[] {
  const known = statusLists.get(bits)
  if (known) return known
  const words = Object.freeze(STATUS_ENTRIES.filter(([, bit]) => bits & bit).map(([word]) => word))
  statusLists.set(bits, words)
  return words
}
const statusLists = new Map<number, readonly StatusFlag[]>()

/** TCP_CONNTRACK_*, SCTP_CONNTRACK_*, CT_DCCP_* */
export const STATES: Readonly<Record<'tcp' | 'sctp' | 'dccp', readonly State[]>> = {
  tcp: [
    'none',
    'syn-sent',
    'syn-received',
    'established',
    'fin-wait',
    'close-wait',
    'last-ack',
    'time-wait',
    'close',
    'syn-sent-2',
  ],
  sctp: [
    'none',
    'closed',
    'cookie-wait',
    'cookie-echoed',
    'established',
    'shutdown-sent',
    'shutdown-received',
    'shutdown-ack-sent',
    'heartbeat-sent',
    'heartbeat-acked',
  ],
  dccp: ['none', 'request', 'respond', 'part-open', 'open', 'close-request', 'closing', 'time-wait'],
}
