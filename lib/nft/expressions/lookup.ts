import { BadValue, required } from '../../netlink/schema.js'
import { be32, flags, text } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Looks into sets (net/netfilter/nft_lookup.c). */
export const lookup = expressionCodec(
  'lookup',
  {
    set: [1, required(text(255))],
    /** Register of the key. */
    source: [2, required(register)],
    /** Register that gets what the key is mapped to, for maps. 0 for verdict maps. */
    destination: [3, register],
    /** Id of the set, when the same transaction adds it. Not told. */
    setId: [4, be32],
    /** `invert`: holds where the key is not there. Not for maps. */
    flags: [5, flags(be32, { invert: 1 })],
  },
  {
    check({ destination, flags }) {
      if (destination !== undefined && Array.isArray(flags) && flags.includes('invert'))
        throw new BadValue('type', 'invert is only for sets: a map that has not the key gives nothing').within('flags')
    },
  },
)
/** Looks up a key in a set or a map; the rule ends where it is not there. */
export interface Lookup extends ExpressionOf<typeof lookup> {}
