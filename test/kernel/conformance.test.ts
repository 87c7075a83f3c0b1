/** The conformance suite on the memory kernel. Under real kernels guest.ts runs the same cases. */
import t from 'tap'
import { conformance } from './conformance/index.js'
import { runInMemory } from './support/memory.js'

/** On a busy machine; none takes a second. */
t.setTimeout(300_000)

const elsewhere: string[] = []
for (const it of conformance) {
  if (it.needs === 'linux') {
    elsewhere.push(it.name)
    continue
  }
  try {
    await runInMemory(it)
    t.pass(it.name)
  } catch (error) {
    t.fail(it.name, { cause: error })
  }
}
for (const name of elsewhere) t.comment(`not here: ${name}`)
const why = 'need Linux: processes, namespaces, modules or packets'
t.pass(`${elsewhere.length} cases that ${why}`, { skip: why })
