/**
 * Connections to endpoints that a Service has no more: they go on until a deadline, after which their flows are deleted. The next packet of
 * such a connection is a new one, which another endpoint answers with a reset.
 */
import type { ConntrackClient, Flow } from '../conntrack/index.js'
import {
  type Cidr,
  contains,
  type EndpointsByPort,
  endpointKey,
  type Family,
  type Frontend,
  type FrontendChange,
} from '../service/index.js'
import { placeOf } from './names.js'
import { endpointsOf } from './stale.js'

/** Seconds, where nobody says otherwise. */
export const DRAIN_SECONDS = 300

const PROTOCOLS = ['tcp', 'sctp']

type Left = Pick<Frontend, 'family' | 'protocol' | 'service' | 'portName' | 'drain'>

/** An endpoint that one address and port of a Service does not use any more. */
interface Leaving {
  readonly frontend: Left
  readonly endpoint: string
  readonly seconds: number
  /** When the Service had it no more, ready or not, in milliseconds. */
  gone: number | undefined
}

/** What a drain has to know of the Services. */
export interface DrainModel {
  readonly frontends: Iterable<Frontend>
  /** Where a frontend is served. */
  addressesOf(frontend: Frontend): readonly string[]
  /** All that the slices of a Service have, ready or not. */
  endpointsOf(service: string): EndpointsByPort
}

export interface DrainOptions {
  /** Seconds. Default 300. */
  readonly seconds?: number | undefined
  /** Addresses of Services: what nobody has any more was one's. */
  readonly serviceCidrs?: readonly Cidr[] | undefined
  /** Milliseconds that count up. Default: the time that passes. */
  readonly clock?: (() => number) | undefined
}

const keyOf = (family: Family, protocol: unknown, address: string, port: number | undefined, endpoint: string): string =>
  `${family} ${protocol} ${address} ${port} ${endpoint}`

/** Endpoints that were left, and when the connections to them end. */
export class Drain {
  readonly #seconds: number
  readonly #serviceCidrs: readonly Cidr[]
  readonly #clock: () => number
  readonly #leaving = new Map<string, Leaving>()
  /** Families whose flows were looked at: an earlier proxy may have left some. */
  readonly #looked = new Set<Family>()

  constructor({ seconds = DRAIN_SECONDS, serviceCidrs = [], clock = () => performance.now() }: DrainOptions = {}) {
    this.#seconds = seconds
    this.#serviceCidrs = serviceCidrs
    this.#clock = clock
  }

  /** Takes note of endpoints that are not used any more, and of those that are again. */
  changed(changes: Iterable<FrontendChange>, model: Pick<DrainModel, 'addressesOf'>): void {
    for (const { before, after } of changes) {
      const frontend = before ?? after
      if (!frontend || !PROTOCOLS.includes(frontend.protocol)) continue
      // What is new has left nothing: at the start that is all.
      if (!before && this.#leaving.size === 0) continue
      const now = endpointsOf(after)
      const left = [...endpointsOf(before)].filter(endpoint => !now.has(endpoint))
      const { family, protocol, port } = frontend
      for (const address of model.addressesOf(frontend)) {
        for (const endpoint of left) this.#leave(keyOf(family, protocol, address, port, endpoint), frontend, endpoint)
        if (this.#leaving.size > 0)
          for (const endpoint of now) this.#leaving.delete(keyOf(family, protocol, address, port, endpoint))
      }
    }
  }

  #leave(key: string, frontend: Left, endpoint: string): void {
    const seconds = frontend.drain ?? this.#seconds
    if (seconds < Number.POSITIVE_INFINITY && !this.#leaving.has(key))
      this.#leaving.set(key, { frontend, endpoint, seconds, gone: undefined })
  }

  /** Milliseconds until the next deadline. */
  get next(): number {
    const now = this.#clock()
    let next = Number.POSITIVE_INFINITY
    for (const { gone, seconds } of this.#leaving.values())
      if (gone !== undefined) next = Math.min(next, gone + 1000 * seconds - now)
    return Math.max(0, next)
  }

  /** Deletes flows whose deadline is over. Returns how many it were. The first call looks for those that an earlier proxy left. */
  async run(client: ConntrackClient, family: Family, model: DrainModel, signal?: AbortSignal): Promise<number> {
    if (!this.#looked.has(family)) {
      await this.#look(client, family, model, signal)
      this.#looked.add(family)
    }
    const due = this.#due(family, model)
    if (due.size === 0) return 0
    const flows: Flow[] = []
    for await (const flow of translated(client, family, signal)) if (due.has(keyOfFlow(flow))) flows.push(flow)
    let deleted = 0
    for (const { original, zone } of flows) if (await client.delete({ original, zone }, { signal })) deleted++
    for (const key of due) this.#leaving.delete(key)
    return deleted
  }

  /** Those whose time is over. An endpoint that is in the slices yet is not gone, whether it is ready or not. */
  #due(family: Family, model: DrainModel): ReadonlySet<string> {
    const due = new Set<string>()
    const now = this.#clock()
    for (const [key, leaving] of this.#leaving) {
      const { service, portName, protocol } = leaving.frontend
      if (leaving.frontend.family !== family) continue
      const there = model.endpointsOf(service).get(endpointKey(family, portName, protocol)) ?? []
      if (there.some(({ address, port }) => placeOf(address, port) === leaving.endpoint)) leaving.gone = undefined
      else leaving.gone ??= now
      if (leaving.gone !== undefined && now - leaving.gone >= 1000 * leaving.seconds) due.add(key)
    }
    return due
  }

  /** Flows of Services' addresses that go elsewhere than the Service does. */
  async #look(client: ConntrackClient, family: Family, model: DrainModel, signal: AbortSignal | undefined): Promise<void> {
    const served = new Map<string, { readonly frontend: Frontend; readonly endpoints: ReadonlySet<string> }>()
    for (const frontend of model.frontends)
      if (frontend.family === family && PROTOCOLS.includes(frontend.protocol))
        for (const address of model.addressesOf(frontend))
          served.set(`${frontend.protocol} ${placeOf(address, frontend.port)}`, { frontend, endpoints: endpointsOf(frontend) })
    for await (const { original, reply } of translated(client, family, signal)) {
      const { protocol, destination, destinationPort } = original
      const endpoint = placeOf(reply.source, reply.sourcePort)
      const found = served.get(`${protocol} ${placeOf(destination, destinationPort)}`)
      if (found ? found.endpoints.has(endpoint) : !this.#serviceCidrs.some(cidr => contains(cidr, destination))) continue
      const frontend: Left = found?.frontend ?? { family, protocol: protocol as 'tcp', service: '', portName: '' }
      this.#leave(keyOf(family, protocol, destination, destinationPort, endpoint), frontend, endpoint)
    }
  }
}

async function* translated(client: ConntrackClient, family: Family, signal: AbortSignal | undefined): AsyncGenerator<Flow> {
  for await (const flow of client.flows({ family, status: ['destination-nat'], signal }))
    if (PROTOCOLS.includes(String(flow.original.protocol))) yield flow
}

const keyOfFlow = ({ family, original, reply }: Flow): string =>
  keyOf(family, original.protocol, original.destination, original.destinationPort, placeOf(reply.source, reply.sourcePort))
