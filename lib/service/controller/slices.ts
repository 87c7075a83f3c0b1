/** Slices of the pods that a Service selects, as Kubernetes' controller makes them (pkg/controller/endpointslice, staging/src/k8s.io/endpointslice). */
import { addressOf } from '../address.js'
import {
  type EndpointSlice,
  type Metadata,
  type Node,
  nameOf,
  type Pod,
  type Service,
  type SliceEndpoint,
  type SlicePort,
} from '../objects.js'
import { LabelIndex, type LabelKey, labelKeys } from './labels.js'
import { asksForZones, hintedZones, ZONE, zoneShares } from './zones.js'

/** What a pod has for each port of the Service; null where it has no container port of that name. */
type Ports = readonly SlicePort[]

/** What becomes a slice. */
interface Group {
  readonly addressType: 'IPv4' | 'IPv6'
  readonly ports: Ports
  readonly endpoints: SliceEndpoint[]
}

/** Whether a Service's selector fits a pod: an empty one fits none. */
export function selects({ metadata, spec }: Service, pod: Pod): boolean {
  const selector = Object.entries(spec.selector ?? {})
  if (selector.length === 0 || spec.type === 'ExternalName' || namespaceOf(metadata) !== namespaceOf(pod.metadata)) return false
  return selector.every(([label, value]) => pod.metadata.labels?.[label] === value)
}

const namespaceOf = ({ namespace = 'default' }: Metadata): string => namespace

/**
 * The slices of a Service, one for each family and each set of port numbers. Pods that have ended, or have no address yet, are left out.
 *
 * @param shares what each zone has of the nodes' processors, for Services with the topology mode Auto: without it they have no hints
 */
export function slicesOfPods(
  service: Service,
  pods: Iterable<Pod>,
  nodeNamed: (name: string) => Node | undefined,
  shares?: ReadonlyMap<string, number>,
): readonly EndpointSlice[] {
  const groups = new Map<string, Group>()
  const families = familiesOf(service)
  for (const pod of pods) {
    const { phase } = pod.status ?? {}
    if (phase === 'Succeeded' || phase === 'Failed' || !selects(service, pod)) continue
    const ports = portsOf(service, pod)
    for (const addressType of families) {
      const address = addressFor(pod, addressType)
      if (address === undefined) continue
      const key = `${addressType} ${JSON.stringify(ports)}`
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
      groups.set(key, group)
      group.endpoints.push(endpointOf(service, pod, address, nodeNamed))
    }
  }
  const hinted = asksForZones(service) ? forZones(groups.values(), shares) : [...groups.values()].map(withHints(service))
  return hinted.map(({ addressType, ports, endpoints }, i) => ({
    metadata: {
      name: `${service.metadata.name}-${i}`,
      namespace: namespaceOf(service.metadata),
      labels: { 'kubernetes.io/service-name': service.metadata.name },
    },
    addressType,
    ports,
    endpoints,
  }))
}

/** Headless Services may have no families written: both are possible. */
function familiesOf({ spec }: Service): readonly ('IPv4' | 'IPv6')[] {
  if (spec.ipFamilies) return spec.ipFamilies
  const addresses = (spec.clusterIPs ?? [spec.clusterIP ?? '']).map(addressOf).filter(address => address !== undefined)
  if (addresses.length === 0) return ['IPv4', 'IPv6']
  return [...new Set(addresses.map(address => (address.includes(':') ? ('IPv6' as const) : ('IPv4' as const))))]
}

function addressFor({ status }: Pod, addressType: 'IPv4' | 'IPv6'): string | undefined {
  const addresses = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP ?? ''].map(addressOf)
  return addresses.find(address => address?.includes(':') === (addressType === 'IPv6'))
}

/** A name stands for the number that the pod's container has it for: pods may differ. */
function portsOf({ spec }: Service, pod: Pod): Ports {
  return (spec.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port, targetPort, appProtocol }) => {
    const target = targetPort || port
    const number = typeof target === 'number' ? target : numberOf(pod, target, protocol)
    return number === undefined ? [] : [{ name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

function numberOf({ spec }: Pod, name: string, protocol: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) => ports)
  return ports.find(port => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort
}

function endpointOf(
  { metadata, spec }: Service,
  pod: Pod,
  address: string,
  nodeNamed: (name: string) => Node | undefined,
): SliceEndpoint {
  const serving = (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = spec.publishNotReadyAddresses === true || (serving && !terminating)
  const { nodeName, hostname, subdomain } = pod.spec ?? {}
  const zone = nodeName === undefined ? undefined : nodeNamed(nodeName)?.metadata.labels?.[ZONE]
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: namespaceOf(pod.metadata) },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hostname !== undefined && subdomain === metadata.name ? { hostname } : {}),
  }
}

/** Of a Service that prefers near endpoints each is meant for its own zone, or node (KEP-3015, KEP-4444). */
const withHints =
  ({ spec: { trafficDistribution: near } }: Service) =>
  (group: Group): Group => {
    if (near !== 'PreferClose' && near !== 'PreferSameZone' && near !== 'PreferSameNode') return group
    const endpoints = group.endpoints.map(endpoint => {
      if (!isReady(endpoint)) return endpoint
      const forZones = endpoint.zone === undefined ? {} : { forZones: [{ name: endpoint.zone }] }
      const forNodes =
        near === 'PreferSameNode' && endpoint.nodeName !== undefined ? { forNodes: [{ name: endpoint.nodeName }] } : {}
      const hints = { ...forZones, ...forNodes }
      return Object.keys(hints).length > 0 ? { ...endpoint, hints } : endpoint
    })
    return { ...group, endpoints }
  }

const isReady = ({ conditions }: SliceEndpoint): boolean => conditions?.ready !== false

/** Zones get endpoints as their parts are: of all slices of a family together. */
function forZones(all: Iterable<Group>, shares: ReadonlyMap<string, number> | undefined): readonly Group[] {
  const groups = [...all]
  const zones = new Map<SliceEndpoint, string>()
  for (const family of ['IPv4', 'IPv6'] as const) {
    const ready = groups.flatMap(({ addressType, endpoints }) => (addressType === family ? endpoints.filter(isReady) : []))
    const hinted = hintedZones(
      ready.map(({ zone }) => zone),
      shares,
    )
    for (const [i, zone] of (hinted ?? []).entries()) zones.set(ready[i] as SliceEndpoint, zone)
  }
  const withZone = (endpoint: SliceEndpoint): SliceEndpoint => {
    const zone = zones.get(endpoint)
    return zone === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name: zone }] } }
  }
  return groups.map(group => ({ ...group, endpoints: group.endpoints.map(withZone) }))
}

const keysOf = ({ metadata }: Pod): readonly LabelKey[] => labelKeys(metadata, metadata.labels)
const selectorKeys = (service: Service | undefined): readonly LabelKey[] =>
  service ? labelKeys(service.metadata, service.spec.selector) : []

/** A slice takes as long as so many endpoints for each of its own. */
const STEP = 5

export interface SliceChanges {
  readonly set: readonly EndpointSlice[]
  readonly removed: readonly EndpointSlice[]
}

/** Pods, Services and Nodes in, slices out, again for what changed. */
export class SliceController {
  readonly #services = new Map<string, Service>()
  readonly #pods = new Map<string, Pod>()
  readonly #nodes = new Map<string, Node>()
  /** Services by the first label of their selectors, and pods by each of theirs. */
  readonly #selecting = new LabelIndex()
  readonly #labelled = new LabelIndex()
  readonly #made = new Map<string, readonly EndpointSlice[]>()
  #shares: ReadonlyMap<string, number> | undefined
  /** Whether `shares` is that of the nodes as they are. */
  #counted = true
  readonly #touched = new Set<string>()

  setService(service: Service): void {
    const name = nameOf(service.metadata)
    this.#selecting.remove(selectorKeys(this.#services.get(name)).slice(0, 1), name)
    this.#selecting.add(selectorKeys(service).slice(0, 1), name)
    this.#services.set(name, service)
    this.#touched.add(name)
  }

  removeService(name: string): void {
    this.#selecting.remove(selectorKeys(this.#services.get(name)).slice(0, 1), name)
    if (this.#services.delete(name)) this.#touched.add(name)
  }

  setPod(pod: Pod): void {
    const name = nameOf(pod.metadata)
    this.removePod(name)
    this.#pods.set(name, pod)
    this.#labelled.add(keysOf(pod), name)
    this.#touchBy(pod)
  }

  removePod(name: string): void {
    const before = this.#pods.get(name)
    if (!before) return
    this.#pods.delete(name)
    this.#labelled.remove(keysOf(before), name)
    this.#touchBy(before)
  }

  setNode(node: Node): void {
    const before = this.#nodes.get(node.metadata.name)
    this.#nodes.set(node.metadata.name, node)
    if (before?.metadata.labels?.[ZONE] !== node.metadata.labels?.[ZONE]) this.#touchOn(node.metadata.name)
    this.#counted = false
  }

  removeNode(name: string): void {
    if (this.#nodes.delete(name)) this.#touchOn(name)
    this.#counted = false
  }

  /** The slices of a Service, as of the last look at the changes. */
  slicesOf(name: string): readonly EndpointSlice[] {
    return this.#made.get(name) ?? []
  }

  /** Slices that are new or different, and those that are gone, since the last call; found out in steps. */
  *changes(): Generator<number, SliceChanges, void> {
    const set: EndpointSlice[] = []
    const removed: EndpointSlice[] = []
    this.#share()
    for (const name of this.#touched) {
      this.#touched.delete(name)
      const service = this.#services.get(name)
      const pods = service ? this.#podsOf(service) : []
      const now = service ? slicesOfPods(service, pods, node => this.#nodes.get(node), this.#shares) : []
      const before = this.#made.get(name) ?? []
      if (now.length > 0) this.#made.set(name, now)
      else this.#made.delete(name)
      const texts = new Map(before.map(slice => [slice.metadata.name, JSON.stringify(slice)]))
      set.push(...now.filter(slice => texts.get(slice.metadata.name) !== JSON.stringify(slice)))
      const names = new Set(now.map(({ metadata }) => metadata.name))
      removed.push(...before.filter(({ metadata }) => !names.has(metadata.name)))
      yield STEP * (1 + pods.length)
    }
    return { set, removed }
  }

  /** Those that its selector may fit. */
  #podsOf(service: Service): readonly Pod[] {
    const names = this.#labelled.fewest(selectorKeys(service))
    return [...names].map(name => this.#pods.get(name)).filter(pod => pod !== undefined)
  }

  #touchBy(pod: Pod): void {
    for (const key of keysOf(pod))
      for (const name of this.#selecting.having(key)) {
        const service = this.#services.get(name)
        if (service && selects(service, pod)) this.#touched.add(name)
      }
  }

  /** What zones have of the processors counts for Services that ask for it. */
  #share(): void {
    if (this.#counted) return
    this.#counted = true
    const before = JSON.stringify([...(this.#shares ?? [])])
    this.#shares = zoneShares(this.#nodes.values())
    if (JSON.stringify([...(this.#shares ?? [])]) === before) return
    for (const [name, service] of this.#services) if (asksForZones(service)) this.#touched.add(name)
  }

  #touchOn(node: string): void {
    for (const pod of this.#pods.values()) if (pod.spec?.nodeName === node) this.#touchBy(pod)
  }
}
