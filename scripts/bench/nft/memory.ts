/** Weighs what a client does with many elements and rules: see weight.ts. Runs in a network namespace of its own. */
import { say, shell } from '../shell.js'
import { type Weight, weigh } from '../weight.js'
import { connect } from './guest.js'
import { prepare, type Size, type Task, taskNames } from './tasks.js'

export interface MemoryOptions {
  readonly size: Size
}

export interface Memory extends Weight {
  readonly task: Task
}

async function measure({ size }: MemoryOptions): Promise<Memory[]> {
  const measured: Memory[] = []
  for (const task of taskNames) {
    say(`memory: ${task}`)
    measured.push({ task, ...(await weigh(connect, prepare(task, size))) })
  }
  return measured
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as MemoryOptions)))
shell.end()
