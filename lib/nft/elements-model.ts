/** What a watcher knows of the elements of a set. */
import type { Turns } from '../netlink/turns.js'
import { type Change, configuration } from './change.js'
import type { Element, Interval, NftSet } from './types.js'

interface Known {
  readonly element: Element
  /** When it times out, in milliseconds of performance.now(). */
  readonly until: number
}

/** Milliseconds that an event may take: what ends so much later was given a new time-out. */
const LATENCY = 1000

export class ElementsModel {
  readonly #elements = new Map<string, Known>()

  /** Elements are there, as they are now. */
  async add(set: NftSet, elements: readonly Element[], turns: Turns): Promise<Change[]> {
    const added: Element[] = []
    const before: Element[] = []
    const after: Element[] = []
    for (const element of elements) {
      if (turns.due(1)) await turns.give()
      const key = keyOf(element)
      const known = this.#live(key)
      const now = knownOf(element)
      this.#elements.set(key, now)
      if (!known) added.push(element)
      else if (differs(known, now)) {
        before.push(known.element)
        after.push(element)
      }
    }
    return [...addedTo(set, added), ...(after.length > 0 ? [changed(set, before, after)] : [])]
  }

  /** Elements are gone. */
  async remove(set: NftSet, elements: readonly Element[], turns: Turns): Promise<Change[]> {
    const removed: Element[] = []
    for (const element of elements) {
      if (turns.due(1)) await turns.give()
      const key = keyOf(element)
      if (this.#live(key)) removed.push(element)
      this.#elements.delete(key)
    }
    return removedFrom(set, removed)
  }

  /** What became different since `before`. */
  async since(before: ElementsModel, set: NftSet, turns: Turns): Promise<Change[]> {
    const removed: Element[] = []
    for (const [key, { element }] of before.#elements) {
      if (turns.due(1)) await turns.give()
      if (!this.#elements.has(key) && before.#live(key)) removed.push(element)
    }
    const was = new ElementsModel()
    const is: Element[] = []
    for (const [key, { element }] of this.#elements) {
      if (turns.due(1)) await turns.give()
      const known = before.#live(key)
      if (known) was.#elements.set(key, known)
      is.push(element)
    }
    return [...removedFrom(set, removed), ...(await was.add(set, is, turns))]
  }

  /** What is known of a key; undefined when it has timed out, which the kernel tells nobody. */
  #live(key: string): Known | undefined {
    const known = this.#elements.get(key)
    return known && known.until > performance.now() ? known : undefined
  }
}

/** Keys of one set are of the same types: their text, in which there is no NUL, tells them apart. */
function keyOf({ key }: Element): string {
  return Array.isArray(key) ? key.map(textOf).join('\0') : textOf(key as Interval)
}

const textOf = (value: Interval): string => (typeof value === 'object' ? configuration('elements', { value }) : String(value))

function knownOf(element: Element): Known {
  return { element, until: element.expires === undefined ? Number.POSITIVE_INFINITY : performance.now() + element.expires * 1000 }
}

function differs(known: Known, now: Known): boolean {
  if (known.until !== now.until && !(Math.abs(known.until - now.until) < LATENCY)) return true
  return configuration('elements', known.element) !== configuration('elements', now.element)
}

export function addedTo(set: NftSet, elements: readonly Element[]): Change[] {
  return elements.length === 0 ? [] : [{ type: 'added', object: 'elements', after: { set, elements } }]
}

export function removedFrom(set: NftSet, elements: readonly Element[]): Change[] {
  return elements.length === 0 ? [] : [{ type: 'removed', object: 'elements', before: { set, elements } }]
}

function changed(set: NftSet, before: readonly Element[], after: readonly Element[]): Change {
  return { type: 'changed', object: 'elements', before: { set, elements: before }, after: { set, elements: after } }
}
