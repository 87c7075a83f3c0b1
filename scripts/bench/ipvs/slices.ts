/**
 * How long the library keeps the event loop to itself. The kernel's answers are replayed on this machine: inside the guests other
 * processes and the kernel's own work would be measured, and user-mode-linux has one processor for all of them.
 *
 * A chain of setImmediate goes along with the task, one link in each turn of the event loop. The loop never sleeps then, so the longest
 * time between two links is the longest turn: the library's code, between one await of an answer and the next, and the collection of its
 * garbage. Replayed answers arrive by setImmediate too, so that a turn may hold two slices of the library: it is never taken for shorter.
 * What this machine does meanwhile counts as well; hence the median of several runs.
 */
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import { open } from '../../../lib/ipvs/open.js'
import { quantile } from '../pairs.js'
import { type Crossing, replaying } from '../recorder.js'
import { fleet, type Size } from './fleet.js'
import type { Transcripts } from './record.js'
import { type Task, taskNames, tasks } from './tasks.js'

export interface Slices {
  readonly task: Task
  /** Milliseconds: the longest turn, as the median of the runs. */
  readonly longest: number
  /** The same in the first run of the process. */
  readonly cold: number
  /** The whole task without a kernel, in milliseconds. */
  readonly total: number
}

export async function slices(file: string, size: Size, runs: number): Promise<Slices[]> {
  const transcripts = load(file)
  const measured: Slices[] = []
  for (const task of taskNames) {
    const longest: number[] = []
    const total: number[] = []
    for (let i = 0; i < runs; i++) {
      const turn = await replay(task, transcripts[task], size)
      longest.push(turn.longest)
      total.push(turn.total)
    }
    measured.push({ task, longest: quantile(longest, 0.5), cold: longest[0] as number, total: quantile(total, 0.5) })
  }
  return measured
}

function load(file: string): Transcripts {
  const transcripts = deserialize(readFileSync(file)) as Record<Task, Crossing[]>
  // They are views of the file now, while answers of the kernel are aligned.
  for (const task of taskNames)
    transcripts[task] = transcripts[task].map(({ request, reply }) => ({
      request,
      reply: { ...reply, data: new Uint8Array(reply.data) },
    }))
  return transcripts
}

async function replay(task: Task, crossings: readonly Crossing[], size: Size): Promise<{ longest: number; total: number }> {
  const lvs = await open({ transport: replaying(crossings) })
  await lvs.info()
  const desired = fleet(size)
  const start = performance.now()
  const longest = await longestTurn(() => tasks[task](lvs, desired))
  const total = performance.now() - start
  await lvs.close()
  return { longest, total }
}

async function longestTurn(task: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let over = false
  let last = performance.now()
  const link = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!over) setImmediate(link)
  }
  setImmediate(link)
  await task()
  over = true
  await new Promise(setImmediate)
  return longest
}
