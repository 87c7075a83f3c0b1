/** Results as a table in Markdown. */
import type { Pairs } from './pairs.js'
import type { Slices } from './slices.js'
import type { Weight } from './weight.js'

export interface Row {
  readonly what: string
  readonly where: string
  readonly ours: string
  readonly theirs?: string
  readonly ratio?: string
  readonly target?: string
  /** Whether the target is met. */
  readonly met?: boolean
}

const HEAD = ['', 'where', 'ts-ipvs', 'compared with', 'ratio', 'target', '']

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, where, ours, theirs = '', ratio = '', target = '', met }) => [
    what,
    where,
    ours,
    theirs,
    ratio,
    target,
    met === undefined ? '' : met ? 'pass' : '**miss**',
  ])
  return [HEAD, HEAD.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}

/** A row for two ways that were measured by turns. `limit`: at most so many times the other one's time. */
export function comparison(about: Pick<Row, 'what' | 'where'>, name: string, measured: Pairs, limit?: number): Row {
  const { ours, theirs, ratio, spread, pairs } = measured
  const [low, high] = spread
  return {
    ...about,
    ours: milliseconds(ours),
    theirs: `${name}: ${milliseconds(theirs)}`,
    ratio: pairs > 1 ? `${factor(ratio)} (${factor(low)} to ${factor(high)})` : factor(ratio),
    ...(limit && { target: `at most ${factor(limit)}`, met: ratio <= limit }),
  }
}

export const MEBIBYTE = 1 << 20

/** A row for what something takes of the memory. `limit`: bytes. */
export function weightRow(about: Pick<Row, 'what' | 'where'>, { held, peak }: Weight, limit?: number): Row {
  return {
    ...about,
    ours: `${megabytes(peak)} at most, ${megabytes(held)} held`,
    ...(limit && { target: `at most ${Math.round(limit / MEBIBYTE)} MB`, met: peak <= limit }),
  }
}

const megabytes = (bytes: number): string => `${Math.max(0, bytes / MEBIBYTE).toFixed(1)} MB`

/** Milliseconds. */
const LONGEST_SLICE = 10

/** A row for how long a task keeps the event loop to itself. */
export function slicesRow(task: string, { longest, withCollections, total }: Slices): Row {
  return {
    what: `longest slice: ${task}`,
    where: 'replayed on the host',
    ours: `${milliseconds(longest)} of ${milliseconds(total)}; with V8's collections ${milliseconds(withCollections)}`,
    target: `at most ${LONGEST_SLICE} ms`,
    met: longest <= LONGEST_SLICE,
  }
}

export const milliseconds = (time: number): string => `${time < 10 ? time.toFixed(1) : Math.round(time).toLocaleString('en')} ms`

const factor = (ratio: number): string => (ratio < 1 ? ratio.toFixed(3) : ratio.toFixed(2))
