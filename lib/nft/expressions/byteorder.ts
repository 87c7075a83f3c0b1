import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Changes the order of bytes (net/netfilter/nft_byteorder.c). */
export const byteorder = expressionCodec('byteorder', {
  source: [1, required(register)],
  destination: [2, required(register)],
  /** From the network's order to the machine's, or back. */
  operator: [3, required(choice(be32, { ntoh: 0, hton: 1 }))],
  /** Bytes in all, 1 to 64. */
  length: [4, required(be32)],
  /** Bytes of each number: 2, 4, or 8. */
  size: [5, required(be32)],
})
/** Changes the order of bytes of numbers in registers. */
export interface Byteorder extends ExpressionOf<typeof byteorder> {}
