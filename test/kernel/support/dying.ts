/** A process that is killed between two messages, without a process: a transport that takes just so many, and then nothing happens any more. */
import { MessageReader, messagesOf, type Reply, type Transport } from '../../../lib/netlink/index.js'
import { type Crossing, intercept } from './intercept.js'

export interface Dying {
  readonly transport: Transport
  /** Settles when the last message has arrived that still does. */
  readonly dead: Promise<void>
  /** How many messages have been sent. */
  readonly sent: number
}

/** The kernel gets `most` messages of all sockets together: of a window of many perhaps only the first. */
export function dying(transport: Transport, most: number): Dying {
  let left = most
  let die = (): void => {}
  const dead = new Promise<void>(resolve => {
    die = resolve
  })
  const never = new Promise<never>(() => {})

  const around = async ({ socket, request }: Crossing, go: () => Promise<Reply>): Promise<Reply> => {
    const ends = request ? [...messagesOf(new MessageReader(request))].map(({ end }) => (end + 3) & ~3) : []
    if (ends.length < left || !request) {
      left -= ends.length
      return go()
    }
    const taken = ends[left - 1]
    left = 0
    // What it answers is nobody's business any more: it does not wait.
    if (taken !== undefined) await socket.exchange(request.slice(0, taken), 0xffff_ffff, 1)
    die()
    return never
  }
  return {
    dead,
    get sent() {
      return most - left
    },
    transport: intercept(transport, around),
  }
}
