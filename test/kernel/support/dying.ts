/** A process that is killed between two messages, without a process: a transport that takes just so many, and then nothing happens any more. */
import {
  MessageReader,
  messagesOf,
  type Reply,
  type Socket,
  type SocketOptions,
  type Transport,
} from '../../../lib/netlink/index.js'

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

  const around = async (socket: Socket, request: Uint8Array | null, forward: () => Promise<Reply>): Promise<Reply> => {
    const ends = request ? [...messagesOf(new MessageReader(request))].map(({ end }) => (end + 3) & ~3) : []
    if (ends.length < left || !request) {
      left -= ends.length
      return forward()
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
    transport: {
      open: (options: SocketOptions): Socket => {
        const socket = transport.open(options)
        return {
          receiveBuffer: socket.receiveBuffer,
          sendBuffer: socket.sendBuffer,
          portId: socket.portId,
          namespace: socket.namespace,
          exchange: (request, last, timeout) => around(socket, request, () => socket.exchange(request, last, timeout)),
          page: (request, last, size, timeout) => around(socket, request, () => socket.page(request, last, size, timeout)),
          dumpMany: (requests, timeout) => around(socket, requests, () => socket.dumpMany(requests, timeout)),
          subscribe: onDatagrams => socket.subscribe(onDatagrams),
          ref: () => socket.ref(),
          unref: () => socket.unref(),
          join: group => socket.join(group),
          leave: group => socket.leave(group),
          close: () => socket.close(),
        }
      },
      readFile: path => transport.readFile(path),
      writeFile: (path, text) => transport.writeFile(path, text),
      close: () => transport.close(),
    },
  }
}
