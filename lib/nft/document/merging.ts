/**
 * Elements of sets that merge intervals: what is to be removed and added, so that the set has the new ones as well, or has the old ones no
 * more. The kernel knows intervals only as they are (src/intervals.c).
 */
import type { Item } from '../lower/items.js'
import { merged } from '../lower/merge.js'
import type { Span } from '../vocabulary/shapes.js'

export interface Difference {
  readonly remove: readonly Item[]
  readonly add: readonly Item[]
  /** What the set has then. */
  readonly after: readonly Item[]
}

const spanOf = ({ key }: Item): Span | undefined => (key === '*' ? undefined : key[0])
const keyText = ({ key }: Item): string => (key === '*' ? key : `${key[0]?.from}-${key[0]?.to}`)

/** Adds items to those that are there. */
export function mergeInto(present: readonly Item[], added: readonly Item[]): Difference {
  const after = merged([...present, ...added])
  const before = new Set(present.map(keyText))
  const keys = new Set(after.map(keyText))
  return {
    remove: present.filter(item => !keys.has(keyText(item))),
    add: after.filter(item => !before.has(keyText(item))),
    after,
  }
}

/** Takes items away from those that are there: what is left of an interval stays. */
export function cutOut(present: readonly Item[], removed: readonly Item[]): Difference {
  let after = [...present]
  for (const item of removed) after = after.flatMap(whole => rest(whole, item))
  const before = new Set(present.map(keyText))
  const keys = new Set(after.map(keyText))
  // What is not there is left to the kernel to refuse.
  const missing = removed.filter(item => !present.some(whole => covers(whole, item)))
  return {
    remove: [...present.filter(item => !keys.has(keyText(item))), ...missing],
    add: after.filter(item => !before.has(keyText(item))),
    after,
  }
}

function covers(whole: Item, part: Item): boolean {
  const [a, b] = [spanOf(whole), spanOf(part)]
  return a && b ? a.from <= b.from && b.to <= a.to : whole.key === part.key
}

function rest(whole: Item, part: Item): Item[] {
  if (!covers(whole, part)) return [whole]
  const [a, b] = [spanOf(whole), spanOf(part)]
  if (!a || !b) return []
  const left = a.from < b.from ? [{ ...whole, key: [{ from: a.from, to: b.from - 1n }] }] : []
  const right = b.to < a.to ? [{ ...whole, key: [{ from: b.to + 1n, to: a.to }] }] : []
  return [...left, ...right]
}
