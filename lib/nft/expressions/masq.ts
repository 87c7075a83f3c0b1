import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { natFlags } from './nat-flags.js'

/** Masquerades (net/netfilter/nft_masq.c). */
export const masq = expressionCodec('masq', {
  flags: [1, natFlags],
  /** Register of the first port, in the network's order. */
  portMin: [2, register],
  /** Register of the last. Default: the first. */
  portMax: [3, register],
})
/** Gives packets the address of the interface that they leave by. */
export interface Masq extends ExpressionOf<typeof masq> {}
