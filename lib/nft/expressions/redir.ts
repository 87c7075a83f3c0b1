import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { natFlags } from './nat-flags.js'

/** Redirects (net/netfilter/nft_redir.c). */
export const redir = expressionCodec('redir', {
  /** Register of the first port, in the network's order. Default: the port stays. */
  portMin: [1, register],
  /** Register of the last. Default: the first. */
  portMax: [2, register],
  flags: [3, natFlags],
})
/** Sends packets to this host itself. */
export interface Redir extends ExpressionOf<typeof redir> {}
