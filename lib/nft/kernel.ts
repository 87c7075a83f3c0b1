/** What the operations of one client share: its sockets, the order of its calls, and what it knows of the generation. */
import type { MessageReader } from '../netlink/buffer.js'
import { Calls } from '../netlink/calls.js'
import { type CallOptions, Channel, type Limit, lostReply, readerOf } from '../netlink/channel.js'
import type { Body } from '../netlink/generic.js'
import { Refusal } from '../netlink/generic.js'
import {
  endMessage,
  type Message,
  MessageCursor,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readAcknowledgement,
} from '../netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../netlink/netfilter.js'
import { NETLINK_NETFILTER, type Transport } from '../netlink/transport.js'
import { nftTrace } from './trace.js'
import { generationAttributes, message, messageType } from './wire.js'

/** Granted where CAP_NET_ADMIN is of the initial user namespace: they are limits, and take no memory until it is needed. */
const SEND_BUFFER = 0x3fff_ffff
const RECEIVE_BUFFER = 64 << 20

/** A message of nftables in an answer. */
export interface NftMessage extends Message {
  readonly reader: MessageReader
}

/** The ruleset's version: every transaction that is carried out counts it up by 1. 32 bits, never 0. */
export type Generation = number

export class Kernel {
  readonly transport: Transport
  /** Transactions. Tables can be bound to it. */
  readonly writes: Channel
  readonly reads: Channel
  readonly #calls: Calls
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

  /** Asks for one thing: the answers to a message. Throws a `Refusal`, or what interrupted it. */
  async request(number: number, family: number, body: Body | undefined, limit: Limit): Promise<NftMessage[]> {
    return this.#ask(number, NLM_F_ACK, family, body, limit)
  }

  /** Everything of a kind. Throws a `Refusal`, or what interrupted it. */
  async dump(number: number, family: number, body: Body | undefined, limit: Limit): Promise<NftMessage[]> {
    return this.#ask(number, NLM_F_DUMP, family, body, limit)
  }

  async #ask(number: number, flags: number, family: number, body: Body | undefined, limit: Limit): Promise<NftMessage[]> {
    const { reads } = this
    const writer = reads.writer()
    const sequence = reads.sequence(1)
    const start = beginNetfilter(writer, messageType(number), NLM_F_REQUEST | flags, sequence, family)
    body?.(writer)
    endMessage(writer, start)
    const { data, lost } = await reads.exchange(writer.written(), sequence, limit)
    if (lost) throw lostReply('no')
    const messages = answers(readerOf(data), sequence)
    reads.recycle(writer)
    return messages
  }

  /** Reads the generation. */
  async readGeneration(limit: Limit): Promise<Generation> {
    const [answer] = await this.request(message.getGeneration, 0, undefined, limit)
    const record = answer && generationAttributes.decode(answer.reader, answer.payload + NETFILTER_HEADER, answer.end)
    if (record?.id === undefined) throw lostReply('no')
    this.generation = record.id
    return record.id
  }

  async close(): Promise<void> {
    await this.#calls.close()
    await Promise.all([this.writes.close(), this.reads.close()])
    await this.transport.close()
  }
}

/** The messages of a request's answer. Throws a `Refusal`. */
export function answers(reader: MessageReader, sequence: number): NftMessage[] {
  const messages: NftMessage[] = []
  const cursor = new MessageCursor(reader)
  while (cursor.next()) {
    if (cursor.sequence !== sequence) continue // of an earlier request that was given up
    const { type, flags, start, payload, end } = cursor
    if (type >= messageType(0)) messages.push({ reader, type, flags, sequence, start, payload, end })
    else if (type === NLMSG_ERROR || type === 3) {
      const acknowledgement = readAcknowledgement(reader, cursor)
      if (acknowledgement.errno !== 0) throw new Refusal(acknowledgement, undefined)
    }
  }
  return messages
}

/** The generation after one more transaction (nf_tables_commit skips 0). */
export const following = (generation: Generation): Generation => (generation + 1) >>> 0 || 1
