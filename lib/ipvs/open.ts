import { nativeTransport } from '../netlink/native.js'
import type { Netns } from '../netlink/netns.js'
import type { Transport } from '../netlink/transport.js'
import { IpvsClient } from './client.js'
import { Kernel } from './kernel.js'
import { knownKeys, object } from './validate.js'

export interface OpenOptions {
  /** Network namespace to work in. Default: that of this process. */
  readonly netns?: Netns | undefined
  /** Seconds that a call may take unless it says otherwise. Default 60. The kernel may work for tens of seconds on one request. */
  readonly deadline?: number | undefined
  /** Where the messages go, for tests: `memoryKernel()` of `ts-ipvs/testing`. Default: the kernel. Closed together with the client. */
  readonly transport?: Transport | undefined
}

/** Seconds. */
const DEFAULT_DEADLINE = 60

/**
 * Opens a client of the kernel's IPVS. It needs CAP_NET_ADMIN in the initial user namespace, and the module ip_vs, which the kernel loads
 * by itself where it may. Whether both are there shows with the first call.
 *
 * @throws {NetlinkError} `no-such-namespace`, `not-permitted`, `unsupported-platform`
 * @example
 * await using lvs = await open()
 * await lvs.addVirtualServer({ protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' })
 */
export async function open(options: OpenOptions = {}): Promise<IpvsClient> {
  object(options, 'options')
  knownKeys(options, 'options', { netns: 0, deadline: 0, transport: 0 })
  if (options.transport && options.netns) throw new TypeError('options: give netns or transport, not both')
  const transport = options.transport ?? nativeTransport(options.netns)
  const kernel = new Kernel(transport, options.deadline ?? DEFAULT_DEADLINE)
  try {
    kernel.limit(undefined) // refuses a bad deadline
    kernel.writes.channel.open()
  } catch (error) {
    await kernel.close()
    throw error
  }
  return new IpvsClient(kernel)
}
