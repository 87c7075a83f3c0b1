/** Keeps the table of one family in the kernel as it is wanted. */
import { inTurns, Turns } from '../../netlink/turns.js'
import { liftDocument } from '../../nft/document/lift.js'
import { lowerDocument, lowering } from '../../nft/document/lower.js'
import {
  type Command,
  type CommitOptions,
  type Element,
  type NftClient,
  type NftSet,
  type Snapshot,
  TransactionError,
} from '../../nft/index.js'
import type { Document, Command as JsonCommand, RulesetObject, SetItem } from '../../nft/json/index.js'
import { planDocument } from '../../nft/plan/plan.js'
import { snapshotOf } from '../../nft/snapshot-of.js'
import { type Cidr, cidrOf, type Family } from '../../service/index.js'
import { moveClients } from './affinity.js'
import { creating, isTaken } from './create.js'
import { type Key, nameOf, type Part, type SetChange } from './elements.js'
import { SETS, TABLE, tableFamily, type View } from './layout.js'
import { ProxyTable } from './table.js'

/** What a sync did. */
export interface Synced {
  /** Elements that were added, and removed. */
  readonly added: number
  readonly removed: number
  /** Whether the table was read, because it was not known. */
  readonly read: boolean
}

/** What an earlier proxy left. */
export interface Adopted {
  /** Virtual servers that are ours, as `address protocol port`, and whose they are. */
  readonly ledger: ReadonlyMap<string, string | undefined>
  readonly remembered: string | undefined
}

/** What is there, and what has to be changed of it. */
interface Compared {
  /** Undefined where there is no table: it is created, which fails where there is one. */
  readonly generation: Snapshot['generation'] | undefined
  /** Of everything but elements, as JSON and as commands. */
  readonly plan: Document
  readonly commands: readonly Command[]
  readonly elements: readonly SetChange[]
  /** The sets that are wanted. */
  readonly sets: Map<string, NftSet>
}

const NO_TABLE = { tables: [], chains: [], rules: [], sets: [], elements: [] }
const NOTHING: Synced = { added: 0, removed: 0, read: false }

/** How often the table is read anew where others are faster. */
const TRIES = 10

/** One table, of a client of its own namespace. */
export class NftablesBackend {
  readonly family: Family
  readonly #client: NftClient
  readonly table: ProxyTable
  /** The sets of the table as they were added or read; undefined until the table is known. */
  #sets: Map<string, NftSet> | undefined
  /** Whether it was doubted since it was read last. */
  #doubted = false
  /** What an earlier proxy left, until the first look at it. */
  #adopted: Snapshot | undefined
  /**
   * What makes the table as it is without Services: ready before the first of them is there. It has no anonymous sets: they would have the
   * same numbers as those that are lowered after it.
   */
  #base: readonly Command[] | undefined

  constructor(client: NftClient, family: Family) {
    this.#client = client
    this.family = family
    this.table = new ProxyTable(family)
  }

  /** Takes over what an earlier proxy left: endpoints keep their numbers. Before the first frontend is set. */
  async adopt(signal?: AbortSignal): Promise<Adopted> {
    this.#adopted = await this.#snapshot(signal)
    this.#base = await this.#lower(this.table.base(), [])
    const { elements, sets } = this.#adopted
    const slots = new Map<string, { readonly view: View; readonly key: Key; readonly endpoints: string[] }>()
    const turns = new Turns()
    for (const { set, elements: items } of elements) {
      const [, view, slot] = /^slot-(inside|outside)-(\d+)$/.exec(set.name) ?? []
      if (view === undefined) continue
      for (const { key, data } of items) {
        if (turns.due(1)) await turns.give()
        const name = `${view} ${nameOf(key)}`
        const known = slots.get(name) ?? { view: view as View, key, endpoints: [] }
        known.endpoints[Number(slot)] = nameOf(data as Key)
        slots.set(name, known)
      }
    }
    for (const { view, key, endpoints } of slots.values()) {
      const [address, protocol, port] = partsOf(key)
      this.table.adoptSlots(view, String(address), String(protocol), Number(port), endpoints)
    }
    const ledger = elements.filter(({ set }) => set.name === SETS.virtualServers).flatMap(({ elements }) => elements)
    return {
      ledger: new Map(ledger.map(({ key, comment }) => [nameOf(key), comment])),
      remembered: sets.find(({ name }) => name === SETS.remembered)?.comment,
    }
  }

  /** How many elements there are. */
  get size(): number {
    return this.table.size
  }

  setRanges(ranges: { readonly pods: readonly Cidr[]; readonly services: readonly Cidr[] }): void {
    this.table.setRanges(ranges)
  }

  /** Keeps a text in the table. */
  remember(text: string | undefined): void {
    if (this.table.remember(text)) this.doubt()
  }

  /** The table may be another one than it was left: it is read before the next sync. */
  doubt(): void {
    this.#sets = undefined
    this.#doubted = true
  }

  /**
   * Makes the kernel as it is wanted. Rejects with a `TransactionError` when it refuses: then all is as it was, and the next sync tries again,
   * after it has read the table.
   *
   * @param sent called when the kernel works on it, if there is anything to do
   */
  async sync(signal?: AbortSignal, sent?: () => void): Promise<Synced> {
    const synced = await this.#sync({ signal, onSent: sent })
    const renumbered = this.table.renumbered()
    if (!this.#sets || renumbered.length === 0) return synced
    await moveClients(this.#client, this.#sets, renumbered, signal)
    this.table.moved(renumbered)
    return synced
  }

  async #sync(options: CommitOptions): Promise<Synced> {
    const sets = this.#sets
    try {
      return sets ? await this.#change(sets, options) : await this.#mend(options)
    } catch (error) {
      if (!(error instanceof TransactionError) || !sets) throw error
      // Somebody else changed the table.
      this.doubt()
      return this.#mend(options)
    }
  }

  /** Removes the table, if it is there. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    const key = { family: tableFamily(this.family), name: TABLE } as const
    if (!(await this.#client.getTable(key, { signal }))) return false
    await this.#client.commit([{ delete: { table: key } }], { signal })
    this.doubt()
    return true
  }

  async #change(sets: Map<string, NftSet>, options: CommitOptions): Promise<Synced> {
    const { objects, elements, unused } = await inTurns(this.table.changes())
    if (objects.length + elements.length + unused.chains.length === 0) return NOTHING
    const added = await this.#lower(objects, [...sets.values()])
    const all = new Map([...sets, ...setsIn(added)])
    const of = (name: string) => ({ family: tableFamily(this.family), table: TABLE, name })
    await this.#client.commit(
      [
        ...added,
        ...changesOf(elements, all),
        ...unused.chains.flatMap((chain): Command[] => [{ flush: { chain: of(chain) } }, { delete: { chain: of(chain) } }]),
        ...unused.maps.map((map): Command => ({ delete: { set: of(map) } })),
      ],
      options,
    )
    await inTurns(this.table.settled())
    if (this.#sets) this.#sets = all
    return { ...countOf(elements), read: false }
  }

  /** What a sync would change, as commands of libnftables JSON. Changes nothing. */
  async plan(signal?: AbortSignal): Promise<Document> {
    const { plan, elements } = await this.#compare(signal)
    const command = (verb: 'add' | 'delete', set: string, items: readonly Element[]): readonly JsonCommand[] =>
      items.length > 0
        ? [
            {
              [verb]: { element: { family: tableFamily(this.family), table: TABLE, name: set, elem: items.map(itemOf) } },
            } as unknown as JsonCommand,
          ]
        : []
    return {
      nftables: [
        ...elements.flatMap(({ set, removed }) => command('delete', set, removed)),
        ...plan.nftables,
        ...elements.flatMap(({ set, added }) => command('add', set, added)),
      ],
    }
  }

  /** Reads the table, and changes what is not as it is wanted: once more where others changed something meanwhile. */
  async #mend(options: CommitOptions): Promise<Synced> {
    for (let tries = 1; ; tries++) {
      this.#doubted = false
      const { generation, commands, elements, sets } = await this.#compare(options.signal)
      const changes = changesOf(elements, sets)
      const ordered = [...changes.filter(isRemoval), ...commands, ...changes.filter(change => !isRemoval(change))]
      try {
        if (ordered.length > 0) await this.#client.commit(ordered, { ...options, generation })
      } catch (error) {
        if (tries < TRIES && isOutdated(error)) continue
        throw error
      }
      await inTurns(this.table.settled())
      if (!this.#doubted) this.#sets = sets
      return { ...countOf(elements), read: true }
    }
  }

  /** Reads the table, and compares it with what is wanted. */
  async #compare(signal: AbortSignal | undefined): Promise<Compared> {
    const turns = new Turns()
    const snapshot = await this.#look(signal)
    this.#base ??= await this.#lower(this.table.base(), [], turns)
    const base = this.#base
    const others = await inTurns(this.table.others(), turns)
    const wanted = [...base, ...(await this.#lower(others, [...setsIn(base).values()], turns))]
    const plan = snapshot.tables.length === 0 ? addAll([...this.table.base(), ...others]) : await planOf(wanted, snapshot, turns)
    const removed = new Set(plan.nftables.flatMap(deletedBy))
    const whole = snapshot.tables.length === 0 || removed.has(TABLE)
    const commands = snapshot.tables.length === 0 ? creating(wanted) : lowerDocument(plan, whole ? NO_TABLE : snapshot).commands
    const sets = setsIn(wanted)
    for (const [name, { flags }] of sets) {
      // Clients that the kernel remembers by itself.
      if (flags?.includes('dynamic')) continue
      const found = whole || removed.has(name) ? undefined : snapshot.elements.find(({ set }) => set.name === name)
      await inTurns(this.table.found(name, wantedIn(name, found?.elements ?? [])), turns)
    }
    const { elements } = await inTurns(this.table.changes(), turns)
    await turns.give()
    // What is in sets that are not wanted any more goes with them.
    const generation = snapshot.tables.length === 0 ? undefined : snapshot.generation
    return { generation, plan, commands, elements: elements.filter(({ set }) => sets.has(set)), sets }
  }

  /** What adds objects: sets before what uses them. */
  async #lower(objects: readonly RulesetObject[], sets: readonly NftSet[], turns = new Turns()): Promise<readonly Command[]> {
    return (await inTurns(lowering(addAll(objects), { ...NO_TABLE, sets }), turns)).commands
  }

  /** Reads the table, unless it is as it was taken over. */
  async #look(signal: AbortSignal | undefined): Promise<Snapshot> {
    const adopted = this.#adopted
    this.#adopted = undefined
    if (!adopted) return this.#snapshot(signal)
    const isKnown = adopted.tables.length === 0 || adopted.generation === (await this.#client.generation({ signal }))
    return isKnown ? adopted : this.#snapshot(signal)
  }

  #snapshot(signal: AbortSignal | undefined): Promise<Snapshot> {
    return this.#client.snapshot({ family: tableFamily(this.family), table: TABLE, signal })
  }
}

const addAll = (objects: readonly RulesetObject[]): Document => ({ nftables: objects.map(object => ({ add: object })) })

/** From what is there to what is wanted. Hundreds of chains and sets, three times over: each is some milliseconds of its own. */
async function planOf(wanted: readonly Command[], there: Snapshot, turns: Turns): Promise<Document> {
  const objects = liftDocument(snapshotOf(wanted))
  await turns.give()
  const before = liftDocument(withoutElements(there))
  await turns.give()
  const plan = planDocument(objects, before)
  await turns.give()
  return plan
}

const countOf = (elements: readonly SetChange[]): { readonly added: number; readonly removed: number } => ({
  added: elements.reduce((sum, { added }) => sum + added.length, 0),
  removed: elements.reduce((sum, { removed }) => sum + removed.length, 0),
})

/** Removals of all sets first: what is removed may lead to chains that go. */
function changesOf(elements: readonly SetChange[], sets: ReadonlyMap<string, NftSet>): readonly Command[] {
  const setOf = (name: string): NftSet => {
    const set = sets.get(name)
    if (!set) throw new Error(`there is no set ${name}`)
    return set
  }
  return [
    ...elements
      .filter(({ removed }) => removed.length > 0)
      .map(({ set, removed }): Command => ({ delete: { elements: { set: setOf(set), elements: removed } } })),
    ...elements
      .filter(({ added }) => added.length > 0)
      .map(({ set, added }): Command => ({ add: { elements: { set: setOf(set), elements: added } } })),
  ]
}

/** Somebody else changed the ruleset, or made the table, since it was read. */
const isOutdated = (error: unknown): boolean =>
  isTaken(error) || (error instanceof TransactionError && error.problem === 'generation-changed')

const isRemoval = (command: Command): boolean => 'delete' in command

/** Sets with a name that commands add. */
function setsIn(commands: readonly Command[]): Map<string, NftSet> {
  const sets = commands.map(command => ('add' in command && 'set' in command.add ? command.add.set : undefined))
  return new Map(sets.filter(set => set !== undefined && set.id === undefined).map(set => [(set as NftSet).name, set as NftSet]))
}

/** Of sets with a name only the rules and types are planned: there may be hundreds of thousands of elements. */
const withoutElements = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  elements: snapshot.elements.filter(({ set }) => set.flags?.includes('anonymous')),
})

/** An element as JSON. */
function itemOf({ key, data }: Element): SetItem {
  const one = (value: unknown): SetItem => (Array.isArray(value) ? { concat: value } : value) as SetItem
  if (data === undefined) return one(key)
  const verdict = data as { readonly verdict?: string; readonly chain?: string }
  if (verdict.verdict === undefined) return [one(key), one(data)] as unknown as SetItem
  return [one(key), { [verdict.verdict]: verdict.chain === undefined ? null : { target: verdict.chain } }] as unknown as SetItem
}

/** Names of sets that a command deletes; of a table its name. */
function deletedBy(command: object): readonly string[] {
  const target = 'delete' in command ? (command.delete as Readonly<Record<string, { readonly name?: string }>>) : {}
  return [target.set?.name, target.map?.name, target.table?.name].filter(name => name !== undefined)
}

/** As they are wanted: prefixes in their one form. */
function wantedIn(set: string, elements: readonly Element[]): Iterable<Element> {
  return set === SETS.pods || set === SETS.serviceRanges || set === SETS.allowed ? prefixed(elements) : elements
}

/** An address alone is a prefix of all its bits. */
function* prefixed(elements: readonly Element[]): Generator<Element, void, void> {
  const prefix = (part: Part): Part => (typeof part === 'string' ? (cidrOf(part)?.text ?? part) : part)
  for (const element of elements) {
    const [first, ...others] = partsOf(element.key)
    yield { ...element, key: others.length > 0 ? [prefix(first as Part), ...others] : prefix(first as Part) }
  }
}

const partsOf = (key: Key): readonly Part[] => (Array.isArray(key) ? (key as readonly Part[]) : [key as Part])
