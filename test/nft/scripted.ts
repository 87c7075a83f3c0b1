/** A kernel that answers transactions as a test says: for answers that no real kernel can be made to give. */
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import {
  beginMessage,
  endMessage,
  type Message,
  messagesOf,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_ERROR,
} from '../../lib/netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../../lib/netlink/netfilter.js'
import type { Reply, Socket, Transport } from '../../lib/netlink/transport.js'
import { BATCH_BEGIN, BATCH_END, batchAttributes, generationAttributes, message, messageType } from '../../lib/nft/wire.js'

export const errno = { EPERM: 1, ENOENT: 2, ENOMEM: 12, EEXIST: 17, EINVAL: 22, ERESTART: 85, EOPNOTSUPP: 95, ENOBUFS: 105 }

/** What became of one transaction. */
export interface Answer {
  /** Datagrams, in order. Only those that are not dropped. */
  readonly replies?: readonly Uint8Array[]
  /** The kernel dropped others. */
  readonly lost?: boolean
  /** By how much the generation is counted up: 1 for this one, more where others come in between. Default 0. */
  readonly counted?: number
  /** `sendmsg` fails with this. */
  readonly fails?: number
  /** Nothing comes before this settles. */
  readonly after?: Promise<void>
}

/** A transaction as it was sent. */
export interface Sent {
  readonly bytes: Uint8Array
  readonly messages: readonly Message[]
  readonly guard: number | undefined
  readonly ended: boolean
  /** An acknowledgement of one of its messages, by its place: 0 is BATCH_BEGIN, 1 the first command's. */
  ack(place: number): Uint8Array
  refuse(place: number, errno: number, offset?: number): Uint8Array
  /** An object that comes back, of a number of message, and its attributes. */
  echo(place: number, number: number, attributes: (writer: MessageWriter) => void): Uint8Array
}

export type Step = (sent: Sent) => Answer

export interface Scripted extends Transport {
  /** What was sent as transactions. */
  readonly sent: readonly Sent[]
  generation: number
  /** Called when the client turns to the socket, before anything is answered. */
  called: () => void
}

/** One step for each transaction, and for each time that it is sent. The question for the generation is answered without one. */
export function scripted(steps: readonly Step[], { generation = 10, sendBuffer = 1 << 20 } = {}): Scripted {
  const kernel = new Kernel([...steps], generation, sendBuffer)
  return kernel
}

class Kernel implements Scripted {
  readonly sent: Sent[] = []
  generation: number
  called = (): void => {}
  readonly #steps: Step[]
  readonly #sendBuffer: number

  constructor(steps: Step[], generation: number, sendBuffer: number) {
    this.#steps = steps
    this.generation = generation
    this.#sendBuffer = sendBuffer
  }

  open(): Socket {
    return new ScriptedSocket(
      request => this.#answer(request),
      this.#sendBuffer,
      () => this.called(),
    )
  }

  #answer(request: Uint8Array): Answer {
    const reader = new MessageReader(request.slice())
    const messages = [...messagesOf(reader)]
    const [first] = messages
    if (first?.type === messageType(message.getGeneration))
      return { replies: [this.#generation(first), acknowledge(reader, first, 0)] }
    if (first?.type !== BATCH_BEGIN) return { replies: messages.map(it => acknowledge(reader, it, 0)) }
    const step = this.#steps.shift()
    if (!step) throw new Error('there is no step for this transaction')
    const sent = sentOf(reader, messages)
    this.sent.push(sent)
    const answer = step(sent)
    this.generation += answer.counted ?? 0
    return answer
  }

  #generation({ sequence }: Message): Uint8Array {
    const writer = new MessageWriter(64)
    const start = beginNetfilter(writer, messageType(message.newGeneration), 0, sequence, 0)
    generationAttributes.encode(writer, { id: this.generation })
    endMessage(writer, start)
    return writer.written()
  }

  async *readFile(): AsyncIterable<Uint8Array> {}
  async writeFile(): Promise<void> {}
  async close(): Promise<void> {}
}

function sentOf(reader: MessageReader, messages: readonly Message[]): Sent {
  const at = (place: number): Message => {
    const it = messages[place]
    if (!it) throw new Error(`no message ${place} was sent`)
    return it
  }
  const begin = at(0)
  return {
    bytes: reader.bytes,
    messages,
    guard: batchAttributes.decode(reader, begin.payload + NETFILTER_HEADER, begin.end)?.generation,
    ended: messages.at(-1)?.type === BATCH_END,
    ack: place => acknowledge(reader, at(place), 0),
    refuse: (place, number, offset) => acknowledge(reader, at(place), number, offset),
    echo(place, number, attributes) {
      const writer = new MessageWriter(256)
      const start = beginNetfilter(writer, messageType(number), 0, at(place).sequence, 1)
      attributes(writer)
      endMessage(writer, start)
      return writer.written()
    },
  }
}

const NLMSGERR_ATTR_OFFS = 2

/** `struct nlmsgerr`: the error, and the header of what it is about. */
function acknowledge(reader: MessageReader, asked: Message, errno: number, offset?: number): Uint8Array {
  const writer = new MessageWriter(64)
  const flags = NLM_F_CAPPED | (offset === undefined ? 0 : NLM_F_ACK_TLVS)
  const start = beginMessage(writer, NLMSG_ERROR, flags, asked.sequence)
  writer.u32[writer.offset >> 2] = -errno >>> 0
  writer.bytes.set(reader.bytes.subarray(asked.start, asked.payload), writer.offset + 4)
  writer.offset += 20
  if (offset !== undefined) {
    writer.u16[writer.offset >> 1] = 8
    writer.u16[(writer.offset >> 1) + 1] = NLMSGERR_ATTR_OFFS
    writer.u32[(writer.offset >> 2) + 1] = offset
    writer.offset += 8
  }
  endMessage(writer, start)
  return writer.written()
}

class ScriptedSocket implements Socket {
  readonly receiveBuffer = 1 << 20
  readonly sendBuffer: number
  readonly portId = 7
  readonly namespace = 'scripted'
  readonly #answer: (request: Uint8Array) => Answer
  readonly #called: () => void
  #queue: Uint8Array[] = []
  #lost = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(answer: (request: Uint8Array) => Answer, sendBuffer: number, called: () => void) {
    this.#answer = answer
    this.#called = called
    this.sendBuffer = sendBuffer
  }

  exchange(request: Uint8Array, last: number): Promise<Reply> {
    return this.#run(request, last, Infinity)
  }
  page(request: Uint8Array | null, last: number, size: number): Promise<Reply> {
    return this.#run(request, last, size)
  }
  dumpMany(): Promise<Reply> {
    throw new Error('nothing is dumped here')
  }
  subscribe(): void {}
  join(): void {}
  leave(): void {}
  ref(): void {}
  unref(): void {}
  async close(): Promise<void> {
    await this.#running
  }

  #run(request: Uint8Array | null, last: number, size: number): Promise<Reply> {
    this.#called()
    const reply = this.#running.then(() => this.#one(request, last, size))
    this.#running = reply.catch(() => {})
    return reply
  }

  async #one(request: Uint8Array | null, last: number, size: number): Promise<Reply> {
    const answer = request ? this.#answer(request) : {}
    await answer.after
    const failed = answer.fails !== undefined
    this.#queue.push(...(answer.replies ?? []))
    this.#lost ||= answer.lost ?? false
    const data: Uint8Array[] = []
    let complete = false
    while (!failed && !complete && Buffer.concat(data).length < size) {
      const datagram = this.#queue.shift()
      if (!datagram) break
      data.push(datagram)
      complete = [...messagesOf(new MessageReader(datagram))].some(it => it.sequence === last && it.type === NLMSG_ERROR)
    }
    const { lost } = { lost: this.#lost && !failed }
    if (lost) this.#lost = false
    return {
      data: Buffer.concat(data),
      errno: answer.fails ?? 0,
      syscall: failed ? 'sendmsg' : '',
      sent: failed ? 0 : (request?.length ?? 0),
      lost,
      complete,
      datagrams: data.length,
    }
  }
}
