import { BadValue } from '../../netlink/schema.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Sends a copy elsewhere (net/netfilter/nft_dup_netdev.c, net/ipv4/netfilter/nft_dup_ipv4.c). */
export const dup = expressionCodec(
  'dup',
  {
    /** Register of the gateway's address: needed in ip, ip6, and inet. */
    address: [1, register],
    /** Register of the interface's index: needed in netdev. */
    device: [2, register],
  },
  {
    check({ address, device }) {
      if (address === undefined && device === undefined)
        throw new BadValue('type', 'is missing: ip, ip6 and inet need address, netdev needs device').within('address')
    },
  },
)
/** Sends a copy of the packet to another host, or out of another interface. */
export interface Dup extends ExpressionOf<typeof dup> {}
