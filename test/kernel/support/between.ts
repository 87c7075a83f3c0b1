/** Something between a client and its kernel: it sees every call of a socket, and may do something before it, or hold back its reply. */
import type { Reply, Transport } from '../../../lib/netlink/index.js'
import { type Crossing, intercept } from './intercept.js'

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
  const around = async ({ kind, request }: Crossing, go: () => Promise<Reply>): Promise<Reply> => {
    const call: Call = { kind, request, index: counts[kind]++ }
    await hooks.before?.(call)
    const reply = await go()
    await hooks.after?.(call)
    return reply
  }
  return intercept(transport, around)
}

/** A promise, and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open: () => open() }
}
