/** What a Service means: where its clients come, and what becomes of them. */
import { addressOf, type Cidr, cidrOf, contains, type Family, outermost } from './address.js'
import { type Balancing, balancingOf } from './balancing.js'
import { drainOf } from './drain.js'
import { type Endpoint, type EndpointsByPort, endpointKey, type Protocol } from './endpoints.js'
import { isOfOthers, nameOf, type Service, type ServicePort } from './objects.js'
import { type Place, type Selected, select } from './select.js'

/** Where a client is: in a pod of the cluster, on this node, or anywhere else. */
export type Client = 'pod' | 'node' | 'remote'

/** What becomes of a connection. */
export type Answer =
  | {
      readonly verdict: 'accept'
      readonly endpoints: readonly Endpoint[]
      /** Whether the endpoint sees the node's address instead of the client's. It always does where the client is the endpoint itself. */
      readonly masquerade: boolean
    }
  | { readonly verdict: 'reject' | 'drop'; readonly reason: string }

export type FrontendKind = 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'

/** An address and port that clients of a Service connect to. */
export interface Frontend {
  /** `namespace/name` of the Service, and the name of its port. */
  readonly service: string
  readonly portName: string
  readonly kind: FrontendKind
  readonly family: Family
  readonly protocol: Protocol
  /** Undefined for node ports: those of the node that node ports are served on. */
  readonly address?: string | undefined
  readonly port: number
  readonly answers: Readonly<Record<Client, Answer>>
  /** Who may connect at all: others are dropped. */
  readonly sources?: readonly Cidr[] | undefined
  /** Seconds that a client comes back to the endpoint that it had. */
  readonly affinity?: number | undefined
  readonly balancing?: Balancing | undefined
  /** Seconds that connections go on to endpoints that are gone; Infinity: until they end. Undefined: as the proxy has it. */
  readonly drain?: number | undefined
}

/** What a node is asked to do. */
export interface ModelOptions {
  readonly node: Place
  /** Whose addresses are pods'. Where there is none of a family nobody is known to be a pod there. */
  readonly clusterCidrs: readonly Cidr[]
  /** Whether endpoints see the node's address in place of every client's, on cluster addresses. */
  readonly masqueradeAll: boolean
  /** The primary addresses of this node, one of each family: for source ranges that contain them. */
  readonly nodeAddresses: readonly string[]
}

export const AFFINITY_SECONDS = 10800

/** Whether a proxy serves it at all: not for headless Services, names of others, and those for another proxy. */
export function isServed({ metadata, spec }: Service): boolean {
  const first = spec.clusterIP ?? spec.clusterIPs?.[0] ?? ''
  return spec.type !== 'ExternalName' && first !== '' && first !== 'None' && !isOfOthers(metadata)
}

/** The frontends of a Service, of both families. */
export function frontendsOf(service: Service, endpoints: EndpointsByPort, options: ModelOptions): readonly Frontend[] {
  if (!isServed(service)) return []
  return (['ipv4', 'ipv6'] as const).flatMap(family =>
    (service.spec.ports ?? []).flatMap(port => ofPort(service, port, family, endpoints, options)),
  )
}

function ofPort(
  service: Service,
  port: ServicePort,
  family: Family,
  endpoints: EndpointsByPort,
  options: ModelOptions,
): readonly Frontend[] {
  const { spec } = service
  const cluster = addressesIn(family, spec.clusterIPs ?? [spec.clusterIP ?? ''])[0]
  if (cluster === undefined) return []
  const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
  const portName = port.name ?? ''
  const selected = select(endpoints.get(endpointKey(family, portName, protocol)) ?? [], options.node)
  const internal = internalAnswers(service, selected, family, options)
  const external = externalAnswers(service, selected)
  const affinity = affinityOf(service)
  const balancing = balancingOf(service)
  const drain = drainOf(service)
  const name = nameOf(service.metadata)
  const frontends: Frontend[] = []
  const add = (
    kind: FrontendKind,
    answers: Frontend['answers'],
    address: string | undefined,
    number: number,
    sources?: readonly Cidr[],
  ) =>
    // Written out: there are many of them, and copying fields from common ones takes as long as all the rest.
    frontends.push({
      service: name,
      portName,
      kind,
      family,
      protocol,
      address,
      port: number,
      answers,
      sources,
      affinity,
      balancing,
      drain,
    })
  add('cluster-ip', internal, cluster, port.port)
  const balancers = addressesIn(family, balancerAddresses(service))
  const sources = balancers.length > 0 ? sourcesOf(service, family, balancers, options) : undefined
  for (const address of balancers) add('load-balancer', external, address, port.port, sources)
  // Of one address the first counts: what is the balancer's, too, is for its sources alone.
  for (const address of addressesIn(family, spec.externalIPs ?? [])) add('external-ip', external, address, port.port)
  const nodePort = nodePortOf(service, port)
  if (nodePort !== undefined) add('node-port', external, undefined, nodePort)
  return frontends
}

/** Those that packets come to as they are. */
const balancerAddresses = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).filter(({ ipMode = 'VIP' }) => ipMode === 'VIP').map(({ ip = '' }) => ip)

const nodePortOf = ({ spec }: Service, { nodePort }: ServicePort): number | undefined =>
  nodePort && (spec.type === 'NodePort' || spec.type === 'LoadBalancer') ? nodePort : undefined

/** Addresses of a family, each once: those of the other one are no mistake where a Service has both. */
function addressesIn(family: Family, texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return texts
  const addresses = texts.map(addressOf).filter(address => address !== undefined)
  return [...new Set(addresses)].filter(address => address.includes(':') === (family === 'ipv6'))
}

function affinityOf({ spec }: Service): number | undefined {
  if (spec.sessionAffinity !== 'ClientIP') return undefined
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS
}

function answer(endpoints: readonly Endpoint[], any: boolean, masquerade: boolean): Answer {
  if (endpoints.length > 0) return { verdict: 'accept', endpoints, masquerade }
  return any
    ? { verdict: 'drop', reason: 'none of the endpoints is on this node' }
    : { verdict: 'reject', reason: 'there are no endpoints' }
}

function internalAnswers(
  { spec }: Service,
  selected: Selected,
  family: Family,
  { clusterCidrs, masqueradeAll }: ModelOptions,
): Frontend['answers'] {
  const endpoints = spec.internalTrafficPolicy === 'Local' ? selected.local : selected.cluster
  // Who is no pod comes from outside of the cluster's network: its answers have to come back this way.
  const podsKnown = clusterCidrs.some(cidr => cidr.family === family)
  const others = answer(endpoints, selected.any, masqueradeAll || podsKnown)
  return { pod: answer(endpoints, selected.any, masqueradeAll), node: others, remote: others }
}

/**
 * With policy Local clients from outside get endpoints of this node and are seen by their own address; pods and the node itself get any
 * endpoint, as if they had used the cluster address.
 */
function externalAnswers({ spec }: Service, { cluster, local, any }: Selected): Frontend['answers'] {
  if (spec.externalTrafficPolicy !== 'Local') {
    const all = answer(cluster, any, true)
    return { pod: all, node: all, remote: all }
  }
  return { pod: answer(cluster, any, false), node: answer(cluster, any, true), remote: answer(local, any, false) }
}

/**
 * Where the ranges hold the address of this node, its own connections to a balancer's address may have that one as their source, or another
 * one of the balancer's (kube-proxy does the same).
 */
function sourcesOf(
  { spec }: Service,
  family: Family,
  balancers: readonly string[],
  { nodeAddresses }: ModelOptions,
): readonly Cidr[] | undefined {
  const ranges = (spec.loadBalancerSourceRanges ?? []).map(cidrOf).filter(cidr => cidr !== undefined)
  const own = ranges.filter(cidr => cidr.family === family)
  if (own.length === 0) return undefined
  const mine = nodeAddresses.some(node => own.some(cidr => contains(cidr, node)))
  const itself = mine ? balancers.map(cidrOf).filter(cidr => cidr !== undefined) : []
  return outermost([...own, ...itself])
}
