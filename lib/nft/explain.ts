/** Why the kernel refused a transaction, and what to do. */
import { MessageReader } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import { errnoName } from '../netlink/error.js'
import type { Acknowledgement } from '../netlink/message.js'
import { Turns } from '../netlink/turns.js'
import { Around } from './around.js'
import type { Batch } from './batch.js'
import { partsOf, type Verb } from './commands.js'
import { type Described, describe, describeKey } from './describe.js'
import { type Failure, TransactionError } from './error.js'
import type { Kernel } from './kernel.js'
import { describeName, keyOf, madeBy, type Name, namedAt, removedBy } from './names.js'
import type { RefusedMessage } from './outcome.js'
import { placeOf, type Refused } from './place.js'
import { type Meaning, meaningOf, meaningOfWhole } from './reasons/index.js'
import type { Command, Elements } from './types.js'

/** The error of a transaction that was refused. */
export async function refusal(
  kernel: Kernel,
  batch: Batch,
  commands: readonly Command[],
  refused: readonly RefusedMessage[],
  lost: boolean,
  limit: Limit,
): Promise<TransactionError> {
  const request = new MessageReader(batch.writer.written())
  const around = new Around(commands, kernel, limit)
  const causes = new Causes()
  const turns = new Turns()
  const failures: Failure[] = []
  for (const message of [...refused].sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))) {
    const place = placeOf(request, batch, commands, message)
    failures.push(place ? await failureAt(place, causes, around) : whole(message, commands))
    if (turns.due(1)) await turns.give()
  }
  return rolledBack(failures, lost)
}

function whole({ acknowledgement }: RefusedMessage, commands: readonly Command[]): Failure {
  return failureOfWhole(acknowledgement, meaningOfWhole(errnoName(acknowledgement.errno), commands.map(partsOf)))
}

/** The error when not even the generation could be read. */
export function refusedAtOnce(acknowledgement: Acknowledgement): TransactionError {
  // nfnetlink does not know the question: nobody has registered its subsystem.
  const code = errnoName(acknowledgement.errno) === 'EINVAL' ? 'ENOTSUP' : errnoName(acknowledgement.errno)
  return rolledBack([failureOfWhole(acknowledgement, meaningOfWhole(code, []))])
}

/** What the commands that failed before would have made, or taken away. */
class Causes {
  readonly #missing = new Map<string, number>()
  readonly #staying = new Map<string, number>()

  add(refused: Refused): void {
    for (const name of madeBy(refused)) remember(this.#missing, keyOf(name), refused.index)
    for (const name of removedBy(refused)) remember(this.#staying, keyOf(name), refused.index)
  }

  /** The earlier failure that this one follows from, and what is there or not for its sake. */
  of(refused: Refused): { readonly name: Name; readonly index: number; readonly staying: boolean } | undefined {
    const code = errnoName(refused.acknowledgement.errno)
    if (code === 'ENOENT') return find(this.#missing, namedAt(refused), false)
    return code === 'EEXIST' && refused.word !== 'elements' ? find(this.#staying, madeBy(refused), true) : undefined
  }
}

function remember(map: Map<string, number>, key: string, index: number): void {
  if (!map.has(key)) map.set(key, index)
}

function find(map: ReadonlyMap<string, number>, names: readonly Name[], staying: boolean) {
  for (const name of names) {
    const index = map.get(keyOf(name))
    if (index !== undefined) return { name, index, staying }
  }
  return undefined
}

async function failureAt(refused: Refused, causes: Causes, around: Around): Promise<Failure> {
  const { acknowledgement, index, command, verb, word, field, element, expression } = refused
  const { errno, kernelMessage } = acknowledgement
  const cause = causes.of(refused)
  causes.add(refused)
  const target = targetOf(refused)
  const { problem, why } = cause ? followingFrom(cause) : await meaningOf(refused, around)
  const said = kernelMessage === undefined ? '' : `; the kernel says: ${kernelMessage}`
  return {
    index,
    command,
    element,
    expression,
    path: field === undefined ? undefined : `${verb}.${word}.${field}`,
    target,
    problem,
    code: errnoName(errno),
    errno: -errno,
    kernelMessage,
    cascaded: cause !== undefined,
    reason: `${target} can not be ${DONE[verb]}: ${why}${said}`,
  }
}

const DONE: Readonly<Record<Verb, string>> = {
  add: 'added',
  create: 'created',
  insert: 'inserted',
  replace: 'replaced',
  delete: 'deleted',
  destroy: 'destroyed',
  flush: 'flushed',
  rename: 'renamed',
}

function targetOf({ word, object, element }: Refused): string {
  const described = describe(word, object as Described)
  if (word !== 'elements' || element === undefined) return described
  const { set, elements } = object as Elements
  return `element ${describeKey(elements[element]?.key)} of ${describe('set', set as Described)}`
}

function followingFrom({
  name,
  index,
  staying,
}: {
  readonly name: Name
  readonly index: number
  readonly staying: boolean
}): Meaning {
  return staying
    ? { problem: 'exists', why: `${describeName(name)} is there, for commands[${index}], which takes it away, was refused` }
    : { problem: 'no-such-object', why: `there is no ${describeName(name)}, for commands[${index}], which makes it, was refused` }
}

function failureOfWhole({ errno, kernelMessage }: Acknowledgement, { problem, why }: Meaning): Failure {
  return {
    index: undefined,
    command: undefined,
    element: undefined,
    expression: undefined,
    path: undefined,
    target: undefined,
    problem,
    code: errnoName(errno),
    errno: -errno,
    kernelMessage,
    cascaded: false,
    reason: why,
  }
}

/** @param lost whether there may be more failures than these */
export function rolledBack(failures: readonly Failure[], lost = false): TransactionError {
  const [first] = failures
  const others = failures.filter(failure => !failure.cascaded).length - 1
  const place = first?.index === undefined ? undefined : `commands[${first.index}]${first.path ? `.${first.path}` : ''}`
  const more = others > 0 ? `; ${others} more failed` : ''
  const unheard = lost ? ', and there may be more, for the kernel dropped answers' : ''
  return new TransactionError({
    errno: -(first?.errno ?? 0),
    operation: 'commit',
    target: place,
    problem: first?.problem ?? 'other',
    outcome: 'rolled-back',
    failures,
    path: first?.path,
    kernelMessage: first?.kernelMessage,
    reason: `${first?.reason ?? 'refused'}${more}${unheard}; nothing was changed`,
  })
}
