import { required } from '../../netlink/schema.js'
import { be32, bytes, text } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** A target of iptables (net/netfilter/nft_compat.c). */
export const target = expressionCodec('target', {
  /** Name of it, as `MARK`. */
  name: [1, required(text(31))],
  /** Version of its structure. */
  revision: [2, required(be32)],
  /** Its structure, in the machine's order, as it stands behind `struct xt_entry_target`. */
  info: [3, required(bytes)],
})
/** A target of xtables, as iptables-nft writes them. */
export interface Target extends ExpressionOf<typeof target> {}
