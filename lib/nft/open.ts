import { nativeTransport } from '../netlink/native.js'
import type { Netns } from '../netlink/netns.js'
import type { Transport } from '../netlink/transport.js'
import { NftClient } from './client.js'
import { Kernel } from './kernel.js'
import { checkOptions } from './known-fields.js'

export interface OpenOptions {
  /** Network namespace to work in. Default: that of this process. */
  readonly netns?: Netns | undefined
  /** Seconds that a call may take unless it says otherwise. Default 60. The kernel may work for tens of seconds on one transaction. */
  readonly deadline?: number | undefined
  /** Where the messages go, for tests: `memoryKernel()` of `ts-ipvs/testing`. Default: the kernel. Closed together with the client. */
  readonly transport?: Transport | undefined
}

/** Seconds. */
const DEFAULT_DEADLINE = 60

/**
 * Opens a client of the kernel's nftables. It needs CAP_NET_ADMIN in the user namespace that owns the network namespace, which the first
 * call shows.
 *
 * @throws {NetlinkError} `no-such-namespace`, `not-permitted`, `unsupported-platform`
 * @example
 * await using nf = await open()
 * await nf.commit([{ add: { table: { family: 'inet', name: 'web' } } }])
 */
export async function open(options: OpenOptions = {}): Promise<NftClient> {
  checkOptions(options, ['netns', 'transport'])
  if (options.transport && options.netns) throw new TypeError('options: give netns or transport, not both')
  const transport = options.transport ?? nativeTransport(options.netns)
  const kernel = new Kernel(transport, options.deadline ?? DEFAULT_DEADLINE)
  try {
    kernel.limit(undefined) // refuses a bad deadline
    kernel.writes.open()
  } catch (error) {
    await kernel.close()
    throw error
  }
  return new NftClient(kernel)
}
