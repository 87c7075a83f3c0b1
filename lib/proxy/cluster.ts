/** From a source's objects to the forwarding model of one node. */
import {
  type AllocationRanges,
  type Allocations,
  Allocator,
  addressOf,
  type Cidr,
  contains,
  type EndpointSlice,
  type EndpointsByPort,
  endpointKey,
  type Family,
  type Frontend,
  frontendKey,
  isServed,
  type ModelOptions,
  type Node,
  nameOf,
  ownerOf,
  type Pod,
  type Service,
  ServiceModel,
  SliceController,
  type Surroundings,
  slicesOfEndpoints,
  takesAny,
} from '../service/index.js'
import type { ObjectChange, SourceProblem } from '../source/source.js'
import { placeOf } from './names.js'
import { isLoopback } from './routes.js'

/** What the operator says of a node and its cluster. */
export interface ClusterOptions {
  /** Name of the node. */
  readonly node: string
  /** Addresses of pods. Empty: nobody is known to be a pod. */
  readonly clusterCidrs: readonly Cidr[]
  /** Addresses for Services. */
  readonly serviceCidrs: readonly Cidr[]
  readonly masqueradeAll: boolean
  /** Which of the node's addresses serve node ports. Default: the primary one of each family. */
  readonly nodePortCidrs?: readonly Cidr[] | undefined
  /** Addresses for load balancers, where nobody else gives them. */
  readonly balancerPool: readonly Cidr[]
  /** Whether Services get addresses and ports here, and slices are made of pods: where there is no API server. */
  readonly standalone: boolean
  /** What was given before. */
  readonly allocations?: Allocations | undefined
}

/** A Service whose health-check node port tells how many of its endpoints are ready on this node. */
export interface HealthCheck {
  /** `namespace/name` */
  readonly service: string
  readonly port: number
  readonly local: Readonly<Record<Family, number>>
}

/** An object takes as long as so many endpoints. */
const OBJECT = 5

/** Addresses of the machine, the primary one of each family first. */
export type LocalAddresses = readonly string[]

/** Objects in, a model out. It does no I/O. */
export class Cluster {
  readonly model: ServiceModel
  readonly #options: ClusterOptions
  readonly #allocator: Allocator
  readonly #slices = new SliceController()
  readonly #nodes = new Map<string, Node>()
  /** Services whose slices the source tells itself. */
  readonly #told = new Map<string, Set<string>>()
  readonly #owners = new Map<string, EndpointSlice>()
  /** Slices that an Endpoints object is read as. */
  readonly #mirrored = new Map<string, readonly EndpointSlice[]>()
  readonly #problems = new Map<string, readonly string[]>()
  /** Services that can not have what they ask for. */
  readonly #refused = new Map<string, Service>()
  #freed = false
  #elsewhere: ReadonlySet<string> | undefined
  /** Services with a health-check node port. */
  readonly #checked = new Map<string, number>()
  #local: LocalAddresses

  constructor(options: ClusterOptions, local: LocalAddresses) {
    this.#options = options
    this.#local = local
    const ranges: AllocationRanges = { serviceCidrs: options.serviceCidrs, balancerPool: options.balancerPool }
    this.#allocator = new Allocator(ranges, options.allocations)
    this.model = new ServiceModel(this.#modelOptions())
  }

  /** What Services can not have, by their names. */
  get problems(): readonly SourceProblem[] {
    const own = [...this.#problems].flatMap(([where, messages]) => messages.map(message => ({ where, message })))
    const conflicts = this.model.conflicts().map(({ key, served, refused }) => ({
      where: refused.join(', '),
      message: `${key}: ${served} has it, which is older`,
    }))
    const unmatched = this.model.unmatched().map(({ service, index, portName, protocol, others }) => ({
      where: service,
      field: `spec.ports[${index}]`,
      message: `its endpoints have no port ${JSON.stringify(portName)} of ${protocol}, but ${others.join(', ')}`,
    }))
    return [...own, ...conflicts, ...unmatched]
  }

  /** Only endpoints that are ready count, each address once. */
  get healthChecks(): readonly HealthCheck[] {
    return [...this.#checked].map(([service, port]) => {
      const local = { ipv4: new Set<string>(), ipv6: new Set<string>() }
      for (const endpoints of this.endpointsOf(service).values())
        for (const { address, ready, local: here } of endpoints) if (ready && here) local[familyOf(address)].add(address)
      return { service, port, local: { ipv4: local.ipv4.size, ipv6: local.ipv6.size } }
    })
  }

  /** Whether load balancers may send new connections to this node: it is not about to go (KEP-3836). */
  get nodeEligible(): boolean {
    const node = this.#nodes.get(this.#options.node)
    const leaving = node?.spec?.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler') ?? false
    return !leaving && node?.metadata.deletionTimestamp === undefined
  }

  /** To be kept for the next start. */
  get allocations(): Allocations {
    return this.#allocator.allocations()
  }

  /** What explain needs to know besides the frontends. */
  get surroundings(): Surroundings {
    const { clusterCidrs, serviceCidrs } = this.#options
    const own = this.#ownAddresses()
    // Asked of another node than this machine only what is the same everywhere is local there.
    const local =
      own.length === 0 || own.some(address => this.#local.includes(address)) ? this.#local : this.#local.filter(isLoopback)
    return {
      clusterCidrs,
      serviceCidrs,
      localAddresses: [...own, ...local],
      addressesElsewhere: this.elsewhere,
      nodePortAddresses: this.nodePortAddresses,
    }
  }

  /** Those of the node that node ports are served on: no loopback or link-local address. */
  get nodePortAddresses(): readonly string[] {
    const { nodePortCidrs } = this.#options
    const usable = this.#nodeAddresses().filter(isUsable)
    if (nodePortCidrs) {
      const all = new Set([...usable, ...this.#local.filter(isUsable)])
      return [...all].filter(address => nodePortCidrs.some(cidr => contains(cidr, address)))
    }
    return this.#primaryAddresses()
  }

  /** One of each family. */
  #primaryAddresses(): readonly string[] {
    const usable = this.#nodeAddresses().filter(isUsable)
    return [false, true].flatMap(six => usable.filter(address => address.includes(':') === six).slice(0, 1))
  }

  /** Addresses of other nodes, which are none of this machine's: another set when they change. */
  get elsewhere(): ReadonlySet<string> {
    this.#elsewhere ??= this.#addressesElsewhere()
    return this.#elsewhere
  }

  #addressesElsewhere(): ReadonlySet<string> {
    const elsewhere = new Set<string>()
    for (const [name, node] of this.#nodes)
      if (name !== this.#options.node) for (const address of addressesIn(node)) elsewhere.add(address)
    for (const address of [...this.#local, ...this.#ownAddresses()]) elsewhere.delete(address)
    return elsewhere
  }

  /** Where a frontend is served: a node port at those of the node's addresses where no other one has the port. */
  addressesOf(frontend: Frontend): readonly string[] {
    if (frontend.address !== undefined) return [frontend.address]
    const isFree = (address: string): boolean => !this.model.frontends.has(frontendKey({ ...frontend, address }))
    return this.nodePortAddresses.filter(address => address.includes(':') === (frontend.family === 'ipv6') && isFree(address))
  }

  /** The node port of the same number as a frontend, which it gives way to where both have an address of the node. */
  nodePortAt({ family, protocol, port }: Frontend): Frontend | undefined {
    return this.model.frontends.get(frontendKey({ family, protocol, address: undefined, port }))
  }

  /** All that there are. */
  get frontends(): Iterable<Frontend> {
    return this.model.frontends.values()
  }

  /** All that the slices of a Service have, ready or not. */
  endpointsOf(service: string): EndpointsByPort {
    return this.model.endpointsOf(service)
  }

  /** What the slices say of an endpoint that a frontend has no more: an address and port, as `placeOf` has them. */
  stateOf(
    { service, family, portName, protocol }: Pick<Frontend, 'service' | 'family' | 'portName' | 'protocol'>,
    endpoint: string,
  ): 'serving' | 'there' | 'gone' {
    const known = this.endpointsOf(service).get(endpointKey(family, portName, protocol)) ?? []
    const found = known.find(({ address, port }) => placeOf(address, port) === endpoint)
    return found ? (found.serving ? 'serving' : 'there') : 'gone'
  }

  /** Whether the node's addresses are others now, and with them where node ports are served. */
  setLocalAddresses(local: LocalAddresses): boolean {
    const before = JSON.stringify(this.nodePortAddresses)
    this.#local = local
    this.#elsewhere = undefined
    this.model.setOptions(this.#modelOptions())
    return JSON.stringify(this.nodePortAddresses) !== before
  }

  /** Takes what a source tells, and finds out what it means, in steps. Returns whether where node ports are served has changed. */
  *apply(changes: readonly ObjectChange[]): Generator<number, boolean, void> {
    const before = JSON.stringify(this.nodePortAddresses)
    const ordered = inOrder(changes)
    if (this.#options.standalone) yield* this.#reserve(ordered)
    for (const change of ordered) {
      this.#apply(change)
      yield OBJECT + endpointsIn(change)
    }
    if (this.#options.standalone) {
      this.#retry()
      yield* this.#makeSlices()
    }
    yield* this.model.settle()
    return JSON.stringify(this.nodePortAddresses) !== before
  }

  /** Who asks for one address gets it before those that take any. */
  *#reserve(changes: readonly ObjectChange[]): Generator<number, void, void> {
    const services = changes.flatMap(({ kind, object }) => (kind === 'Service' && object ? [object as Service] : []))
    if (!services.some(takesAny)) return
    for (const service of services) {
      this.#allocator.reserve(service)
      yield 1
    }
  }

  #apply({ kind, name, object }: ObjectChange): void {
    switch (kind) {
      case 'Service':
        return this.#applyService(name, object as Service | undefined)
      case 'EndpointSlice':
        return this.#applySlice(name, object as EndpointSlice | undefined)
      case 'Endpoints': {
        const now = object ? slicesOfEndpoints(object as Parameters<typeof slicesOfEndpoints>[0]) : []
        for (const slice of this.#mirrored.get(name) ?? []) this.model.removeSlice(slice)
        for (const slice of now) if (!this.#isTold(slice)) this.model.setSlice(slice)
        this.#mirrored.set(name, now)
        return
      }
      case 'Pod':
        if (!this.#options.standalone) return
        return object ? this.#slices.setPod(object as Pod) : this.#slices.removePod(name)
      case 'Node':
        return this.#applyNode(name, object as Node | undefined)
    }
  }

  /** What Services have given back others may have waited for. */
  #retry(): void {
    if (!this.#freed) return
    for (const [name, service] of [...this.#refused]) this.#applyService(name, service)
    this.#freed = false
  }

  #applyService(name: string, service: Service | undefined): void {
    this.#freed ||= this.model.serviceNamed(name) !== undefined
    this.#refused.delete(name)
    this.#problems.delete(name)
    this.#checked.delete(name)
    if (!service) {
      this.#allocator.release(name)
      this.#slices.removeService(name)
      return this.model.removeService(name)
    }
    const { service: completed, problems } = this.#options.standalone
      ? this.#allocator.complete(service)
      : { service, problems: [] }
    if (problems.length > 0) this.#problems.set(name, problems)
    if (!completed) {
      this.#refused.set(name, service)
      return this.model.removeService(name)
    }
    this.model.setService(completed)
    if (this.#options.standalone) this.#slices.setService(completed)
    const { type, externalTrafficPolicy, healthCheckNodePort } = completed.spec
    if (isServed(completed) && type === 'LoadBalancer' && externalTrafficPolicy === 'Local' && healthCheckNodePort)
      this.#checked.set(name, healthCheckNodePort)
  }

  #applySlice(name: string, slice: EndpointSlice | undefined): void {
    const before = this.#owners.get(name)
    if (before) {
      this.model.removeSlice(before)
      this.#owners.delete(name)
      this.#tell(before, false)
    }
    if (!slice) return
    this.model.setSlice(slice)
    this.#owners.set(name, slice)
    this.#tell(slice, true)
  }

  /** Slices that the source tells take the place of those that are made of pods, and of Endpoints. */
  #tell(slice: EndpointSlice, there: boolean): void {
    const owner = ownerOf(slice)
    if (owner === undefined) return
    const told = this.#told.get(owner) ?? new Set<string>()
    const before = told.size
    if (there) told.add(nameOf(slice.metadata))
    else told.delete(nameOf(slice.metadata))
    this.#told.set(owner, told)
    if (before > 0 === told.size > 0) return
    for (const own of [...this.#slices.slicesOf(owner).map(marked), ...(this.#mirrored.get(owner) ?? [])])
      if (there) this.model.removeSlice(own)
      else this.model.setSlice(own)
  }

  #isTold(slice: EndpointSlice): boolean {
    return (this.#told.get(ownerOf(slice) ?? '')?.size ?? 0) > 0
  }

  #applyNode(name: string, node: Node | undefined): void {
    if (String(addressesIn(node)) !== String(addressesIn(this.#nodes.get(name)))) this.#elsewhere = undefined
    if (node) {
      this.#nodes.set(name, node)
      this.#slices.setNode(node)
    } else {
      this.#nodes.delete(name)
      this.#slices.removeNode(name)
    }
    if (name === this.#options.node) this.model.setOptions(this.#modelOptions())
  }

  /** Slices of pods, for Services whose slices nobody tells. */
  *#makeSlices(): Generator<number, void, void> {
    const { set, removed } = yield* this.#slices.changes()
    for (const slice of removed) this.model.removeSlice(marked(slice))
    for (const slice of set) if (!this.#isTold(slice)) this.model.setSlice(marked(slice))
  }

  #modelOptions(): ModelOptions {
    const { node, clusterCidrs, masqueradeAll } = this.#options
    const zone = this.#nodes.get(node)?.metadata.labels?.['topology.kubernetes.io/zone']
    return { node: { name: node, zone }, clusterCidrs, masqueradeAll, nodeAddresses: this.#primaryAddresses() }
  }

  /** Of its Node object; where there is none, those of the machine. */
  #nodeAddresses(): readonly string[] {
    const own = this.#ownAddresses()
    return own.length > 0 ? own : this.#local
  }

  #ownAddresses(): readonly string[] {
    return addressesIn(this.#nodes.get(this.#options.node))
  }
}

/** Of a Node object, internal ones first (kube-proxy: pkg/util/node, GetNodeHostIPs). */
function addressesIn(node: Node | undefined): readonly string[] {
  const addresses = node?.status?.addresses ?? []
  return ['InternalIP', 'ExternalIP'].flatMap(wanted =>
    addresses.flatMap(({ type, address }) => (type === wanted ? (addressOf(address) ?? []) : [])),
  )
}

/** Services that go, then the others from the oldest on: who was there first has what several want. The other kinds have no such order. */
function inOrder(changes: readonly ObjectChange[]): readonly ObjectChange[] {
  const age = ({ object }: ObjectChange): string => (object ? (object.metadata.creationTimestamp ?? '9') : '')
  const services = changes.filter(({ kind }) => kind === 'Service')
  services.sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0))
  return [...services, ...changes.filter(({ kind }) => kind !== 'Service')]
}

function endpointsIn({ kind, object }: ObjectChange): number {
  return kind === 'EndpointSlice' ? ((object as EndpointSlice | undefined)?.endpoints?.length ?? 0) : 0
}

/** Neither loopback nor link-local: those can not be reached from elsewhere by the address alone. */
const isUsable = (address: string): boolean => !isLoopback(address) && !address.startsWith('fe80:')

const familyOf = (address: string): Family => (address.includes(':') ? 'ipv6' : 'ipv4')

/** Slices that are made here are told apart from those of the source. */
const marked = (slice: EndpointSlice): EndpointSlice => ({
  ...slice,
  metadata: { ...slice.metadata, name: `${slice.metadata.name} of pods` },
})
