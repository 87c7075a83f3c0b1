/** Something between a client and its kernel: it sees every call of a socket, and may do something before it, or hold back its reply. */
import type { Reply, Socket, SocketOptions, Transport } from '../../../lib/netlink/index.js'

export interface Call {
  readonly kind: 'exchange' | 'page' | 'dumpMany'
  /** What is sent; null where a page goes on. */
  readonly request: Uint8Array | null
  /** How many calls of this kind there were before, on all sockets. */
  readonly index: number
}

export interface Hooks {
  /** The call goes on when this has settled. */
  before?(call: Call): unknown
  /** The reply goes on when this has settled. */
  after?(call: Call): unknown
}

export function between(transport: Transport, hooks: Hooks): Transport {
  const counts = { exchange: 0, page: 0, dumpMany: 0 }
  const around = async (kind: Call['kind'], request: Uint8Array | null, forward: () => Promise<Reply>): Promise<Reply> => {
    const call: Call = { kind, request, index: counts[kind]++ }
    await hooks.before?.(call)
    const reply = await forward()
    await hooks.after?.(call)
    return reply
  }
  return {
    open: (options: SocketOptions): Socket => {
      const socket = transport.open(options)
      return {
        receiveBuffer: socket.receiveBuffer,
        sendBuffer: socket.sendBuffer,
        portId: socket.portId,
        namespace: socket.namespace,
        exchange: (request, last, timeout) => around('exchange', request, () => socket.exchange(request, last, timeout)),
        page: (request, last, size, timeout) => around('page', request, () => socket.page(request, last, size, timeout)),
        dumpMany: (requests, timeout) => around('dumpMany', requests, () => socket.dumpMany(requests, timeout)),
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

/** A promise, and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open: () => open() }
}
