import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Sends out of another interface (net/netfilter/nft_fwd_netdev.c). */
export const fwd = expressionCodec(
  'fwd',
  {
    /** Register of the interface's index. */
    device: [1, required(register)],
    /** Register of the next hop's address: the packet gets its link-layer address, and its TTL is counted down. */
    address: [2, register],
    /** Family of the address. */
    family: [3, choice(be32, { ip: 2, ip6: 10 })],
  },
  {
    check({ address, family }) {
      if (address !== undefined && family === undefined)
        throw new BadValue('type', 'is missing: it says what address holds').within('family')
      if (address === undefined && family !== undefined)
        throw new BadValue('type', 'is missing: family is the one of the address').within('address')
    },
  },
)
/** Sends the packet out of another interface, in chains of netdev. */
export interface Fwd extends ExpressionOf<typeof fwd> {}
