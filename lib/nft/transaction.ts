/** Carries out transactions, and finds out what became of each. */
import { MessageReader, type MessageWriter } from '../netlink/buffer.js'
import { type Limit, readerOf } from '../netlink/channel.js'
import { errnoName, NetlinkError } from '../netlink/error.js'
import { type Message, messageAt, messagesOf, NLMSG_ERROR, readAcknowledgement } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { BadValue } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { writeBe32 } from '../netlink/values.js'
import { Batch } from './batch.js'
import { type Failure, TransactionError } from './error.js'
import { explain, type Refused } from './explain.js'
import { following, type Generation, type Kernel } from './kernel.js'
import { tableOf } from './trace.js'
import type { Command } from './types.js'
import { message, messageType } from './wire.js'

/** What was committed. */
export interface Committed {
  /** The generation that this transaction made. */
  readonly generation: Generation
  /** When asked for: the handle of what each command added, by its index; undefined for commands that add nothing with a handle. */
  readonly handles?: readonly (number | undefined)[]
}

interface Options {
  readonly generation?: Generation | undefined
  readonly handles: boolean
  readonly commit: boolean
}

/** Where the generation of BATCH_BEGIN stands: behind two headers and that of the attribute. */
const GUARD = 24

/** What an answer says of a transaction. */
interface Answer {
  readonly refused: readonly Refused[]
  /** BATCH_BEGIN was refused for its generation. */
  readonly stale: boolean
  /** The last message was acknowledged. */
  readonly acknowledged: boolean
  /** Objects came back, which the kernel sends only once it has carried out the transaction. */
  readonly echoed: boolean
}

/** Sends the commands as one transaction. Throws a `TransactionError`, or a TypeError or RangeError for what can not be sent. */
export async function transact(kernel: Kernel, commands: readonly Command[], options: Options, limit: Limit): Promise<Committed> {
  const { writes } = kernel
  const writer = writes.writer()
  const room = 1 << 28
  const batch = new Batch(writer, writes.sequence(0, room), options.handles)
  let generation = options.generation ?? kernel.generation ?? (await kernel.readGeneration(limit))
  try {
    await batch.write(
      commands,
      { generation: options.commit ? generation : undefined, echo: options.handles, commit: options.commit },
      new Turns(),
    )
  } catch (error) {
    writes.recycle(writer)
    throw error instanceof BadValue ? error.within('commands').toError() : error
  }
  if (batch.size === 0) return { generation }
  for (;;) {
    writes.sequence(batch.size + 1)
    throwIfTooLarge(kernel, writer)
    const { data, lost } = await send(kernel, batch, limit)
    const reader = readerOf(data)
    const answer = read(reader, batch, commands)
    if (answer.stale && options.generation === undefined) {
      generation = await kernel.readGeneration(limit)
      setGuard(writer, generation)
      continue
    }
    const committed = await settle(kernel, commands, answer, lost, generation, limit)
    const handles = options.handles ? handlesOf(reader, batch, commands.length) : undefined
    writes.recycle(writer)
    if (!options.commit || !committed) return { generation }
    kernel.generation = following(generation)
    return { generation: kernel.generation, ...(handles && { handles }) }
  }
}

function setGuard(writer: MessageWriter, generation: Generation): void {
  const end = writer.offset
  writer.offset = GUARD
  writeBe32(writer, generation)
  writer.offset = end
}

function throwIfTooLarge(kernel: Kernel, writer: MessageWriter): void {
  const { sendBuffer } = kernel.writes.open()
  if (writer.offset <= sendBuffer) return
  throw new TransactionError({
    errno: 90,
    syscall: 'sendmsg',
    operation: 'commit',
    problem: 'too-large',
    outcome: 'rolled-back',
    failures: [],
    reason:
      `the transaction has ${writer.offset} bytes, and the kernel lets this process send ${sendBuffer} at once: raise net.core.wmem_max to ` +
      `${Math.ceil(writer.offset / 2) + 64}, run with CAP_NET_ADMIN of the initial user namespace, or allow the transaction to be split`,
  })
}

async function send(kernel: Kernel, batch: Batch, limit: Limit): Promise<{ data: Uint8Array[]; lost: boolean }> {
  try {
    return await kernel.writes.exchange(batch.writer.written(), batch.last, limit)
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    const { code, problem, applied, reason, cause, syscall } = error
    throw new TransactionError({
      errno: -error.errno,
      code,
      problem,
      reason,
      cause,
      syscall,
      operation: 'commit',
      outcome: applied === 'no' ? 'rolled-back' : 'unknown',
      failures: [],
    })
  }
}

/** Reads all answers to a batch. */
function read(reader: MessageReader, batch: Batch, commands: readonly Command[]): Answer {
  const refused: Refused[] = []
  let stale = false
  let acknowledged = false
  let echoed = false
  const request = new MessageReader(batch.writer.written())
  for (const answer of messagesOf(reader)) {
    if (answer.sequence < batch.first || answer.sequence > batch.last) continue // of an earlier transaction that was given up
    if (answer.type >= messageType(0)) echoed = true
    if (answer.type !== NLMSG_ERROR) continue
    const acknowledgement = readAcknowledgement(reader, answer)
    // The header of what was refused stands behind the error: BATCH_BEGIN has the number of the last message, too.
    const type = reader.u16[(answer.payload + 4 + 4) >> 1] as number
    const aboutAll = type < messageType(0)
    if (acknowledgement.errno === 0) acknowledged = true
    else if (aboutAll && errnoName(acknowledgement.errno) === 'ERESTART') stale = true
    else refused.push(placeOf(request, batch, commands, aboutAll ? undefined : answer.sequence, acknowledgement))
  }
  return { refused, stale, acknowledged, echoed }
}

/** Which command, element and attribute a refusal is about. */
function placeOf(
  request: MessageReader,
  batch: Batch,
  commands: readonly Command[],
  sequence: number | undefined,
  acknowledgement: ReturnType<typeof readAcknowledgement>,
): Refused {
  const place = sequence === undefined ? undefined : batch.at(sequence)
  if (!place) return { acknowledgement, index: undefined, command: undefined, firstElement: 0, path: undefined }
  const sent = messageAt(request, place.start)
  const { offset } = acknowledgement
  const path =
    sent && offset !== undefined
      ? tableOf(sent.type & 255)?.path(request, sent.payload + NETFILTER_HEADER, sent.end, place.start + offset)
      : undefined
  return { acknowledgement, index: place.command, command: commands[place.command], firstElement: place.element, path }
}

/** Whether the transaction was carried out. Throws a `TransactionError` when it was not, or when that can not be known. */
async function settle(
  kernel: Kernel,
  commands: readonly Command[],
  { refused, stale, acknowledged, echoed }: Answer,
  lost: boolean,
  before: Generation,
  limit: Limit,
): Promise<boolean> {
  if (refused.length > 0) throw await rolledBack(kernel, explain(refused, commands), lost)
  if (stale) {
    throw new TransactionError({
      errno: 85,
      operation: 'commit',
      problem: 'generation-changed',
      outcome: 'rolled-back',
      failures: [],
      reason: `the ruleset is not that of generation ${before} any more: read it again, and make the transaction anew`,
    })
  }
  if (echoed || acknowledged) return true
  // All answers were dropped. The kernel counts the generation up for each transaction that it carries out, and for nothing else.
  if ((await kernel.readGeneration(limit)) === before) throw unknownOutcome('rolled-back', lost)
  throw unknownOutcome('unknown', lost)
}

function unknownOutcome(outcome: 'rolled-back' | 'unknown', lost: boolean): TransactionError {
  const happened =
    outcome === 'unknown' ? 'the transaction may or may not have been carried out: read the ruleset' : 'nothing was changed'
  const why = lost
    ? 'the kernel dropped its answers because the receive buffer was full (raise net.core.rmem_max)'
    : 'the kernel did not answer'
  return new TransactionError({
    errno: 105,
    syscall: 'recvmsg',
    operation: 'commit',
    problem: 'reply-lost',
    outcome,
    failures: [],
    reason: `${why}; ${happened}`,
  })
}

async function rolledBack(_kernel: Kernel, failures: readonly Failure[], lost: boolean): Promise<TransactionError> {
  const [first] = failures
  const others = failures.filter(failure => !failure.cascaded).length - 1
  const more = others > 0 ? `; and ${others} more` : ''
  return new TransactionError({
    errno: -(first?.errno ?? 0),
    operation: 'commit',
    target: first?.index === undefined ? undefined : `commands[${first.index}]${first.path ? `.${first.path}` : ''}`,
    problem: problemOf(first?.code),
    outcome: 'rolled-back',
    failures,
    path: first?.path,
    kernelMessage: first?.kernelMessage,
    reason: `${first?.reason ?? 'refused'}${more}; nothing was changed${lost ? ' (some answers were lost)' : ''}`,
  })
}

function problemOf(code: string | undefined) {
  switch (code) {
    case 'ENOENT':
      return 'no-such-object'
    case 'EEXIST':
      return 'exists'
    case 'EBUSY':
      return 'in-use'
    case 'EPERM':
      return 'not-permitted'
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
    case 'EAFNOSUPPORT':
      return 'not-supported'
    case 'ENOMEM':
    case 'ENOBUFS':
      return 'no-memory'
    case 'EINVAL':
    case 'ERANGE':
    case 'EOVERFLOW':
    case 'ENODATA':
      return 'invalid'
    default:
      return 'other'
  }
}

/** The handles in what came back, by command. */
function handlesOf(reader: MessageReader, batch: Batch, count: number): (number | undefined)[] {
  const handles: (number | undefined)[] = Array.from({ length: count })
  for (const answer of messagesOf(reader)) {
    const place = batch.at(answer.sequence)
    const table = place && isNew(answer) ? tableOf(answer.type & 255) : undefined
    const read = table?.decode(reader, answer.payload + NETFILTER_HEADER, answer.end) as { handle?: number } | undefined
    if (place && read?.handle !== undefined) handles[place.command] = read.handle
  }
  return handles
}

const NEW: ReadonlySet<number> = new Set(
  [message.newTable, message.newChain, message.newRule, message.newSet, message.newObject, message.newFlowtable].map(messageType),
)
const isNew = ({ type }: Message): boolean => NEW.has(type)
