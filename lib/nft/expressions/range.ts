import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { constant, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Compares with a range (net/netfilter/nft_range.c). */
export const range = expressionCodec('range', {
  source: [1, required(register)],
  operator: [2, required(choice(be32, { eq: 0, neq: 1 }))],
  /** Both belong to the range. They are compared byte by byte from the first, so numbers stand in the network's order. */
  from: [3, required(constant)],
  to: [4, required(constant)],
})
/** Compares a register with a range; the rule ends where it is not within, or not outside. */
export interface Range extends ExpressionOf<typeof range> {}
