/** A proxy on each node of the topology, and objects that they are told. */
import { ServiceProxy, type ServiceProxyOptions } from '../../../lib/proxy/index.js'
import type { Family, ServiceSpec } from '../../../lib/service/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Source } from '../../../lib/source/source.js'
import type { Kind, Who } from '../../service/reference.js'
import type { Orders } from '../traffic/peer.js'
import { cidrs } from './rig.js'
import {
  CLIENT_POD,
  clientAddress,
  FAMILIES,
  NODES,
  type NodeName,
  nodeAddress,
  nodeNamespace,
  POD_PORTS,
  type PodNumber,
  podAddress,
  RANGES,
  strangerAddress,
  type Topology,
} from './topology.js'

export type ServiceObject = Extract<KubernetesObject, { readonly kind: 'Service' }>
export type SliceObject = Extract<KubernetesObject, { readonly kind: 'EndpointSlice' }>

/** What a case runs in. */
export interface ProxyContext {
  readonly topology: Topology
  /** Given to every proxy: its backend. */
  readonly options: Partial<ServiceProxyOptions>
  /** Of steps at which a proxy is killed, and of lines of the table of flows: each of so many. */
  readonly every: number
  /** Runs after the case, last first. */
  after(undo: () => unknown): void
}

/** A case with real packets, whatever the backend. */
export interface ProxyCase {
  readonly name: string
  /** Default: any backend. */
  readonly needs?: 'ipvs' | undefined
  run(context: ProxyContext): Promise<void>
}

/** Opens the proxy of a node. */
export function openOn({ options }: Pick<ProxyContext, 'options'>, node: NodeName, source: Source): Promise<ServiceProxy> {
  return ServiceProxy.open({
    netns: { name: nodeNamespace(node) },
    node,
    clusterCidrs: cidrs(...RANGES.pods),
    serviceCidrs: cidrs(...RANGES.services),
    standalone: false,
    source,
    ...options,
  })
}

/** The same, closed after the case, and what it made removed. */
export async function proxyOn(context: ProxyContext, node: NodeName, source: Source): Promise<ServiceProxy> {
  const proxy = await openOn(context, node, source)
  context.after(async () => {
    await proxy.cleanup()
    await proxy.close()
  })
  return proxy
}

/** Opens both, and lets each read the source and sync once. */
export async function proxies(context: ProxyContext, source: Source): Promise<Readonly<Record<NodeName, ServiceProxy>>> {
  const [one, two] = await Promise.all(NODES.map(node => proxyOn(context, node, source)))
  if (!one || !two) throw new Error('there are two nodes')
  await Promise.all([one.once(), two.once()])
  return { one, two }
}

export const nodeObjects: readonly KubernetesObject[] = NODES.map(name => ({
  kind: 'Node',
  metadata: { name, labels: { 'topology.kubernetes.io/zone': `zone-${name}` } },
  status: { addresses: FAMILIES.map(family => ({ type: 'InternalIP', address: nodeAddress(name)[family] })) },
}))

/** Addresses and node port of the Service of a number. */
export const addressesOf = (number: number) => ({
  cluster: { ipv4: `10.96.0.${number}`, ipv6: `fd00:96::${number}` },
  external: { ipv4: `198.51.100.${number}`, ipv6: `2001:db8:51::${number}` },
  balancer: { ipv4: `198.18.0.${number}`, ipv6: `2001:db8:18::${number}` },
  nodePort: 30000 + number,
})

export const SERVICE_PORT = 80

/** Where a Service of this number is served. */
export function addressOf(kind: Kind, number: number, family: Family, via: NodeName): { address: string; port: number } {
  const { cluster, external, balancer, nodePort } = addressesOf(number)
  if (kind === 'node-port') return { address: nodeAddress(via)[family], port: nodePort }
  const addresses = { 'cluster-ip': cluster, 'external-ip': external, 'load-balancer': balancer }[kind]
  return { address: addresses[family], port: SERVICE_PORT }
}

/** Where a client is, and its address. */
export function clientOf(
  { outside, nodes, pods }: Topology,
  who: Who,
  via: NodeName,
  family: Family,
): { peer: Orders; from: string } {
  if (who === 'pod') return { peer: pods[via][CLIENT_POD], from: podAddress(via, CLIENT_POD)[family] }
  if (who === 'node') return { peer: nodes[via], from: nodeAddress(via)[family] }
  return { peer: outside, from: (who === 'remote' ? clientAddress : strangerAddress)(via)[family] }
}

/** A Service with addresses of every kind and of both families, over TCP and UDP. */
export function serviceObject(number: number, spec: Partial<ServiceSpec> = {}): ServiceObject {
  const { cluster, external, balancer, nodePort } = addressesOf(number)
  return {
    kind: 'Service',
    metadata: { name: `service-${number}` },
    spec: {
      type: 'LoadBalancer',
      clusterIP: cluster.ipv4,
      clusterIPs: Object.values(cluster),
      externalIPs: Object.values(external),
      loadBalancerSourceRanges: [RANGES.client, RANGES.pods, RANGES.nodes].flat(),
      ports: (['TCP', 'UDP'] as const).map(protocol => ({
        name: protocol.toLowerCase(),
        protocol,
        port: SERVICE_PORT,
        nodePort,
      })),
      ...spec,
    },
    status: { loadBalancer: { ingress: Object.values(balancer).map(ip => ({ ip })) } },
  }
}

/** A pod that is an endpoint. */
export interface PodEndpoint {
  readonly node: NodeName
  readonly pod: PodNumber
  readonly leaving?: boolean | undefined
  readonly forNodes?: readonly NodeName[] | undefined
  readonly forZones?: readonly NodeName[] | undefined
  readonly port?: number | undefined
}

/** Its slices: one for each family and port that pods listen on. */
export function sliceObjects(number: number, endpoints: readonly PodEndpoint[]): readonly SliceObject[] {
  const named = (names: readonly string[] | undefined, prefix = '') => names?.map(name => ({ name: `${prefix}${name}` }))
  const slice = (family: Family, listen: number): SliceObject => ({
    kind: 'EndpointSlice',
    metadata: {
      name: `service-${number}-${family}-${listen}`,
      labels: { 'kubernetes.io/service-name': `service-${number}` },
    },
    addressType: family === 'ipv4' ? 'IPv4' : 'IPv6',
    ports: (['TCP', 'UDP'] as const).map(protocol => ({ name: protocol.toLowerCase(), protocol, port: listen })),
    endpoints: endpoints
      .filter(({ port = POD_PORTS[0] }) => port === listen)
      .map(({ node, pod, leaving, forNodes, forZones }) => ({
        addresses: [podAddress(node, pod)[family]],
        nodeName: node,
        conditions: leaving ? { ready: false, serving: true, terminating: true } : { ready: true },
        hints: { forNodes: named(forNodes), forZones: named(forZones, 'zone-') },
      })),
  })
  return FAMILIES.flatMap(family => POD_PORTS.map(port => slice(family, port)))
}
