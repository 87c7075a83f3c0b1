import { required } from '../../netlink/schema.js'
import { be32, choice, u8 } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** IPsec (net/netfilter/nft_xfrm.c). */
export const xfrm = expressionCodec('xfrm', {
  destination: [1, required(register)],
  /** Addresses of the tunnel, the id of the request in the machine's order, the SPI in the network's. */
  key: [2, required(choice(be32, { 'ip daddr': 1, 'ip6 daddr': 2, 'ip saddr': 3, 'ip6 saddr': 4, reqid: 5, spi: 6 }))],
  /** Of packets that were decrypted, or are to be encrypted. */
  direction: [3, required(choice(u8, { in: 0, out: 1 }))],
  /** Which of several transformations, 0 to 5. Default 0. */
  spnum: [4, be32],
})
/** Loads something of the IPsec transformation of the packet; the rule ends where there is none. */
export interface Xfrm extends ExpressionOf<typeof xfrm> {}
