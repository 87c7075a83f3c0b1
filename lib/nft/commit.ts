/** Transactions, with what has to be read for them first. */
import type { CallOptions, Limit } from '../netlink/channel.js'
import { BadValue, shown } from '../netlink/schema.js'
import { TransactionError } from './error.js'
import type { Generation, Kernel } from './kernel.js'
import { checkFlags, checkNames, checkOptions } from './known-fields.js'
import type { CommitOptions } from './options.js'
import { needsHandles, withHandles } from './rename.js'
import {
  type Committed,
  carryOut,
  generationBefore,
  interruption,
  type TransactionOptions,
  transact,
  written,
} from './transaction.js'
import type { Command } from './types.js'

/** Makes the commands of a generation. It may read with the same client: what it makes is carried out only if nothing was changed since. */
export type CommandBuilder = (generation: Generation) => readonly Command[] | Promise<readonly Command[]>

/** Carries out the commands, or tries them, when their turn comes. They are written before, where nothing has to be read for them. */
export async function commit(
  kernel: Kernel,
  commands: readonly Command[],
  options: TransactionOptions,
  given: CallOptions,
): Promise<Committed> {
  if (needsHandles(commands)) return inTurn(kernel, given, limit => commitKnown(kernel, commands, options, limit))
  const writing = written(kernel, commands, options, kernel.limit(given))
  writing.catch(() => {}) // told when its turn comes
  return inTurn(kernel, given, async limit => carryOut(kernel, await writing, commands, options, limit))
}

/** Of commands that name others by what has to be read. */
async function commitKnown(
  kernel: Kernel,
  commands: readonly Command[],
  options: TransactionOptions,
  limit: Limit,
): Promise<Committed> {
  for (;;) {
    const generation = options.generation ?? (await generationBefore(kernel, limit))
    const complete = await asGiven(() => withHandles(kernel, commands, limit))
    try {
      return await transact(kernel, complete, { ...options, generation }, limit)
    } catch (error) {
      if (options.generation !== undefined || !isStale(error)) throw error
    }
  }
}

/** Runs `attempt` with what `build` makes until nobody changed the ruleset meanwhile. */
export async function commitBuilt(
  kernel: Kernel,
  build: CommandBuilder,
  attempts: number,
  options: CallOptions,
  attempt: (commands: readonly Command[], generation: Generation, options: CallOptions) => Promise<Committed>,
): Promise<Committed> {
  const limit = kernel.limit(options)
  for (let tries = 1; ; tries++) {
    const left = { signal: options.signal, deadline: limit.remaining / 1000 }
    const generation = await inTurn(kernel, left, limit => generationBefore(kernel, limit))
    const commands = await asTransaction(() => limit.race(Promise.resolve(build(generation)), 'no'))
    try {
      return await attempt(commands, generation, { ...left, deadline: limit.remaining / 1000 })
    } catch (error) {
      if (tries >= attempts || !isStale(error)) throw error
    }
  }
}

/** Others were faster, and nothing was carried out. */
const isStale = (error: unknown): boolean =>
  error instanceof TransactionError && error.problem === 'generation-changed' && error.committed + error.committedElements === 0

/** Runs a transaction, or what is asked for it, when its turn comes. What comes before that is told as of a transaction as well. */
export function inTurn<T>(kernel: Kernel, options: CallOptions, task: (limit: Limit) => Promise<T>): Promise<T> {
  return asTransaction(() => kernel.call(options, task))
}

/** What interrupts `task` has changed nothing. */
async function asTransaction<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw interruption(error)
  }
}

/** Refuses options that can not be. Throws a TypeError or RangeError. The generation is looked at when its turn comes. */
export function checkCommitOptions(options: CommitOptions): void {
  checkOptions(options, ['generation', 'handles', 'split', 'onSent', 'attempts'])
  checkFlags(options, ['handles'])
  const { split, onSent, attempts } = options
  if (onSent !== undefined && typeof onSent !== 'function')
    throw new TypeError(`options.onSent: ${shown(onSent)}: give a function`)
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1))
    throw new RangeError(`options.attempts: ${shown(attempts)}: give a whole number, from 1`)
  if (split === undefined) return
  checkNames(split, ['bytes'], 'options.split')
  const { bytes } = split
  if (bytes !== undefined && !(typeof bytes === 'number' && bytes >= 1))
    throw new RangeError(`options.split.bytes: ${shown(bytes)}: give bytes, from 1`)
}

/** The caller may change its list before its turn comes. */
export function listOf(commands: readonly Command[]): readonly Command[] {
  if (!Array.isArray(commands))
    throw new BadValue('type', `${shown(commands)}: give a list of commands`).within('commands').toError()
  return commands.slice()
}

async function asGiven<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw error instanceof BadValue ? error.toError() : error
  }
}
