import { required } from '../../netlink/schema.js'
import { be32, bytes, text } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** A match of iptables (net/netfilter/nft_compat.c). */
export const match = expressionCodec('match', {
  /** Name of it, as `conntrack`. */
  name: [1, required(text(31))],
  /** Version of its structure. */
  revision: [2, required(be32)],
  /** Its structure, in the machine's order, as it stands behind `struct xt_entry_match`. */
  info: [3, required(bytes)],
})
/** A match of xtables, as iptables-nft writes them. */
export interface Match extends ExpressionOf<typeof match> {}
