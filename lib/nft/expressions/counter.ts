import { be64 } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Counts packets and bytes (net/netfilter/nft_counter.c). */
export const counter = expressionCodec('counter', {
  bytes: [1, be64],
  packets: [2, be64],
})
export type Counter = ExpressionOf<typeof counter>
