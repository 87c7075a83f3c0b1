/** Netlink messages to a memory kernel, byte by byte, and a look at the bytes that it answers with. */
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { beginMessage, endMessage, type Message, messagesOf, readAcknowledgement } from '../../lib/netlink/message.js'
import type { Reply, Socket } from '../../lib/netlink/transport.js'
import { type MemoryKernel, type MemoryKernelOptions, memoryKernel } from '../../lib/testing/index.js'
import { type Attributes, be16, type Command, full, key, numberOf, table, text, u16, zeros } from './support.js'

export const REQUEST = 1
export const ACK = 4
export const DUMP = 0x300
export const CONTROLLER = 16
export const NOOP = 1
export const ERROR = 2
export const DONE = 3
/** Milliseconds. */
export const LIMIT = 60_000

/** A socket of a kernel, and requests for it. */
export class Wire {
  readonly kernel: MemoryKernel
  readonly socket: Socket
  sequence = 0
  #family = 0

  constructor(options?: MemoryKernelOptions, receiveBuffer?: number) {
    this.kernel = memoryKernel(options)
    this.socket = this.kernel.open({ protocol: 16, receiveBuffer })
  }

  static async of(options?: MemoryKernelOptions, receiveBuffer?: number): Promise<Wire> {
    const wire = new Wire(options, receiveBuffer)
    wire.#family = new MessageReader(await wire.describe()).u16[18] as number
    return wire
  }

  /** What the controller tells of the family. */
  async describe(): Promise<Uint8Array> {
    const name = attribute(2, text('IPVS'))
    const { data } = await this.exchange(this.message(CONTROLLER, REQUEST, Uint8Array.of(3, 1, 0, 0), name))
    return data
  }

  /** One message; its sequence number is `sequence`. */
  message(type: number, flags: number, ...body: Uint8Array[]): Uint8Array {
    const writer = new MessageWriter(512)
    const start = beginMessage(writer, type, flags, ++this.sequence)
    for (const part of body) {
      writer.bytes.set(part, writer.offset)
      writer.offset += part.length
    }
    endMessage(writer, start)
    return writer.written().slice()
  }

  /** A message of the family. */
  ask(name: Command, flags: number, given: Attributes | Uint8Array = {}): Uint8Array {
    const writer = new MessageWriter(512)
    if (!(given instanceof Uint8Array)) table.encode(writer, given)
    const body = given instanceof Uint8Array ? given : writer.written()
    return this.message(this.#family, flags, Uint8Array.of(numberOf(name), 1, 0, 0), body)
  }

  exchange(...messages: Uint8Array[]): Promise<Reply> {
    return this.socket.exchange(Buffer.concat(messages), this.sequence, LIMIT)
  }

  /** The next page, however small. */
  page(request: Uint8Array | null, last = this.sequence): Promise<Reply> {
    return this.socket.page(request, last, 1, LIMIT)
  }

  /** Adds as many virtual servers. */
  async fill(count: number): Promise<void> {
    const services = Array.from({ length: count }, (_, port) =>
      this.ask('newService', REQUEST, { service: { ...full, PORT: be16(port) } }),
    )
    await this.exchange(...services, this.message(NOOP, REQUEST | ACK))
  }

  remove(port: number): Uint8Array {
    return this.ask('delService', REQUEST | ACK, { service: { ...key, PORT: be16(port) } })
  }
}

export function attribute(type: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([u16(4 + payload.length), u16(type), payload, zeros(-payload.length & 3)])
}

export const messages = (reply: Reply): Message[] => [...messagesOf(new MessageReader(reply.data))]

/** Type, flags, sequence and error of each message. */
export function summary(reply: Reply): (readonly [type: number, flags: number, sequence: number, errno?: number])[] {
  const reader = new MessageReader(reply.data)
  return messages(reply).map(message => {
    const { type, flags, sequence } = message
    return type === ERROR
      ? [type, flags, sequence, readAcknowledgement(reader, message).errno]
      : [Math.min(type, 28), flags, sequence]
  })
}

/** Port numbers of the virtual servers in a reply. */
export function ports(reply: Reply): number[] {
  const data = Buffer.from(reply.data)
  return messages(reply).flatMap(({ type, payload }) =>
    type > CONTROLLER ? [data.readUInt16BE(payload + 4 + 4 + 8 + 8 + 20 + 4)] : [],
  )
}
