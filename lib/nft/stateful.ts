/** The stateful objects of nftables as plain data. */
import type { Family, Kept, Told } from './types.js'

export type ObjectType =
  | 'counter'
  | 'quota'
  | 'ct helper'
  | 'limit'
  | 'connlimit'
  | 'tunnel'
  | 'ct timeout'
  | 'secmark'
  | 'ct expectation'
  | 'synproxy'

/** Names a stateful object: those of different types may have the same name. */
export interface ObjectKey {
  readonly family: Family
  readonly table: string
  /** A number for a type that has no word here. */
  readonly type: ObjectType | number
  readonly name: string
}

interface Stateful extends Kept, Told {
  readonly family: Family
  readonly table: string
  readonly name: string
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
}

/** Packets and bytes seen. */
export interface CounterObject extends Stateful {
  readonly type: 'counter'
  /** What it begins with. Default 0. */
  readonly packets?: bigint | undefined
  readonly bytes?: bigint | undefined
}

/** Holds until so many bytes were seen, or from then on. */
export interface QuotaObject extends Stateful {
  readonly type: 'quota'
  /** Below 2^63. */
  readonly bytes: bigint
  /** Bytes seen so far. Default 0. */
  readonly used?: bigint | undefined
  /** `over`: holds once the quota is used up. `depleted` is told: the kernel takes no quota with it. */
  readonly flags?: readonly ('over' | 'depleted' | number)[] | undefined
}

/** Holds so often in a time. */
export interface LimitObject extends Stateful {
  readonly type: 'limit'
  /** Packets, or bytes, in `unit` seconds. From 1. */
  readonly rate: bigint
  /** Seconds. nft knows 1, 60, 3600, 86400, and 604800; the kernel takes any. */
  readonly unit: bigint
  /** How many more at once. Default: 5 packets, no bytes. */
  readonly burst?: number | undefined
  /** Default `packets`. */
  readonly of?: 'packets' | 'bytes' | number | undefined
  /** `invert`: holds when it is exceeded. */
  readonly flags?: readonly ('invert' | number)[] | undefined
}

/** At most, or at least, so many connections. nft has no such object: `nft list` ends with an assertion where one is (1.0.6). */
export interface ConnectionLimitObject extends Stateful {
  readonly type: 'connlimit'
  readonly count: number
  /** `invert`: holds when there are more. */
  readonly flags?: readonly ('invert' | number)[] | undefined
}

/** A helper of connection tracking, as `ftp`. The kernel loads it. */
export interface HelperObject extends Stateful {
  readonly type: 'ct helper'
  /** At most 15 bytes. */
  readonly helper: string
  /** Default: that of the table. */
  readonly layer3?: Layer3 | undefined
  /** IP protocol number: 6 is TCP, 17 UDP. */
  readonly protocol: number
}

/** Of connections: `inet` is both. */
export type Layer3 = 'ip' | 'ip6' | 'inet' | number

/** Time-outs of connections by their state. */
export interface TimeoutObject extends Stateful {
  readonly type: 'ct timeout'
  /** Default: that of the table. */
  readonly layer3?: Layer3 | undefined
  /** IP protocol number: 6 is TCP, 17 UDP. */
  readonly protocol: number
  /**
   * Seconds by the number of the state (CTA_TIMEOUT_TCP_*, CTA_TIMEOUT_UDP_* …; established TCP is 3, UDP with replies 2). States that are
   * left out get the kernel's defaults.
   */
  readonly policy: Readonly<Record<number, number>>
}

/** A connection that is to come. */
export interface ExpectationObject extends Stateful {
  readonly type: 'ct expectation'
  /** Default: that of the table; needed for inet, where it is one of `ip` and `ip6`. */
  readonly layer3?: Layer3 | undefined
  /** IP protocol number: 6 is TCP, 17 UDP. */
  readonly protocol: number
  readonly port: number
  /** Seconds, as the kernel counts them. nft takes the number for milliseconds, and sets and prints it a thousand times as long. */
  readonly timeout: number
  /** How many, 1 to 255. */
  readonly size: number
}

/** A security context (SELinux). */
export interface SecmarkObject extends Stateful {
  readonly type: 'secmark'
  /** At most 4096 bytes. */
  readonly context: string
}

/** Answers TCP's handshake before connection tracking sees it. */
export interface SynproxyObject extends Stateful {
  readonly type: 'synproxy'
  /** Bytes. */
  readonly mss?: number | undefined
  /** Bits, at most 14. */
  readonly windowScale?: number | undefined
  /** What it offers: `mss` and `window-scale` with the values above. */
  readonly flags?: readonly ('mss' | 'window-scale' | 'sack-permitted' | 'timestamp' | number)[] | undefined
}

/** An object whose attributes are not known here (`tunnel`), or make no sense: kept, and written back byte for byte. */
export interface OtherObject extends Stateful {
  readonly type: 'tunnel' | number
  /** Its attributes as they stand in the message. */
  readonly data: Uint8Array
}

export type StatefulObject =
  | CounterObject
  | QuotaObject
  | LimitObject
  | ConnectionLimitObject
  | HelperObject
  | TimeoutObject
  | ExpectationObject
  | SecmarkObject
  | SynproxyObject
  | OtherObject
