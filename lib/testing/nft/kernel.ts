/** The ruleset of one network namespace, and what the kernel around it can do. */
import type { MessageWriter } from '../../netlink/buffer.js'
import type { NetfilterRequest } from '../netfilter.js'
import type { Nest } from './attributes.js'
import type { ExpressionType } from './expression.js'
import { putMessage } from './messages.js'
import type { Notices } from './notices.js'
import { Registry } from './registry.js'
import type { Table } from './state.js'
import type { Transaction } from './transaction.js'

export interface KernelOptions {
  /** Names of the expressions that it was built without. */
  readonly missing: readonly string[]
  /** Names of the network devices. */
  readonly devices: readonly string[]
  /** Milliseconds, counting up. */
  readonly clock: () => number
  /** Milliseconds between two ticks of its clock. */
  readonly tick: number
}

export class Kernel {
  readonly tables = new Registry<Table>()
  /** Counted up by each transaction that changes something. */
  generation = 1
  lastTableHandle = 0
  /** Number of the last chain that got its name from the kernel. */
  lastChain = 0
  readonly options: KernelOptions
  readonly #expressions: ReadonlyMap<string, readonly ExpressionType[]>

  /** @param expressions those that there are, by name; some are different for some families */
  constructor(options: KernelOptions, expressions: ReadonlyMap<string, readonly ExpressionType[]>) {
    this.options = options
    this.#expressions = expressions
  }

  /** Milliseconds, in whole ticks. */
  now(): number {
    const { clock, tick } = this.options
    return Math.floor(clock() / tick) * tick
  }

  /** The expression of a name as a family has it. */
  expression(name: string, family: number): ExpressionType | undefined {
    if (this.options.missing.includes(name)) return undefined
    const types = this.#expressions.get(name) ?? []
    return types.find(({ families }) => families?.includes(family)) ?? types.find(({ families }) => !families)
  }
}

/** A message of a batch on its way. */
export interface Change extends NetfilterRequest {
  readonly kernel: Kernel
  readonly transaction: Transaction
  /** NFT_MSG_* */
  readonly number: number
  readonly attributes: Nest
}

const NLM_F_ECHO = 8
/** Flags of requests that are told with what they made: NLM_F_CREATE, NLM_F_EXCL. */
const TOLD_FLAGS = 0x600

/** What a notice is about. */
export interface Subject {
  readonly number: number
  readonly family: number
  readonly flags?: number | undefined
  /** Default: that of the message. */
  readonly sequence?: number | undefined
}

/** Tells what a message has done, once the transaction is carried out. */
export function notify(change: Change, notices: Notices, subject: Subject, body: (writer: MessageWriter) => void): void {
  const { kernel, message, socket } = change
  const { number, family, flags = 0, sequence = message.sequence } = subject
  const told = flags | (message.flags & TOLD_FLAGS)
  notices.add((message.flags & NLM_F_ECHO) !== 0, writer =>
    putMessage(writer, { number, family, flags: told, sequence, portId: socket.portId, generation: kernel.generation }, body),
  )
}
