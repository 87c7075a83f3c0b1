import { be16, be32, flags, u8 } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Answers handshakes (net/netfilter/nft_synproxy.c). */
export const synproxy = expressionCodec('synproxy', {
  /** Maximum segment size that clients are told. */
  mss: [1, be16],
  /** 0 to 14. */
  windowScale: [2, u8],
  /** Which options the servers have; `mss` and `window-scale` have to stand here for those above to be used. */
  flags: [3, flags(be32, { mss: 1, 'window-scale': 2, 'sack-permitted': 4, timestamp: 8 })],
})
/** Answers TCP's handshake before connection tracking sees it. In chains of the hooks `input` and `forward`. */
export interface Synproxy extends ExpressionOf<typeof synproxy> {}
