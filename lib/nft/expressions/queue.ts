import { BadValue } from '../../netlink/schema.js'
import { be16, flags } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Leaves packets to a program (net/netfilter/nft_queue.c). */
export const queue = expressionCodec(
  'queue',
  {
    /** The queue, or the first of several. */
    number: [1, be16],
    /** How many queues the packets are spread over. Default 1. */
    total: [2, be16],
    /** `bypass`: goes on where no program listens, else the packet is dropped. `fanout`: by the CPU rather than by the flow. */
    flags: [3, flags(be16, { bypass: 1, fanout: 2 })],
    /** Register of the queue's number, instead of `number`. */
    source: [4, register],
  },
  {
    check({ number, total, source }) {
      if ((number === undefined) === (source === undefined))
        throw new BadValue('type', 'give either number or source').within('number')
      if (source !== undefined && total !== undefined) throw new BadValue('type', 'is only beside number').within('total')
    },
  },
)
/** Leaves the packet to a program that listens at a queue of nfnetlink_queue. */
export interface Queue extends ExpressionOf<typeof queue> {}
