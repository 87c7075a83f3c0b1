import { BadValue, required } from '../../netlink/schema.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { protocolFamily } from './protocol-family.js'

/** Hands packets to local sockets (net/netfilter/nft_tproxy.c). */
export const tproxy = expressionCodec(
  'tproxy',
  {
    /** Of which family packets are concerned; `inet` for both, where there is no address. */
    family: [1, required(protocolFamily)],
    /** Register of the socket's address. Default: that of the interface the packet came by. */
    address: [2, register],
    /** Register of the socket's port, in the network's order. Default: the packet's. */
    port: [3, register],
  },
  ({ family, address, port }) => {
    if (address === undefined && port === undefined)
      throw new BadValue('type', 'is missing: give address, port, or both').within('port')
    if (family === 'inet' && address !== undefined)
      throw new BadValue('type', '"inet": give the family of the address, ip or ip6').within('family')
  },
)
/** Hands the packet to a local socket that is transparent, unchanged. In chains of the hook `prerouting`. */
export interface Tproxy extends ExpressionOf<typeof tproxy> {}
