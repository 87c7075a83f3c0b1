/** How long each task keeps the event loop to itself, with answers that were recorded inside the guest: see slices.ts above. */
import { open } from '../../../lib/ipvs/open.js'
import { readTranscripts, replaying } from '../recorder.js'
import { type Slices, slicesOf } from '../slices.js'
import { fleet, type Size } from './fleet.js'
import { prepare, type Task, taskNames } from './tasks.js'

export async function slices(file: string, size: Size, runs: number): Promise<(Slices & { readonly task: Task })[]> {
  const transcripts = readTranscripts<Task>(file)
  const measured: (Slices & { readonly task: Task })[] = []
  for (const task of taskNames) {
    const prepared = async () => {
      const lvs = await open({ transport: replaying(transcripts[task]) })
      await lvs.info()
      const run = prepare(task, fleet(size))
      return { run: () => run(lvs), end: () => lvs.close() }
    }
    measured.push({ task, ...(await slicesOf(runs, prepared)) })
  }
  return measured
}
