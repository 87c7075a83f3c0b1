import { required } from '../../netlink/schema.js'
import { be32, be64, flags } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

const bits = flags(be32, { over: 1, depleted: 2 })
/** The kernel tells that a quota is used up, and refuses to be told so. */
const quotaFlags: typeof bits = {
  ...bits,
  write: (writer, value) => bits.write(writer, Array.isArray(value) ? value.filter(flag => flag !== 'depleted') : value),
}

/** An amount (net/netfilter/nft_quota.c). */
export const quota = expressionCodec('quota', {
  /** How many there are. The header's comment of 16 bits is wrong. */
  bytes: [1, required(be64)],
  /** `over`: holds once they are used up. `depleted` is told, not written. */
  flags: [2, quotaFlags],
  /** How many are used up: at most all. */
  used: [4, be64],
})
/** Holds until so many bytes were seen, or from then on. */
export interface Quota extends ExpressionOf<typeof quota> {}
