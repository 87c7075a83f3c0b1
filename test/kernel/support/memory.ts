/** Cases on the memory kernel: each has one for itself. */
import { type IpvsClient, type OpenOptions, open } from '../../../lib/ipvs/index.js'
import type { Transport } from '../../../lib/netlink/index.js'
import { type MemoryKernel, memoryKernel } from '../../../lib/testing/index.js'
import { type Case, Cleanup, type MemoryContext } from './case.js'
import { type Kernel, playedByMemory } from './kernels.js'
import { Raw } from './raw.js'

class Memory implements MemoryContext {
  readonly kernel: Kernel = playedByMemory
  readonly memory: MemoryKernel = memoryKernel({ interfaces: { lo: 65536, dummy0: 1500 } })
  readonly #cleanup = new Cleanup()

  readonly after = (undo: () => unknown): void => this.#cleanup.after(undo)

  readonly open = async (options: OpenOptions = {}): Promise<IpvsClient> => {
    const client = await open({ transport: this.memory, ...options })
    this.after(() => client.close())
    return client
  }

  readonly transport = (): Transport => this.memory

  readonly raw = (): Raw => {
    const raw = new Raw(this.memory)
    this.after(() => raw.close())
    return raw
  }

  readonly link = async (): Promise<string> => 'dummy0'

  close(): Promise<void> {
    return this.#cleanup.run()
  }
}

export async function runInMemory(it: Exclude<Case, { needs: 'linux' }>): Promise<void> {
  const context = new Memory()
  try {
    await it.run(context)
  } finally {
    await context.close()
  }
}
