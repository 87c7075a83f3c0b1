import { required } from '../../netlink/schema.js'
import { constant, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** A constant (net/netfilter/nft_immediate.c). */
export const immediate = expressionCodec('immediate', {
  /** 0 for a verdict. */
  destination: [1, required(register)],
  data: [2, required(constant)],
})
/** Puts bytes into a register, or gives a verdict. */
export interface Immediate extends ExpressionOf<typeof immediate> {}
