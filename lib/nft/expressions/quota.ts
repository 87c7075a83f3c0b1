import { required } from '../../netlink/schema.js'
import { be32, be64, flags } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** An amount (net/netfilter/nft_quota.c). */
export const quota = expressionCodec(
  'quota',
  {
    /** How many there are. The header's comment of 16 bits is wrong. */
    bytes: [1, required(be64)],
    /** `over`: holds once they are used up. `depleted` is told of objects. */
    flags: [2, flags(be32, { over: 1, depleted: 2 })],
    /** How many are used up. */
    used: [4, be64],
  },
  {
    sent: ({ flags, ...quota }) => ({ ...quota, flags: flags?.filter(flag => flag !== 'depleted') }),
  },
)
/** Holds until so many bytes were seen, or from then on. */
export interface Quota extends ExpressionOf<typeof quota> {}
