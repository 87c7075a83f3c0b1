import { required } from '../../netlink/schema.js'
import { be32, choice, flags } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Loads bytes of the packet into a register, or writes them back with `source` (net/netfilter/nft_payload.c). */
export const payload = expressionCodec('payload', {
  /** Where to, for a load. */
  destination: [1, register],
  base: [2, required(choice(be32, { link: 0, network: 1, transport: 2, inner: 3, tunnel: 4 }))],
  /** Bytes from the base. */
  offset: [3, required(be32)],
  /** Bytes. */
  length: [4, required(be32)],
  /** Where from, for a change of the packet. */
  source: [5, register],
  checksumType: [6, choice(be32, { none: 0, internet: 1, sctp: 2 })],
  checksumOffset: [7, be32],
  /** `pseudo-header`: the checksum of the transport protocol changes as well. */
  checksumFlags: [8, flags(be32, { 'pseudo-header': 1 })],
})
export type Payload = ExpressionOf<typeof payload>
