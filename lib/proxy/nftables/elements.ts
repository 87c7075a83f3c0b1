/** Elements that are wanted in the sets of a table, how many want them, and what is different from what the kernel has. */
import type { Element, Verdict } from '../../nft/index.js'

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

interface Entry {
  readonly wanted: Wanted
  readonly text: string
  count: number
}

/** What is to be done in a set: removals first. */
export interface SetChange {
  readonly set: string
  readonly removed: readonly Element[]
  readonly added: readonly Element[]
}

const keyText = ({ key }: Wanted): string =>
  key.map(part => (typeof part === 'object' ? `${part.from}-${part.to}` : part)).join(' ')
/** Two elements of a key are the same if this is. */
function contentText({ data, comment = '' }: Wanted): string {
  if (data === undefined) return comment
  return 'verdict' in data ? `${data.verdict} ${data.chain ?? ''} ${comment}` : data.join(' ')
}

/** Several frontends may want the same element (an address of the cluster, an endpoint): it goes when none does. */
export class ElementStore {
  readonly #wanted = new Map<string, Map<string, Entry>>()
  /** What the kernel has of those that changed since `settled`; undefined where it has none. */
  readonly #kernel = new Map<string, Map<string, Wanted | undefined>>()

  add(wanted: Wanted): void {
    const entries = within(this.#wanted, wanted.set)
    const key = keyText(wanted)
    const text = contentText(wanted)
    const known = entries.get(key)
    if (known && known.text === text) known.count++
    else {
      this.#remember(wanted.set, key, known?.wanted)
      entries.set(key, { wanted, text, count: 1 })
    }
  }

  /** One of those that want it does so no longer. */
  remove(wanted: Wanted): void {
    const entries = this.#wanted.get(wanted.set)
    const key = keyText(wanted)
    const known = entries?.get(key)
    if (!known || known.text !== contentText(wanted) || --known.count > 0) return
    this.#remember(wanted.set, key, known.wanted)
    entries?.delete(key)
  }

  /** What the kernel has, as it was read: what nobody wants is removed, what is wanted stays. */
  found(set: string, there: Iterable<Omit<Wanted, 'set'>>): void {
    const kernel = within(this.#kernel, set)
    kernel.clear()
    for (const key of this.#wanted.get(set)?.keys() ?? []) kernel.set(key, undefined)
    for (const element of there) kernel.set(keyText({ set, ...element }), { set, ...element })
  }

  /** What has to be changed for the kernel to have what is wanted. */
  changes(): readonly SetChange[] {
    const changes: SetChange[] = []
    for (const [set, kernel] of this.#kernel) {
      const removed: Element[] = []
      const added: Element[] = []
      for (const [key, there] of kernel) {
        const wanted = this.#wanted.get(set)?.get(key)?.wanted
        if (there && wanted && contentText(there) === contentText(wanted)) continue
        if (there) removed.push(elementOf({ key: there.key }))
        if (wanted) added.push(elementOf(wanted))
      }
      if (removed.length > 0 || added.length > 0) changes.push({ set, removed, added })
    }
    return changes
  }

  /** The changes were made. */
  settled(): void {
    this.#kernel.clear()
  }

  /** All that is wanted in a set. */
  *in(set: string): Generator<Wanted, void, undefined> {
    for (const { wanted } of this.#wanted.get(set)?.values() ?? []) yield wanted
  }

  #remember(set: string, key: string, before: Wanted | undefined): void {
    const kernel = within(this.#kernel, set)
    if (!kernel.has(key)) kernel.set(key, before)
  }
}

function within<T>(map: Map<string, Map<string, T>>, set: string): Map<string, T> {
  const known = map.get(set) ?? new Map<string, T>()
  map.set(set, known)
  return known
}

/** As nft's client takes it: one value stands alone. */
export function elementOf({ key, data, comment }: Omit<Wanted, 'set'>): Element {
  const [only, ...others] = key
  const plain = { key: others.length > 0 ? key : (only as Part), ...(comment === undefined ? {} : { comment }) }
  if (data === undefined) return plain
  if (!Array.isArray(data)) return { ...plain, data: data as Verdict }
  return { ...plain, data: data.length > 1 ? (data as readonly Part[]) : (data[0] as Part) }
}
