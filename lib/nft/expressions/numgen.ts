import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Makes numbers (net/netfilter/nft_numgen.c). */
export const numgen = expressionCodec('numgen', {
  destination: [1, required(register)],
  /** The number is below it: at least 1. */
  modulus: [2, required(be32)],
  /** One after the other, or at random. */
  type: [3, required(choice(be32, { inc: 0, random: 1 }))],
  /** Added to the number. Default 0. */
  offset: [4, be32],
})
/** A number from 0 to modulus - 1, in the machine's order: one after the other, or at random. */
export interface Numgen extends ExpressionOf<typeof numgen> {}
