/** Intervals of sets that merge them: the kernel leaves it to nft (src/intervals.c, setelem_automerge and setelem_delete). */
import { isDeepStrictEqual } from 'node:util'
import type { Span } from '../vocabulary/shapes.js'
import type { Item } from './items.js'

const first = ({ key }: Item): Span => key[0] as Span

/** One of items with a key of one field each. The rest is the catch-all element. */
function inOrder(items: readonly Item[]): { readonly intervals: Item[]; readonly rest: Item[] } {
  const intervals = items.filter(({ key }) => key !== '*')
  intervals.sort((a, b) => (first(a).from === first(b).from ? 0 : first(a).from < first(b).from ? -1 : 1))
  return { intervals, rest: items.filter(({ key }) => key === '*') }
}

/**
 * Joins intervals that overlap or adjoin. What the first of them has besides its key is what the whole has, or the second where the first was
 * there before.
 */
export function merged(items: readonly Item[], present: ReadonlySet<Item> = new Set()): Item[] {
  const { intervals, rest } = inOrder(items)
  const result: Item[] = []
  for (const item of intervals) {
    const before = result.at(-1)
    const { from, to } = first(item)
    if (before === undefined || from > first(before).to + 1n) result.push(item)
    else if (to > first(before).to)
      result[result.length - 1] = { ...(present.has(before) ? item : before), key: [{ from: first(before).from, to }] }
  }
  return [...result, ...rest]
}

/** Without what is said twice: of maps the kernel takes that for the same element. */
export function distinct(items: readonly Item[]): Item[] {
  const result: Item[] = []
  for (const item of items) if (!result.some(known => isSame(known, item))) result.push(item)
  return result
}

const isSame = ({ path: _, ...one }: Item, { path: __, ...another }: Item): boolean => isDeepStrictEqual(one, another)
