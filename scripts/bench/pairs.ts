/** Two ways to do the same, measured by turns: what disturbs one disturbs the other, and the medians do not see it. */

/** Milliseconds of one run. */
export type Run = () => Promise<number>

export interface Pairs {
  /** Medians, milliseconds. */
  readonly ours: number
  readonly theirs: number
  /** Median of the ratios of each pair. */
  readonly ratio: number
  /** The middle half of these ratios. */
  readonly spread: readonly [number, number]
  readonly pairs: number
}

export async function pairs(count: number, ours: Run, theirs: Run): Promise<Pairs> {
  const mine: number[] = []
  const others: number[] = []
  for (let i = 0; i < count; i++) {
    // Who goes first finds a quieter machine, or a colder one: so they take turns.
    if (i % 2 === 0) mine.push(await ours())
    others.push(await theirs())
    if (i % 2 === 1) mine.push(await ours())
  }
  const ratios = mine.map((time, i) => time / (others[i] as number))
  return {
    ours: quantile(mine, 0.5),
    theirs: quantile(others, 0.5),
    ratio: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    pairs: count,
  }
}

/** Runs until V8 has compiled what is measured. */
export async function times(count: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await run()
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = sorted[Math.floor(at)] as number
  const high = sorted[Math.ceil(at)] as number
  return low + (high - low) * (at - Math.floor(at))
}
