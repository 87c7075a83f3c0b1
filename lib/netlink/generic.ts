/** Generic netlink (net/netlink/genetlink.c): families are found by name, and their numbers change when a module is loaded again. */
import { MessageReader, type MessageWriter } from './buffer.js'
import { Channel, type Limit, lostReply, readerOf } from './channel.js'
import { errnoName, NetlinkError } from './error.js'
import {
  type Acknowledgement,
  beginMessage,
  endMessage,
  type Message,
  MessageCursor,
  messageAt,
  messagesOf,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
} from './message.js'
import { type Attributes, attributes, cstring, type Definition, raw, u16, u32 } from './schema.js'
import { present, trace } from './trace.js'
import { NETLINK_GENERIC, type Transport } from './transport.js'

const GENL_ID_CTRL = 16
const CTRL_CMD_GETFAMILY = 3
/** `struct genlmsghdr` behind the netlink header. */
export const GENERIC_HEADER = 4
const ENOENT = 2

const control = attributes({
  familyId: [1, u16],
  familyName: [2, cstring],
  version: [3, u32],
  headerSize: [4, u32],
  maxAttribute: [5, u32],
  operations: [6, raw],
  groups: [7, raw],
})

/** What is fixed about a family. */
export interface Family {
  readonly name: string
  readonly version: number
  /** Names of the commands, for the trace. */
  readonly commands: Readonly<Record<number, string>>
  /** The table of a command's attributes; a reply may reuse the numbers of a request. */
  readonly table: (command: number) => Attributes<Definition>
  /** What a caller can do when the kernel has no such family. */
  readonly missing: string
}

/** A message that the kernel refused. */
export class Refusal extends Error {
  readonly acknowledgement: Acknowledgement
  /** Path of the attribute that the kernel pointed at. */
  readonly path: string | undefined

  constructor(acknowledgement: Acknowledgement, path: string | undefined) {
    super(errnoName(acknowledgement.errno))
    this.acknowledgement = acknowledgement
    this.path = path
  }
}

/** Writes the attributes of a message. */
export type Body = (writer: MessageWriter) => void

/** A reply of the family: its command, and where its attributes stand. */
export interface FamilyMessage {
  readonly reader: MessageReader
  readonly command: number
  readonly sequence: number
  readonly start: number
  readonly end: number
}

/** Part of a dump. */
export interface Page {
  readonly messages: readonly FamilyMessage[]
  readonly datagrams: number
}

/** A family over a channel: its number, its messages, and asking again when the number is stale. */
export class GenericFamily {
  readonly family: Family
  readonly channel: Channel
  #id: number | undefined

  constructor(transport: Transport, family: Family) {
    this.family = family
    const tracer = trace((reader, message) => {
      if (message.type === GENL_ID_CTRL)
        return { name: 'family', attributes: present(control.decode(reader, message.payload + GENERIC_HEADER, message.end)) }
      if (message.type !== this.#id) return undefined
      const command = reader.bytes[message.payload] as number
      const attributes = family.table(command).decode(reader, message.payload + GENERIC_HEADER, message.end)
      return { name: `${family.name} ${family.commands[command] ?? command}`, attributes: present(attributes) }
    })
    this.channel = new Channel(transport, { protocol: NETLINK_GENERIC }, tracer)
  }

  /** The family's number; asked for when it is not known. */
  async resolve(limit: Limit): Promise<number> {
    this.#id ??= await this.#lookup(limit)
    return this.#id
  }

  /** Asks for the number again. True when it has changed: what was sent with the old one was not carried out. */
  async changed(limit: Limit): Promise<boolean> {
    const before = this.#id
    this.#id = undefined
    return (await this.resolve(limit)) !== before
  }

  /** Writes one message. `resolve` must have been called. */
  write(writer: MessageWriter, command: number, flags: number, sequence: number, body: Body | undefined): number {
    if (this.#id === undefined) throw new Error('resolve the family before writing') // type 0 would be acknowledged and ignored
    const start = beginMessage(writer, this.#id, NLM_F_REQUEST | flags, sequence)
    writer.u32[writer.offset >> 2] = 0
    writer.bytes[writer.offset] = command
    writer.bytes[writer.offset + 1] = this.family.version
    writer.offset += GENERIC_HEADER
    body?.(writer)
    endMessage(writer, start)
    return start
  }

  /** Sends one message and returns the family's replies. Throws a `Refusal`, or what interrupted it. */
  async request(command: number, flags: number, body: Body | undefined, limit: Limit): Promise<FamilyMessage[]> {
    return this.#retryStale(limit, async () => {
      await this.resolve(limit)
      const writer = this.channel.writer()
      const sequence = this.channel.sequence(1)
      this.write(writer, command, flags, sequence, body)
      const { data, lost } = await this.channel.exchange(writer.written(), sequence, limit)
      try {
        return this.#replies(readerOf(data), sequence, writer, lost)
      } finally {
        this.channel.recycle(writer)
      }
    })
  }

  /** The pages of a dump, made by the kernel as they are read. Every page has a limit of its own: the reader decides how long it lasts. */
  async *dump(command: number, body: Body | undefined, size: number, limit: () => Limit): AsyncGenerator<Page> {
    const first = limit()
    const start = await this.#retryStale(first, async () => {
      await this.resolve(first)
      const writer = this.channel.writer()
      const sequence = this.channel.sequence(1)
      this.write(writer, command, NLM_F_DUMP, sequence, body)
      const reply = await this.channel.page(writer.written(), sequence, size, first)
      this.channel.recycle(writer)
      return { sequence, reply, messages: this.#replies(readerOf([reply.data]), sequence, undefined, false) }
    })
    const { sequence } = start
    let { reply, messages } = start
    for (;;) {
      yield { messages, datagrams: reply.datagrams }
      if (reply.complete) return
      reply = await this.channel.page(null, sequence, size, limit())
      messages = this.#replies(readerOf([reply.data]), sequence, undefined, false)
    }
  }

  /** Many dumps in one crossing: the replies of each, in order, and how many datagrams they came in. */
  async dumpMany(
    command: number,
    bodies: readonly Body[],
    limit: Limit,
  ): Promise<{ dumps: FamilyMessage[][]; datagrams: number }> {
    return this.#retryStale(limit, async () => {
      await this.resolve(limit)
      const writer = this.channel.writer()
      const first = this.channel.sequence(bodies.length)
      bodies.forEach((body, i) => {
        this.write(writer, command, NLM_F_DUMP, first + i, body)
      })
      const reply = await this.channel.dumpMany(writer.written(), limit)
      this.channel.recycle(writer)
      const reader = readerOf([reply.data])
      const dumps: FamilyMessage[][] = bodies.map(() => [])
      const message = new MessageCursor(reader)
      while (message.next()) {
        if (message.type >= GENL_ID_CTRL) dumps[message.sequence - first]?.push(familyMessage(reader, message))
        else if (dumps[message.sequence - first]) throwIfRefused(reader, message, undefined)
      }
      return { dumps, datagrams: reply.datagrams }
    })
  }

  /** Path of the attribute at a byte offset of a request. */
  path(request: MessageReader, start: number, offset: number): string | undefined {
    const message = messageAt(request, start)
    if (!message) return undefined
    const table = this.family.table(request.bytes[message.payload] as number)
    return table.path(request, message.payload + GENERIC_HEADER, message.end, start + offset)
  }

  #replies(reader: MessageReader, sequence: number, writer: MessageWriter | undefined, lost: boolean): FamilyMessage[] {
    const messages: FamilyMessage[] = []
    let closed = !lost
    const message = new MessageCursor(reader)
    while (message.next()) {
      if (message.sequence !== sequence) continue // of an earlier request that was given up
      closed = true
      if (message.type >= GENL_ID_CTRL) messages.push(familyMessage(reader, message))
      else throwIfRefused(reader, message, offset => writer && this.path(new MessageReader(writer.written()), 0, offset))
    }
    if (!closed) throw lostReply()
    return messages
  }

  async #retryStale<T>(limit: Limit, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Refusal) || error.acknowledgement.errno !== ENOENT || !(await this.changed(limit))) throw error
      return attempt()
    }
  }

  async #lookup(limit: Limit): Promise<number> {
    const writer = this.channel.writer()
    const sequence = this.channel.sequence(1)
    const start = beginMessage(writer, GENL_ID_CTRL, NLM_F_REQUEST, sequence)
    writer.u32[writer.offset >> 2] = 0
    writer.bytes[writer.offset] = CTRL_CMD_GETFAMILY
    writer.bytes[writer.offset + 1] = 1
    writer.offset += GENERIC_HEADER
    control.encode(writer, { familyName: this.family.name })
    endMessage(writer, start)
    const { data } = await this.channel.exchange(writer.written(), sequence, limit)
    this.channel.recycle(writer)
    const reader = readerOf(data)
    for (const message of messagesOf(reader)) {
      if (message.sequence !== sequence) continue
      if (message.type === NLMSG_ERROR) throw this.#unavailable(readAcknowledgement(reader, message))
      const { familyId } = control.decode(reader, message.payload + GENERIC_HEADER, message.end)
      if (familyId !== undefined && familyId >= GENL_ID_CTRL) return familyId
    }
    throw lostReply()
  }

  #unavailable({ errno }: Acknowledgement): NetlinkError {
    const reason = `the kernel has no generic netlink family ${this.family.name}: ${this.family.missing}`
    return new NetlinkError({
      errno,
      problem: errno === ENOENT ? 'family-unavailable' : 'other',
      reason,
      target: this.family.name,
    })
  }
}

function familyMessage(reader: MessageReader, message: Message): FamilyMessage {
  const { sequence, payload, end } = message
  return { reader, command: reader.bytes[payload] as number, sequence, start: payload + GENERIC_HEADER, end }
}

function throwIfRefused(
  reader: MessageReader,
  message: Message,
  path: ((offset: number) => string | undefined) | undefined,
): void {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return
  const acknowledgement = readAcknowledgement(reader, message)
  if (acknowledgement.errno === 0) return
  throw new Refusal(acknowledgement, acknowledgement.offset === undefined ? undefined : path?.(acknowledgement.offset))
}
