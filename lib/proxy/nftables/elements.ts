/** Elements that are wanted in the sets of a table, how many want them, and what is different from what the kernel has. */
import type { Element, Verdict } from '../../nft/index.js'
import { LargeMap } from './large-map.js'

/** A value of a key or of data: text, a number; a range that is no prefix, which only others write. */
export type Part = string | number | { readonly from: string | number; readonly to: string | number }

/** An element of a set; of a map with what its key is mapped to. */
export interface Wanted {
  readonly set: string
  /** One value, or several. */
  readonly key: readonly Part[]
  readonly data?: readonly Part[] | Verdict | undefined
  /** Whose it is, for those who read the table. */
  readonly comment?: string | undefined
}

/** An element, as long as somebody wants it, or the kernel has it. */
interface Entry {
  readonly key: string
  wanted: Wanted | undefined
  /** How many want it. */
  count: number
  /** What the kernel has. */
  there: Wanted | undefined
  /** Whether that may be another. */
  changed: boolean
}

/** What is done with an entry takes as long as with so many other objects: memory grows meanwhile. */
const ENTRY = 4

/** Elements in one list: one of hundreds of thousands copies itself as it grows, megabytes at a time. */
const TOGETHER = 10_000

interface Entries {
  readonly all: LargeMap<Entry>
  /** Those that changed since `settled`, in lists of `TOGETHER`. */
  changed: Entry[][]
}

/** What is to be done in a set, or with some elements of it: removals first. */
export interface SetChange {
  readonly set: string
  readonly removed: readonly Element[]
  readonly added: readonly Element[]
}

const textOf = (key: readonly Part[]): string =>
  key.length === 1 && typeof key[0] === 'string'
    ? key[0]
    : key.map(part => (typeof part === 'object' ? `${part.from}-${part.to}` : part)).join(' ')

type Content = Pick<Wanted, 'data' | 'comment'>

/** Whether two elements of a key are the same. */
const same = (a: Content, b: Content): boolean => a.comment === b.comment && sameData(a.data, b.data)

function sameData(a: Wanted['data'], b: Wanted['data']): boolean {
  if (a === b || a === undefined || b === undefined) return a === b
  if ('verdict' in a) return 'verdict' in b && a.verdict === b.verdict && a.chain === b.chain
  return !('verdict' in b) && a.length === b.length && a.every((part, i) => part === b[i])
}

/** Several frontends may want the same element (an address of the cluster, an endpoint): it goes when none does. */
export class ElementStore {
  readonly #sets = new Map<string, Entries>()
  /** A frontend's elements have one key in most sets: it is written as text once. */
  #key: readonly Part[] = []
  #text = ''

  add(wanted: Wanted): void {
    const entries = this.#in(wanted.set)
    const entry = this.#of(entries, wanted.key)
    if (entry.wanted && same(entry.wanted, wanted)) {
      entry.count++
      return
    }
    entry.wanted = wanted
    entry.count = 1
    touch(entries, entry)
  }

  /** One of those that want it does so no longer. */
  remove(wanted: Wanted): void {
    const entries = this.#in(wanted.set)
    const entry = entries.all.get(this.#textOf(wanted.key))
    if (!entry?.wanted || !same(entry.wanted, wanted) || --entry.count > 0) return
    entry.wanted = undefined
    touch(entries, entry)
  }

  /** What the kernel has, as it was read: what nobody wants is removed, what is wanted stays. */
  *found(set: string, there: Iterable<Omit<Wanted, 'set'>>): Generator<number, void, void> {
    const entries = this.#in(set)
    for (const entry of entries.all.values()) {
      entry.there = undefined
      touch(entries, entry)
      yield ENTRY
    }
    for (const { key, data, comment } of there) {
      const entry = this.#of(entries, key)
      entry.there = { set, key, data, comment }
      touch(entries, entry)
      yield ENTRY
    }
  }

  /** What has to be changed for the kernel to have what is wanted. */
  *changes(): Generator<number, readonly SetChange[], void> {
    const changes: SetChange[] = []
    for (const [set, { changed }] of this.#sets)
      for (const list of changed) {
        const removed: Element[] = []
        const added: Element[] = []
        for (const { there, wanted } of list) {
          yield ENTRY
          if (there === wanted || (there && wanted && same(there, wanted))) continue
          if (there) removed.push(elementOf({ key: there.key }))
          if (wanted) added.push(elementOf(wanted))
        }
        if (removed.length > 0 || added.length > 0) changes.push({ set, removed, added })
      }
    return changes
  }

  /** The changes were made. */
  *settled(): Generator<number, void, void> {
    for (const entries of this.#sets.values()) {
      for (const entry of listed(entries.changed)) {
        entry.there = entry.wanted
        entry.changed = false
        if (!entry.wanted) entries.all.delete(entry.key)
        yield ENTRY
      }
      entries.changed = []
    }
  }

  /** How many there are: wanted, or to be removed yet. */
  get size(): number {
    return [...this.#sets.values()].reduce((sum, { all }) => sum + all.size, 0)
  }

  /** All that is wanted in a set. */
  *in(set: string): Generator<Wanted, void, void> {
    for (const { wanted } of this.#in(set).all.values()) if (wanted) yield wanted
  }

  #in(set: string): Entries {
    let entries = this.#sets.get(set)
    if (!entries) {
      entries = { all: new LargeMap(), changed: [] }
      this.#sets.set(set, entries)
    }
    return entries
  }

  #of({ all }: Entries, parts: readonly Part[]): Entry {
    const key = this.#textOf(parts)
    let entry = all.get(key)
    if (!entry) {
      entry = { key, wanted: undefined, count: 0, there: undefined, changed: false }
      all.set(key, entry)
    }
    return entry
  }

  #textOf(key: readonly Part[]): string {
    if (key === this.#key) return this.#text
    this.#key = key
    this.#text = textOf(key)
    return this.#text
  }
}

function touch({ changed }: Entries, entry: Entry): void {
  if (entry.changed) return
  entry.changed = true
  const last = changed.at(-1)
  if (last && last.length < TOGETHER) last.push(entry)
  else changed.push([entry])
}

function* listed<T>(lists: readonly (readonly T[])[]): Generator<T, void, void> {
  for (const list of lists) yield* list
}

/** As nft's client takes it: one value stands alone. */
export function elementOf({ key, data, comment }: Omit<Wanted, 'set'>): Element {
  const plain = comment === undefined ? { key: alone(key) } : { key: alone(key), comment }
  if (data === undefined) return plain
  return { ...plain, data: 'verdict' in data ? data : alone(data) }
}

const alone = (parts: readonly Part[]): Part | readonly Part[] => (parts.length > 1 ? parts : (parts[0] as Part))
