import { be64 } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Counts (net/netfilter/nft_counter.c). */
export const counter = expressionCodec('counter', {
  /** Written, it is where counting starts. */
  bytes: [1, be64],
  packets: [2, be64],
})
/** Counts packets and bytes. */
export interface Counter extends ExpressionOf<typeof counter> {}
