/** What a protocol's header is to nft's language (src/proto.c). */
import type { ByteOrder } from '../data-types.js'
import type { ValueType } from './value-type.js'

/** The layers of a packet, from the outermost in. */
export type Layer = 'link' | 'network' | 'transport' | 'inner'

export interface HeaderField {
  readonly name: string
  readonly type: ValueType
  /** Bits from the beginning of the header. */
  readonly offset: number
  readonly bits: number
  /** Default: the network's. */
  readonly order?: ByteOrder | undefined
}

export interface Protocol {
  /** nft's word for it: `ip6`. */
  readonly name: string
  readonly layer: Layer
  /** Name of the field that says which protocol comes next: `type` of ether, `protocol` of ip, `nexthdr` of ip6. */
  readonly next?: string | undefined
  /** Which protocol comes next, by the value of that field. */
  readonly upper: readonly (readonly [value: number, protocol: string])[]
  readonly fields: readonly HeaderField[]
  /** Name of the field with the checksum, and whether that covers the pseudo-header as well (nft_payload's checksum flags). */
  readonly checksum?: { readonly field: string; readonly pseudoHeader?: boolean | undefined } | undefined
  /** Of tunnels: type, length of its own header in bytes, and what stands in it, for the kernel's `inner`. */
  readonly tunnel?:
    | {
        readonly type: number
        readonly headerSize: number
        readonly flags: readonly ('header-size' | 'link' | 'network' | 'transport')[]
      }
    | undefined
}
