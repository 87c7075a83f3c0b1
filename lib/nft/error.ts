/** What became of a transaction that was not carried out. */
import { NetlinkError, type NetlinkErrorFields, type Problem } from '../netlink/error.js'
import type { Command } from './types.js'

/** One thing that the kernel refused. */
export interface Failure {
  /** Which command, counted from 0; undefined when it is about the transaction as a whole. */
  readonly index: number | undefined
  readonly command: Command | undefined
  /** Which element of the command's, counted from 0; undefined when it is not about one. */
  readonly element: number | undefined
  /** Which expression of the rule, set or element, counted from 0; undefined when it is not about one. */
  readonly expression: number | undefined
  /** The attribute that the kernel points at, as a path in the command: `add.rule.expressions[1].data`. */
  readonly path: string | undefined
  /** What the command is about, in words: `chain web of table inet filter`, `element 10.0.0.1 of set blocked of table inet filter`. */
  readonly target: string | undefined
  readonly problem: Problem
  /** `ENOENT` */
  readonly code: string
  /** Negative, as in Node. */
  readonly errno: number
  /** What the kernel wrote, if anything. */
  readonly kernelMessage: string | undefined
  /** It follows from an earlier failure: what it names is missing, or in its way, because that one was refused. */
  readonly cascaded: boolean
  /** A sentence: what can not be done, why, and what to do. */
  readonly reason: string
}

export interface TransactionErrorFields extends NetlinkErrorFields {
  readonly outcome: 'rolled-back' | 'unknown'
  readonly failures: readonly Failure[]
  readonly committed?: number | undefined
  readonly committedElements?: number | undefined
}

/** A transaction that the kernel refused, or of which it is not known. Nothing of it was done, unless `outcome` is `unknown`. */
export class TransactionError extends NetlinkError {
  override readonly name = 'TransactionError'
  /** `rolled-back`: nothing was changed. `unknown`: the answers were lost or not waited for. */
  readonly outcome: 'rolled-back' | 'unknown'
  /** What the kernel refused, in the order of the commands. The first is the cause; see `cascaded` for the others. */
  readonly failures: readonly Failure[]
  /** Of a transaction that was allowed to be split: how many commands earlier parts carried out. Everything else here is about the rest. */
  readonly committed: number
  /** Of the command behind those, how many elements. */
  readonly committedElements: number

  constructor(fields: TransactionErrorFields) {
    super({ ...fields, applied: fields.outcome === 'unknown' ? 'unknown' : 'no' })
    this.outcome = fields.outcome
    this.failures = fields.failures
    this.committed = fields.committed ?? 0
    this.committedElements = fields.committedElements ?? 0
  }
}

/** The same error, of a part of a transaction behind others that were carried out. */
export function behind(error: TransactionError, committed: number, committedElements: number): TransactionError {
  const { code, syscall, operation, target, problem, outcome, failures, path, kernelMessage, cause } = error
  const elements = committedElements > 0 ? ` and ${committedElements} elements of the next` : ''
  const reason = error.reason.replace('nothing was changed', 'nothing else was changed')
  return new TransactionError({
    errno: -error.errno,
    code,
    syscall,
    operation,
    target,
    problem,
    outcome,
    failures,
    path,
    kernelMessage,
    cause,
    committed,
    committedElements,
    reason: `${committed} commands${elements} were carried out; then ${reason}`,
  })
}
