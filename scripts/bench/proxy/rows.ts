/** Rows of the table that the proxy has with each backend. */
import { MEBIBYTE, milliseconds, type Row } from '../table.js'
import type { Size } from './objects.js'

/** How often something is done. */
export interface Counts {
  readonly runs: number
  readonly changes: number
}

/** What is measured with a backend. */
export interface Bench {
  /** By task. */
  readonly rows: Readonly<Record<string, (counts: Counts) => readonly Row[]>>
  /** What stands above the table. */
  readonly heading: (counts: Counts) => string
  /** Name of the file in results/. */
  readonly file: string
}

/** The kernel that it is measured in, and what it takes at most there. */
export interface Bounds {
  readonly where: string
  /** Milliseconds, of a change among the most. */
  readonly change?: number
  /** Bytes. */
  readonly memory: number
}

export const LARGE: Size = { services: 5_000, endpoints: 50 }

/** A change among the most may take so many times as long as one among the fewest, and it is still none of all that there is. */
const FLAT = 2

export const count = (number: number): string => number.toLocaleString('en')
export const sized = ({ services, endpoints }: Size): string => `${count(services)} Services with ${endpoints} endpoints each`

/** @param all medians of one change, from the fewest Services to the most */
export function changeRows(
  all: readonly { readonly size: Size; readonly median: number }[],
  { where, change: limit }: Bounds,
): readonly Row[] {
  const [fewest, most] = [all[0], all.at(-1)]
  if (!fewest || !most) return []
  const row = ({ size, median }: (typeof all)[number]): Row => ({
    what: `one endpoint becomes another, among ${count(size.services)} Services`,
    where,
    ours: milliseconds(median),
    ...(size === most.size && limit !== undefined ? { target: `at most ${limit} ms`, met: median <= limit } : {}),
  })
  return [
    ...all.map(row),
    {
      what: `the same among ${count(most.size.services)}`,
      where,
      ours: milliseconds(most.median),
      theirs: `among ${count(fewest.size.services)}: ${milliseconds(fewest.median)}`,
      ratio: (most.median / fewest.median).toFixed(2),
      target: `at most ${FLAT.toFixed(2)}`,
      met: most.median <= FLAT * fewest.median,
    },
  ]
}

export const memoryRow = (bytes: number, { where, memory }: Bounds): Row => ({
  what: `memory of the whole process: ${sized(LARGE)}`,
  where,
  ours: `${Math.round(bytes / MEBIBYTE)} MB at most`,
  target: `at most ${Math.round(memory / MEBIBYTE)} MB`,
  met: bytes <= memory,
})
