/**
 * What the library takes of the memory of its process: the JavaScript heap and what is allocated for it outside (heapUsed and external;
 * arrayBuffers is a part of external), always after a forced collection, less what was there before the call: the caller's objects.
 *
 * `held` is what the result takes. `peak` is the most that was alive when the library crossed over to the kernel and back, sampled every
 * few thousand real servers: a collection is forced there, so that no garbage counts. Runs inside the guest, with --expose-gc.
 */
import { intercept } from '../recorder.js'
import { additions, fleet, type Size } from './fleet.js'
import { connect, inNewNamespace, loadModules, type Namespace, say, shell, timeRun } from './guest.js'
import { prepare, type Task } from './tasks.js'

export interface MemoryOptions {
  readonly size: Size
}

export interface Memory {
  readonly task: Task
  /** Bytes. */
  readonly held: number
  readonly peak: number
}

async function measure({ size }: MemoryOptions): Promise<Memory[]> {
  await loadModules()
  const measured: Memory[] = []
  await inNewNamespace(async netns => {
    measured.push(await memoryOf(netns, 'plan of a new table', size))
    const lvs = await connect(netns)
    await timeRun(lvs, additions(fleet(size)))
    await lvs.close()
    for (const task of ['plan of the table as it is', 'snapshot', 'snapshot with statistics'] as const)
      measured.push(await memoryOf(netns, task, size))
  })
  return measured
}

/** Crossings, counting back and forth, from one sample to the next: odd, so that both are sampled. */
const EACH = 7

/** What must not be collected while it is measured. */
const kept: unknown[] = []

async function memoryOf(netns: Namespace, task: Task, size: Size): Promise<Memory> {
  say(`memory: ${task}`)
  let sampling = false
  let peak = 0
  let crossings = 0
  const sample = (): void => {
    if (sampling && crossings++ % EACH === 0) peak = Math.max(peak, alive())
  }
  const lvs = await connect(netns, transport =>
    intercept(transport, async (_, go) => {
      sample()
      const reply = await go()
      sample()
      return reply
    }),
  )
  const run = prepare(task, fleet(size))
  await warmUp(() => run(lvs))
  const before = alive()
  sampling = true
  const result = await run(lvs)
  sampling = false
  kept.push(run, result)
  const held = alive() - before
  kept.length = 0
  await lvs.close()
  return { task, held, peak: Math.max(peak - before, held) }
}

/** What is loaded and compiled the first time is no part of it. The result must not stay in a frame that lives on. */
async function warmUp(run: () => Promise<unknown>): Promise<void> {
  await run()
}

function alive(): number {
  if (!globalThis.gc) throw new Error('run node with --expose-gc')
  globalThis.gc()
  globalThis.gc() // waits for what the first one left to be freed by another thread: the memory of buffers
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as MemoryOptions)))
shell.end()
