/** How long each task keeps the event loop to itself, with answers that were recorded before: see slices.ts above. */
import { open } from '../../../lib/nft/open.js'
import { type Crossing, recording, replaying } from '../recorder.js'
import { say, shell } from '../shell.js'
import { type Slices, slicesOf } from '../slices.js'
import { connect } from './guest.js'
import { prepare, type Size, type Task, taskNames } from './tasks.js'

export interface SlicesOptions {
  readonly size: Size
  readonly runs: number
}

export interface TaskSlices extends Slices {
  readonly task: Task
}

async function measure({ size, runs }: SlicesOptions): Promise<TaskSlices[]> {
  const measured: TaskSlices[] = []
  for (const task of taskNames) {
    say(`slices: ${task}`)
    const crossings: Crossing[] = []
    const recorder = await connect(transport => recording(transport, crossings))
    await prepare(task, size)(recorder)
    await recorder.close()
    const prepared = async () => {
      const nf = await open({ transport: replaying(crossings) })
      await nf.generation()
      const run = prepare(task, size)
      return { run: () => run(nf), end: () => nf.close() }
    }
    measured.push({ task, ...(await slicesOf(runs, prepared)) })
  }
  return measured
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as SlicesOptions)))
shell.end()
