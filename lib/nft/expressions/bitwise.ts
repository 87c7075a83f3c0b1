import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { constant, type Data, register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Calculates with the bits of registers (net/netfilter/nft_bitwise.c). */
export const bitwise = expressionCodec(
  'bitwise',
  {
    source: [1, required(register)],
    destination: [2, required(register)],
    /** Bytes: at most 16 of what is given here, 64 of two registers. */
    length: [3, required(be32)],
    /** Of `mask-xor`: destination = (source & mask) ^ xor. As long as `length`. */
    mask: [4, constant],
    xor: [5, constant],
    /** Default `mask-xor`. `and`, `or`, `xor` of two values need Linux 6.13. */
    operator: [6, choice(be32, { 'mask-xor': 0, lshift: 1, rshift: 2, and: 3, or: 4, xor: 5 })],
    /** How many bits to shift, 1 to 31, as 4 bytes in the machine's order; or the second value of `and`, `or`, `xor`, of 4 bytes. */
    data: [7, constant],
    /** Register of the second value of `and`, `or`, `xor`, instead of `data`. */
    source2: [8, register],
  },
  {
    check({ operator = 'mask-xor', length, mask, xor, data, source2 }) {
      if (operator === 'mask-xor') {
        checkOperand('mask', mask, length)
        checkOperand('xor', xor, length)
      } else if (operator === 'lshift' || operator === 'rshift') checkOperand('data', data, 4)
      else if (typeof operator === 'string') {
        if ((data === undefined) === (source2 === undefined))
          throw new BadValue('type', `${operator} needs either data or source2`).within('data')
        // Whatever it was, the kernel tells 4 bytes of it (nft_bitwise_dump).
        if (data !== undefined && length !== 4)
          throw new BadValue('range', `${length}: ${operator} takes data of 4 bytes: use mask-xor, which does the same`).within(
            'length',
          )
        if (data !== undefined) checkOperand('data', data, 4)
      }
    },
  },
)
/** Calculates with the bits of registers. */
export interface Bitwise extends ExpressionOf<typeof bitwise> {}

function checkOperand(name: 'mask' | 'xor' | 'data', value: Data | undefined, length: number): void {
  if (value === undefined) throw new BadValue('type', 'is missing').within(name)
  if (value instanceof Uint8Array && value.length !== length)
    throw new BadValue('range', `${value.length} bytes: give ${length}`).within(name)
}
