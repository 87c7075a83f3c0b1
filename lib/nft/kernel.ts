/** What the operations of one client share: its sockets, the order of its calls, and what it knows of the generation. */
import type { MessageWriter } from '../netlink/buffer.js'
import { Calls } from '../netlink/calls.js'
import { type CallOptions, Channel, type Limit, lostReply, readerOf } from '../netlink/channel.js'
import type { Body } from '../netlink/generic.js'
import { endMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../netlink/netfilter.js'
import { NETLINK_NETFILTER, type Transport } from '../netlink/transport.js'
import { Answer, answersTo } from './answer.js'
import { nftTrace } from './trace.js'
import { generationAttributes, message, messageType } from './wire.js'

/** Granted where CAP_NET_ADMIN is of the initial user namespace: they are limits, and take no memory until it is needed. */
export const SEND_BUFFER = 0x3fff_ffff
const RECEIVE_BUFFER = 64 << 20

/** The ruleset's version: every transaction that is carried out counts it up by 1. 32 bits, never 0. */
export type Generation = number

type Sent = 'no' | 'unknown'

/** One question. */
export interface Request {
  readonly number: number
  readonly family: number
  readonly body?: Body | undefined
  /** It is answered by one message. Default: a dump. */
  readonly single?: boolean | undefined
}

export class Kernel {
  readonly transport: Transport
  /** Transactions. Tables can be bound to it. */
  readonly writes: Channel
  readonly reads: Channel
  readonly #calls: Calls
  readonly #streams = new Set<Channel>()
  /** The last generation that was seen; undefined before the first. */
  generation: Generation | undefined

  constructor(transport: Transport, deadline: number) {
    this.transport = transport
    this.#calls = new Calls(deadline)
    const buffers = { sendBuffer: SEND_BUFFER, receiveBuffer: RECEIVE_BUFFER }
    this.writes = new Channel(transport, { protocol: NETLINK_NETFILTER, ...buffers, lasting: true }, nftTrace)
    this.reads = new Channel(transport, { protocol: NETLINK_NETFILTER }, nftTrace)
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
   * Asks for one thing: the answers to a message. Throws a `Refusal`, or what interrupted it.
   *
   * @param sent what is known of it once it is sent: `unknown` for one that changes something
   */
  request(number: number, family: number, body: Body | undefined, limit: Limit, sent: Sent = 'no'): Promise<Answer> {
    return this.#ask({ number, family, body }, NLM_F_ACK, limit, sent)
  }

  /** Everything of a kind. Throws a `Refusal`, or what interrupted it. */
  dump(number: number, family: number, body: Body | undefined, limit: Limit, sent: Sent = 'no'): Promise<Answer> {
    return this.#ask({ number, family, body }, NLM_F_DUMP, limit, sent)
  }

  async #ask({ number, family, body }: Request, flags: number, limit: Limit, sent: Sent): Promise<Answer> {
    const { reads } = this
    const writer = reads.writer()
    const sequence = reads.sequence(1)
    const start = beginNetfilter(writer, messageType(number), NLM_F_REQUEST | flags, sequence, family)
    body?.(writer)
    endMessage(writer, start)
    const { data, lost } = await reads.exchange(writer.written(), sequence, limit, sent)
    reads.recycle(writer)
    if (lost) throw lostReply('no')
    return new Answer(readerOf(data), sequence).orThrow()
  }

  /** Many dumps in one crossing. @returns the answer to each in order; look at its `refusal` */
  async dumps(requests: readonly Request[], limit: Limit): Promise<Answer[]> {
    const { reads } = this
    const writer = reads.writer()
    const first = reads.sequence(requests.length)
    for (const [i, { number, family, body, single }] of requests.entries()) {
      const flags = NLM_F_REQUEST | (single ? 0 : NLM_F_DUMP)
      const start = beginNetfilter(writer, messageType(number), flags, first + i, family)
      body?.(writer)
      endMessage(writer, start)
    }
    const { data } = await reads.dumpMany(writer.written(), limit, 'no')
    reads.recycle(writer)
    return answersTo(readerOf([data]), first, requests.length)
  }

  /** A socket of its own for one long reading; closed with the client at the latest. */
  stream(): Channel {
    this.throwIfClosed()
    const channel = new Channel(this.transport, { protocol: NETLINK_NETFILTER }, nftTrace)
    this.#streams.add(channel)
    return channel
  }

  /** Ends a reading, in its middle or not. Its end is not waited for: the kernel may not have come back from a page that was given up. */
  endStream(channel: Channel): void {
    void channel.close().finally(() => this.#streams.delete(channel))
  }

  /** Reads the generation. */
  async readGeneration(limit: Limit): Promise<Generation> {
    const generation = generationOf(await this.request(message.getGeneration, 0, undefined, limit))
    this.generation = generation
    return generation
  }

  async close(): Promise<void> {
    await this.#calls.close()
    await Promise.all([this.writes, this.reads, ...this.#streams].map(channel => channel.close()))
    await this.transport.close()
  }
}

/** Asks for the generation, among other requests. */
export const GENERATION: Request = { number: message.getGeneration, family: 0, single: true }

/** The generation that an answer to `getGeneration` tells. */
export function generationOf(answer: Answer): Generation {
  for (const { payload, end } of answer.messages()) {
    const record = generationAttributes.decode(answer.reader, payload + NETFILTER_HEADER, end)
    if (record?.id !== undefined) return record.id
  }
  throw lostReply('no')
}

/** The question for the generation, as a message of its own. */
export function writeGenerationRequest(writer: MessageWriter, sequence: number): void {
  endMessage(writer, beginNetfilter(writer, messageType(message.getGeneration), NLM_F_REQUEST | NLM_F_ACK, sequence, 0))
}

/** The generation after one more transaction (nf_tables_commit skips 0). */
export const following = (generation: Generation): Generation => (generation + 1) >>> 0 || 1
