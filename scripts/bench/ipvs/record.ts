/** Records what a client and a real kernel say to each other for every task. Runs inside the guest. */
import { writeFileSync } from 'node:fs'
import { serialize } from 'node:v8'
import { type Crossing, recording } from '../recorder.js'
import { fleet, type Size } from './fleet.js'
import { connect, inNewNamespace, loadModules, say, shell } from './guest.js'
import { prepare, type Task, taskNames } from './tasks.js'

export interface RecordOptions {
  readonly size: Size
  readonly file: string
}

export type Transcripts = Readonly<Record<Task, readonly Crossing[]>>

async function record({ size, file }: RecordOptions): Promise<void> {
  await loadModules()
  const transcripts: Partial<Record<Task, Crossing[]>> = {}
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
  writeFileSync(file, serialize(transcripts))
}

await record(JSON.parse(process.argv[2] ?? '') as RecordOptions)
shell.end()
