/** Records what a client and a real kernel say to each other for every task. Runs inside the guest. */
import { type Crossing, recording, writeTranscripts } from '../recorder.js'
import { say, shell } from '../shell.js'
import { fleet, type Size } from './fleet.js'
import { connect, inNewNamespace, loadModules } from './guest.js'
import { prepare, type Task, taskNames } from './tasks.js'

export interface RecordOptions {
  readonly size: Size
  readonly file: string
}

async function record({ size, file }: RecordOptions): Promise<void> {
  await loadModules()
  const transcripts: Partial<Record<Task, readonly Crossing[]>> = {}
  await inNewNamespace(async netns => {
    for (const task of taskNames) {
      say(`recording: ${task}`)
      const crossings: Crossing[] = []
      const lvs = await connect(netns, transport => recording(transport, crossings))
      await prepare(task, fleet(size))(lvs)
      await lvs.close()
      transcripts[task] = crossings
    }
  })
  writeTranscripts(file, transcripts)
}

await record(JSON.parse(process.argv[2] ?? '') as RecordOptions)
shell.end()
