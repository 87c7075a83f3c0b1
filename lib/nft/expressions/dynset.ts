import { list } from '../../netlink/record.js'
import { BadValue, required } from '../../netlink/schema.js'
import { be32, be64Number, choice, flags, text } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { statefulExpression } from './stateful.js'

const NFT_DYNSET_F_EXPR = 2

/** Changes sets (net/netfilter/nft_dynset.c). */
export const dynset = expressionCodec(
  'dynset',
  {
    /** Name of a set with the flag `dynamic` (or `timeout`). */
    set: [1, required(text(255))],
    /** Its id, when the same transaction adds it. Not told. */
    setId: [2, be32],
    /** `update` also starts the time-out of an element anew that is there. */
    operation: [3, required(choice(be32, { add: 0, update: 1, delete: 2 }))],
    /** Register of the key. */
    key: [4, required(register)],
    /** Register of what it is mapped to, for maps. */
    data: [5, register],
    /** Milliseconds; 0, the default: that of the set. The kernel rounds to its ticks of 1 to 10 ms. */
    timeout: [6, be64Number],
    /** What each element gets that is added, when it is one. */
    expression: [7, statefulExpression],
    /** `invert`: the rule goes on where the element could not be added. */
    flags: [9, flags(be32, { invert: 1 })],
    /** The same when there are several: 2 at most. */
    expressions: [10, list(statefulExpression)],
  },
  {
    check({ expression, expressions }) {
      if (expression !== undefined && expressions !== undefined)
        throw new BadValue('type', 'give either expression or expressions').within('expressions')
    },
    // The kernel tells that there is no time-out, which sets without `timeout` refuse; and not that there are several expressions.
    sent({ timeout, flags, ...dynset }) {
      const several = dynset.expressions !== undefined && (flags === undefined || Array.isArray(flags))
      return {
        ...dynset,
        timeout: timeout === 0 ? undefined : timeout,
        flags: several ? [...(flags ?? []), NFT_DYNSET_F_EXPR] : flags,
      }
    },
  },
)
/** Adds an element to a set or a map, or removes it. */
export interface Dynset extends ExpressionOf<typeof dynset> {}
