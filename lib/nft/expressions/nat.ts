import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { natFlags } from './nat-flags.js'

/** Translates addresses (net/netfilter/nft_nat.c). */
export const nat = expressionCodec(
  'nat',
  {
    /** Source or destination. */
    type: [1, required(choice(be32, { snat: 0, dnat: 1 }))],
    /** Family of the addresses. `inet` where there are only ports. */
    family: [2, required(choice(be32, { inet: 1, ip: 2, ip6: 10 }))],
    /** Register of the first address. */
    addressMin: [3, register],
    /** Register of the last. Default: the first. */
    addressMax: [4, register],
    /** Register of the first port, in the network's order. */
    portMin: [5, register],
    /** Register of the last. Default: the first. */
    portMax: [6, register],
    flags: [7, natFlags],
  },
  {
    check({ addressMin, addressMax, portMin, portMax }) {
      if (addressMin === undefined && addressMax !== undefined)
        throw new BadValue('type', 'is missing beside addressMax').within('addressMin')
      if (portMin === undefined && portMax !== undefined)
        throw new BadValue('type', 'is missing beside portMax').within('portMin')
    },
  },
)
/** Gives the packet's connection another source or destination, in chains of type `nat`. */
export interface Nat extends ExpressionOf<typeof nat> {}
