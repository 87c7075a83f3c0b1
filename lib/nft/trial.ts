/** Transactions that find out what a kernel can do. */
import { MessageWriter } from '../netlink/buffer.js'
import { type Limit, lostReply, readerOf } from '../netlink/channel.js'
import { errnoName } from '../netlink/error.js'
import { messagesOf } from '../netlink/message.js'
import { Turns } from '../netlink/turns.js'
import { Batch } from './batch.js'
import { refusedAtOnce } from './explain.js'
import { type Kernel, writeGenerationRequest } from './kernel.js'
import { readOutcome } from './outcome.js'
import type { Command } from './types.js'
import { messageType } from './wire.js'

export interface Trial {
  /** What each command was refused with: `ENOENT`; undefined for one that was not. */
  readonly codes: readonly (string | undefined)[]
  /** The numbers of the messages that the kernel sent back, when it was carried out. */
  readonly echoed: readonly number[]
}

/**
 * Sends commands as one transaction, which the kernel carries out only with `commit`. Rejects when the kernel refused it as a whole, and
 * with what came between.
 */
export async function trial(kernel: Kernel, commands: readonly Command[], commit: boolean, limit: Limit): Promise<Trial> {
  const { writes } = kernel
  const batch = new Batch(writes.writer(), writes.sequence(0, 2 * commands.length + 3), commit)
  batch.open(undefined)
  await batch.write(commands, new Turns(), limit)
  batch.close(commit)
  writes.sequence(batch.question - batch.sequence + 1)
  const question = new MessageWriter(64)
  writeGenerationRequest(question, batch.question)
  const { data, lost } = await writes.exchangeBoth(batch.writer.written(), question.written(), batch.question, limit)
  writes.recycle(batch.writer)
  if (lost) throw lostReply(commit ? 'unknown' : 'no')
  const reader = readerOf(data)
  const codes: (string | undefined)[] = commands.map(() => undefined)
  for (const { acknowledgement, sequence } of (await readOutcome(reader, batch)).refused) {
    const place = sequence === undefined ? undefined : batch.at(sequence)
    if (!place) throw refusedAtOnce(acknowledgement)
    codes[place.command] ??= errnoName(acknowledgement.errno)
  }
  const answers = [...messagesOf(reader)].filter(({ type, sequence }) => type >= messageType(0) && sequence !== batch.question)
  return { codes, echoed: answers.map(({ type }) => type & 255) }
}
