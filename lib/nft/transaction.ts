/** Carries out transactions, and finds out what became of each. */

import { MessageWriter } from '../netlink/buffer.js'
import { type Limit, type Replies, readerOf } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { BadValue, shown } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { writeBe32 } from '../netlink/values.js'
import { Batch } from './batch.js'
import { behind, TransactionError } from './error.js'
import { refusal, refusedAtOnce } from './explain.js'
import { following, type Generation, type Kernel, writeGenerationRequest } from './kernel.js'
import { handlesOf, type Outcome, readOutcome } from './outcome.js'
import { FRAME, split } from './split.js'
import type { Command } from './types.js'
import { message } from './wire.js'

/** What was committed. */
export interface Committed {
  /**
   * The ruleset's generation behind this transaction. One that changes nothing does not count it up: should another client's follow within
   * the same moment, before the kernel is asked, this is the generation of that one.
   */
  readonly generation: Generation
  /**
   * When asked for: the handle of what each command added, by its index; undefined for commands that added nothing that has one. All of it is
   * absent when the kernel dropped answers, because the receive buffer was full: the transaction was carried out, and the handles have to be read.
   */
  readonly handles?: readonly (number | undefined)[]
}

export interface TransactionOptions {
  readonly generation?: Generation | undefined
  readonly handles: boolean
  readonly commit: boolean
  /** Several transactions are allowed, of about so many bytes each. */
  readonly split?: { readonly bytes?: number | undefined } | undefined
  readonly onSent?: (() => void) | undefined
}

const ERESTART = 85
const EMSGSIZE = 90
const ENOBUFS = 105
/** What netlink_sendmsg keeps of the send buffer for itself. */
const SEND_OVERHEAD = 32
/** Where the generation of BATCH_BEGIN stands: behind two headers and that of the attribute. */
const GUARD = 24
/** Sequence numbers that a batch may take. */
const ROOM = 1 << 28

/** Carries out the commands. Throws a `TransactionError`, or a TypeError or RangeError for what can not be sent. */
export async function transact(
  kernel: Kernel,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  return carryOut(kernel, await written(kernel, commands, options, limit), commands, options, limit)
}

/** Writes the commands as the kernel takes them: it need not wait for the transactions before it. Throws what `transact` throws. */
export async function written(
  kernel: Kernel,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Batch> {
  const batch = begin(kernel, options)
  try {
    await batch.write(commands, new Turns(), limit)
  } catch (error) {
    kernel.writes.recycle(batch.writer)
    throw error instanceof BadValue ? error.within('commands').toError() : interruption(error)
  }
  batch.close(options.commit)
  return batch
}

/** Carries out what was written of the commands. */
export async function carryOut(
  kernel: Kernel,
  batch: Batch,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  if (batch.size === 0) return nothing(kernel, batch, commands.length, options, limit)
  const { split } = options
  const most = Math.min(split?.bytes ?? Infinity, kernel.writes.open().sendBuffer)
  if (split && batch.writer.offset > most) return inParts(kernel, batch, most, commands, options, limit)
  return inOne(kernel, batch, commands, options, limit)
}

/** What becomes of a transaction without messages. */
async function nothing(
  kernel: Kernel,
  batch: Batch,
  commands: number,
  { generation, handles }: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  kernel.writes.recycle(batch.writer)
  const now = await generationBefore(kernel, limit)
  if (generation !== undefined && generation !== now) throw changed(generation)
  return { generation: now, ...(handles && { handles: Array.from({ length: commands }) }) }
}

/** Removes all tables of a family, of all families for 0: this is what the kernel takes a message for that names none. */
export function flushRuleset(kernel: Kernel, family: number, options: TransactionOptions, limit: Limit): Promise<Committed> {
  const batch = begin(kernel, options)
  batch.begin(message.deleteTable, 0, family)
  batch.end()
  batch.close(options.commit)
  return inOne(kernel, batch, [], options, limit)
}

function begin({ writes }: Kernel, { handles, commit, generation }: TransactionOptions): Batch {
  checkGeneration(generation)
  const batch = new Batch(writes.writer(), writes.sequence(0, ROOM), handles)
  batch.open(commit ? 0 : undefined)
  return batch
}

/** Carries out a transaction as several. All of them fit before the first one is sent. */
async function inParts(
  kernel: Kernel,
  whole: Batch,
  most: number,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  const parts = split(whole, commands, most)
  for (const { first, end } of parts) throwIfTooLarge(kernel, whole.startOf(end) - whole.startOf(first) + FRAME, true)
  let handles: (number | undefined)[] | undefined = options.handles ? Array.from({ length: commands.length }) : undefined
  let generation: Generation | undefined
  for (const { first, end } of parts) {
    const batch = begin(kernel, options)
    batch.copy(whole, first, end)
    batch.close(options.commit)
    const guard = options.generation === undefined ? undefined : (generation ?? options.generation)
    try {
      const committed = await inOne(kernel, batch, commands, { ...options, generation: guard }, limit)
      generation = committed.generation
      handles = handles && committed.handles && handles.map((handle, i) => handle ?? committed.handles?.[i])
    } catch (error) {
      if (first === 0 || !(error instanceof TransactionError)) throw error
      const { command, element } = whole.placeOf(first)
      throw behind(error, command, element)
    }
  }
  kernel.writes.recycle(whole.writer)
  return { generation: generation ?? (await generationBefore(kernel, limit)), ...(handles && { handles }) }
}

async function inOne(
  kernel: Kernel,
  batch: Batch,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  const { writes } = kernel
  batch.renumber(writes.sequence(0, ROOM))
  writes.sequence(batch.question - batch.sequence + 1)
  throwIfTooLarge(kernel, batch.writer.offset, options.split !== undefined)
  for (let before = options.generation ?? kernel.generation ?? (await generationBefore(kernel, limit)); ; ) {
    if (options.commit) setGuard(batch.writer, before)
    const answers = send(kernel, batch, limit)
    if (options.onSent) queueMicrotask(options.onSent)
    const { data, lost } = await answers
    const reader = readerOf(data)
    const outcome = await readOutcome(reader, batch)
    kernel.generation = outcome.generation
    if (outcome.stale && options.generation === undefined) before = outcome.generation ?? (await generationBefore(kernel, limit))
    else {
      if (outcome.stale) throw changed(before)
      if (outcome.refused.length > 0) throw await refusal(kernel, batch, commands, outcome.refused, lost, limit)
      if (!isCertain(outcome, lost)) throw await unanswered(kernel, outcome, lost, options.commit ? before : undefined, limit)
      const handles = options.handles && !lost ? await handlesOf(reader, batch, commands.length) : undefined
      writes.recycle(batch.writer)
      const counted = options.commit && outcome.generation !== before
      return { generation: counted ? following(before) : before, ...(handles && { handles }) }
    }
  }
}

/** 0 would be no guard at all. */
function checkGeneration(generation: Generation | undefined): void {
  if (generation === undefined || (generation >>> 0 === generation && generation > 0)) return
  const text = `options.generation: ${shown(generation)}: give one that was read: a whole number from 1 to ${0xffff_ffff}`
  throw typeof generation === 'number' ? new RangeError(text) : new TypeError(text)
}

/** The generation before the transaction: with it as a guard, the outcome can be told from the one behind, should the answers be lost. */
export async function generationBefore(kernel: Kernel, limit: Limit): Promise<Generation> {
  try {
    return await kernel.readGeneration(limit)
  } catch (error) {
    throw error instanceof Refusal ? refusedAtOnce(error.acknowledgement) : interruption(error)
  }
}

function setGuard(writer: MessageWriter, generation: Generation): void {
  const end = writer.offset
  writer.offset = GUARD
  writeBe32(writer, generation)
  writer.offset = end
}

/** Whether all is known of a transaction of which nothing was refused. */
function isCertain({ acknowledged, echoed }: Outcome, lost: boolean): boolean {
  return echoed || (acknowledged && !lost)
}

/** Sends the batch, and behind it the question for the generation. */
async function send(kernel: Kernel, batch: Batch, limit: Limit): Promise<Replies> {
  const question = new MessageWriter(64)
  writeGenerationRequest(question, batch.question)
  try {
    return await kernel.writes.exchangeBoth(batch.writer.written(), question.written(), batch.question, limit)
  } catch (error) {
    throw interruption(error)
  }
}

/** What came between, with what became of the transaction. */
export function interruption(error: unknown): unknown {
  if (!(error instanceof NetlinkError) || error instanceof TransactionError) return error
  const { errno, code, problem, applied, reason, cause, syscall } = error
  const outcome = applied === 'no' ? 'rolled-back' : 'unknown'
  return new TransactionError({
    errno: -errno,
    code,
    problem,
    reason,
    cause,
    syscall,
    operation: 'commit',
    outcome,
    failures: [],
  })
}

/** The kernel takes a request only whole. Half of its send buffer is for its own accounts (netlink_sendmsg, sock_setsockopt). */
function throwIfTooLarge(kernel: Kernel, bytes: number, isSplit: boolean): void {
  const { sendBuffer } = kernel.writes.open()
  if (bytes <= sendBuffer) return
  const needed = Math.ceil((bytes + SEND_OVERHEAD) / 2)
  const what = isSplit ? 'commands of the transaction that share ids have' : 'the transaction has'
  throw new TransactionError({
    errno: EMSGSIZE,
    syscall: 'sendmsg',
    operation: 'commit',
    problem: 'too-large',
    outcome: 'rolled-back',
    failures: [],
    reason:
      `${what} ${bytes} bytes, and the kernel takes at most ${sendBuffer} from this process at once: ` +
      `${isSplit ? '' : 'allow it to be split (split), '}run with CAP_NET_ADMIN of the initial user namespace, ` +
      `or raise net.core.wmem_max there to ${needed} and open a new client; nothing was changed`,
  })
}

function changed(before: Generation): TransactionError {
  return new TransactionError({
    errno: ERESTART,
    operation: 'commit',
    problem: 'generation-changed',
    outcome: 'rolled-back',
    failures: [],
    reason: `the ruleset is not that of generation ${before} any more: read it again, and make the transaction anew`,
  })
}

/**
 * The kernel counts the generation up for every transaction that changes something, and for nothing else: if it is that of before, nothing
 * was changed. If not, others may have counted it up.
 *
 * @param before undefined for a trial, which changes nothing in any case
 */
async function unanswered(
  kernel: Kernel,
  { generation }: Outcome,
  lost: boolean,
  before: Generation | undefined,
  limit: Limit,
): Promise<TransactionError> {
  const now = before === undefined ? undefined : (generation ?? (await kernel.readGeneration(limit).catch(() => undefined)))
  const outcome = now === before ? 'rolled-back' : 'unknown'
  const happened =
    outcome === 'unknown' ? 'the transaction may or may not have been carried out: read the ruleset' : 'nothing was changed'
  const why = lost
    ? 'the kernel dropped answers because the receive buffer was full: raise net.core.rmem_max'
    : 'the kernel did not answer'
  return new TransactionError({
    errno: lost ? ENOBUFS : 0,
    code: lost ? undefined : 'ERR_NO_REPLY',
    syscall: 'recvmsg',
    operation: 'commit',
    problem: lost ? 'reply-lost' : 'no-reply',
    outcome,
    failures: [],
    reason: `${why}; ${happened}`,
  })
}
