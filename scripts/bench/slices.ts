/**
 * How long the library keeps the event loop to itself. The kernel's answers are replayed on this machine: inside a kernel of our own other
 * processes and the kernel's own work would be measured, and user-mode-linux has one processor for all of them.
 *
 * A chain of setImmediate goes along with the task, one link in each turn of the event loop. The loop never sleeps then, so the time
 * between two links is a turn: the library's code, between one await of an answer and the next. Replayed answers arrive by setImmediate
 * too, so that a turn may hold two slices of the library: it is never taken for shorter. A turn counts with the less of its wall time,
 * which other programs make longer, and its processor time, which V8's helpers add to. Turns in which V8 collected garbage are told
 * apart: how long that takes depends on all that the process holds.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { quantile } from './pairs.js'

/** Milliseconds. */
export interface Slices {
  /** The longest turn in which V8 did not collect garbage. */
  readonly longest: number
  /** The longest turn of all. */
  readonly withCollections: number
  /** The whole task, without a kernel. */
  readonly total: number
}

/** Medians of several runs. Each is prepared, run, and ended by what it returns. */
export async function slicesOf(
  runs: number,
  prepare: () => Promise<{ run(): Promise<unknown>; end(): Promise<void> }>,
): Promise<Slices> {
  const measured: Slices[] = []
  for (let i = 0; i < runs; i++) {
    const { run, end } = await prepare()
    measured.push(await slicesOfRun(run))
    await end()
  }
  const median = (of: keyof Slices): number =>
    quantile(
      measured.map(slices => slices[of]),
      0.5,
    )
  return { longest: median('longest'), withCollections: median('withCollections'), total: median('total') }
}

async function slicesOfRun(run: () => Promise<unknown>): Promise<Slices> {
  const collections: { startTime: number }[] = []
  const observer = new PerformanceObserver(list => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const turns = await turnsOf(run)
  await new Promise(resolve => setTimeout(resolve, 10)) // the observer is told later
  observer.disconnect()
  const undisturbed = turns.filter(
    ({ start, end }) => !collections.some(({ startTime }) => startTime >= start && startTime < end),
  )
  const total = (turns.at(-1)?.end ?? 0) - (turns[0]?.start ?? 0)
  return { longest: longest(undisturbed), withCollections: longest(turns), total }
}

interface Turn {
  /** As of performance.now(). */
  readonly start: number
  readonly end: number
  readonly length: number
}

function longest(turns: readonly Turn[]): number {
  return turns.reduce((most, { length }) => Math.max(most, length), 0)
}

async function turnsOf(task: () => Promise<unknown>): Promise<Turn[]> {
  const turns: Turn[] = []
  let over = false
  let start = performance.now()
  let before = processorTime()
  const link = (): void => {
    const end = performance.now()
    const after = processorTime()
    turns.push({ start, end, length: Math.min(end - start, after - before) })
    start = end
    before = after
    if (!over) setImmediate(link)
  }
  setImmediate(link)
  await task()
  over = true
  await new Promise(setImmediate)
  return turns
}

/** Milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
