/** What the kernel refused of a document, with the place in the document. */
import { type Failure, TransactionError } from '../error.js'
import type { Origin } from './lower.js'

/** The same error, whose failures point into the document. */
export function inDocument(error: TransactionError, origins: readonly Origin[]): TransactionError {
  const { code, syscall, operation, target, problem, outcome, kernelMessage, cause } = error
  const failures = error.failures.map(failure => placed(failure, origins))
  const path = failures.find(failure => failure.path !== undefined)?.path
  return new TransactionError({
    errno: -error.errno,
    code,
    syscall,
    operation,
    target,
    problem,
    outcome,
    failures,
    path: path ?? error.path,
    kernelMessage,
    cause,
    reason: path === undefined ? error.reason : `${path}: ${error.reason}`,
  })
}

function placed(failure: Failure, origins: readonly Origin[]): Failure {
  const origin = failure.index === undefined ? undefined : origins[failure.index]
  if (!origin) return failure
  const element = failure.element === undefined ? undefined : origin.elements?.[failure.element]
  return { ...failure, path: element === undefined ? origin.path : `${origin.path}.elem${element}` }
}
