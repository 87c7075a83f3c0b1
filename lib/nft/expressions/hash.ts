import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Spreads packets by what is in them (net/netfilter/nft_hash.c). */
export const hash = expressionCodec(
  'hash',
  {
    /** What is hashed, of `jenkins`. */
    source: [1, register],
    destination: [2, required(register)],
    /** Bytes of it, of `jenkins`: 1 to 64. */
    length: [3, be32],
    /** The result is below it: at least 1. */
    modulus: [4, required(be32)],
    /** Of `jenkins`. Default: chosen by the kernel at random, and not told. */
    seed: [5, be32],
    /** Added to the result. Default 0. */
    offset: [6, be32],
    /** `jenkins` is nft's jhash; `symmetric` is its symhash: the packet's flow, the same in both directions. Default `jenkins`. */
    type: [7, choice(be32, { jenkins: 0, symmetric: 1 })],
  },
  {
    check({ type = 'jenkins', source, length, seed }) {
      if (type === 'jenkins' && source === undefined)
        throw new BadValue('type', 'is missing: it says what is hashed').within('source')
      if (type === 'jenkins' && length === undefined)
        throw new BadValue('type', 'is missing: how many bytes of source').within('length')
      if (type === 'symmetric' && (source !== undefined || length !== undefined || seed !== undefined))
        throw new BadValue('type', 'symmetric hashes the flow of the packet: it has no source, length, or seed').within('type')
    },
  },
)
/** A number from 0 to modulus - 1 by the bytes of registers, or by the packet's flow. */
export interface Hash extends ExpressionOf<typeof hash> {}
