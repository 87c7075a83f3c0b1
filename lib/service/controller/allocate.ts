/** Addresses and ports that an API server would give to Services. */
import { addressOf, type Cidr, contains } from '../address.js'
import { nameOf, type Service, type ServicePort, type ServiceSpec } from '../objects.js'
import { Pool } from './pool.js'

export interface AllocationRanges {
  /** At most one of each family; the first one's family is the default. */
  readonly serviceCidrs: readonly Cidr[]
  /** For load balancers' addresses. */
  readonly balancerPool: readonly Cidr[]
}

/** What was given before, to be given again: by Service and what it is for. */
export type Allocations = Readonly<Record<string, string>>

export interface Completed {
  /** With addresses and node ports; undefined where it can not have those that it asks for. */
  readonly service: Service | undefined
  readonly problems: readonly string[]
}

/** Cluster addresses that a Service asks for. */
const givenTo = ({ clusterIP, clusterIPs = clusterIP ? [clusterIP] : [] }: ServiceSpec): readonly string[] =>
  clusterIPs.filter(text => text !== '')

const isDual = ({ ipFamilyPolicy }: ServiceSpec): boolean =>
  ipFamilyPolicy === 'PreferDualStack' || ipFamilyPolicy === 'RequireDualStack'

/** Whether a Service may take any address or port, as it does not ask for one by itself. */
export const takesAny = ({ spec }: Service): boolean =>
  spec.type === 'NodePort' ||
  spec.type === 'LoadBalancer' ||
  (spec.type !== 'ExternalName' && (isDual(spec) || givenTo(spec).length === 0))

const NODE_PORTS = { first: 30000, last: 32767 }

type IpFamily = 'IPv4' | 'IPv6'
const familyName = ({ family }: Cidr): IpFamily => (family === 'ipv4' ? 'IPv4' : 'IPv6')

/** Completes Services one at a time. The same Service gets the same again, as far as nobody else has it. */
export class Allocator {
  readonly #ranges: AllocationRanges
  readonly #addresses: ReadonlyMap<IpFamily, Pool>
  readonly #balancers: ReadonlyMap<IpFamily, Pool>
  readonly #ports: Pool

  constructor(ranges: AllocationRanges, before: Allocations = {}) {
    this.#ranges = ranges
    const pools = (cidrs: readonly Cidr[], what: string): ReadonlyMap<IpFamily, Pool> =>
      new Map(cidrs.map(cidr => [familyName(cidr), Pool.ofAddresses(cidr, what, before)]))
    this.#addresses = pools(ranges.serviceCidrs, 'cluster-ip')
    this.#balancers = pools(ranges.balancerPool, 'load-balancer')
    this.#ports = Pool.ofNumbers(NODE_PORTS.first, NODE_PORTS.last, 'node-port', before)
  }

  /** To be kept and given to the next allocator. */
  allocations(): Allocations {
    const pools = [...this.#addresses.values(), ...this.#balancers.values(), this.#ports]
    return Object.assign({}, ...pools.map(pool => pool.allocations()))
  }

  /** What a Service had that is gone. */
  release(name: string): void {
    this.#release(name, false)
  }

  #release(name: string, remember: boolean): void {
    for (const pool of [...this.#addresses.values(), ...this.#balancers.values(), this.#ports]) pool.release(name, remember)
  }

  /** Keeps what Services ask for by itself from those that take any: the first ones get what several ask for. Call it before they are completed. */
  reserve({ metadata, spec, status }: Service): void {
    const name = nameOf(metadata)
    if (spec.type === 'ExternalName') return
    for (const text of givenTo(spec)) {
      const address = addressOf(text)
      if (address !== undefined) this.#take(this.#addresses, address, `${name} ${address}`)
    }
    for (const { nodePort, name: portName = '', protocol = 'TCP' } of spec.ports ?? [])
      if (nodePort) this.#ports.take(String(nodePort), `${name} ${portName} ${protocol}`)
    if (spec.healthCheckNodePort) this.#ports.take(String(spec.healthCheckNodePort), `${name} health`)
    this.#takeBalancers(name, [spec.loadBalancerIP, ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)])
  }

  #takeBalancers(name: string, texts: readonly (string | undefined)[]): void {
    for (const text of texts) {
      const address = addressOf(text ?? '')
      if (address !== undefined) this.#take(this.#balancers, address, `${name} balancer ${address}`)
    }
  }

  complete(service: Service): Completed {
    const name = nameOf(service.metadata)
    this.#release(name, true)
    const { spec } = service
    if (spec.type === 'ExternalName') return { service, problems: [] }
    const problems: string[] = []
    const headless = spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None'
    const addressed = headless ? service : this.#withAddresses(service, name, problems)
    const ported = addressed && this.#withNodePorts(addressed, name, problems)
    const balanced = ported && this.#withBalancer(ported, name, problems)
    if (!balanced) this.#release(name, true)
    return { service: balanced, problems }
  }

  #withAddresses(service: Service, name: string, problems: string[]): Service | undefined {
    const { spec } = service
    const given = givenTo(spec)
    const addresses: string[] = []
    for (const text of given) {
      const address = addressOf(text)
      const holder = address === undefined ? undefined : this.#take(this.#addresses, address, `${name} ${address}`)
      if (address === undefined) problems.push(`spec.clusterIP: ${JSON.stringify(text)} is no IP address`)
      else if (holder !== undefined) problems.push(`spec.clusterIP: ${address} is ${holder}'s already`)
      else addresses.push(address)
    }
    if (problems.length > 0) return undefined
    const families = this.#families(service, given, problems)
    for (const family of families) {
      if (addresses.some(address => address.includes(':') === (family === 'IPv6'))) continue
      const address = this.#addresses.get(family)?.give(`${name} ${family}`)
      if (address !== undefined) addresses.push(address)
      else problems.push(`spec.clusterIP: no ${family} address of the service range is left`)
    }
    const [first] = addresses
    return first === undefined ? undefined : { ...service, spec: { ...spec, clusterIP: first, clusterIPs: addresses } }
  }

  /** Those that the Service asks for, as far as there is a range of them. */
  #families({ spec }: Service, given: readonly string[], problems: string[]): readonly IpFamily[] {
    const available = this.#ranges.serviceCidrs.map(familyName)
    const asked = spec.ipFamilies ?? []
    const dual = isDual(spec)
    if (spec.ipFamilyPolicy === 'RequireDualStack' && available.length < 2)
      problems.push('spec.ipFamilyPolicy: RequireDualStack needs a service range of each family: give --service-cidr both')
    const missing = asked.find(family => !available.includes(family))
    if (missing && given.length === 0)
      problems.push(`spec.ipFamilies: there is no service range of ${missing}: give --service-cidr one`)
    if (given.length > 0 && !dual) return []
    const first = asked[0] ?? available[0]
    if (first === undefined && given.length === 0)
      problems.push('spec.clusterIP: there is no range to take an address from: give one here, or --service-cidr')
    const wanted = dual ? [...asked, ...available] : asked.length > 0 ? asked : first ? [first] : []
    return [...new Set(wanted)].filter(family => available.includes(family))
  }

  /** The holder of an address, where it is another one's. Addresses outside of the ranges are free for all. */
  #take(pools: ReadonlyMap<IpFamily, Pool>, address: string, key: string): string | undefined {
    return pools.get(address.includes(':') ? 'IPv6' : 'IPv4')?.take(address, key)
  }

  #withNodePorts(service: Service, name: string, problems: string[]): Service | undefined {
    const { spec } = service
    const wanted = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
    const ports: ServicePort[] = []
    const shared = new Map<number, number>()
    for (const [i, port] of (spec.ports ?? []).entries()) {
      const { nodePort, protocol = 'TCP' } = port
      if (!nodePort && !wanted) {
        ports.push(port)
        continue
      }
      // One number serves the same port of several protocols.
      const number = nodePort || shared.get(port.port) || Number(this.#ports.give(`${name} ${port.name ?? ''} ${protocol}`))
      const holder = nodePort ? this.#ports.take(String(nodePort), `${name} ${port.name ?? ''} ${protocol}`) : undefined
      if (holder !== undefined && holder !== name) problems.push(`spec.ports[${i}].nodePort: ${nodePort} is ${holder}'s already`)
      else if (!number) problems.push(`spec.ports[${i}].nodePort: none of ${NODE_PORTS.first} to ${NODE_PORTS.last} is left`)
      else {
        shared.set(port.port, number)
        ports.push({ ...port, nodePort: number })
      }
    }
    const check = this.#healthCheckPort(service, name, problems)
    return problems.length > 0 ? undefined : { ...service, spec: { ...spec, ports, ...check } }
  }

  #healthCheckPort({ spec }: Service, name: string, problems: string[]): { readonly healthCheckNodePort?: number } {
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return {}
    const { healthCheckNodePort: given } = spec
    const holder = given ? this.#ports.take(String(given), `${name} health`) : undefined
    if (holder !== undefined) problems.push(`spec.healthCheckNodePort: ${given} is ${holder}'s already`)
    return { healthCheckNodePort: given || Number(this.#ports.give(`${name} health`)) }
  }

  #withBalancer(service: Service, name: string, problems: string[]): Service | undefined {
    const { spec } = service
    const { ingress: there = [] } = service.status?.loadBalancer ?? {}
    this.#takeBalancers(
      name,
      there.map(({ ip }) => ip),
    )
    if (spec.type !== 'LoadBalancer' || spec.loadBalancerClass !== undefined || there.length > 0) return service
    if (this.#ranges.balancerPool.length === 0) return service
    const asked = spec.loadBalancerIP ? addressOf(spec.loadBalancerIP) : undefined
    if (asked !== undefined && !this.#ranges.balancerPool.some(cidr => contains(cidr, asked))) {
      problems.push(`spec.loadBalancerIP: ${asked} is not in --lb-pool`)
      return service
    }
    const holder = asked === undefined ? undefined : this.#take(this.#balancers, asked, `${name} balancer ${asked}`)
    if (holder !== undefined) problems.push(`spec.loadBalancerIP: ${asked} is ${holder}'s already`)
    const families = (spec.clusterIPs ?? [spec.clusterIP ?? '']).map(address => (address.includes(':') ? 'IPv6' : 'IPv4'))
    const given =
      asked === undefined ? families.map(family => this.#balancers.get(family)?.give(`${name} balancer ${family}`)) : [asked]
    const ingress = given.filter(ip => ip !== undefined).map(ip => ({ ip }))
    if (ingress.length === 0) problems.push('status.loadBalancer: no address of --lb-pool is left in its families')
    return { ...service, status: { ...service.status, loadBalancer: { ingress } } }
  }
}
