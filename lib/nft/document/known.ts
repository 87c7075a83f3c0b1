/** What is there while a document is carried out: what the kernel has, and what the commands before have changed of it. */

import { missing, type NamedKind, type Names } from '../lower/names.js'
import type { Snapshot } from '../snapshot.js'
import type { Element, Family, NftSet } from '../types.js'

/** A rule that is there by its handle, or one of the same transaction by its id. */
export type RulePlace = { readonly position: number } | { readonly positionId: number }

export interface KnownChain {
  readonly type?: string | undefined
  readonly hook?: string | undefined
}

interface KnownTable {
  readonly chains: Map<string, KnownChain>
  /** Flowtables, and objects by their type. */
  readonly others: Map<string, Map<string, true>>
  readonly sets: Map<string, NftSet>
  readonly rules: Map<string, RulePlace[]>
  readonly elements: Map<string, readonly Element[]>
}

/** What is read before a document is carried out: of rules only their order counts, elements of sets that merge intervals. */
export interface State extends Pick<Snapshot, 'tables' | 'chains' | 'rules' | 'sets' | 'elements'> {
  /** Undefined: there may be more than was read, of all kinds but sets, and names are not looked at. */
  readonly others?: Pick<Snapshot, 'objects' | 'flowtables'> | undefined
}

export const NOTHING: State = { tables: [], chains: [], rules: [], sets: [], elements: [] }

/** What belongs to a table. */
export interface Owned {
  readonly family: Family
  readonly table: string
}

const NONE: Names = new Map()
const keyOf = (family: Family, table: string): string => `${family}/${table}`

export class Known {
  readonly #tables = new Map<string, KnownTable>()
  /** Whether all that there is was read. */
  readonly #whole: boolean
  #id = 0

  constructor({ tables, chains, rules, sets, elements, others }: State) {
    this.#whole = others !== undefined
    for (const { family, name } of tables) this.addTable(family, name)
    for (const chain of chains) this.addChain(chain, chain.name, chain)
    for (const set of sets) this.#table(set).sets.set(set.name, set)
    for (const { set, elements: list } of elements) this.#table(set).elements.set(set.name, list)
    for (const rule of rules) if (rule.handle !== undefined) this.rules(rule, rule.chain).push({ position: rule.handle })
    for (const { type, name, ...object } of others?.objects ?? []) this.addOther(object, String(type), name)
    for (const { name, ...flowtable } of others?.flowtables ?? []) this.addOther(flowtable, 'flowtable', name)
  }

  /** A number for a set or a rule that has no name. */
  nextId(): number {
    return ++this.#id
  }

  #table({ family, table }: Owned): KnownTable {
    return this.#tables.get(keyOf(family, table)) ?? this.addTable(family, table)
  }

  addTable(family: Family, name: string): KnownTable {
    const key = keyOf(family, name)
    const known = this.#tables.get(key)
    if (known) return known
    const table = { chains: new Map(), others: new Map(), sets: new Map(), rules: new Map(), elements: new Map() }
    this.#tables.set(key, table)
    return table
  }

  removeTable(family: Family, name: string): void {
    this.#tables.delete(keyOf(family, name))
  }

  /** What a table has of a kind by its name; undefined where there may be more. Throws a `BadValue` for a table that there is not. */
  named({ family, table }: Owned, kind: NamedKind): Names | undefined {
    const known = this.#tables.get(keyOf(family, table))
    if (kind === 'set') return known?.sets
    if (!this.#whole) return undefined
    if (known === undefined)
      throw missing(
        'table',
        table,
        { family, table },
        this.tables(family).map(({ name }) => name),
      )
    return kind === 'chain' ? known.chains : (known.others.get(kind) ?? NONE)
  }

  /** A flowtable, or an object of a type. */
  addOther(at: Owned, kind: string, name: string): void {
    const { others } = this.#table(at)
    const names = others.get(kind) ?? new Map<string, true>()
    others.set(kind, names.set(name, true))
  }

  removeOther(at: Owned, kind: string, name: string): void {
    this.#table(at).others.get(kind)?.delete(name)
  }

  /** Names of all tables, or of those of a family. */
  tables(only?: Family): { readonly family: Family; readonly name: string }[] {
    const keys = [...this.#tables.keys()].map(key => key.split('/') as [Family, string])
    return keys
      .filter(([family]) => only === undefined || family === only)
      .map(([family, ...name]) => ({ family, name: name.join('/') }))
  }

  addChain(at: Owned, name: string, { type, hook }: KnownChain): void {
    const { chains } = this.#table(at)
    if (!chains.has(name)) chains.set(name, { type, hook })
  }

  removeChain(at: Owned, name: string): void {
    this.#table(at).chains.delete(name)
    this.#table(at).rules.delete(name)
  }

  chain(at: Owned, name: string): KnownChain | undefined {
    return this.#table(at).chains.get(name)
  }

  /** The kernel goes by the old name until all is committed. */
  rename(at: Owned, name: string, newName: string): void {
    this.#table(at).chains.set(newName, this.chain(at, name) ?? {})
    this.#table(at).rules.set(newName, this.rules(at, name))
  }

  /** The rules of a chain in their order: a list to be changed. */
  rules(at: Owned, chain: string): RulePlace[] {
    const { rules } = this.#table(at)
    const list = rules.get(chain) ?? []
    rules.set(chain, list)
    return list
  }

  flushRules(at: Owned): void {
    this.#table(at).rules.clear()
  }

  set(at: Owned, name: string): NftSet | undefined {
    return this.#table(at).sets.get(name)
  }

  addSet(set: NftSet): void {
    const { sets, elements } = this.#table(set)
    if (sets.has(set.name)) return
    sets.set(set.name, set)
    elements.set(set.name, [])
  }

  removeSet(at: Owned, name: string): void {
    this.#table(at).sets.delete(name)
    this.#table(at).elements.delete(name)
  }

  /** The elements of a set that merges intervals. */
  elements({ family, table, name }: NftSet): readonly Element[] {
    return this.#table({ family, table }).elements.get(name) ?? []
  }

  setElements({ family, table, name }: NftSet, elements: readonly Element[]): void {
    this.#table({ family, table }).elements.set(name, elements)
  }
}
