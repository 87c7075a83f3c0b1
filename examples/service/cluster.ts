/** The nodes of the cluster: on each a proxy, which reads the manifests. */
import { EventEmitter, once } from 'node:events'
import { type BackendName, directorySource, type Log, ServiceProxy } from 'ts-ipvs/proxy'
import { type Cidr, cidrOf } from 'ts-ipvs/service'

/** What the cluster's addresses are taken from. */
export const RANGES = { services: '10.96.0.0/16', pods: '10.244.0.0/16', balancers: '203.0.113.0/24' } as const

const range = (text: string): readonly Cidr[] => [cidrOf(text)].filter(cidr => cidr !== undefined)

export interface Node {
  readonly name: string
  readonly proxy: ServiceProxy
  /** Waits until the kernel is as the manifests say, after a change of them. */
  synced(): Promise<unknown>
}

/** Starts a proxy in the namespace of a node, and waits until it serves. */
export async function startNode(name: string, manifests: string, backend: BackendName, log: Log): Promise<Node> {
  const proxy = await ServiceProxy.open({
    netns: { name },
    node: name,
    backend,
    source: directorySource({ path: manifests }),
    serviceCidrs: range(RANGES.services),
    clusterCidrs: range(RANGES.pods),
    balancerPool: range(RANGES.balancers),
    log,
  })
  const events = new EventEmitter()
  const node = { name, proxy, synced: () => once(events, 'synced') }
  const serving = node.synced()
  proxy.run(new AbortController().signal, () => events.emit('synced')).catch(error => events.emit('error', error))
  await serving
  return node
}
