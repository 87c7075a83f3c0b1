/** The messages that answer one request. */
import type { MessageReader } from '../netlink/buffer.js'
import { Refusal } from '../netlink/generic.js'
import { type Message, MessageCursor, NLMSG_DONE, NLMSG_ERROR, readAcknowledgement } from '../netlink/message.js'
import { resourceId } from '../netlink/netfilter.js'
import { messageType } from './wire.js'

/** On a message of a dump: others changed something since the one before (nl_dump_check_consistent). */
const NLM_F_DUMP_INTR = 0x10

export class Answer {
  readonly reader: MessageReader
  readonly #sequence: number
  readonly #start: number
  readonly #end: number
  /** Why there is nothing. */
  readonly refusal: Refusal | undefined
  /** What was dumped belongs to more than one generation: something may be missing, or there twice. */
  readonly interrupted: boolean
  /** The low 16 bits of the generation that its messages are of; undefined when there are none. */
  readonly generation: number | undefined

  /** Of the messages between two places, by default all, those with this sequence number: others are of a request that was given up. */
  constructor(reader: MessageReader, sequence: number, start = 0, end = reader.end) {
    this.reader = reader
    this.#sequence = sequence
    this.#start = start
    this.#end = end
    let interrupted = false
    for (const message of this.#all()) {
      this.refusal ??= refusalOf(reader, message)
      if (message.flags & NLM_F_DUMP_INTR) interrupted = true
      if (message.type < messageType(0)) continue
      const generation = resourceId(reader, message)
      if (this.generation !== undefined && this.generation !== generation) interrupted = true
      this.generation = generation
    }
    this.interrupted = interrupted
  }

  /** Bytes that it came in. */
  get size(): number {
    return this.#end - this.#start
  }

  /** Its messages in order. The object is the same for all of them. */
  *messages(): Generator<Message, void, undefined> {
    for (const message of this.#all()) if (message.type >= messageType(0)) yield message
  }

  /** The same, unless the kernel refused the request. @throws {Refusal} */
  orThrow(): this {
    if (this.refusal) throw this.refusal
    return this
  }

  *#all(): Generator<Message, void, undefined> {
    const cursor = new MessageCursor(this.reader, this.#start)
    while (cursor.end < this.#end && cursor.next()) if (cursor.sequence === this.#sequence) yield cursor
  }
}

/** The answers to requests that were sent one after the other, from the sequence number `first` on. */
export function answersTo(reader: MessageReader, first: number, count: number): Answer[] {
  const ends: number[] = []
  const cursor = new MessageCursor(reader)
  while (cursor.next()) {
    const index = cursor.sequence - first
    if (index >= 0 && index < count) ends[index] = cursor.end
  }
  let start = 0
  return Array.from({ length: count }, (_, i) => {
    const end = ends[i] ?? start
    const answer = new Answer(reader, first + i, start, end)
    start = end
    return answer
  })
}

function refusalOf(reader: MessageReader, message: Message): Refusal | undefined {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return undefined
  const acknowledgement = readAcknowledgement(reader, message)
  return acknowledgement.errno === 0 ? undefined : new Refusal(acknowledgement, undefined)
}
