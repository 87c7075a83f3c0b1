/** What the operations of one client of a plain netlink protocol share: its sockets, and the order of its calls. */
import { Answer, type FindPath, refusalOf } from './answer.js'
import { MessageReader, MessageWriter } from './buffer.js'
import { Calls } from './calls.js'
import { type CallOptions, Channel, type Limit, lostReply, readerOf } from './channel.js'
import { NetlinkError } from './error.js'
import type { Body, Refusal } from './generic.js'
import { beginMessage, endMessage, HEADER, messagesOf, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './message.js'
import type { Pathfinder } from './schema.js'
import type { Trace } from './trace.js'
import type { Transport } from './transport.js'

/** One message to the kernel. */
export interface Ask {
  readonly type: number
  /** Besides those that every request has. */
  readonly flags?: number | undefined
  /** Writes what stands behind the netlink header: the header of the protocol, and attributes. */
  readonly body: Body
  /** What the kernel points at in an error is found with it. */
  readonly attributes?: Pathfinder | undefined
  /** Bytes of the protocol's header. */
  readonly header: number
}

/** Bytes of a page: the kernel fills up to 32 KiB of a datagram. */
const PAGE = 128 << 10
/** How often what others keep changing is read. */
const TRIES = 10
/** Bytes of requests that are sent at once: they are written, and their answers read, in one go. */
const WINDOW = 16 << 10

export class Kernel {
  readonly transport: Transport
  readonly #protocol: number
  readonly #trace: Trace
  readonly #calls: Calls
  readonly #channel: Channel
  readonly #streams = new Set<Channel>()

  /** @param deadline seconds that a call may take unless it says otherwise */
  constructor(transport: Transport, protocol: number, tracer: Trace, deadline: number) {
    this.transport = transport
    this.#protocol = protocol
    this.#trace = tracer
    this.#calls = new Calls(deadline)
    this.#channel = new Channel(transport, { protocol }, tracer)
  }

  /** Opens its socket: throws what is wrong with it. */
  open(): void {
    this.#calls.limit(undefined) // refuses a bad deadline
    this.#channel.open()
  }

  limit(options: CallOptions | undefined): Limit {
    return this.#calls.limit(options)
  }

  /** Runs one call when those before it have ended. */
  call<T>(options: CallOptions | undefined, task: (limit: Limit) => Promise<T>): Promise<T> {
    return this.#calls.run(options, task)
  }

  throwIfClosed(): void {
    this.#calls.throwIfClosed()
  }

  /**
   * Sends one message, and returns its answer. Throws a `Refusal`, or what interrupted it.
   *
   * @param sent what is known of it once it is sent: `no` for one that changes nothing
   */
  request(ask: Ask, limit: Limit, sent: 'no' | 'unknown'): Promise<Answer> {
    return this.#exchange(ask, NLM_F_ACK, limit, sent)
  }

  /** Everything of a kind, read again where others changed it meanwhile. Throws a `Refusal`, or what interrupted it. */
  async dump(ask: Ask, limit: Limit): Promise<Answer> {
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await this.#exchange(ask, NLM_F_DUMP, limit, 'no')
      if (!answer.interrupted) return answer
    }
    throw everChanging()
  }

  async #exchange(ask: Ask, flags: number, limit: Limit, sent: 'no' | 'unknown'): Promise<Answer> {
    const writer = this.#channel.writer()
    const sequence = this.#channel.sequence(1)
    writeAsk(writer, ask, flags, sequence)
    const { data, lost } = await this.#channel.exchange(writer.written(), sequence, limit, sent)
    const answer = new Answer(readerOf(data), sequence, pathOf(writer.written(), ask))
    this.#channel.recycle(writer)
    if (lost) throw lostReply(sent)
    return answer.orThrow()
  }

  /**
   * Sends many messages that change something, each with its acknowledgement, in windows. Returns for each why the kernel refused it, or
   * undefined.
   */
  async requests(asks: readonly Ask[], limit: Limit): Promise<(Refusal | undefined)[]> {
    const refusals: (Refusal | undefined)[] = []
    for (let done = 0; done < asks.length; ) {
      const writer = this.#channel.writer()
      const first = this.#channel.sequence(0, asks.length)
      let count = 0
      for (; done + count < asks.length && writer.offset < WINDOW; count++)
        writeAsk(writer, asks[done + count] as Ask, NLM_F_ACK, first + count)
      this.#channel.sequence(count)
      const { data, lost } = await this.#channel.exchange(writer.written(), first + count - 1, limit)
      this.#channel.recycle(writer)
      if (lost) throw lostReply()
      const reader = readerOf(data)
      for (const message of messagesOf(reader)) {
        const index = message.sequence - first
        if (index >= 0 && index < count) refusals[done + index] = refusalOf(reader, message)
      }
      done += count
    }
    return Array.from({ length: asks.length }, (_, i) => refusals[i])
  }

  /** A dump page by page, on a socket of its own. While one page is looked at, the kernel works on the next. A deadline is that of each page. */
  async *pages(ask: Ask, options: CallOptions | undefined): AsyncGenerator<Answer, void, undefined> {
    this.throwIfClosed()
    const channel = new Channel(this.transport, { protocol: this.#protocol }, this.#trace)
    this.#streams.add(channel)
    const sequence = channel.sequence(1)
    const writer = new MessageWriter(1024)
    writeAsk(writer, ask, NLM_F_DUMP, sequence)
    const findPath = pathOf(writer.written(), ask)
    try {
      // It begins in the order of the client's calls.
      let reply = await this.call(options, limit => channel.page(writer.written(), sequence, PAGE, limit, 'no'))
      for (;;) {
        this.throwIfClosed() // a closed channel would open a socket that has no dump
        const next = reply.complete ? undefined : channel.page(null, sequence, PAGE, this.limit(options), 'no')
        next?.catch(() => {}) // looked at below, unless the reader stops before
        yield new Answer(readerOf([reply.data]), sequence, findPath).orThrow()
        if (!next) return
        reply = await next
      }
    } finally {
      // Not waited for: the kernel may not have come back from a page that was given up.
      void channel.close().finally(() => this.#streams.delete(channel))
    }
  }

  async close(): Promise<void> {
    await this.#calls.close()
    await Promise.all([this.#channel, ...this.#streams].map(channel => channel.close()))
    await this.transport.close()
  }
}

function writeAsk(writer: MessageWriter, { type, flags = 0, body }: Ask, more: number, sequence: number): void {
  const start = beginMessage(writer, type, NLM_F_REQUEST | flags | more, sequence)
  body(writer)
  endMessage(writer, start)
}

/** The request is used up when the kernel points into it: the path is looked for in a copy, which few errors need. */
function pathOf(request: Uint8Array, { attributes, header }: Ask): FindPath {
  return offset => {
    const reader = new MessageReader(request)
    return attributes?.path(reader, HEADER + header, reader.end, offset)
  }
}

function everChanging(): NetlinkError {
  return new NetlinkError({
    errno: 4,
    problem: 'ever-changing',
    reason: `others changed it each of the ${TRIES} times that it was read: try again`,
  })
}
