import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice, flags } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Asks the routing tables (net/netfilter/nft_fib.c). */
export const fib = expressionCodec(
  'fib',
  {
    destination: [1, required(register)],
    /** Index or name of the interface that the route leads to, or the type of the address (RTN_*). */
    result: [2, required(choice(be32, { oif: 1, oifname: 2, type: 3 }))],
    /**
     * What is looked up: the source or the destination address, one of the two; with the packet's mark; with the interface that it came in
     * by, or goes out of. `present`: only whether there is a route, with `oif` and `oifname`.
     */
    flags: [3, required(flags(be32, { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16, present: 32 }))],
  },
  {
    check({ flags }) {
      if (!Array.isArray(flags) || flags.some(flag => typeof flag === 'number')) return
      if (flags.includes('saddr') === flags.includes('daddr'))
        throw new BadValue('type', 'give either saddr or daddr').within('flags')
      if (flags.includes('iif') && flags.includes('oif')) throw new BadValue('type', 'give iif or oif, not both').within('flags')
    },
  },
)
/** Looks up an address of the packet in the routing tables. */
export interface Fib extends ExpressionOf<typeof fib> {}
