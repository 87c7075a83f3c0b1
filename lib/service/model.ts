/** The forwarding model: all frontends of a node, kept up to date one object at a time. */
import { atOnce } from '../netlink/turns.js'
import { type EndpointsByPort, endpointsOf } from './endpoints.js'
import { type Frontend, frontendsOf, type ModelOptions } from './frontends.js'
import { type EndpointSlice, nameOf, ownerOf, type Service } from './objects.js'
import { type UnmatchedPort, unmatchedPorts } from './unmatched.js'

/** `ipv4 tcp 10.96.0.1 80`; of node ports the address is `*`. */
export type FrontendKey = string

export const frontendKey = ({
  family,
  protocol,
  address = '*',
  port,
}: Pick<Frontend, 'family' | 'protocol' | 'address' | 'port'>): FrontendKey => `${family} ${protocol} ${address} ${port}`

/** Two Services that want the same address and port: the older one has it. */
export interface Conflict {
  readonly key: FrontendKey
  /** `namespace/name` of the one that has it, and of those that have not. */
  readonly served: string
  readonly refused: readonly string[]
}

/** What is different now: `before` is undefined for what is new, `after` for what is gone. */
export interface FrontendChange {
  readonly key: FrontendKey
  readonly before: Frontend | undefined
  readonly after: Frontend | undefined
}

/** A Service takes as long as so many endpoints, besides its own. */
const STEP = 10

interface Known {
  service: Service | undefined
  readonly slices: Map<string, EndpointSlice>
  frontends: readonly Frontend[]
  endpoints: EndpointsByPort | undefined
}

/**
 * Services and their slices in, frontends out. It knows no kernel and does no I/O. Work is as much as the Service that changed has
 * endpoints; what a change of the node means is found out for all.
 */
export class ServiceModel {
  #options: ModelOptions
  readonly #known = new Map<string, Known>()
  /** Those that claim each address and port. */
  readonly #claims = new Map<FrontendKey, readonly Frontend[]>()
  readonly #contested = new Set<FrontendKey>()
  readonly #served = new Map<FrontendKey, Frontend>()
  readonly #unmatched = new Map<string, readonly UnmatchedPort[]>()
  readonly #touched = new Set<string>()
  /** Of what changed since the last look what was served before. */
  readonly #before = new Map<FrontendKey, Frontend | undefined>()

  constructor(options: ModelOptions) {
    this.#options = options
  }

  get options(): ModelOptions {
    return this.#options
  }

  /** What is served now, by address and port. */
  get frontends(): ReadonlyMap<FrontendKey, Frontend> {
    if (this.#touched.size > 0) atOnce(this.settle())
    return this.#served
  }

  /** Another node, or the same with other labels, addresses or options. */
  setOptions(options: ModelOptions): void {
    const moved = options.node.name !== this.#options.node.name
    this.#options = options
    for (const [name, known] of this.#known) {
      if (moved) known.endpoints = undefined
      this.#touched.add(name)
    }
  }

  setService(service: Service): void {
    const name = nameOf(service.metadata)
    this.#of(name).service = service
    this.#touched.add(name)
  }

  /** @param name `namespace/name` */
  removeService(name: string): void {
    const known = this.#known.get(name)
    if (!known) return
    known.service = undefined
    this.#touched.add(name)
  }

  /** A slice without the label of a Service is nobody's, and one with the label of another proxy is not ours. */
  setSlice(slice: EndpointSlice): void {
    const name = ownerOf(slice)
    if (name === undefined) return
    const known = this.#of(name)
    known.slices.set(nameOf(slice.metadata), slice)
    known.endpoints = undefined
    this.#touched.add(name)
  }

  removeSlice(slice: Pick<EndpointSlice, 'metadata'>): void {
    const name = ownerOf(slice)
    const known = name === undefined ? undefined : this.#known.get(name)
    if (name === undefined || !known?.slices.delete(nameOf(slice.metadata))) return
    known.endpoints = undefined
    this.#touched.add(name)
  }

  /** What has changed since the last call. */
  changes(): readonly FrontendChange[] {
    atOnce(this.settle())
    const changes: FrontendChange[] = []
    for (const [key, before] of this.#before) {
      const after = this.#served.get(key)
      if (before !== after) changes.push({ key, before, after })
    }
    this.#before.clear()
    return changes
  }

  /** Addresses and ports that several Services want. */
  conflicts(): readonly Conflict[] {
    atOnce(this.settle())
    const conflicts: Conflict[] = []
    for (const key of this.#contested) {
      const [first, ...others] = this.#claims.get(key) ?? []
      const refused = [...new Set(others.map(({ service }) => service))].filter(service => service !== first?.service)
      if (first && refused.length > 0) conflicts.push({ key, served: first.service, refused })
    }
    return conflicts
  }

  /** Ports of Services that lead nowhere, as their endpoints have others. */
  unmatched(): readonly UnmatchedPort[] {
    atOnce(this.settle())
    return [...this.#unmatched.values()].flat()
  }

  /** The endpoints of a Service, ready or not. */
  endpointsOf(name: string): EndpointsByPort {
    const known = this.#known.get(name)
    if (!known) return new Map()
    known.endpoints ??= endpointsOf(known.slices.values(), this.#options.node.name)
    return known.endpoints
  }

  serviceNamed(name: string): Service | undefined {
    return this.#known.get(name)?.service
  }

  #of(name: string): Known {
    const known = this.#known.get(name) ?? { service: undefined, slices: new Map(), frontends: [], endpoints: undefined }
    this.#known.set(name, known)
    return known
  }

  /** Finds out what is served now, in steps, each for so many endpoints: where it is left to the calls that ask for it, it is one long one. */
  *settle(): Generator<number, void, void> {
    for (const name of this.#touched) {
      this.#touched.delete(name)
      const known = this.#known.get(name)
      if (!known) continue
      const now = known.service ? frontendsOf(known.service, this.endpointsOf(name), this.#options) : []
      const unmatched = known.service ? unmatchedPorts(name, known.service, this.endpointsOf(name)) : []
      if (unmatched.length > 0) this.#unmatched.set(name, unmatched)
      else this.#unmatched.delete(name)
      this.#replace(known.frontends, now)
      known.frontends = now
      if (!known.service && known.slices.size === 0) this.#known.delete(name)
      yield STEP + sizeOf(known.endpoints)
    }
  }

  #replace(old: readonly Frontend[], now: readonly Frontend[]): void {
    for (const frontend of old) {
      const key = frontendKey(frontend)
      const claims = this.#claims.get(key)
      const left = claims && claims.length > 1 ? claims.filter(claim => claim !== frontend) : []
      if (left.length > 0) this.#claims.set(key, left)
      else this.#claims.delete(key)
    }
    for (const frontend of now) {
      const key = frontendKey(frontend)
      const claims = this.#claims.get(key)
      this.#claims.set(key, claims ? [...claims, frontend].sort((a, b) => this.#older(a, b)) : [frontend])
    }
    for (const list of [old, now]) for (const frontend of list) this.#serve(frontendKey(frontend))
  }

  #serve(key: FrontendKey): void {
    const before = this.#served.get(key)
    const claims = this.#claims.get(key)
    if (claims && claims.length > 1) this.#contested.add(key)
    else this.#contested.delete(key)
    const first = claims?.[0]
    const after = first && before && same(before, first) ? before : first
    if (!this.#before.has(key)) this.#before.set(key, before)
    if (after) this.#served.set(key, after)
    else this.#served.delete(key)
  }

  /** The older one first; of the same age that whose name comes first. Within a Service as they come. */
  #older(a: Frontend, b: Frontend): number {
    if (a.service === b.service) return 0
    const age = (name: string): string => this.#known.get(name)?.service?.metadata.creationTimestamp ?? '9'
    return age(a.service) < age(b.service) || (age(a.service) === age(b.service) && a.service < b.service) ? -1 : 1
  }
}

function sizeOf(endpoints: EndpointsByPort | undefined): number {
  let size = 0
  for (const list of endpoints?.values() ?? []) size += list.length
  return size
}

/** Whether two frontends mean the same: objects that are read again are other objects. */
const same = (a: Frontend, b: Frontend): boolean => JSON.stringify(plain(a)) === JSON.stringify(plain(b))

const plain = ({ sources, ...others }: Frontend): object => ({ ...others, sources: sources?.map(({ text }) => text) })
