/** nftables' conformance suite on the memory kernel. Under real kernels nft-guest.ts runs the same cases. */
import t from 'tap'
import { open } from '../../lib/nft/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { type Case, type MemoryContext, Skip } from './nft/case.js'
import { nft } from './nft/index.js'
import { Cleanup } from './support/case.js'

/** On a busy machine; none takes a second. */
t.setTimeout(300_000)

async function run(it: Exclude<Case, { needs: 'linux' }>): Promise<void> {
  const memory = memoryKernel()
  const cleanup = new Cleanup()
  const context: MemoryContext = {
    kernel: 'memory',
    memory,
    transport: () => memory,
    after: undo => cleanup.after(undo),
    open: async (options = {}) => {
      const client = await open({ transport: memory, ...options })
      cleanup.after(() => client.close())
      return client
    },
  }
  try {
    await it.run(context)
  } finally {
    await cleanup.run()
  }
}

const elsewhere: string[] = []
for (const it of nft) {
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
const why = 'need Linux: the nft command, packets or processes'
t.pass(`${elsewhere.length} cases that ${why}`, { skip: why })
