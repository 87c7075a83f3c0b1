import { required } from '../../netlink/schema.js'
import { be32, flags } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Counts connections (net/netfilter/nft_connlimit.c). */
export const connlimit = expressionCodec('connlimit', {
  /** Connections. */
  count: [1, required(be32)],
  /** `invert`: holds when there are more. */
  flags: [2, flags(be32, { invert: 1 })],
})
/** Holds while there are at most so many connections. */
export interface Connlimit extends ExpressionOf<typeof connlimit> {}
