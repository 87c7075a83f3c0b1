/** What the client takes and gives: plain data. */
import type { Family } from '../netlink/address.js'

export type { Family } from '../netlink/address.js'

/** Others are numbers from 0 to 255. */
export type Protocol = 'icmp' | 'tcp' | 'udp' | 'dccp' | 'gre' | 'icmpv6' | 'sctp' | 'udplite'

/** One direction of a flow. */
export interface Tuple {
  readonly protocol: Protocol | number
  readonly source: string
  readonly destination: string
  /** Of protocols that have ports. */
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Of ICMP and ICMPv6. */
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number }
  /** Where the two directions have different zones. */
  readonly zone?: number
}

/** Of TCP, SCTP and DCCP. */
export type State =
  | 'none'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait'
  | 'close-wait'
  | 'last-ack'
  | 'time-wait'
  | 'close'
  | 'syn-sent-2'
  | 'closed'
  | 'cookie-wait'
  | 'cookie-echoed'
  | 'shutdown-sent'
  | 'shutdown-received'
  | 'shutdown-ack-sent'
  | 'heartbeat-sent'
  | 'heartbeat-acked'
  | 'request'
  | 'respond'
  | 'part-open'
  | 'open'
  | 'close-request'
  | 'closing'

/** What the kernel keeps of a flow (IPS_*). */
export type StatusFlag =
  | 'expected'
  | 'seen-reply'
  | 'assured'
  | 'confirmed'
  | 'source-nat'
  | 'destination-nat'
  | 'sequence-adjusted'
  | 'source-nat-done'
  | 'destination-nat-done'
  | 'dying'
  | 'fixed-timeout'
  | 'template'
  | 'nat-clash'
  | 'helper'
  | 'offload'
  | 'hardware-offload'

export interface Counters {
  readonly packets: bigint
  readonly bytes: bigint
}

/** A tracked connection. */
export interface Flow {
  readonly family: Family
  /** As its first packet went. */
  readonly original: Tuple
  /** As answers to it come: translation makes the difference. */
  readonly reply: Tuple
  readonly status: readonly StatusFlag[]
  /** Of protocols that have states. */
  readonly state?: State | number
  /** Seconds until it ends when nothing more comes. Absent for those that are offloaded, or ended. */
  readonly timeout?: number
  /** Absent where the kernel has no marks. */
  readonly mark?: number
  /** Default 0. */
  readonly zone?: number
  /** Numbers it among those that there are; after its end another may have it. */
  readonly id?: number
  /** Absent unless net.netfilter.nf_conntrack_acct was on when it began. */
  readonly counters?: { readonly original: Counters; readonly reply: Counters }
  /** When it began and ended, in nanoseconds since 1970. Absent unless net.netfilter.nf_conntrack_timestamp was on. */
  readonly times?: { readonly start: bigint; readonly stop?: bigint }
  /** Numbers of the labels that it has, from 0 to 127. */
  readonly labels?: readonly number[]
  readonly helper?: string
  /** The flow that it belongs to, as data connections of FTP do. */
  readonly master?: Tuple
}

/** Which flow: by one of its directions, and with an id just that one, not another that has come in its place. What was read is a key. */
export type FlowKey = { readonly zone?: number | undefined; readonly id?: number | undefined } & (
  | { readonly original: Tuple; readonly reply?: Tuple | undefined }
  | { readonly reply: Tuple; readonly original?: undefined }
)

/** A flow to be put into the table. */
export interface FlowConfig {
  readonly original: Tuple
  /** Default: the original one turned around. */
  readonly reply?: Tuple | undefined
  /** Seconds, from 1. */
  readonly timeout: number
  /** Of TCP, SCTP and DCCP. Default: none. */
  readonly state?: State | number | undefined
  /** `seen-reply`, `assured`, `fixed-timeout`. The kernel sets the others. Default: none. */
  readonly status?: readonly StatusFlag[] | undefined
  /** Default 0. */
  readonly mark?: number | undefined
  /** Default 0. */
  readonly zone?: number | undefined
  /** Numbers from 0 to 127. Default: none. */
  readonly labels?: readonly number[] | undefined
}

/** What is changed of a flow; what is left out stays. */
export interface FlowChange {
  /** Seconds, from 1. */
  readonly timeout?: number | undefined
  readonly mark?: number | undefined
  /** Bits of the mark that are changed. Default: all. */
  readonly mask?: number | undefined
}

/** A direction that flows may have: what is given counts. */
export interface TuplePart {
  /** An address, or a network as `10.0.0.0/8`. */
  readonly source?: string | undefined
  readonly destination?: string | undefined
  readonly sourcePort?: number | undefined
  readonly destinationPort?: number | undefined
}

/** Which flows: those that have all that is given. */
export interface FlowFilter {
  readonly family?: Family | undefined
  readonly protocol?: Protocol | number | undefined
  readonly original?: TuplePart | undefined
  readonly reply?: TuplePart | undefined
  readonly state?: State | number | undefined
  /** Those with all of these flags. */
  readonly status?: readonly StatusFlag[] | undefined
  readonly zone?: number | undefined
  readonly mark?: number | undefined
  /** Bits of the mark that count. Default: all. */
  readonly mask?: number | undefined
}

/** How full the table is. */
export interface Count {
  readonly entries: number
  /** Most that the kernel keeps (net.netfilter.nf_conntrack_max). */
  readonly maximum: number
}

/** What one processor has counted. 32 bits each, which overflow. */
export interface CpuStatistics {
  readonly cpu: number
  readonly found: number
  readonly invalid: number
  readonly insert: number
  readonly insertFailed: number
  readonly drop: number
  readonly earlyDrop: number
  readonly error: number
  readonly searchRestart: number
  readonly clashResolve: number
  readonly chainTooLong: number
}
