import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Hands packets to local sockets (net/netfilter/nft_tproxy.c). */
export const tproxy = expressionCodec(
  'tproxy',
  {
    /** Of which family packets are concerned; `unspecified` for both, in inet, where there is no address. */
    family: [1, required(choice(be32, { unspecified: 0, ip: 2, ip6: 10 }))],
    /** Register of the socket's address. Default: that of the interface the packet came by. */
    address: [2, register],
    /** Register of the socket's port, in the network's order. Default: the packet's. */
    port: [3, register],
  },
  {
    check({ family, address, port }) {
      if (address === undefined && port === undefined)
        throw new BadValue('type', 'is missing: give address, port, or both').within('port')
      if (family === 'unspecified' && address !== undefined)
        throw new BadValue('type', '"unspecified": give the family of the address, ip or ip6').within('family')
    },
  },
)
/** Hands the packet to a local socket that is transparent, unchanged. In chains of the hook `prerouting`. */
export interface Tproxy extends ExpressionOf<typeof tproxy> {}
