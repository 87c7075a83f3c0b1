/** The whole ruleset as it was at one moment. */
import type { Limit } from '../netlink/channel.js'
import { Turns } from '../netlink/turns.js'
import type { Answer } from './answer.js'
import { isMissing } from './asking.js'
import { decodeElements } from './element-list.js'
import { GENERATION, type Generation, generationOf, type Kernel, type Request } from './kernel.js'
import { ElementReader } from './objects/element-reader.js'
import { Repeats } from './objects/repeats.js'
import * as read from './read.js'
import type { Chain, Element, Family, Flowtable, NftSet, Rule, StatefulObject, Table } from './types.js'
import { message, setElementListAttributes } from './wire.js'

/** The ruleset, or a part of it, as plain data. */
export interface Snapshot {
  /** The generation that it is of. */
  readonly generation: Generation
  /** False: others changed the ruleset each time that it was read, so that something may be missing, or not fit to the rest. */
  readonly consistent: boolean
  readonly tables: readonly Table[]
  readonly chains: readonly Chain[]
  /** Those of a chain in the order in which the kernel executes them. */
  readonly rules: readonly Rule[]
  readonly sets: readonly NftSet[]
  /** Of each set that has any, as the commands take them. */
  readonly elements: readonly { readonly set: NftSet; readonly elements: readonly Element[] }[]
  readonly objects: readonly StatefulObject[]
  readonly flowtables: readonly Flowtable[]
}

/** Which part of the ruleset. */
export interface SnapshotFilter {
  /** Default: all families. */
  readonly family?: Family | undefined
  /** Default: all tables. */
  readonly table?: string | undefined
  /** Whether the elements of sets are read as well. Default true. */
  readonly elements?: boolean | undefined
}

/** How often a ruleset is read that others keep changing. */
const TRIES = 5
/** Bytes of answers that one crossing should bring; how many sets are asked for at once at first, and at most. */
const CROSSING = 512 << 10
const FIRST_SETS = 64
const MOST_SETS = 2048

/** Reads it, again where others changed it meanwhile. Throws a `Refusal`, or what interrupted it. */
export async function readSnapshot(kernel: Kernel, filter: SnapshotFilter, limit: Limit): Promise<Snapshot> {
  for (let tries = 1; ; tries++) {
    const snapshot = await readOnce(new Reading(kernel, limit), filter, tries === TRIES)
    if (snapshot) return snapshot
  }
}

type Kinds = [Answer, Answer, Answer, Answer, Answer, Answer, Answer]

/** Undefined as soon as it is seen not to be of one generation, unless it is wanted `anyway`. */
async function readOnce(
  reading: Reading,
  { family, table, elements }: SnapshotFilter,
  anyway: boolean,
): Promise<Snapshot | undefined> {
  const filter: read.Filter = { family, table }
  const others = [read.chains, read.rules, read.sets, read.objects, read.flowtables]
  const dumps = [{ get: read.tables.get }, ...others.map(({ get, body }) => ({ get, body: body(filter) }))]
  const requests = dumps.map(({ get, ...body }): Request => ({ number: get, family: read.familyNumber(family), ...body }))
  const [generation, tables, chains, rules, sets, objects, flowtables] = (await reading.ask([GENERATION, ...requests])) as Kinds
  if (reading.changed && !anyway) return undefined
  const found = {
    tables: await read.decode(tables, read.tables, { family, name: table }),
    chains: await read.decode(chains, read.chains, filter),
    rules: await read.decode(rules, read.rules, filter),
    sets: await read.decode(sets, read.sets, filter),
    objects: await read.decode(objects, read.objects, filter),
    flowtables: await read.decode(flowtables, read.flowtables, filter),
  }
  const ofSets = elements === false ? [] : await readElements(reading, found.sets, anyway)
  await reading.ask([GENERATION])
  if (reading.changed && !anyway) return undefined
  return { generation: generationOf(generation), consistent: !reading.changed, ...found, elements: ofSets }
}

/** One attempt: asks, and sees whether all answers are of one generation. */
class Reading {
  changed = false
  readonly #kernel: Kernel
  readonly #limit: Limit
  #generation: Generation | undefined

  constructor(kernel: Kernel, limit: Limit) {
    this.#kernel = kernel
    this.#limit = limit
  }

  async ask(requests: readonly Request[]): Promise<Answer[]> {
    const answers = await this.#kernel.dumps(requests, this.#limit)
    for (const [i, answer] of answers.entries()) this.#look(answer, requests[i] === GENERATION)
    return answers
  }

  #look(answer: Answer, tellsGeneration: boolean): void {
    if (answer.refusal && !isMissing(answer.refusal)) throw answer.refusal
    const generation = tellsGeneration ? generationOf(answer.orThrow()) : undefined
    this.#generation ??= generation
    const now = answer.generation ?? generation
    const same = now === undefined || now === ((this.#generation ?? 0) & 0xffff)
    if (answer.interrupted || !same || (generation ?? this.#generation) !== this.#generation) this.changed = true
  }
}

/** The elements of all sets, with as few crossings as may be: the kernel works on the next ones while these are decoded. */
async function readElements(reading: Reading, sets: readonly NftSet[], anyway: boolean): Promise<Snapshot['elements']> {
  const found: { set: NftSet; elements: Element[] }[] = []
  const turns = new Turns()
  let size = FIRST_SETS
  let pending = askFor(reading, sets.slice(0, size))
  try {
    for (let at = 0; at < sets.length && (anyway || !reading.changed); ) {
      const answers = await pending
      const group = sets.slice(at, at + answers.length)
      at += group.length
      const bytes = answers.reduce((sum, answer) => sum + answer.size, 1)
      size = Math.max(1, Math.min(MOST_SETS, Math.floor((CROSSING / bytes) * group.length)))
      pending = askFor(reading, sets.slice(at, at + size))
      pending.catch(() => {}) // looked at when these were decoded
      for (const [i, set] of group.entries()) {
        const elements: Element[] = []
        const repeats = new Repeats()
        const reader = new ElementReader(set, repeats)
        await decodeElements(reader, answers[i] as Answer, elements, turns)
        reader.end(elements)
        if (repeats.found) reading.changed = true
        if (elements.length > 0) found.push({ set, elements })
      }
    }
  } finally {
    await pending.catch(() => {}) // left in the middle: nothing may be in flight when the next call begins
  }
  return found
}

async function askFor(reading: Reading, sets: readonly NftSet[]): Promise<Answer[]> {
  if (sets.length === 0) return []
  return reading.ask(
    sets.map(({ family, table, name }) => ({
      number: message.getElements,
      family: read.familyNumber(family),
      body: writer => setElementListAttributes.encode(writer, { table, set: name }),
    })),
  )
}
