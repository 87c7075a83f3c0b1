/** The kernel's end of a netlink socket (net/netlink/af_netlink.c): the queue of replies, acknowledgements, dumps. */
import { MessageReader, MessageWriter } from '../netlink/buffer.js'
import {
  beginMessage,
  endMessage,
  HEADER,
  type Message,
  messagesOf,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../netlink/message.js'
import { EAGAIN, EBUSY, EINTR, ENOBUFS, Errno } from './errno.js'
import { describeRule, type Report, reportTable } from './policy.js'

const NLM_F_DUMP_INTR = 0x10
/** Types below belong to netlink itself: such a message is acknowledged and nothing else. */
const NLMSG_MIN_TYPE = 16
/** `struct skb_shared_info` and `struct sk_buff` on 64-bit machines: what the kernel adds to the bytes of a reply. */
const SHARED_INFO = 320
const SK_BUFF = 256
/** A page of a dump before anything was received, and after a read with a large buffer. */
const FIRST_PAGE = 4096 - SHARED_INFO
const PAGE = 32768 - SHARED_INFO

/** One message on its way through the kernel. */
export interface Request {
  readonly socket: KernelSocket
  readonly reader: MessageReader
  readonly message: Message
  /** Goes out with the acknowledgement. */
  readonly report: Report
}

/** Carries out a message; throws an `Errno`. EINTR says that there is no acknowledgement, as after starting a dump. */
export type Handler = (request: Request) => void

/** What a protocol does with a buffer that a socket sent. */
export type Receiver = (socket: KernelSocket, reader: MessageReader) => void

/** Fills a page, and goes on where it stopped when it is called again. An empty page ends the dump; `page.last` does, too. */
export type Dump = (page: Page, report: Report) => void

/** A datagram that takes messages while they fit. */
export class Page {
  readonly writer: MessageWriter
  /** Whether the end of the dump follows in the same datagram. */
  last = false
  /** Whether what the dump is about has changed since the page before. */
  interrupted = false
  /** Bytes. */
  readonly capacity: number

  constructor(capacity: number) {
    this.writer = new MessageWriter(capacity)
    this.capacity = capacity
  }

  /** False when the message did not fit. */
  put(encode: (writer: MessageWriter) => void): boolean {
    const start = this.writer.offset
    encode(this.writer)
    if (this.writer.offset <= this.capacity) return true
    this.writer.offset = start
    return false
  }
}

interface Datagram {
  readonly data: Uint8Array
  /** What it takes of the receive buffer. */
  readonly size: number
}

export class KernelSocket {
  readonly portId: number
  /** Bytes, as getsockopt tells them. */
  readonly receiveBuffer: number
  /** The multicast groups that it has joined. */
  readonly groups = new Set<number>()
  /** Called when something can be read: a datagram, or an error. */
  onReadable: (() => void) | undefined
  readonly #receive: Receiver
  #queue: Datagram[] = []
  #held = 0
  #congested = false
  #error = 0
  #hasRead = false
  #dump: { readonly sequence: number; readonly fill: Dump } | undefined

  constructor(portId: number, receiveBuffer: number, receive: Receiver) {
    this.portId = portId
    this.receiveBuffer = receiveBuffer
    this.#receive = receive
  }

  /** Carries out a buffer of messages. */
  send(bytes: Uint8Array): void {
    this.#receive(this, new MessageReader(new Uint8Array(bytes))) // a dump reads its request again for every page
  }

  /** Answers a message with an error, or with an acknowledgement. */
  acknowledge(reader: MessageReader, message: Message, errno: number, report: Report = {}): void {
    this.deliver(acknowledgement(this.portId, reader, message, errno, report))
  }

  /** Queues a reply, or drops it and all that follow until the queue was emptied (netlink_attachskb, netlink_overrun). */
  deliver(data: Uint8Array): void {
    const size = memoryOf(data.length)
    if (this.#congested || (this.#held > 0 && this.#held + size > this.receiveBuffer)) this.#overrun()
    else this.#enqueue(data, size)
    this.onReadable?.()
  }

  /** Starts a dump: its first page is made at once (__netlink_dump_start). Always throws: a dump has an end of its own. */
  startDump(sequence: number, fill: () => Dump): never {
    if (this.#dump) throw new Errno(EBUSY)
    this.#dump = { sequence, fill: fill() }
    const errno = this.#nextPage()
    throw new Errno(errno || EINTR)
  }

  /** The next datagram, or an errno. Reading makes room, and the kernel fills it with the next page of a dump (netlink_recvmsg). */
  receive(): Uint8Array | number {
    const error = this.#error
    this.#error = 0
    const datagram = error ? undefined : this.#queue.shift()
    if (datagram) {
      this.#held -= datagram.size
      this.#hasRead = true
      if (this.#dump && this.#held <= this.receiveBuffer / 2) this.#error = this.#nextPage()
    }
    if (this.#queue.length === 0) this.#congested = false
    return datagram?.data ?? (error || EAGAIN)
  }

  /** Drops what is queued, and says so at the next read: what an overrun does. */
  loseReplies(): void {
    this.discard()
    this.#overrun()
  }

  /** Drops what is queued without a word, and ends a dump. */
  discard(): void {
    this.#queue = []
    this.#held = 0
    this.#dump = undefined
  }

  #overrun(): void {
    if (!this.#congested) this.#error = ENOBUFS
    this.#congested = true
  }

  #enqueue(data: Uint8Array, size: number): void {
    this.#queue.push({ data, size })
    this.#held += size
  }

  /** netlink_dump: the end is a datagram of its own, for IPVS reports the end of its list by an empty page. */
  #nextPage(): number {
    if (!this.#dump) return 0
    const capacity = this.#hasRead ? PAGE : FIRST_PAGE
    const size = memoryOf(capacity)
    if (this.#held > 0 && this.#held + size >= this.receiveBuffer) return ENOBUFS
    const page = new Page(capacity)
    const report: Report = {}
    this.#dump.fill(page, report)
    if (page.writer.offset === 0 || page.last) {
      writeDone(page, this.portId, this.#dump.sequence, report)
      this.#dump = undefined
    }
    this.#enqueue(page.writer.written(), size)
    return 0
  }
}

/** Carries out messages one after the other, whatever becomes of each (netlink_rcv_skb). */
export function each(handle: Handler): Receiver {
  return (socket, reader) => {
    for (const message of messagesOf(reader)) receiveMessage(handle, socket, reader, message)
  }
}

function receiveMessage(handle: Handler, socket: KernelSocket, reader: MessageReader, message: Message): void {
  const report: Report = {}
  let errno = 0
  if (message.flags & NLM_F_REQUEST && message.type >= NLMSG_MIN_TYPE)
    try {
      handle({ socket, reader, message, report })
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      if (error.errno === EINTR) return // "nothing to acknowledge", whatever it was meant to say
      errno = error.errno
    }
  if (errno || message.flags & NLM_F_ACK) socket.acknowledge(reader, message, errno, report)
}

/** Starts a message to a socket. */
export function beginReply(writer: MessageWriter, portId: number, type: number, flags: number, sequence: number): number {
  const start = beginMessage(writer, type, flags, sequence)
  writer.u32[(start >> 2) + 3] = portId
  return start
}

/** An NLMSG_ERROR as a socket with NETLINK_CAP_ACK and NETLINK_EXT_ACK gets it (netlink_ack). */
export function acknowledgement(
  portId: number,
  reader: MessageReader,
  request: Message,
  errno: number,
  report: Report,
): Uint8Array {
  const { message, offset, rule } = report
  const told = message === undefined && (errno === 0 || offset === undefined) ? 0 : NLM_F_ACK_TLVS
  const writer = new MessageWriter(256)
  const start = beginReply(writer, portId, NLMSG_ERROR, NLM_F_CAPPED | told, request.sequence)
  writer.u32[writer.offset >> 2] = -errno
  writer.bytes.set(reader.bytes.subarray(request.start, request.start + HEADER), writer.offset + 4)
  writer.offset += 4 + HEADER
  if (errno === 0) reportTable.encode(writer, { message })
  else
    reportTable.encode(writer, {
      message,
      offset: offset === undefined ? undefined : offset - request.start,
      rule: describeRule(rule),
    })
  endMessage(writer, start)
  return writer.written()
}

/** netlink_dump_done */
function writeDone({ writer, interrupted }: Page, portId: number, sequence: number, { message }: Report): void {
  const told = (message === undefined ? 0 : NLM_F_ACK_TLVS) | (interrupted ? NLM_F_DUMP_INTR : 0)
  const start = beginReply(writer, portId, NLMSG_DONE, NLM_F_MULTI | told, sequence)
  writer.u32[writer.offset >> 2] = 0
  writer.offset += 4
  reportTable.encode(writer, { message })
  endMessage(writer, start)
}

/** What a datagram takes of a receive buffer: memory comes in powers of two. About 768 bytes for an acknowledgement of 36. */
function memoryOf(length: number): number {
  const bytes = ((length + 63) & ~63) + SHARED_INFO
  return 2 ** Math.ceil(Math.log2(bytes)) + SK_BUFF
}
