/** The messages that answer one request, of any protocol. */
import type { MessageReader } from './buffer.js'
import { Refusal } from './generic.js'
import { type Message, MessageCursor, NLMSG_DONE, NLMSG_ERROR, readAcknowledgement } from './message.js'

/** On a message of a dump: others changed something since the one before (nl_dump_check_consistent). */
const NLM_F_DUMP_INTR = 0x10
/** Types below belong to netlink itself. */
const NLMSG_MIN_TYPE = 16

/** Finds the path of what the kernel points at, from its offset in the request. */
export type FindPath = (offset: number) => string | undefined

export class Answer {
  readonly reader: MessageReader
  readonly #sequence: number
  /** Why there is nothing. */
  readonly refusal: Refusal | undefined
  /** Others changed something meanwhile: some of a dump may be missing, or there twice. */
  readonly interrupted: boolean

  /** Of the messages with this sequence number: others are of a request that was given up. */
  constructor(reader: MessageReader, sequence: number, findPath?: FindPath) {
    this.reader = reader
    this.#sequence = sequence
    let interrupted = false
    for (const message of this.#all()) {
      if (message.flags & NLM_F_DUMP_INTR) interrupted = true
      this.refusal ??= refusalOf(reader, message, findPath)
    }
    this.interrupted = interrupted
  }

  /** Its messages in order. The object is the same for all of them. */
  *messages(): Generator<Message, void, undefined> {
    for (const message of this.#all()) if (message.type >= NLMSG_MIN_TYPE) yield message
  }

  /** The same, unless the kernel refused the request. @throws {Refusal} */
  orThrow(): this {
    if (this.refusal) throw this.refusal
    return this
  }

  *#all(): Generator<Message, void, undefined> {
    const cursor = new MessageCursor(this.reader)
    while (cursor.next()) if (cursor.sequence === this.#sequence) yield cursor
  }
}

/** What a message says of why the kernel refused; undefined when it did not. */
export function refusalOf(reader: MessageReader, message: Message, findPath?: FindPath): Refusal | undefined {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return undefined
  const acknowledgement = readAcknowledgement(reader, message)
  if (acknowledgement.errno === 0) return undefined
  const { offset } = acknowledgement
  return new Refusal(acknowledgement, offset === undefined ? undefined : findPath?.(offset))
}
