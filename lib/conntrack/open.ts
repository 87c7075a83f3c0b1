import { Fields } from '../netlink/fields.js'
import { Kernel } from '../netlink/kernel.js'
import { nativeTransport } from '../netlink/native.js'
import type { Netns } from '../netlink/netns.js'
import { BadValue } from '../netlink/schema.js'
import { NETLINK_NETFILTER, type Transport } from '../netlink/transport.js'
import { ConntrackClient } from './client.js'
import { conntrackTrace } from './trace.js'

export interface OpenOptions {
  /** Network namespace to work in. Default: that of this process. */
  readonly netns?: Netns | undefined
  /** Seconds that a call may take unless it says otherwise. Default 60. */
  readonly deadline?: number | undefined
  /** Where the messages go, for tests: `memoryKernel()` of `ts-ipvs/testing`. Default: the kernel. Closed together with the client. */
  readonly transport?: Transport | undefined
}

/** Seconds. */
const DEFAULT_DEADLINE = 60

/**
 * Opens a client of the kernel's connection tracking. It needs CAP_NET_ADMIN in the user namespace that owns the network namespace, also for
 * reading, which the first call shows. In a namespace nothing is tracked until something asks for it: translation, a rule with `ct`.
 *
 * @throws {NetlinkError} `no-such-namespace`, `not-permitted`, `unsupported-platform`
 * @example
 * await using tracked = await open()
 * await tracked.deleteMatching({ protocol: 'udp', reply: { source: '10.1.0.7' } })
 */
export async function open(options: OpenOptions = {}): Promise<ConntrackClient> {
  checkOptions(options)
  if (options.transport && options.netns) throw new TypeError('options: give netns or transport, not both')
  const transport = options.transport ?? nativeTransport(options.netns)
  const kernel = new Kernel(transport, NETLINK_NETFILTER, conntrackTrace, options.deadline ?? DEFAULT_DEADLINE)
  try {
    kernel.open()
  } catch (error) {
    await kernel.close()
    throw error
  }
  return new ConntrackClient(kernel)
}

function checkOptions(options: OpenOptions): void {
  try {
    new Fields(options, ['netns', 'deadline', 'transport'], 'options')
  } catch (error) {
    throw error instanceof BadValue ? error.toError() : error
  }
}
