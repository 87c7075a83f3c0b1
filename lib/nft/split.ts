/** Where a transaction may be cut in several. */
import type { Batch } from './batch.js'
import { partsOf } from './commands.js'
import type { Expression } from './expressions/index.js'
import type { Chain, Command, Elements, NftSet, Rule } from './types.js'

/** Bytes of BATCH_BEGIN and BATCH_END. */
export const FRAME = 48

/** Messages of a batch: the number of the first one, and of the one behind the last. */
export interface Part {
  readonly first: number
  readonly end: number
}

/**
 * Cuts a batch into parts of at most so many bytes, if that can be: what shares an id stays together, for ids mean something within one
 * transaction only.
 */
export function split(batch: Batch, commands: readonly Command[], bytes: number): Part[] {
  const joined = joinedUntil(commands)
  const parts: Part[] = []
  let first = 0
  let cut = 0
  for (let i = 0; i < batch.size; i++) {
    if (batch.startOf(i + 1) - batch.startOf(first) + FRAME > bytes && cut > first) {
      parts.push({ first, end: cut })
      first = cut
    }
    const { command } = batch.placeOf(i)
    if (i + 1 < batch.size && (joined[command] as number) < batch.placeOf(i + 1).command) cut = i + 1
  }
  if (batch.size > 0) parts.push({ first, end: batch.size })
  return parts
}

/** For each command the last one that it, or one before it, shares an id with; -1 where it may be cut itself. */
function joinedUntil(commands: readonly Command[]): number[] {
  const first = new Map<string, number>()
  const until = commands.map(() => -1)
  for (const [i, command] of commands.entries()) {
    for (const id of idsOf(command)) {
      const start = first.get(id)
      if (start === undefined) first.set(id, i)
      else until[start] = i
    }
  }
  let furthest = -1
  return until.map((end, i) => {
    furthest = Math.max(furthest, end)
    return furthest < i ? -1 : furthest
  })
}

/** The ids that a command gives or uses. */
function* idsOf(command: Command): Generator<string, void, void> {
  const { word, object } = partsOf(command)
  if (word === 'set') yield* id('set', (object as NftSet).id)
  else if (word === 'chain') yield* id('chain', (object as Chain).id)
  else if (word === 'elements') yield* idsOfElements(object as Elements)
  else if (word === 'rule') yield* idsOfRule(object as Rule)
}

function* id(kind: 'set' | 'chain' | 'rule', number: number | undefined): Generator<string, void, void> {
  if (number !== undefined) yield `${kind} ${number}`
}

function* idsOfElements({ set, elements = [] }: Elements): Generator<string, void, void> {
  yield* id('set', set?.id)
  if (set?.data !== 'verdict') return
  for (const { data } of elements) if (data && typeof data === 'object' && 'chainId' in data) yield* id('chain', data.chainId)
}

function* idsOfRule({ id: own, positionId, chainId, expressions = [] }: Rule): Generator<string, void, void> {
  yield* id('rule', own)
  yield* id('rule', positionId)
  yield* id('chain', chainId)
  for (const expression of expressions) yield* idsOfExpression(expression)
}

function* idsOfExpression(expression: Expression): Generator<string, void, void> {
  if (expression.kind === 'lookup' || expression.kind === 'dynset' || expression.kind === 'objref')
    yield* id('set', expression.setId)
  if (expression.kind === 'immediate' && 'chainId' in expression.data) yield* id('chain', expression.data.chainId)
}
