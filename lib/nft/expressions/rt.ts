import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** The packet's route (net/netfilter/nft_rt.c). */
export const rt = expressionCodec('rt', {
  destination: [1, required(register)],
  /**
   * The realm; the next hop, by the family of the address; the MSS that fits the path (nft's mtu), in the machine's order; whether IPsec is
   * used.
   */
  key: [2, required(choice(be32, { classid: 0, 'ip nexthop': 1, 'ip6 nexthop': 2, mtu: 3, ipsec: 4 }))],
})
/** Loads something of the route that the packet takes. */
export interface Rt extends ExpressionOf<typeof rt> {}
