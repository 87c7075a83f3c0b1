import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { constant, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Compares (net/netfilter/nft_cmp.c). */
export const cmp = expressionCodec('cmp', {
  source: [1, required(register)],
  operator: [2, required(choice(be32, { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 }))],
  /** Compared byte by byte from the first: numbers stand in the network's order where less and greater matter. */
  data: [3, required(constant)],
})
/** Compares a register with bytes; the rule ends where it does not hold. */
export interface Cmp extends ExpressionOf<typeof cmp> {}
