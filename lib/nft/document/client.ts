/** What a client does with documents. */
import type { CallOptions } from '../../netlink/channel.js'
import { BadValue, shown } from '../../netlink/schema.js'
import type { NftClient } from '../client.js'
import { TransactionError } from '../error.js'
import { at } from '../json/fields.js'
import type * as json from '../json/index.js'
import type { Generation, Kernel } from '../kernel.js'
import { planDocument } from '../plan/plan.js'
import { renderDocument } from '../render/index.js'
import type { Snapshot } from '../snapshot.js'
import { snapshotOf } from '../snapshot-of.js'
import type { Element, Family, NftSet } from '../types.js'
import type { Devices } from '../vocabulary/value-type.js'
import { answerOf } from './answer.js'
import { readDevices } from './devices.js'
import { echoOf } from './echo.js'
import { hasIntervals } from './elements.js'
import { type Entry, entriesOf } from './entries.js'
import { NOTHING, type State } from './known.js'
import { liftDocument } from './lift.js'
import { type LoweredDocument, lowerDocument } from './lower.js'
import { needsOf } from './needs.js'
import { inDocument } from './refused.js'
import { resetFor } from './reset.js'

/** Options of `apply`. */
export interface ApplyOptions extends CallOptions {
  /** Refuse it unless this is the generation. */
  readonly generation?: Generation | undefined
  /** Return the document with the handles that the kernel gave. Default false. */
  readonly echo?: boolean | undefined
  /** How often it may be made anew when others changed what it depends on. Default 10. */
  readonly attempts?: number | undefined
}

/** What became of a document. */
export interface AppliedDocument {
  /** The generation of the ruleset after it. */
  readonly generation: Generation
  /** With `echo`: the document, with the handles of what was added. */
  readonly document?: json.Document | undefined
  /** One document for each command `list` and `reset`, in their order: of the ruleset as it is afterwards. */
  readonly answers: readonly json.Document[]
}

/** Which part of the ruleset. */
export interface RulesetFilter extends CallOptions {
  /** Default: all families. */
  readonly family?: Family | undefined
  /** Default: all tables. */
  readonly table?: string | undefined
  /**
   * With all that there is: `nft -j` leaves out fractions of seconds, expressions that the types of data were given by, and all but the first
   * of an element's statements. Default false.
   */
  readonly whole?: boolean | undefined
}

/** How tables become what they are wanted to be. */
export interface Plan {
  /** The commands; none where they are so already. */
  readonly document: json.Document
  /** The generation that they are for: give it to `apply`, which refuses them where others have changed something since. */
  readonly generation: Generation
}

export class Documents {
  readonly #client: NftClient
  readonly #kernel: Kernel

  constructor(client: NftClient, kernel: Kernel) {
    this.#client = client
    this.#kernel = kernel
  }

  async apply(document: json.Document, { echo, attempts, generation, ...options }: ApplyOptions): Promise<AppliedDocument> {
    const limit = this.#kernel.limit(options)
    const left = (): CallOptions => ({ signal: options.signal, deadline: limit.remaining / 1000 })
    const entries = asGiven(() => entriesOf(document))
    const handles = echo === true
    const lowered: { last: LoweredDocument } = { last: { commands: [], origins: [], questions: [] } }
    const build = async () => {
      lowered.last = await this.#lower(document, entries, left())
      return lowered.last.commands
    }
    try {
      const committed =
        generation === undefined
          ? await this.#client.commit(build, { ...left(), handles, attempts })
          : await this.#client.commit(await build(), { ...left(), handles, generation })
      const answers = await this.#answers(lowered.last.questions, left)
      const echoed = handles ? { document: echoOf(document, lowered.last, committed.handles ?? []) } : {}
      return { generation: committed.generation, ...echoed, answers }
    } catch (error) {
      throw error instanceof TransactionError ? inDocument(error, lowered.last.origins) : error
    }
  }

  async check(document: json.Document, options: CallOptions): Promise<void> {
    const limit = this.#kernel.limit(options)
    const left = (): CallOptions => ({ signal: options.signal, deadline: limit.remaining / 1000 })
    const { commands, origins } = await this.#lower(
      document,
      asGiven(() => entriesOf(document)),
      left(),
    )
    try {
      await this.#client.check(commands, left())
    } catch (error) {
      throw error instanceof TransactionError ? inDocument(error, origins) : error
    }
  }

  async plan(wanted: json.Document, options: CallOptions): Promise<Plan> {
    const tables = asGiven(() => wantedTables(wanted))
    const whole = { devices: await this.#devices(options), whole: true }
    const lowered = asGiven(() => lowerDocument(wanted, NOTHING, whole.devices))
    const [only] = tables
    const snapshot = await this.#client.snapshot(tables.length === 1 ? { ...only, ...options } : options)
    const document = planDocument(liftDocument(snapshotOf(lowered.commands), whole), liftDocument(snapshot, whole))
    return { document, generation: snapshot.generation }
  }

  async ruleset({ whole, family, table, ...options }: RulesetFilter): Promise<json.Document> {
    const devices = await this.#devices(options)
    return liftDocument(await this.#client.snapshot({ family, table, ...options }), { devices, whole })
  }

  async text(filter: RulesetFilter): Promise<string> {
    return renderDocument(await this.ruleset({ ...filter, whole: true }))
  }

  #devices(options: CallOptions): Promise<Devices> {
    return this.#kernel.call(options, limit => readDevices(this.#kernel.transport, limit))
  }

  async #lower(document: json.Document, entries: readonly Entry[], options: CallOptions): Promise<LoweredDocument> {
    const devices = await this.#devices(options)
    const state = await this.#state(entries, options)
    return asGiven(() => lowerDocument(document, state, devices))
  }

  async #state(entries: readonly Entry[], options: CallOptions): Promise<State> {
    const { tables } = needsOf(entries)
    const filters = tables === undefined ? [{}] : tables
    const parts: Snapshot[] = []
    for (const filter of filters)
      parts.push(await this.#client.snapshot({ ...(filter as RulesetFilter), elements: false, ...options }))
    const state = parts.reduce<State>(joined, NOTHING)
    return { ...state, elements: await this.#elements(state.sets, entries, options), others: othersOf(parts) }
  }

  /** Of sets with intervals: what is added to them depends on what they have. */
  async #elements(sets: readonly NftSet[], entries: readonly Entry[], options: CallOptions): Promise<State['elements']> {
    const named = new Set(entries.map(({ value }) => keyOf(value as Partial<NftSet> | null)))
    const found: { set: NftSet; elements: readonly Element[] }[] = []
    for (const set of sets)
      if (hasIntervals(set) && named.has(keyOf(set)))
        found.push({ set, elements: await listed(this.#client.elements(set, options)) })
    return found
  }

  async #answers(questions: readonly Entry[], left: () => CallOptions): Promise<json.Document[]> {
    const answers: json.Document[] = []
    for (const entry of questions) {
      const devices = await this.#devices(left())
      const snapshot = await this.#client.snapshot(left())
      const ruleset = entry.verb === 'reset' ? await resetFor(this.#client, entry, snapshot, left()) : snapshot
      answers.push(asGiven(() => answerOf(entry, liftDocument(ruleset, { devices }))))
    }
    return answers
  }
}

/** The tables that a document has, whole: other commands say nothing of what is to be there in the end. */
function wantedTables(document: json.Document): readonly { readonly family: Family; readonly table: string }[] {
  const tables = new Map<string, { readonly family: Family; readonly table: string }>()
  for (const { verb, kind, value, path } of entriesOf(document))
    at(path, () => {
      if (verb !== 'add' && verb !== 'create')
        throw new BadValue('type', `${verb}: a plan takes objects, alone or with add: all that the tables are to have`)
      const { family, table, name } = value as { readonly family: Family; readonly table: string; readonly name: string }
      if (kind === 'table') tables.set(`${family} ${name}`, { family, table: name })
      else if (!tables.has(`${family} ${table}`))
        throw new BadValue('type', `${shown(table)}: is not in the document before: a plan takes whole tables`).within('table')
    })
  return [...tables.values()]
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const keyOf = (value: Partial<NftSet> | null): string => `${value?.family}/${value?.table}/${value?.name}`

/** Where others kept changing the ruleset something may be missing that is there. */
const othersOf = (parts: readonly Snapshot[]): State['others'] =>
  parts.every(({ consistent }) => consistent)
    ? { objects: parts.flatMap(({ objects }) => objects), flowtables: parts.flatMap(({ flowtables }) => flowtables) }
    : undefined

const joined = (a: State, b: State): State => ({
  tables: [...a.tables, ...b.tables],
  chains: [...a.chains, ...b.chains],
  rules: [...a.rules, ...b.rules],
  sets: [...a.sets, ...b.sets],
  elements: [],
})

function asGiven<T>(task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof BadValue ? error.toError() : error
  }
}
