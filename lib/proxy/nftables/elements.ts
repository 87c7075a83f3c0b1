/** Elements that are wanted in the sets of a table, how many want them, and what is different from what the kernel has. */
import type { Element, Verdict } from '../../nft/index.js'
import { LargeMap } from './large-map.js'

/** A key of elements: one value, or several; ranges that are no prefixes only others write. */
export type Key = Element['key']
export type Part = Exclude<Key, readonly unknown[]>

/** An element that is to be in a set. */
export interface Wanted {
  readonly set: string
  /** Its key as text: what tells it from others of the set. */
  readonly name: string
  /** Its comment says whose it is, for those who read the table. */
  readonly element: Element
}

/** An element, as long as somebody wants it, or the kernel has it. */
interface Entry {
  readonly name: string
  wanted: Element | undefined
  /** How many want it. */
  count: number
  /** What the kernel has. */
  there: Element | undefined
  /** Whether that may be another. */
  changed: boolean
}

/** What is done with an entry takes as long as with so many other objects: memory grows meanwhile. */
const ENTRY = 4
/** Entries from one turn to the next. */
const STEP = 32

/** Elements in one list: one of hundreds of thousands copies itself as it grows, megabytes at a time. */
const TOGETHER = 10_000

interface Entries {
  readonly all: LargeMap<Entry>
  /** Those that changed since `settled`, in lists of `TOGETHER`. */
  changed: Entry[][]
  /** Whether the kernel may have some of them. */
  there: boolean
}

/** What is to be done in a set, or with some elements of it: removals first. */
export interface SetChange {
  readonly set: string
  readonly removed: readonly Element[]
  readonly added: readonly Element[]
}

/** A key as text. */
export function nameOf(key: Key): string {
  if (!Array.isArray(key)) return partName(key as Part)
  return key.map(partName).join(' ')
}

const partName = (part: Part): string => (typeof part === 'object' && 'from' in part ? `${part.from}-${part.to}` : String(part))

/** Whether two elements of a key are the same. */
const same = (a: Element, b: Element): boolean => a === b || (a.comment === b.comment && sameData(a.data, b.data))

function sameData(a: Element['data'], b: Element['data']): boolean {
  if (a === b || a === undefined || b === undefined) return a === b
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((part, i) => part === b[i])
  const [one, other] = [a as Verdict, b as Verdict]
  return one.verdict !== undefined && one.verdict === other.verdict && one.chain === other.chain
}

/** Several frontends may want the same element (an address of the cluster, an endpoint): it goes when none does. */
export class ElementStore {
  readonly #sets = new Map<string, Entries>()

  add({ set, name, element }: Wanted): void {
    const entries = this.#in(set)
    const entry = of(entries, name)
    if (entry.wanted && same(entry.wanted, element)) {
      entry.count++
      return
    }
    entry.wanted = element
    entry.count = 1
    touch(entries, entry)
  }

  /** One of those that want it does so no longer. */
  remove({ set, name, element }: Wanted): void {
    const entries = this.#in(set)
    const entry = entries.all.get(name)
    if (!entry?.wanted || !same(entry.wanted, element) || --entry.count > 0) return
    entry.wanted = undefined
    touch(entries, entry)
  }

  /** What the kernel has, as it was read: what nobody wants is removed, what is wanted stays. */
  *found(set: string, there: Iterable<Element>): Generator<number, void, void> {
    const entries = this.#in(set)
    let count = 0
    for (const map of entries.there ? entries.all.maps() : [])
      for (const entry of map.values()) {
        entry.there = undefined
        touch(entries, entry)
        if (++count % STEP === 0) yield STEP * ENTRY
      }
    entries.there = false
    for (const element of there) {
      entries.there = true
      const entry = of(entries, nameOf(element.key))
      entry.there = element
      touch(entries, entry)
      if (++count % STEP === 0) yield STEP * ENTRY
    }
  }

  /** What has to be changed for the kernel to have what is wanted. */
  *changes(): Generator<number, readonly SetChange[], void> {
    const changes: SetChange[] = []
    for (const [set, { changed }] of this.#sets)
      for (const list of changed) {
        const removed: Element[] = []
        const added: Element[] = []
        for (let i = 0; i < list.length; i++) {
          const { there, wanted } = list[i] as Entry
          if (i % STEP === 0) yield STEP * ENTRY
          if (there && wanted ? same(there, wanted) : there === wanted) continue
          if (there) removed.push({ key: there.key })
          if (wanted) added.push(wanted)
        }
        if (removed.length > 0 || added.length > 0) changes.push({ set, removed, added })
      }
    return changes
  }

  /** The changes were made. */
  *settled(): Generator<number, void, void> {
    for (const entries of this.#sets.values()) {
      for (const list of entries.changed)
        for (let i = 0; i < list.length; i++) {
          const entry = list[i] as Entry
          if (i % STEP === 0) yield STEP * ENTRY
          entry.there = entry.wanted
          entry.changed = false
          if (!entry.wanted) entries.all.delete(entry.name)
        }
      entries.there ||= entries.changed.length > 0
      entries.changed = []
    }
  }

  /** How many there are: wanted, or to be removed yet. */
  get size(): number {
    return [...this.#sets.values()].reduce((sum, { all }) => sum + all.size, 0)
  }

  /** All that is wanted in a set. */
  *in(set: string): Generator<Wanted, void, void> {
    for (const map of this.#in(set).all.maps())
      for (const { name, wanted } of map.values()) if (wanted) yield { set, name, element: wanted }
  }

  #in(set: string): Entries {
    let entries = this.#sets.get(set)
    if (!entries) {
      entries = { all: new LargeMap(), changed: [], there: false }
      this.#sets.set(set, entries)
    }
    return entries
  }
}

function of({ all }: Entries, name: string): Entry {
  let entry = all.get(name)
  if (!entry) {
    entry = { name, wanted: undefined, count: 0, there: undefined, changed: false }
    all.set(name, entry)
  }
  return entry
}

function touch({ changed }: Entries, entry: Entry): void {
  if (entry.changed) return
  entry.changed = true
  const last = changed.at(-1)
  if (last && last.length < TOGETHER) last.push(entry)
  else changed.push([entry])
}
