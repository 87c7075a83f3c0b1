/** Intervals by their beginnings and ends, sorted (net/netfilter/nft_set_rbtree.c). */
import { type Clash, compare, type Element, elementFlag, type Key, type Store } from './set-elements.js'

const isEnd = ({ flags }: Key): boolean => (flags & elementFlag.intervalEnd) !== 0

/** The end of what comes before all intervals, which nft adds to each set. */
const isNull = (key: Key): boolean => isEnd(key) && key.key.every(byte => byte === 0)

interface Interval {
  readonly from: Element
  /** Undefined for the last one, when it has no end. */
  readonly to: Element | undefined
}

export class IntervalStore implements Store {
  /** Ascending; of two with the same key the end of the interval before comes first. */
  readonly #sorted: Element[] = []
  /** Made when it is asked for. */
  #intervals: readonly Interval[] | undefined
  /** In sets without a name an interval may have no end of its own: the next one's beginning is it. */
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
      if (other && compare(other.key, element.key) === 0 && isEnd(other) === isEnd(element))
        return { element: other, same: true, tolerated: isNull(element) }
    const open = this.#anonymous && !isEnd(element) && !(greater && isEnd(greater))
    if (less && isEnd(less) === isEnd(element) && !open) return { element: less, same: false }
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
    this.#intervals = undefined
    const at = this.#indexOf(element)
    const other = this.#sorted[at]
    const behind = other && compare(other.key, element.key) === 0 && isEnd(other) && !isEnd(element)
    this.#sorted.splice(behind ? at + 1 : at, 0, element)
  }

  remove(element: Element): void {
    this.#intervals = undefined
    for (let i = this.#indexOf(element); i < this.#sorted.length; i++)
      if (this.#sorted[i] === element) return void this.#sorted.splice(i, 1)
  }

  find(key: Key): Element | undefined {
    const at = this.#indexOf(key)
    return [this.#sorted[at], this.#sorted[at + 1]].find(
      element => element && compare(element.key, key.key) === 0 && isEnd(element) === isEnd(key),
    )
  }

  /** nft_rbtree_get: the interval that a key is in is told by its beginning, or by its end. */
  get(key: Key): Element | undefined {
    this.#intervals ??= this.#pairs()
    let low = 0
    let high = this.#intervals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { from, to } = this.#intervals[middle] as Interval
      if (compare(key.key, from.key) < 0) high = middle
      else if (to && compare(key.key, to.key) >= (isEnd(key) ? 1 : 0)) low = middle + 1
      else return isEnd(key) ? to : from
    }
    return undefined
  }

  /** Each beginning with what ends it. */
  #pairs(): readonly Interval[] {
    return this.#sorted.flatMap((from, i) => (isEnd(from) ? [] : [{ from, to: this.#sorted[i + 1] }]))
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
