/**
 * Elements of sets that merge intervals: what is to be removed and added, so that the set has the new ones as well, or has the old ones no
 * more. The kernel knows intervals only as they are (src/intervals.c).
 */
import { BadValue } from '../../netlink/schema.js'
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
  const after = merged([...present, ...added], new Set(present))
  const before = new Set(present.map(keyText))
  const keys = new Set(after.map(keyText))
  return {
    remove: present.filter(item => !keys.has(keyText(item))),
    add: after.filter(item => !before.has(keyText(item))),
    after,
  }
}

/**
 * Adds items to those that are there, of a set that does not merge. Throws a `BadValue` for one that overlaps another: the kernel refuses
 * most of them, and takes those that end together.
 */
export function withoutOverlap(present: readonly Item[], added: readonly Item[]): readonly Item[] {
  const sorted = [...present, ...added].filter(({ key }) => key !== '*')
  sorted.sort((a, b) => compare(spanOf(a)?.from ?? 0n, spanOf(b)?.from ?? 0n))
  const after: Item[] = []
  for (const item of sorted) {
    const before = after.at(-1)
    const [a, b] = [before && spanOf(before), spanOf(item)]
    if (!a || !b || a.to < b.from) after.push(item)
    else if (a.from !== b.from || a.to !== b.to) throw overlapping(added.includes(item) ? item : (before as Item))
  }
  return [...after, ...[...present, ...added].filter(({ key }) => key === '*').slice(0, 1)]
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

function overlapping({ path }: Item): BadValue {
  return new BadValue('range', 'overlaps another interval: delete that first, or give the set "auto-merge"').within(path)
}

/** What is left of a set that does not merge. */
export function leftOf(present: readonly Item[], removed: readonly Item[]): readonly Item[] {
  const keys = new Set(removed.map(keyText))
  return present.filter(item => !keys.has(keyText(item)))
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
