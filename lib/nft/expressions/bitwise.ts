import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { data, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Calculates with the bits of registers (net/netfilter/nft_bitwise.c). */
export const bitwise = expressionCodec(
  'bitwise',
  {
    source: [1, required(register)],
    destination: [2, required(register)],
    /** Bytes, 1 to 64. */
    length: [3, required(be32)],
    /** Of `mask-xor`: destination = (source & mask) ^ xor. As long as `length`. */
    mask: [4, data],
    xor: [5, data],
    /** Default `mask-xor`. `and`, `or`, `xor` of two values need Linux 6.13. */
    operator: [6, choice(be32, { 'mask-xor': 0, lshift: 1, rshift: 2, and: 3, or: 4, xor: 5 })],
    /** How many bits to shift, as 4 bytes in the machine's order, 1 to 31; or the second value of `and`, `or`, `xor`. */
    data: [7, data],
    /** Register of the second value of `and`, `or`, `xor`, instead of `data`. */
    source2: [8, register],
  },
  ({ operator = 'mask-xor', mask, xor, data, source2 }) => {
    if (operator === 'mask-xor') {
      if (mask === undefined) throw new BadValue('type', 'is missing: mask-xor needs mask and xor').within('mask')
      if (xor === undefined) throw new BadValue('type', 'is missing: mask-xor needs mask and xor').within('xor')
    } else if (operator === 'lshift' || operator === 'rshift') {
      if (data === undefined) throw new BadValue('type', `is missing: ${operator} needs the number of bits`).within('data')
    } else if (typeof operator === 'string' && (data === undefined) === (source2 === undefined))
      throw new BadValue('type', `${operator} needs either data or source2`).within('data')
  },
)
/** Calculates with the bits of registers. */
export interface Bitwise extends ExpressionOf<typeof bitwise> {}
