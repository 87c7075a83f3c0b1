import { required } from '../../netlink/schema.js'
import { data, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Puts bytes into a register, or gives a verdict: then the destination is 0 (net/netfilter/nft_immediate.c). */
export const immediate = expressionCodec('immediate', {
  destination: [1, required(register)],
  data: [2, required(data)],
})
export type Immediate = ExpressionOf<typeof immediate>
