/**
 * How long the library keeps the event loop to itself. The kernel's answers are replayed on this machine: inside a kernel of our own other
 * processes and the kernel's own work would be measured, and user-mode-linux has one processor for all of them.
 *
 * A chain of setImmediate goes along with the task, one link in each turn of the event loop. The loop never sleeps then, so the time
 * between two links is a turn: the library's code, between one await of an answer and the next. Replayed answers arrive by setImmediate
 * too, so that a turn may hold two slices of the library: it is never taken for shorter. A turn counts with the least of its wall time,
 * which other programs make longer, the processor time of the process, which has the kernel's work on other threads in it, and that of its own
 * thread, which is known to within a tick of the kernel's clock: it is never taken for shorter. Turns in which V8 collected garbage are told
 * apart: how long that takes depends on all that the process holds.
 */
import { openSync, readSync } from 'node:fs'
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
  let before = now()
  const link = (): void => {
    const after = now()
    const length = Math.min(after.wall - before.wall, after.process - before.process, after.thread - before.thread + TICK)
    turns.push({ start: before.wall, end: after.wall, length })
    before = after
    if (!over) setImmediate(link)
  }
  setImmediate(link)
  await task()
  over = true
  await new Promise(setImmediate)
  return turns
}

/** Milliseconds between two ticks: Linux is built with 250 a second, or more. */
const TICK = 4

/** Its first number is how long the main thread ran, in nanoseconds, as of the last tick (proc(5)). */
const schedstat = openSync('/proc/self/schedstat', 'r')
const text = Buffer.alloc(128)

/** Milliseconds, by each clock. */
function now(): { readonly wall: number; readonly process: number; readonly thread: number } {
  const { user, system } = process.cpuUsage()
  const length = readSync(schedstat, text, 0, text.length, 0)
  const thread = Number.parseInt(text.toString('latin1', 0, length), 10) / 1e6
  return { wall: performance.now(), process: (user + system) / 1000, thread }
}
