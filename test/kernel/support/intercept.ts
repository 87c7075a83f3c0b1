/** A transport with something around every request. */
import type { Reply, Socket, SocketOptions, Transport } from '../../../lib/netlink/index.js'

/** One request on its way. */
export interface Crossing {
  readonly kind: 'exchange' | 'page' | 'dumpMany'
  readonly request: Uint8Array | null
  /** NETLINK_* of the socket. */
  readonly protocol: number
  /** The real socket. */
  readonly socket: Socket
}

/** Calls `around` for every request; it makes the real one by calling `go`. */
export function intercept(
  transport: Transport,
  around: (crossing: Crossing, go: () => Promise<Reply>) => Promise<Reply>,
): Transport {
  return {
    open(options: SocketOptions): Socket {
      const socket = transport.open(options)
      const { receiveBuffer, sendBuffer, portId, namespace } = socket
      const { protocol } = options
      return {
        receiveBuffer,
        sendBuffer,
        portId,
        namespace,
        exchange: (request, last, timeout) =>
          around({ kind: 'exchange', request, protocol, socket }, () => socket.exchange(request, last, timeout)),
        page: (request, last, size, timeout) =>
          around({ kind: 'page', request, protocol, socket }, () => socket.page(request, last, size, timeout)),
        dumpMany: (request, timeout) =>
          around({ kind: 'dumpMany', request, protocol, socket }, () => socket.dumpMany(request, timeout)),
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
  }
}
