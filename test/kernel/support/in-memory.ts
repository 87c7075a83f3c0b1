/** Runs a suite on the memory kernel. */
import t from 'tap'
import { memoryKernel } from '../../../lib/testing/index.js'
import { Cleanup } from './case.js'
import { type Case, type ClientsOf, type MemoryContext, Skip } from './suite.js'

/** @param why what cases need that run under Linux only */
export async function runInMemory<C>(cases: readonly Case<C>[], clientsOf: ClientsOf<C>, why: string): Promise<void> {
  // On a busy machine; none takes a second.
  t.setTimeout(300_000)
  for (const it of cases) {
    if (it.needs === 'linux') continue
    try {
      await runCase(it, clientsOf)
      t.pass(it.name)
    } catch (error) {
      if (error instanceof Skip) t.pass(it.name, { skip: error.message })
      else t.fail(it.name, { cause: error })
    }
  }
  const elsewhere = cases.filter(({ needs }) => needs === 'linux')
  for (const { name } of elsewhere) t.comment(`not here: ${name}`)
  t.pass(`${elsewhere.length} cases that ${why}`, { skip: why })
}

async function runCase<C>(it: Exclude<Case<C>, { needs: 'linux' }>, clientsOf: ClientsOf<C>): Promise<void> {
  const memory = memoryKernel()
  const cleanup = new Cleanup()
  const context: MemoryContext = {
    kernel: 'memory',
    memory,
    transport: () => memory,
    after: undo => cleanup.after(undo),
  }
  const clients = clientsOf(
    options => ({ transport: memory, ...options }),
    async opening => {
      const client = await opening
      cleanup.after(() => client.close())
      return client
    },
  )
  try {
    await it.run({ ...context, ...clients })
  } finally {
    await cleanup.run()
  }
}
