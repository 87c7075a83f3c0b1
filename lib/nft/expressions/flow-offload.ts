import { required } from '../../netlink/schema.js'
import { text } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Hands connections to a flowtable (net/netfilter/nft_flow_offload.c). */
export const flowOffload = expressionCodec('flow_offload', {
  /** Name of a flowtable of the same table. */
  flowtable: [1, required(text(255))],
})
/** Hands the packet's connection to a flowtable: those that follow pass by the rules. In chains of the hook `forward`. */
export interface FlowOffload extends ExpressionOf<typeof flowOffload> {}
