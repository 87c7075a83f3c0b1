/** Why the kernel refused a command, and what to do. */
import { errnoName } from '../netlink/error.js'
import type { Acknowledgement } from '../netlink/message.js'
import { partsOf } from './commands.js'
import type { Failure } from './error.js'
import type { Command } from './types.js'

/** A refusal, and where it points. */
export interface Refused {
  readonly acknowledgement: Acknowledgement
  /** Which command; undefined for the transaction as a whole. */
  readonly index: number | undefined
  readonly command: Command | undefined
  /** Index of the first element in the refused message. */
  readonly firstElement: number
  /** Of the attribute within the message. */
  readonly path: string | undefined
}

/** The failures that a transaction's refusals are, in the order of its commands. */
export function explain(refused: readonly Refused[], _commands: readonly Command[]): Failure[] {
  return refused.map(refusal => failureOf(refusal)).sort((a, b) => (a.index ?? -1) - (b.index ?? -1))
}

function failureOf({ acknowledgement, index, command, path, firstElement }: Refused): Failure {
  const parts = command && partsOf(command)
  const code = errnoName(acknowledgement.errno)
  const expression = /expressions\[(\d+)\]/.exec(path ?? '')?.[1]
  const element = /^elements\[(\d+)\]/.exec(path ?? '')?.[1]
  return {
    index,
    command,
    element: element === undefined ? undefined : firstElement + Number(element),
    expression: expression === undefined ? undefined : Number(expression),
    path: parts && path !== undefined ? `${parts.verb}.${parts.word}.${path}` : path,
    code,
    errno: -acknowledgement.errno,
    kernelMessage: acknowledgement.kernelMessage,
    cascaded: false,
    reason: acknowledgement.kernelMessage ?? 'the kernel refused it',
  }
}
