/** Reads what is there: each kind as it is in one generation, which need not be the same for all. Notifications make up for that. */
import type { Limit } from '../netlink/channel.js'
import type { Body } from '../netlink/generic.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { Turns } from '../netlink/turns.js'
import { everChanging, isMissing } from './asking.js'
import { familyFromWire, familyToWire } from './family.js'
import type { Generation, Kernel } from './kernel.js'
import { Model, type ModelObject, type ModelWord } from './model.js'
import type { NotifiedMessage } from './notifications.js'
import { ElementReader } from './objects/element-reader.js'
import * as read from './read.js'
import type { Element, Family, NftSet } from './types.js'
import { message, setElementListAttributes } from './wire.js'

/** About how many a message of a listing has. */
const ELEMENTS = 1000

/** Which objects to know. */
export interface Scope {
  readonly family: Family | undefined
  readonly table: string | undefined
  /** The elements of sets as well. */
  readonly elements: boolean
}

const KINDS: Readonly<Record<ModelWord, read.Kind<ModelObject>>> = {
  table: read.tables,
  chain: read.chains,
  rule: read.rules,
  set: read.sets,
  object: read.objects,
  flowtable: read.flowtables,
}

const filterOf = (word: ModelWord, { family, table }: Scope): read.Filter =>
  word === 'table' ? { family, name: table } : { family, table }

/** The object of a message, when it is within the scope. */
export function objectOf(word: ModelWord, { reader, payload, end }: NotifiedMessage, scope: Scope): ModelObject | undefined {
  const family = familyFromWire(reader.bytes[payload] as number)
  if (family === undefined || (scope.family ?? family) !== family) return undefined
  const object = KINDS[word].read(family, reader, payload + NETFILTER_HEADER, end)
  const table = word === 'table' ? object?.name : object?.table
  return scope.table === undefined || table === scope.table ? object : undefined
}

/** What is there: the state of `model.generation`, but for parts that are as they were in a later one, up to `newest`. */
export async function readModel(kernel: Kernel, scope: Scope, limit: Limit): Promise<{ model: Model; newest: Generation }> {
  const model = new Model(scope.elements)
  const turns = new Turns()
  model.generation = await kernel.readGeneration(limit)
  let newest = model.generation
  for (const word of Object.keys(KINDS) as ModelWord[]) {
    const listed = await settled(kernel, newest, limit, () => read.list(kernel, KINDS[word], filterOf(word, scope), limit))
    newest = listed.generation
    for (const object of listed.value) {
      model.add(word, object)
      if (turns.due(1)) await turns.give()
    }
  }
  if (!scope.elements) return { model, newest }
  for (const set of model.sets()) {
    const listed = await settled(kernel, newest, limit, () => elementsOf(kernel, set, limit, turns))
    newest = listed.generation
    await model.set(set)?.elements?.add(set, listed.value, turns)
  }
  return { model, newest }
}

async function elementsOf(kernel: Kernel, set: NftSet, limit: Limit, turns: Turns): Promise<Element[]> {
  const { family, table, name } = set
  const body: Body = writer => setElementListAttributes.encode(writer, { table, set: name })
  const elements: Element[] = []
  try {
    const answer = await kernel.dump(message.getElements, familyToWire(family), body, limit)
    const reader = new ElementReader(set)
    for (const { payload, end } of answer.messages()) {
      reader.read(answer.reader, payload + NETFILTER_HEADER, end, elements)
      if (turns.due(ELEMENTS)) await turns.give()
    }
    reader.end(elements)
  } catch (error) {
    // It may be gone when its turn comes: that will be told.
    if (!isMissing(error)) throw error
  }
  return elements
}

/**
 * Reads something while nothing changes: listings take no lock, and the kernel marks only those that it notices to be torn.
 *
 * @param generation the newest that is known
 */
async function settled<T>(
  kernel: Kernel,
  generation: Generation,
  limit: Limit,
  task: () => Promise<T>,
): Promise<{ readonly value: T; readonly generation: Generation }> {
  let before = generation
  for (let tries = 0; tries < read.TRIES; tries++) {
    const value = await task()
    const after = await kernel.readGeneration(limit)
    if (after === before) return { value, generation: after }
    before = after
  }
  throw everChanging('watch', read.TRIES)
}

/** What `Model.owned` says of what is there. */
export async function readOwners(kernel: Kernel, scope: Scope, limit: Limit): Promise<string> {
  const model = new Model()
  for (const table of await read.list(kernel, read.tables, filterOf('table', scope), limit)) model.add('table', table)
  return model.owned()
}
