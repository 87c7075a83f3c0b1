/** The conformance suite on the memory kernel. Under real kernels guest.ts runs the same cases. */
import t from 'tap'
import { conformance } from './conformance/index.js'
import { runInMemory } from './support/memory.js'

const NEEDS_LINUX = 'needs Linux: processes, namespaces, modules or packets'

/** On a busy machine; none takes a second. */
t.setTimeout(300_000)

for (const it of conformance) {
  if (it.needs === 'linux') {
    t.pass(it.name, { skip: NEEDS_LINUX })
    continue
  }
  try {
    await runInMemory(it)
    t.pass(it.name)
  } catch (error) {
    t.fail(it.name, { cause: error })
  }
}
