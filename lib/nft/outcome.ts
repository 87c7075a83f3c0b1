/** What the kernel answers to a transaction. */
import type { MessageReader } from '../netlink/buffer.js'
import { errnoName } from '../netlink/error.js'
import { type Acknowledgement, type Message, messagesOf, NLMSG_ERROR, readAcknowledgement } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { be64Number } from '../netlink/values.js'
import type { Batch } from './batch.js'
import { generationAttributes, message, messageType } from './wire.js'

/** A message, or the transaction as a whole, that was refused. */
export interface RefusedMessage {
  readonly acknowledgement: Acknowledgement
  /** Undefined for the transaction as a whole. */
  readonly sequence: number | undefined
}

export interface Outcome {
  readonly refused: readonly RefusedMessage[]
  /** BATCH_BEGIN was refused for its generation. */
  readonly stale: boolean
  /** The first message was acknowledged. That says nothing of the others: those that were good are acknowledged in any case. */
  readonly acknowledged: boolean
  /** Objects came back, which the kernel sends only once it has carried out the transaction. */
  readonly echoed: boolean
  /** Generation after the transaction, whether it was carried out or not. */
  readonly generation: number | undefined
}

/** Reads all answers to a batch, and to the question for the generation behind it. */
export async function readOutcome(reader: MessageReader, batch: Batch): Promise<Outcome> {
  const turns = new Turns()
  const refused: RefusedMessage[] = []
  const first = batch.sequence + 1
  let stale = false
  let acknowledged = false
  let echoed = false
  let generation: number | undefined
  for (const answer of messagesOf(reader)) {
    if (turns.due(1)) await turns.give()
    const { sequence } = answer
    if (sequence === batch.question) generation ??= readGeneration(reader, answer)
    if (sequence < batch.sequence || sequence >= batch.question) continue // of an earlier transaction that was given up
    if (answer.type >= messageType(0)) echoed = true
    if (answer.type !== NLMSG_ERROR) continue
    const acknowledgement = readAcknowledgement(reader, answer)
    if (acknowledgement.errno === 0) acknowledged ||= sequence === first
    else if (sequence === batch.sequence && errnoName(acknowledgement.errno) === 'ERESTART') stale = true
    else refused.push({ acknowledgement, sequence: sequence === batch.sequence ? undefined : sequence })
  }
  return { refused: refused.map(it => ofWhole(it, first, acknowledged)), stale, acknowledged, echoed, generation }
}

/** The first message stands for the whole in two cases (see `Batch`): it was taken itself, or something found no memory. */
function ofWhole(refused: RefusedMessage, first: number, acknowledged: boolean): RefusedMessage {
  const { sequence, acknowledgement } = refused
  if (sequence !== first) return refused
  return acknowledged || errnoName(acknowledgement.errno) === 'ENOMEM' ? { acknowledgement, sequence: undefined } : refused
}

function readGeneration(reader: MessageReader, { type, payload, end }: Message): number | undefined {
  if (type !== messageType(message.newGeneration)) return undefined
  return generationAttributes.decode(reader, payload + NETFILTER_HEADER, end)?.id
}

/** Numbers of the attribute that has the handle, by the message. */
const HANDLE: ReadonlyMap<number, number> = new Map([
  [messageType(message.newTable), 4],
  [messageType(message.newChain), 2],
  [messageType(message.newRule), 3],
  [messageType(message.newSet), 16],
  [messageType(message.newObject), 6],
  [messageType(message.newFlowtable), 5],
])

/** The handles in what came back, by command. */
export async function handlesOf(reader: MessageReader, batch: Batch, count: number): Promise<(number | undefined)[]> {
  const turns = new Turns()
  const handles: (number | undefined)[] = Array.from({ length: count })
  for (const { type, sequence, payload, end } of messagesOf(reader)) {
    if (turns.due(1)) await turns.give()
    const attribute = HANDLE.get(type)
    const place = attribute === undefined ? undefined : batch.at(sequence)
    if (attribute === undefined || !place) continue
    const at = findAttribute(reader, payload + NETFILTER_HEADER, end, attribute)
    if (at >= 0) handles[place.command] = be64Number.read(reader, at + 4, attributeEnd(reader, at) - at - 4)
  }
  return handles
}
