/**
 * What the library takes of the memory of its process: the JavaScript heap and what is allocated for it outside (heapUsed and external;
 * arrayBuffers is a part of external), always after a forced collection, less what was there before the call: the caller's objects.
 * Needs --expose-gc.
 */
import type { Transport } from '../../lib/netlink/transport.js'
import { intercept } from '../../test/kernel/support/intercept.js'

/** Bytes. */
export interface Weight {
  /** What the result takes. */
  readonly held: number
  /**
   * The most that was alive when the library crossed over to the kernel and back, sampled now and then: a collection is forced there, so
   * that no garbage counts.
   */
  readonly peak: number
  /** What was sent and received. */
  readonly wire: number
}

interface Client {
  close(): Promise<void>
}

/** Opens a client over a transport that goes through `around`. */
type Connect<C extends Client> = (around: (transport: Transport) => Transport) => Promise<C>

/** Crossings, counting back and forth, from one sample to the next: odd, so that both are sampled. */
const EACH = 7

/** What must not be collected while it is measured. */
const kept: unknown[] = []

/**
 * Weighs what a client does.
 *
 * @param run holds what the caller has
 */
export async function weigh<C extends Client>(connect: Connect<C>, run: (client: C) => Promise<unknown>): Promise<Weight> {
  await warmUp(connect, run)
  let sampling = false
  let peak = 0
  let crossings = 0
  let wire = 0
  const sample = (): void => {
    if (sampling && crossings++ % EACH === 0) peak = Math.max(peak, alive())
  }
  const client = await connect(transport =>
    intercept(transport, async ({ request }, go) => {
      sample()
      const reply = await go()
      sample()
      if (sampling) wire += (request?.length ?? 0) + reply.data.length
      return reply
    }),
  )
  const before = alive()
  sampling = true
  const result = await run(client)
  sampling = false
  kept.push(run, result)
  const held = alive() - before
  kept.length = 0
  await client.close()
  return { held, peak: Math.max(peak - before, held), wire }
}

/**
 * What is loaded and compiled the first time is no part of it; what a client keeps for the next time is. The result must not stay in a
 * frame that lives on.
 */
async function warmUp<C extends Client>(connect: Connect<C>, run: (client: C) => Promise<unknown>): Promise<void> {
  const client = await connect(transport => transport)
  await run(client)
  await client.close()
}

function alive(): number {
  if (!globalThis.gc) throw new Error('run node with --expose-gc')
  globalThis.gc()
  globalThis.gc() // waits for what the first one left to be freed by another thread: the memory of buffers
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
