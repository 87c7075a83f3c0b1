/** Intervals by their beginnings and ends, sorted (net/netfilter/nft_set_rbtree.c). */
import { type Clash, compare, type Element, elementFlag, type Key, type Store } from './set-elements.js'

const isEnd = ({ flags }: Key): boolean => (flags & elementFlag.intervalEnd) !== 0

export class IntervalStore implements Store {
  /** Ascending; of two with the same key the end of the interval before comes first. */
  readonly #sorted: Element[] = []
  /** In sets without a name intervals may follow each other without an end between them. */
  readonly #anonymous: boolean

  constructor(anonymous: boolean) {
    this.#anonymous = anonymous
  }

  /** From the last to the first. */
  *values(): Generator<Element> {
    for (let i = this.#sorted.length - 1; i >= 0; i--) yield this.#sorted[i] as Element
  }

  /** __nft_rbtree_insert */
  clash(element: Element): Clash | undefined {
    const at = this.#indexOf(element)
    const [less, greater] = this.#neighbours(element, at)
    for (const other of [greater, less])
      if (other && compare(other.key, element.key) === 0 && isEnd(other) === isEnd(element)) return { element: other, same: true }
    if (less && isEnd(less) === isEnd(element) && (isEnd(element) || !this.#anonymous)) return { element: less, same: false }
    if (greater && isEnd(greater) && isEnd(element)) return { element: greater, same: false }
    return undefined
  }

  /** The closest ones below and above. An end with the same key counts as below, a beginning as above. */
  #neighbours(element: Element, at: number): readonly [less: Element | undefined, greater: Element | undefined] {
    const same = this.#sorted[at]
    if (!same || compare(same.key, element.key) !== 0) return [this.#sorted[at - 1], same]
    const next = this.#sorted[at + 1]
    if (!isEnd(same)) return [this.#sorted[at - 1], same]
    return [same, next]
  }

  add(element: Element): void {
    const at = this.#indexOf(element)
    const other = this.#sorted[at]
    const behind = other && compare(other.key, element.key) === 0 && isEnd(other) && !isEnd(element)
    this.#sorted.splice(behind ? at + 1 : at, 0, element)
  }

  remove(element: Element): void {
    for (let i = this.#indexOf(element); i < this.#sorted.length; i++)
      if (this.#sorted[i] === element) return void this.#sorted.splice(i, 1)
  }

  find(key: Key): Element | undefined {
    const at = this.#indexOf(key)
    return [this.#sorted[at], this.#sorted[at + 1]].find(
      element => element && compare(element.key, key.key) === 0 && isEnd(element) === isEnd(key),
    )
  }

  /** __nft_rbtree_get: the interval that a key is in is told by its beginning, or by its end. */
  get(key: Key): Element | undefined {
    const at = this.#indexOf(key)
    const equals = [this.#sorted[at], this.#sorted[at + 1]].filter(
      (element): element is Element => element !== undefined && compare(element.key, key.key) === 0,
    )
    const exact = equals.find(element => isEnd(element) === isEnd(key)) ?? equals.find(({ flags }) => flags === 0)
    if (exact || equals.length > 0) return exact
    const closest = this.#sorted[isEnd(key) ? at : at - 1]
    return closest && isEnd(closest) === isEnd(key) ? closest : undefined
  }

  /** Where the first one that is not below a key stands. */
  #indexOf({ key }: Key): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare((this.#sorted[middle] as Element).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
