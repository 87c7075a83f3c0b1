/** The conformance suite on the memory kernel. Under real kernels guest.ts runs the same cases. */
import t from 'tap'
import { conformance } from './conformance/index.js'
import { runInMemory } from './support/memory.js'

const NEEDS_LINUX = 'needs Linux: processes, namespaces, modules or packets'

for (const it of conformance) {
  if (it.needs === 'linux') t.pass(it.name, { skip: NEEDS_LINUX })
  else t.error(await failureOf(runInMemory(it)), it.name)
}

function failureOf(running: Promise<void>): Promise<unknown> {
  return running.then(
    () => undefined,
    (error: unknown) => error,
  )
}
