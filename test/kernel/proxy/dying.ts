/**
 * A proxy that is killed in the middle: `node dying.js '{"after": 7, …}'`. Once the kernel has answered so many requests that may change
 * something, the process is gone (SIGKILL). One that comes to its end prints how many there were.
 */
import type { Transport } from '../../../lib/netlink/index.js'
import { nativeTransport } from '../../../lib/netlink/index.js'
import type { ServiceProxyOptions } from '../../../lib/proxy/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import { intercept } from '../support/intercept.js'
import { openOn } from './cluster.js'
import { TestSource } from './rig.js'
import { nodeNamespace } from './topology.js'

export interface Dying {
  readonly options: Partial<ServiceProxyOptions>
  readonly objects: readonly KubernetesObject[]
  readonly does: 'sync' | 'cleanup'
  /** Requests that are answered; none: it lives. */
  readonly after?: number | undefined
}

/** Messages that only ask: RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, IPCTNL_MSG_CT_GET, NFT_MSG_GETGEN. */
const QUESTIONS: ReadonlySet<number> = new Set([18, 22, 26, 0x101, 0xa10])
/** GENL_ID_CTRL, which is NFNL_MSG_BATCH_BEGIN for nftables, and CTRL_CMD_GETFAMILY. */
const CONTROL = { type: 16, getFamily: 3 }

/** Who dies behind a question leaves what it would have before. */
function isQuestion(request: Uint8Array): boolean {
  const type = new DataView(request.buffer, request.byteOffset).getUint16(4, true)
  return QUESTIONS.has(type) || (type === CONTROL.type && request[16] === CONTROL.getFamily)
}

function mortal(transport: Transport, answered: () => void): Transport {
  return intercept(transport, async ({ kind, request }, go) => {
    const changes = kind === 'exchange' && request !== null && !isQuestion(request)
    const reply = await go()
    if (changes) answered()
    return reply
  })
}

async function main({ options, objects, does, after }: Dying): Promise<number> {
  let count = 0
  const transport = mortal(nativeTransport({ name: nodeNamespace('one') }), () => {
    if (++count === after) process.kill(process.pid, 'SIGKILL')
  })
  const source = new TestSource()
  source.tell(...objects)
  const proxy = await openOn({ options: { ...options, netns: undefined, transport } }, 'one', source)
  if (does === 'sync') await proxy.once()
  else await proxy.cleanup()
  return count
}

process.stdout.write(`${await main(JSON.parse(process.argv[2] ?? '') as Dying)}\n`)
process.exit()
