/**
 * A proxy that is killed in the middle: `node dying.js`, which says that it is ready, and is told then by a line of standard input:
 * `{"after": 7, …}`. Once the kernel has answered so many requests that may change something, or has taken so many settings, the process is
 * gone (SIGKILL). One that comes to its end prints how many there were.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Transport } from '../../../lib/netlink/index.js'
import { nativeTransport } from '../../../lib/netlink/index.js'
import { NETLINK_GENERIC } from '../../../lib/netlink/transport.js'
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
  /** Requests that are answered, and settings that are written; none: it lives. */
  readonly after?: number | undefined
}

/** Messages that only ask: RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, IPCTNL_MSG_CT_GET, NFT_MSG_GETTABLE, NFT_MSG_GETGEN. */
const QUESTIONS: ReadonlySet<number> = new Set([18, 22, 26, 0x101, 0xa01, 0xa10])
/** IPVS_CMD_GET_*, and CTRL_CMD_GETFAMILY of the family with the number 16. */
const GENERIC: ReadonlySet<number> = new Set([4, 8, 11, 13, 15])
const CONTROL = { type: 16, getFamily: 3 }

/** Who dies behind a question leaves what it would have before. */
function isQuestion(protocol: number, request: Uint8Array): boolean {
  const type = new DataView(request.buffer, request.byteOffset).getUint16(4, true)
  if (protocol !== NETLINK_GENERIC) return QUESTIONS.has(type)
  const command = request[16] as number
  return type === CONTROL.type ? command === CONTROL.getFamily : GENERIC.has(command)
}

function mortal(transport: Transport, answered: () => void): Transport {
  const watched = intercept(transport, async ({ kind, request, protocol }, go) => {
    const changes = kind === 'exchange' && request !== null && !isQuestion(protocol, request)
    const reply = await go()
    if (changes) answered()
    return reply
  })
  return {
    ...watched,
    async writeFile(path, text) {
      await watched.writeFile(path, text)
      answered()
    },
  }
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

process.stdout.write('ready\n')
const [line] = await once(createInterface({ input: process.stdin }), 'line')
process.stdout.write(`${await main(JSON.parse(line) as Dying)}\n`)
process.exit()
