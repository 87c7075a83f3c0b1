/** Real servers that get no new connections, until those that they have are over. */
import type { IpvsClient, NetlinkError } from '../../ipvs/index.js'
import type { Frontend } from '../../service/index.js'
import { type EndpointName, endpointName, partsOf, type ServerName } from '../names.js'

export interface DrainRules {
  /** Seconds that connections go on to an endpoint that is gone: 0 ends them at once, Infinity never. Undefined: nobody knows whose they are. */
  readonly seconds: (frontend: Frontend | undefined) => number
  /** Whether an endpoint answers, ready or not; is there all the same, as far as its slices say; or is gone. */
  readonly stateOf: (frontend: Frontend, endpoint: EndpointName) => 'serving' | 'there' | 'gone'
}

interface Drain {
  readonly seconds: number
  /** Since when the endpoint is in no slice any more, in milliseconds. */
  gone: number | undefined
  idle: boolean
}

/** Milliseconds between two looks at their connections; more where a look takes more than a twentieth of it. */
const LOOK = 1000
const SHARE = 20

export class Drains {
  readonly #rules: DrainRules
  readonly #drains = new Map<ServerName, Map<EndpointName, Drain>>()
  #look = Number.POSITIVE_INFINITY

  constructor(rules: DrainRules) {
    this.#rules = rules
  }

  /** When to look next, in milliseconds. */
  get look(): number {
    return this.#look
  }

  /** Nothing where it has begun. */
  begin(name: ServerName, endpoint: EndpointName, frontend: Frontend | undefined): void {
    const known = this.#drains.get(name) ?? new Map<EndpointName, Drain>()
    this.#drains.set(name, known)
    if (known.has(endpoint)) return
    known.set(endpoint, { seconds: this.#rules.seconds(frontend), gone: undefined, idle: false })
    this.#look = Math.min(this.#look, performance.now() + LOOK)
  }

  end(name: ServerName, endpoint: EndpointName): void {
    if (this.#drains.size === 0) return
    const known = this.#drains.get(name)
    if (known?.delete(endpoint) && known.size === 0) this.forget(name)
  }

  forget(name: ServerName): void {
    this.#drains.delete(name)
    if (this.#drains.size === 0) this.#look = Number.POSITIVE_INFINITY
  }

  /**
   * Whether nothing is lost any more. A UDP flow has no end, only a time-out: it goes on for as long as its endpoint answers. Once that is gone,
   * the kernel gives the flow to another one (expire_nodest_conn).
   */
  isOver(name: ServerName, endpoint: EndpointName, frontend: Frontend | undefined): boolean {
    const drain = this.#drains.get(name)?.get(endpoint)
    if (!drain || drain.idle) return true
    const state = frontend ? this.#rules.stateOf(frontend, endpoint) : 'gone'
    if (partsOf(name).protocol === 'udp') return state !== 'serving'
    drain.gone = state === 'gone' ? (drain.gone ?? performance.now()) : undefined
    return drain.gone !== undefined && performance.now() - drain.gone >= 1000 * drain.seconds
  }

  /** Virtual servers whose UDP flows lead to an endpoint that answers no more: nobody waits for the next look. */
  *unanswered(frontendOf: (name: ServerName) => Frontend | undefined): Generator<ServerName, void, void> {
    for (const [name, known] of this.#drains) {
      if (partsOf(name).protocol !== 'udp') continue
      const frontend = frontendOf(name)
      if ([...known.keys()].some(endpoint => this.isOver(name, endpoint, frontend))) yield name
    }
  }

  /** Looks whose connections are over, if it is time to. Returns the virtual servers whose they are. */
  async lookAt(client: IpvsClient, signal: AbortSignal | undefined): Promise<readonly ServerName[]> {
    const began = performance.now()
    if (began < this.#look) return []
    const names = [...this.#drains.keys()]
    for (const name of names) await this.#lookAt(name, client, signal)
    const now = performance.now()
    this.#look = now + Math.max(LOOK, SHARE * (now - began))
    return names
  }

  async #lookAt(name: ServerName, client: IpvsClient, signal: AbortSignal | undefined): Promise<void> {
    const known = this.#drains.get(name)
    try {
      for await (const server of client.listRealServers(partsOf(name), { signal })) {
        const drain = known?.get(endpointName(server))
        if (drain) drain.idle = server.activeConnections + server.inactiveConnections === 0
      }
    } catch (error) {
      if ((error as Partial<NetlinkError>).problem !== 'no-such-virtual-server') throw error
      // Somebody else removed it: what is done with it fails, and then all is looked at.
      for (const drain of known?.values() ?? []) drain.idle = true
    }
  }
}
