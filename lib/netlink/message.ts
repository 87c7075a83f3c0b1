/** `struct nlmsghdr` and what every netlink protocol shares (include/uapi/linux/netlink.h). */
import { align4, type MessageReader, type MessageWriter } from './buffer.js'
import { attributeLength, attributes, cstring, raw, u32 } from './schema.js'

export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLM_F_REQUEST = 1
export const NLM_F_MULTI = 2
export const NLM_F_ACK = 4
/** NLM_F_ROOT | NLM_F_MATCH: IPVS takes a request with one of the two for no dump at all. */
export const NLM_F_DUMP = 0x300
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200
export const HEADER = 16

/** Starts a message; the length is filled in by `endMessage`. Returns where it starts. */
export function beginMessage(writer: MessageWriter, type: number, flags: number, sequence: number): number {
  writer.reserve(HEADER + 16)
  const start = writer.offset
  const { u16, u32 } = writer
  u16[(start >> 1) + 2] = type
  u16[(start >> 1) + 3] = flags
  u32[(start >> 2) + 2] = sequence
  u32[(start >> 2) + 3] = 0
  writer.offset = start + HEADER
  return start
}

export function endMessage(writer: MessageWriter, start: number): void {
  writer.u32[start >> 2] = writer.offset - start
}

/** Starts a nest of a number; `endNest` fills in its length. */
export function beginNest(writer: MessageWriter, id: number): number {
  writer.reserve(8)
  const start = writer.offset
  writer.u16[(start >> 1) + 1] = id
  writer.offset = start + 4
  return start
}

/** Throws a `BadValue` when it is too long. */
export function endNest(writer: MessageWriter, start: number): void {
  writer.u16[start >> 1] = attributeLength(writer.offset - start)
}

/** One received message: its header, and where its payload stands in the reader. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly start: number
  readonly payload: number
  readonly end: number
}

/** Goes through the messages of a buffer without an object for each: `while (message.next()) …`. */
export class MessageCursor implements Message {
  readonly #reader: MessageReader
  type = 0
  flags = 0
  sequence = 0
  start = 0
  payload = 0
  end = 0

  constructor(reader: MessageReader, offset = 0) {
    this.#reader = reader
    this.end = offset
  }

  /** Steps to the next message. False at the end, or where the bytes make no sense. */
  next(): boolean {
    const { u16, u32, end } = this.#reader
    const start = align4(this.end)
    if (start + HEADER > end) return false
    const length = u32[start >> 2] as number
    if (length < HEADER || start + length > end) return false
    this.type = u16[(start >> 1) + 2] as number
    this.flags = u16[(start >> 1) + 3] as number
    this.sequence = u32[(start >> 2) + 2] as number
    this.start = start
    this.payload = start + HEADER
    this.end = start + length
    return true
  }
}

/** The message at `offset`, or undefined at the end or where the bytes make no sense. */
export function messageAt(reader: MessageReader, offset: number): Message | undefined {
  const message = new MessageCursor(reader, offset)
  return message.next() ? message : undefined
}

/** The port of the socket that a notification is about: of the one who caused it. */
export const senderOf = ({ u32 }: MessageReader, { start }: Message): number => u32[(start >> 2) + 3] as number

/** All messages of a buffer, in order. */
export function* messagesOf(reader: MessageReader): Generator<Message> {
  for (let message = messageAt(reader, 0); message; message = messageAt(reader, message.end)) yield message
}

/** The kernel's extended acknowledgement (NETLINK_EXT_ACK). */
const extendedAck = attributes({
  message: [1, cstring],
  offset: [2, u32],
  cookie: [3, raw],
  policy: [4, raw],
  missingType: [5, u32],
  missingNest: [6, u32],
})

/** What an NLMSG_ERROR says. `errno` is positive; 0 is an acknowledgement. */
export interface Acknowledgement {
  readonly errno: number
  /** What the kernel wrote, if anything. IPVS itself writes nothing; its attribute policy does. */
  readonly kernelMessage: string | undefined
  /** Byte offset in the request of the attribute that it is about. */
  readonly offset: number | undefined
  /** Number of a missing attribute. */
  readonly missing: number | undefined
}

/** Reads an NLMSG_ERROR, or an NLMSG_DONE (its payload is an int, too). */
export function readAcknowledgement(reader: MessageReader, message: Message): Acknowledgement {
  const errno = message.payload + 4 <= message.end ? -((reader.u32[message.payload >> 2] as number) | 0) : 0
  if (!(message.flags & NLM_F_ACK_TLVS)) return { errno, kernelMessage: undefined, offset: undefined, missing: undefined }
  const afterError = message.payload + 4 + HEADER
  // Uncapped, the whole request stands between the error and the attributes.
  const echoed = message.flags & NLM_F_CAPPED ? 0 : align4((reader.u32[(message.payload + 4) >> 2] as number) - HEADER)
  const start = message.type === NLMSG_DONE ? message.payload + 4 : afterError + echoed
  const ack = extendedAck.decode(reader, start, message.end)
  return { errno, kernelMessage: ack.message, offset: ack.offset, missing: ack.missingType }
}
