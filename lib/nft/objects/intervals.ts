/** The intervals of one command, and whether any two overlap. */
import { align4 } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import type { Element } from '../types.js'
import { Tuple } from '../values/tuple.js'
import type { Values } from '../values/values.js'

/** Comparisons from one chance of an interruption to the next, and for how many elements they count. */
const SLICE = 1024
const COUNTED = 256

/** Keeps the first and the last key of each interval, one pair behind the other. */
export class Intervals {
  /** Bytes from a first key to its last key. */
  readonly step: number
  readonly #values: Values
  readonly #range: Tuple
  readonly #last: Uint8Array
  bytes: Uint8Array
  /** Which element each interval is. */
  readonly #elements: number[] = []
  /** Whether each begins behind the end of the one before it, or ends before its beginning, as the kernel tells them. */
  #ascending = true
  #descending = true

  constructor(values: Values) {
    this.#values = values
    this.#range = new Tuple([values], false)
    this.step = align4(values.length)
    this.bytes = new Uint8Array(64 * this.step)
    this.#last = new Uint8Array(values.length)
    values.writeLast(this.#last, 0)
  }

  /** Adds the interval of an element, and returns where its first key is. Throws a `BadValue`. */
  add(key: unknown, element: number): number {
    const { step } = this
    const from = this.#elements.length * 2 * step
    if (from + 2 * step > this.bytes.length) {
      const { bytes } = this
      this.bytes = new Uint8Array(2 * bytes.length)
      this.bytes.set(bytes)
    }
    this.#range.writeRange(this.bytes, from, from + step, key)
    this.#elements.push(element)
    if (from > 0) {
      const before = from - 2 * step
      if (this.#ascending && !this.#before(before, from)) this.#ascending = false
      if (this.#descending && !this.#before(from, before)) this.#descending = false
    }
    return from
  }

  /** Whether an interval ends before another begins. */
  #before(a: number, b: number): boolean {
    return this.#values.compare(this.bytes, a + this.step, b) < 0
  }

  /** Whether an interval goes to the last key that there is: no key is behind it. */
  isOpen(from: number): boolean {
    const to = from + this.step
    for (let i = 0; i < this.#last.length; i++) if (this.bytes[to + i] !== this.#last[i]) return false
    return true
  }

  /** Refuses intervals that overlap, which the kernel would only do for some. Yields where it may be interrupted. */
  *check(elements: readonly Element[]): Generator<number, void, void> {
    if (this.#ascending || this.#descending) return
    const { step } = this
    const order = yield* this.#sorted()
    for (let i = 1; i < order.length; i++) {
      const before = order[i - 1] as number
      const behind = order[i] as number
      if (i % SLICE === 0) yield COUNTED
      if (this.#before(before * 2 * step, behind * 2 * step)) continue
      const [first, second] = [this.#elements[before] as number, this.#elements[behind] as number].sort((a, b) => a - b) as [
        number,
        number,
      ]
      const text = `${shown(elements[second]?.key)}: overlaps elements[${first}].key, ${shown(elements[first]?.key)}`
      throw new BadValue('range', text).within('key').within(second).within('elements')
    }
  }

  /** The numbers of all intervals by their first keys. */
  *#sorted(): Generator<number, Uint32Array, void> {
    const count = this.#elements.length
    const stride = 2 * this.step
    let source = new Uint32Array(count)
    let target = new Uint32Array(count)
    for (let i = 0; i < count; i++) source[i] = i
    for (let width = 1; width < count; width *= 2) {
      for (let at = 0, left = 0, right = 0, end = 0, middle = 0; at < count; at++) {
        if (at === end) {
          left = at
          middle = right = Math.min(at + width, count)
          end = Math.min(at + 2 * width, count)
        }
        const [a, b] = [source[left] as number, source[right] as number]
        const takeLeft = left < middle && (right === end || this.#values.compare(this.bytes, a * stride, b * stride) <= 0)
        target[at] = takeLeft ? a : b
        if (takeLeft) left++
        else right++
        if (at % SLICE === SLICE - 1) yield COUNTED
      }
      ;[source, target] = [target, source]
    }
    return source
  }
}
