import { be64Number, bool32 } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** When it was last (net/netfilter/nft_last.c). */
export const last = expressionCodec('last', {
  /** Whether a packet has come. */
  used: [1, bool32],
  /** How long ago, in milliseconds, in steps of the kernel's ticks. */
  milliseconds: [2, be64Number],
})
/** Remembers when a packet last came here. */
export interface Last extends ExpressionOf<typeof last> {}
