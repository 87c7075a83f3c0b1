/** The conformance suites of routes and connection tracking on the memory kernel. Under real kernels network-guest.ts runs the same cases. */
import t from 'tap'
import { open as openConntrack } from '../../lib/conntrack/index.js'
import { open as openRoute } from '../../lib/route/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { type Case, type MemoryContext, Skip } from './network/case.js'
import { cases } from './network/index.js'
import { Cleanup } from './support/case.js'

/** On a busy machine; none takes a second. */
t.setTimeout(300_000)

async function run(it: Exclude<Case, { needs: 'linux' }>): Promise<void> {
  const memory = memoryKernel()
  const cleanup = new Cleanup()
  const closed = <T extends { close(): Promise<void> }>(client: T): T => {
    cleanup.after(() => client.close())
    return client
  }
  const context: MemoryContext = {
    kernel: 'memory',
    memory,
    transport: () => memory,
    after: undo => cleanup.after(undo),
    route: async (options = {}) => closed(await openRoute({ transport: memory, ...options })),
    conntrack: async (options = {}) => closed(await openConntrack({ transport: memory, ...options })),
  }
  try {
    await it.run(context)
  } finally {
    await cleanup.run()
  }
}

const elsewhere: string[] = []
for (const it of cases) {
  if (it.needs === 'linux') {
    elsewhere.push(it.name)
    continue
  }
  try {
    await run(it)
    t.pass(it.name)
  } catch (error) {
    if (error instanceof Skip) t.pass(it.name, { skip: error.message })
    else t.fail(it.name, { cause: error })
  }
}
for (const name of elsewhere) t.comment(`not here: ${name}`)
const why = 'need Linux: the ip command, packets or other namespaces'
t.pass(`${elsewhere.length} cases that ${why}`, { skip: why })
