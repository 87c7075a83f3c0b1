import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** The packet's socket (net/netfilter/nft_socket.c). */
export const socket = expressionCodec(
  'socket',
  {
    /**
     * Whether it is transparent; its mark; whether it is bound to all addresses; the id of its control group at `level`, 8 bytes.
     */
    key: [1, required(choice(be32, { transparent: 0, mark: 1, wildcard: 2, cgroupv2: 3 }))],
    destination: [2, required(register)],
    /** Which ancestor of the control group, counted from the root: 1 to 255. */
    level: [3, be32],
  },
  {
    check({ key, level }) {
      if (key === 'cgroupv2' && level === undefined) throw new BadValue('type', 'is missing: cgroupv2 needs one').within('level')
      if (typeof key === 'string' && key !== 'cgroupv2' && level !== undefined)
        throw new BadValue('type', 'is only of cgroupv2').within('level')
    },
  },
)
/** Loads something of the local socket that the packet belongs to; the rule ends where there is none. */
export interface Socket extends ExpressionOf<typeof socket> {}
