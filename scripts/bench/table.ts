/** Results as a table in Markdown. */
import type { Pairs } from './pairs.js'

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

export const milliseconds = (time: number): string => `${time < 10 ? time.toFixed(1) : Math.round(time).toLocaleString('en')} ms`

const factor = (ratio: number): string => (ratio < 1 ? ratio.toFixed(3) : ratio.toFixed(2))
