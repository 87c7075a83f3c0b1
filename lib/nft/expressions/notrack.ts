import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Leaves packets untracked (net/netfilter/nft_ct.c). It has no attributes. */
export const notrack = expressionCodec('notrack', {})
/** Keeps the packet from connection tracking: in chains before it, of priority `raw`. */
export interface Notrack extends ExpressionOf<typeof notrack> {}
