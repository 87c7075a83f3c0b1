/** One socket that is replaced when it gets stuck, with deadlines, and with what to do when the kernel dropped replies. */
import { MessageReader, MessageWriter } from './buffer.js'
import { errnoName, NetlinkError } from './error.js'
import { beginMessage, endMessage, NLM_F_ACK, NLM_F_REQUEST, NLMSG_NOOP } from './message.js'
import type { Trace } from './trace.js'
import type { Reply, Socket, Transport } from './transport.js'

/** Options of every call. */
export interface CallOptions {
  /** Ends the call: at once when it has not been sent, else with `applied: 'unknown'`. */
  readonly signal?: AbortSignal | undefined
  /** Seconds until the call is given up, from 0.001. Default: that of the client. */
  readonly deadline?: number | undefined
}

/** When a call has to end. */
export class Limit {
  readonly #signal: AbortSignal | undefined
  readonly #seconds: number
  readonly #end: number

  constructor(options: CallOptions | undefined, deadline: number) {
    this.#signal = options?.signal
    this.#seconds = checkDeadline(options?.deadline ?? deadline)
    this.#end = performance.now() + this.#seconds * 1000
  }

  /** Milliseconds left, at least 1. */
  get remaining(): number {
    return Math.max(1, Math.ceil(this.#end - performance.now()))
  }

  /** The reason to stop now, if there is one. */
  get interruption(): NetlinkError | undefined {
    if (this.#signal?.aborted) return this.#aborted('no')
    return performance.now() >= this.#end ? this.#late('no') : undefined
  }

  throwIfOver(): void {
    const interruption = this.interruption
    if (interruption) throw interruption
  }

  /** Waits for `promise`, but not beyond the limit. */
  async race<T>(promise: Promise<T>, applied: 'no' | 'unknown'): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    let onAbort: (() => void) | undefined
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#late(applied)), Math.min(this.remaining, 0x7fffffff))
      onAbort = () => reject(this.#aborted(applied))
      this.#signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await Promise.race([promise, over])
    } finally {
      clearTimeout(timer)
      if (onAbort) this.#signal?.removeEventListener('abort', onAbort)
    }
  }

  #aborted(applied: 'no' | 'unknown'): NetlinkError {
    return interrupted('ABORT_ERR', 'the signal was aborted', applied, this.#signal?.reason)
  }

  #late(applied: 'no' | 'unknown'): NetlinkError {
    return interrupted('ERR_DEADLINE', `not done within the deadline of ${this.#seconds} s`, applied)
  }
}

function checkDeadline(seconds: number): number {
  if (typeof seconds !== 'number' || !(seconds >= 0.001)) throw new RangeError(`deadline: ${seconds}: give seconds, from 0.001`)
  return seconds
}

export function interrupted(code: string, what: string, applied: 'no' | 'unknown', cause?: unknown): NetlinkError {
  const reason = applied === 'no' ? `${what}; nothing was sent` : `${what}; the kernel may or may not have carried it out`
  return new NetlinkError({ errno: 0, code, problem: 'interrupted', applied, reason, cause })
}

/** How often a lost answer is asked after before it is called lost. */
const BARRIERS = 4
const WINDOW = 64 << 10

export class Channel {
  readonly #transport: Transport
  readonly #protocol: number
  readonly #trace: Trace
  #socket: Socket | undefined
  /** Two send buffers by turns: one is encoded while the other is in flight. */
  #writers: [MessageWriter, MessageWriter] = [new MessageWriter(WINDOW + 1024), new MessageWriter(WINDOW + 1024)]
  #sequence = 1
  #aside = new Set<Promise<void>>()

  constructor(transport: Transport, protocol: number, trace: Trace) {
    this.#transport = transport
    this.#protocol = protocol
    this.#trace = trace
  }

  /** Takes `count` sequence numbers and returns the first. Never 0; the next `room` follow without a gap. */
  sequence(count: number, room = count): number {
    if (this.#sequence + room > 0x7fffffff) this.#sequence = 1
    const first = this.#sequence
    this.#sequence += count
    return first
  }

  /** An empty buffer that nothing in flight uses. */
  writer(): MessageWriter {
    this.#writers.reverse()
    const [writer] = this.#writers
    writer.offset = 0
    return writer
  }

  /** The socket, opened when there is none. */
  open(): Socket {
    this.#socket ??= this.#transport.open({ protocol: this.#protocol })
    return this.#socket
  }

  /** Sends messages and returns all replies to the last one's. Throws what ended it, with `applied`. */
  async exchange(request: Uint8Array, last: number, limit: Limit): Promise<{ data: Uint8Array[]; lost: boolean }> {
    const socket = this.open()
    this.#trace.sent(request)
    let reply = await this.#guard(socket, limit, socket.exchange(request, last, limit.remaining))
    const data = [reply.data]
    let lost = reply.lost
    for (let tries = 0; !reply.complete && reply.errno === 0 && tries < BARRIERS; tries++) {
      // The answer that closes may be among the lost ones. A barrier behind it closes in its place.
      const barrier = this.#barrier()
      this.#trace.sent(barrier.bytes)
      reply = await this.#guard(socket, limit, socket.exchange(barrier.bytes, barrier.sequence, limit.remaining))
      data.push(reply.data)
      lost ||= reply.lost
    }
    this.#check(socket, reply, !reply.complete)
    for (const part of data) this.#trace.received(part)
    return { data, lost }
  }

  /** The next page of a dump. */
  async page(request: Uint8Array | null, last: number, size: number, limit: Limit): Promise<Reply> {
    const socket = this.open()
    if (request) this.#trace.sent(request)
    const reply = await this.#guard(socket, limit, socket.page(request, last, size, limit.remaining))
    this.#check(socket, reply, reply.lost)
    this.#trace.received(reply.data)
    return reply
  }

  async dumpMany(requests: Uint8Array, limit: Limit): Promise<Reply> {
    const socket = this.open()
    this.#trace.sent(requests)
    const reply = await this.#guard(socket, limit, socket.dumpMany(requests, limit.remaining))
    this.#check(socket, reply, reply.lost)
    this.#trace.received(reply.data)
    return reply
  }

  /** Leaves a socket to finish by itself: what it has in flight keeps its buffers. */
  setAside(): void {
    const socket = this.#socket
    if (!socket) return
    this.#socket = undefined
    this.#writers = [new MessageWriter(WINDOW + 1024), new MessageWriter(WINDOW + 1024)]
    const closing = socket.close().finally(() => this.#aside.delete(closing))
    this.#aside.add(closing)
  }

  async close(): Promise<void> {
    this.setAside()
    await Promise.all(this.#aside)
  }

  async #guard(socket: Socket, limit: Limit, pending: Promise<Reply>): Promise<Reply> {
    try {
      return await limit.race(pending, 'unknown')
    } catch (error) {
      pending.catch(() => {}) // its outcome has no listener any more
      if (this.#socket === socket) this.setAside()
      throw error
    }
  }

  #check(socket: Socket, reply: Reply, lost: boolean): void {
    if (reply.errno === 0 && !lost) return
    if (this.#socket === socket) this.setAside() // what it still says belongs to nobody
    throw systemError(reply)
  }

  #barrier(): { bytes: Uint8Array; sequence: number } {
    const writer = new MessageWriter(16)
    const sequence = this.sequence(1)
    endMessage(writer, beginMessage(writer, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequence))
    return { bytes: writer.written(), sequence }
  }
}

function systemError(reply: Reply): NetlinkError {
  const { errno, syscall } = reply
  const applied = reply.sent === 0 ? 'no' : 'unknown'
  const name = errnoName(errno)
  if (errno === 0)
    return new NetlinkError({
      errno: 105,
      syscall: 'recvmsg',
      problem: 'reply-lost',
      applied,
      reason:
        'the kernel dropped its answers because the receive buffer was full: raise net.core.rmem_max, or run with CAP_NET_ADMIN',
    })
  if (name === 'ETIMEDOUT')
    return new NetlinkError({
      errno,
      syscall,
      problem: 'no-reply',
      applied,
      reason: 'the kernel took the request and did not answer',
    })
  if (name === 'ECANCELED') return interrupted('ERR_CLOSED', 'the client was closed', applied)
  if (name === 'ENOBUFS' || name === 'ENOMEM')
    return new NetlinkError({ errno, syscall, problem: 'no-memory', applied, reason: 'the kernel had no memory for the message' })
  if (name === 'EPERM' || name === 'EACCES')
    return new NetlinkError({ errno, syscall, problem: 'not-permitted', applied, reason: 'CAP_NET_ADMIN is needed: run as root' })
  return new NetlinkError({ errno, syscall, problem: 'other', applied, reason: `${syscall} failed` })
}

/** The reply's messages as one reader. */
export function readerOf(data: readonly Uint8Array[]): MessageReader {
  return new MessageReader(data.length === 1 ? (data[0] as Uint8Array) : Buffer.concat(data))
}
