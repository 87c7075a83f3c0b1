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
  /** What was dumped belongs to more than one generation: something may be missing, or there twice. */
  readonly interrupted: boolean
  /** The low 16 bits of the generation that its messages are of; undefined when there are none, or of several. */
  readonly generation: number | undefined

  /** @throws {Refusal} */
  constructor(reader: MessageReader, sequence: number) {
    this.reader = reader
    this.#sequence = sequence
    let interrupted = false
    let generation: number | undefined
    const cursor = new MessageCursor(reader)
    while (cursor.next()) {
      if (cursor.sequence !== sequence) continue
      throwIfRefused(reader, cursor)
      if (cursor.flags & NLM_F_DUMP_INTR) interrupted = true
      if (cursor.type < messageType(0)) continue
      const of = resourceId(reader, cursor)
      if (generation !== undefined && generation !== of) interrupted = true
      generation = of
    }
    this.interrupted = interrupted
    this.generation = generation
  }

  /** Its messages in order. The object is the same for all of them. */
  *messages(): Generator<Message, void, undefined> {
    const cursor = new MessageCursor(this.reader)
    // Others are of an earlier request that was given up.
    while (cursor.next()) if (cursor.sequence === this.#sequence && cursor.type >= messageType(0)) yield cursor
  }
}

/** @throws {Refusal} */
export function throwIfRefused(reader: MessageReader, message: Message): void {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return
  const acknowledgement = readAcknowledgement(reader, message)
  if (acknowledgement.errno !== 0) throw new Refusal(acknowledgement, undefined)
}
