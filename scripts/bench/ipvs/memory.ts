/** Weighs what a client does with a large table: see weight.ts. A sample is taken every few thousand real servers. Runs inside the guest. */
import { say, shell } from '../shell.js'
import { type Weight, weigh } from '../weight.js'
import { additions, fleet, type Size } from './fleet.js'
import { connect, inNewNamespace, loadModules, type Namespace, timeRun } from './guest.js'
import { prepare, type Task } from './tasks.js'

export interface MemoryOptions {
  readonly size: Size
}

export interface Memory extends Weight {
  readonly task: Task
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

async function memoryOf(netns: Namespace, task: Task, size: Size): Promise<Memory> {
  say(`memory: ${task}`)
  return { task, ...(await weigh(around => connect(netns, around), prepare(task, fleet(size)))) }
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as MemoryOptions)))
shell.end()
