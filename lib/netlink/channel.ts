/** One socket that is replaced when it gets stuck, with deadlines, and with what to do when the kernel dropped replies. */
import { setMaxListeners } from 'node:events'
import { MessageReader, MessageWriter } from './buffer.js'
import { errnoName, NetlinkError } from './error.js'
import { beginMessage, endMessage, NLM_F_ACK, NLM_F_REQUEST, NLMSG_NOOP } from './message.js'
import type { Trace } from './trace.js'
import type { Reply, Socket, SocketOptions, Transport } from './transport.js'

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
    // Each waiting call listens for itself, and there may be many.
    if (this.#signal) setMaxListeners(0, this.#signal)
  }

  /** Milliseconds left, at least 1. */
  get remaining(): number {
    return Math.max(1, Math.ceil(this.#end - performance.now()))
  }

  /** Throws when it is time to stop. */
  throwIfOver(applied: 'no' | 'unknown' = 'no'): void {
    if (this.#signal?.aborted) throw this.#aborted(applied)
    if (performance.now() >= this.#end) throw this.#late(applied)
  }

  /** Waits for `promise`, but not beyond the limit. */
  async race<T>(promise: Promise<T>, applied: 'no' | 'unknown'): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    let onAbort: (() => void) | undefined
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#late(applied)), Math.min(this.remaining, 0x7fffffff))
      onAbort = () => reject(this.#aborted(applied))
      // What made the promise may have aborted it itself.
      if (this.#signal?.aborted) onAbort()
      else this.#signal?.addEventListener('abort', onAbort, { once: true })
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

/**
 * Milliseconds without an answer after which none will come, counted from when the kernel has taken the request: it answers before `sendmsg`
 * returns. As long as earlier answers wait, what follows one that was dropped is dropped as well, without a word (netlink_overrun).
 */
const SILENCE = 5
const ETIMEDOUT = 110
const isSilent = ({ errno, sent }: Reply): boolean => errno === ETIMEDOUT && sent > 0

/** What a channel's socket is like. */
export interface ChannelOptions extends SocketOptions {
  /**
   * The socket is never replaced, because the kernel binds something to it: after a call that was given up, the next one waits until the
   * kernel is done with it. Default: it is replaced.
   */
  readonly lasting?: boolean | undefined
}

/** What was received, and whether the kernel dropped some of it. */
export interface Replies {
  readonly data: Uint8Array[]
  readonly lost: boolean
}

/** Send buffers that grew larger are kept as long as so much of them is needed; and none that grew beyond the largest. */
const KEPT = 1 << 20
const NEEDED = 1 / 4
const LARGEST = 64 << 20

export class Channel {
  readonly #transport: Transport
  readonly #options: ChannelOptions
  readonly #trace: Trace
  #socket: Socket | undefined
  #ended = false
  /** Send buffers that nothing in flight uses. */
  readonly #idle: MessageWriter[] = []
  #sequence = 1
  #aside = new Set<Promise<void>>()
  /** The socket has answers, or will have, to a call that was given up. */
  #unread = false

  constructor(transport: Transport, options: ChannelOptions, trace: Trace) {
    this.#transport = transport
    this.#options = options
    this.#trace = trace
  }

  /** Takes `count` sequence numbers and returns the first. Never 0; the next `room` follow without a gap. */
  sequence(count: number, room = count): number {
    if (this.#sequence + room > 0x7fffffff) this.#sequence = 1
    const first = this.#sequence
    this.#sequence += count
    return first
  }

  /** Lends an empty send buffer. */
  writer(): MessageWriter {
    const writer = this.#idle.pop() ?? new MessageWriter(WINDOW + 1024)
    writer.offset = 0
    return writer
  }

  /** Takes a send buffer back when its request was answered. That of a request that was given up is never used again. */
  recycle(writer: MessageWriter): void {
    const { length } = writer.bytes
    const kept = length <= KEPT || (length <= LARGEST && writer.offset >= NEEDED * length)
    if (kept && this.#idle.length < 2) this.#idle.push(writer)
  }

  /** The socket, opened when there is none. Throws once the channel is closed: a new one would wait for what nobody sends. */
  open(): Socket {
    if (this.#ended) throw interrupted('ERR_CLOSED', 'the client is closed', 'no')
    this.#socket ??= this.#transport.open(this.#options)
    return this.#socket
  }

  /**
   * Sends messages and returns all replies to the last one's. Throws what ended it, with `applied`: `sent` is what is known of them once they
   * are sent, `no` for those that change nothing.
   */
  exchange(request: Uint8Array, last: number, limit: Limit, sent: 'no' | 'unknown' = 'unknown'): Promise<Replies> {
    const socket = this.open()
    return this.#closed(request, limit, () => socket.exchange(request, last, limit.remaining), sent)
  }

  /**
   * Sends messages to the kernel of which no one is sure to be answered, and behind them another request. Returns all replies up to those to
   * the other one's message number `last`, which are missing where the kernel dropped any.
   */
  async exchangeBoth(request: Uint8Array, behind: Uint8Array, last: number, limit: Limit): Promise<Replies> {
    const socket = this.open()
    return this.#closed(request, limit, async () => {
      this.#trace.sent(behind)
      // Both wait in the socket's queue: the second goes out without a turn of the event loop between them.
      const [first, second] = await Promise.all([socket.page(request, 0, 1, SILENCE), socket.exchange(behind, last, SILENCE)])
      if (first.errno !== 0 && !isSilent(first)) return first
      const both = { data: Buffer.concat([first.data, second.data]), sent: first.sent, lost: first.lost || second.lost }
      return { ...second, ...both, errno: isSilent(second) ? 0 : second.errno }
    })
  }

  async #closed(
    request: Uint8Array,
    limit: Limit,
    start: () => Promise<Reply>,
    sent: 'no' | 'unknown' = 'unknown',
  ): Promise<Replies> {
    const socket = this.open()
    if (this.#unread) await this.#drain(socket, limit)
    let reply = await this.#ask(limit, request, 'no', start, sent)
    const applied = reply.sent === 0 ? 'no' : sent
    const data = [reply.data]
    let lost = reply.lost
    for (let tries = 0; !reply.complete && reply.errno === 0 && tries < BARRIERS; tries++) {
      // The answer that closes may be among the lost ones. A barrier behind it closes in its place.
      const { bytes, sequence } = this.#barrier()
      reply = await this.#ask(limit, bytes, applied, () => socket.exchange(bytes, sequence, limit.remaining), applied)
      data.push(reply.data)
      lost ||= reply.lost
    }
    if (reply.errno !== 0 || !reply.complete) this.#fail(reply, applied, sent)
    return { data, lost }
  }

  /** Receives what an earlier call has left behind: it would take the room of answers, and what it lost would count for this call. */
  async #drain(socket: Socket, limit: Limit): Promise<void> {
    for (let tries = 0; this.#unread && tries < BARRIERS; tries++) {
      const { bytes, sequence } = this.#barrier()
      const reply = await this.#ask(limit, bytes, 'no', () => socket.exchange(bytes, sequence, limit.remaining), 'no')
      if (reply.errno !== 0) throw systemError(reply, 'no')
      this.#unread = !reply.complete
    }
  }

  /** The next page of a dump. */
  async page(
    request: Uint8Array | null,
    last: number,
    size: number,
    limit: Limit,
    sent: 'no' | 'unknown' = 'unknown',
  ): Promise<Reply> {
    const socket = this.open()
    const reply = await this.#ask(limit, request, 'no', () => socket.page(request, last, size, limit.remaining), sent)
    if (reply.errno !== 0 || reply.lost) this.#fail(reply, 'no', sent)
    return reply
  }

  async dumpMany(requests: Uint8Array, limit: Limit, sent: 'no' | 'unknown' = 'unknown'): Promise<Reply> {
    const socket = this.open()
    const reply = await this.#ask(limit, requests, 'no', () => socket.dumpMany(requests, limit.remaining), sent)
    if (reply.errno !== 0 || reply.lost) this.#fail(reply, 'no', sent)
    return reply
  }

  /** Leaves a socket to finish by itself. */
  setAside(): void {
    if (this.#options.lasting) this.#unread = true
    else this.#release()
  }

  #release(): void {
    const socket = this.#socket
    if (!socket) return
    this.#socket = undefined
    const closing = socket.close().finally(() => this.#aside.delete(closing))
    this.#aside.add(closing)
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#release()
    await Promise.all(this.#aside)
  }

  /** One crossing, unless the limit is reached before. What is known of the request: `applied` before it is sent, `sent` from then on. */
  async #ask(
    limit: Limit,
    request: Uint8Array | null,
    applied: 'no' | 'unknown',
    start: () => Promise<Reply>,
    sent: 'no' | 'unknown' = 'unknown',
  ): Promise<Reply> {
    const socket = this.#socket
    let pending: Promise<Reply> | undefined
    try {
      limit.throwIfOver(applied)
      if (request) this.#trace.sent(request)
      pending = start()
      const reply = await limit.race(pending, sent)
      this.#trace.received(reply.data)
      return reply
    } catch (error) {
      pending?.catch(() => {}) // its outcome has no listener any more
      // What is in flight, or the rest of a dump, belongs to nobody now.
      if ((pending || !request) && this.#socket === socket) this.setAside()
      throw error
    }
  }

  #fail(reply: Reply, applied: 'no' | 'unknown', sent: 'no' | 'unknown'): never {
    this.setAside() // what it still says belongs to nobody
    throw systemError(reply, reply.sent === 0 ? applied : sent)
  }

  #barrier(): { bytes: Uint8Array; sequence: number } {
    const writer = new MessageWriter(16)
    const sequence = this.sequence(1)
    endMessage(writer, beginMessage(writer, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequence))
    return { bytes: writer.written(), sequence }
  }
}

function systemError(reply: Reply, applied: 'no' | 'unknown'): NetlinkError {
  const { errno, syscall } = reply
  const name = errnoName(errno)
  if (errno === 0) return lostReply(applied)
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

/** The error of a request whose answer the kernel dropped (ENOBUFS). */
export function lostReply(applied: 'no' | 'unknown' = 'unknown'): NetlinkError {
  const remedy = 'raise net.core.rmem_max or run with CAP_NET_ADMIN, and read the state to learn what happened'
  return new NetlinkError({
    errno: 105,
    syscall: 'recvmsg',
    problem: 'reply-lost',
    applied,
    reason: `the kernel dropped answers because the receive buffer was full: ${remedy}`,
  })
}

/** The reply's messages as one reader. */
export function readerOf(data: readonly Uint8Array[]): MessageReader {
  return new MessageReader(data.length === 1 ? (data[0] as Uint8Array) : Buffer.concat(data))
}
