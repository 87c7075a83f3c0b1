import { required } from '../../netlink/schema.js'
import { be32, be64, choice, flags } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** A rate (net/netfilter/nft_limit.c). */
export const limit = expressionCodec('limit', {
  /** Packets, or bytes, in `unit` seconds. At least 1. */
  rate: [1, required(be64)],
  /** Seconds: nft knows 1, 60, 3600, 86400, 604800. */
  unit: [2, required(be64)],
  /** How many more at once. Default: 5 packets, no bytes. */
  burst: [3, be32],
  /** Default `packets`. */
  of: [4, choice(be32, { packets: 0, bytes: 1 })],
  /** `invert`: holds when it is exceeded. */
  flags: [5, flags(be32, { invert: 1 })],
})
/** Holds so often in a time. */
export interface Limit extends ExpressionOf<typeof limit> {}
