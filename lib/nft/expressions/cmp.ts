import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { data, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Compares a register with bytes; the rule ends where it does not hold (net/netfilter/nft_cmp.c). */
export const cmp = expressionCodec('cmp', {
  source: [1, required(register)],
  operator: [2, required(choice(be32, { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 }))],
  data: [3, required(data)],
})
export type Cmp = ExpressionOf<typeof cmp>
