/** What keeps the elements of a set: by their keys, as intervals (nft_set_rbtree.c), or as concatenations of ranges (nft_set_pipapo.c). */
import type { Data } from './data.js'
import { isVerdict } from './data.js'
import type { Expression } from './expression.js'
import type { Chain, StatefulObject } from './state.js'

/** NFT_SET_ELEM_* */
export const elementFlag = { intervalEnd: 1, catchAll: 2 } as const

export interface Element {
  /** Empty for the one that catches all. */
  readonly key: Uint8Array
  readonly keyEnd: Uint8Array | undefined
  readonly flags: number
  readonly data: Data | undefined
  readonly object: StatefulObject | undefined
  readonly expressions: readonly Expression[]
  readonly userData: Uint8Array | undefined
  /** Milliseconds; 0: for ever. Undefined in sets without time-outs. */
  timeout: number | undefined
  /** By the clock of the kernel. */
  expires: number
}

/** What an element is looked up by. */
export type Key = Pick<Element, 'key' | 'keyEnd' | 'flags'>

export interface Clash {
  readonly element: Element
  /** Whether it is about the very same keys, and not only about some of them. */
  readonly same: boolean
  /** Whether it may be added again even by who wants it to be new. */
  readonly tolerated?: boolean
}

/** A data structure of a set. */
export interface Store {
  /** In the order in which the kernel walks through them. */
  values(): Iterable<Element>
  /** The one that stands in the way of another. */
  clash(element: Element): Clash | undefined
  /** Whether it can be added at all. */
  isOrdered?(element: Element): boolean
  add(element: Element): void
  remove(element: Element): void
  /** The one that is meant when elements are removed. */
  find(key: Key): Element | undefined
  /** The one that is meant when elements are read. */
  get(key: Key): Element | undefined
}

/** Elements, with the one that catches all. */
export class SetElements {
  readonly #store: Store
  readonly #clock: () => number
  #catchAll: Element | undefined
  /** How many there are, without that one. */
  count = 0

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /** Those that are not expired. */
  *values(): Generator<Element> {
    for (const element of this.#store.values()) if (this.#isAlive(element)) yield element
  }

  get catchAll(): Element | undefined {
    return this.#catchAll && this.#isAlive(this.#catchAll) ? this.#catchAll : undefined
  }

  clash(element: Element): Clash | undefined {
    if (element.flags & elementFlag.catchAll) return this.catchAll && { element: this.catchAll, same: true }
    return this.#store.clash(element)
  }

  /** Whether it ends behind its beginning. */
  isOrdered(element: Element): boolean {
    return this.#store.isOrdered?.(element) ?? true
  }

  /** Takes out what is expired, as the kernel's garbage collection does. */
  takeExpired(): Element[] {
    const expired = [...this.#store.values(), ...(this.#catchAll ? [this.#catchAll] : [])].filter(
      element => !this.#isAlive(element),
    )
    for (const element of expired) this.remove(element)
    return expired
  }

  add(element: Element): void {
    if (element.flags & elementFlag.catchAll) this.#catchAll = element
    else {
      this.#store.add(element)
      this.count++
    }
  }

  remove(element: Element): void {
    if (element.flags & elementFlag.catchAll) this.#catchAll = undefined
    else {
      this.#store.remove(element)
      this.count--
    }
  }

  find(key: Key): Element | undefined {
    return key.flags & elementFlag.catchAll ? this.catchAll : this.#alive(this.#store.find(key))
  }

  get(key: Key): Element | undefined {
    return key.flags & elementFlag.catchAll ? this.catchAll : this.#alive(this.#store.get(key))
  }

  /** Where the verdicts of a map jump to. */
  *jumps(): Generator<Chain> {
    for (const { data } of [...this.values(), ...(this.catchAll ? [this.catchAll] : [])])
      if (data && isVerdict(data) && data.chain) yield data.chain
  }

  #alive(element: Element | undefined): Element | undefined {
    return element && this.#isAlive(element) ? element : undefined
  }

  #isAlive({ expires }: Element): boolean {
    return expires === Number.POSITIVE_INFINITY || this.#clock() < expires
  }
}

/** Bytes as characters: faster than a Buffer for keys as short as these. */
function textOf({ key }: Key): string {
  let text = ''
  for (let i = 0; i < key.length; i++) text += String.fromCharCode(key[i] as number)
  return text
}

/** Elements by their keys. */
export class HashStore implements Store {
  readonly #elements = new Map<string, Element>()

  values(): Iterable<Element> {
    return this.#elements.values()
  }

  clash(element: Element): Clash | undefined {
    const found = this.find(element)
    return found && { element: found, same: true }
  }

  add(element: Element): void {
    this.#elements.set(textOf(element), element)
  }

  remove(element: Element): void {
    this.#elements.delete(textOf(element))
  }

  find(key: Key): Element | undefined {
    return this.#elements.get(textOf(key))
  }

  get(key: Key): Element | undefined {
    return this.find(key)
  }
}

/** Fields of 4 bytes and more, each with a range. */
export class RangeStore implements Store {
  readonly #elements = new Set<Element>()
  /** Where each field begins and ends. */
  readonly #fields: readonly (readonly [start: number, end: number])[]

  constructor(lengths: readonly number[]) {
    let start = 0
    this.#fields = lengths.map(length => {
      const field = [start, start + length] as const
      start += Math.ceil(length / 4) * 4
      return field
    })
  }

  values(): Iterable<Element> {
    return this.#elements
  }

  /** Only the first and the last key are looked up: the kernel does not see one range within another. */
  clash(element: Element): Clash | undefined {
    const first = this.#containing(element.key)
    if (first)
      return { element: first, same: compare(first.key, element.key) === 0 && compare(endOf(first), endOf(element)) === 0 }
    const last = this.#containing(endOf(element))
    return last && { element: last, same: false }
  }

  /** Whether each field begins before it ends. */
  isOrdered(element: Key): boolean {
    return this.#fields.every(
      ([start, end]) => compare(element.key.subarray(start, end), endOf(element).subarray(start, end)) <= 0,
    )
  }

  add(element: Element): void {
    this.#elements.add(element)
  }

  remove(element: Element): void {
    this.#elements.delete(element)
  }

  find({ key }: Key): Element | undefined {
    return this.#containing(key)
  }

  get({ key }: Key): Element | undefined {
    return this.#containing(key)
  }

  #containing(key: Uint8Array): Element | undefined {
    for (const element of this.#elements) if (this.#contains(element, key)) return element
    return undefined
  }

  #contains(element: Element, key: Uint8Array): boolean {
    const last = endOf(element)
    return this.#fields.every(([start, end]) => {
      const field = key.subarray(start, end)
      return compare(element.key.subarray(start, end), field) <= 0 && compare(field, last.subarray(start, end)) <= 0
    })
  }
}

const endOf = ({ key, keyEnd }: Key): Uint8Array => keyEnd ?? key

export const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
