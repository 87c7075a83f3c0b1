/**
 * The health-check node ports of Services whose external traffic policy is Local: load balancers learn there which nodes have endpoints
 * (kube-proxy, pkg/proxy/healthcheck/service_health.go).
 */
import type { Family } from '../service/index.js'
import type { SourceProblem } from '../source/source.js'
import type { HealthCheck } from './cluster.js'
import { JSON_HEADERS, type ProxyHealth } from './health.js'
import { type HttpAnswer, type HttpServer, serve } from './http.js'
import type { ProxyObserver } from './observer.js'
import type { Log } from './options.js'
import type { ServiceProxy } from './proxy.js'

const FIELD = 'spec.healthCheckNodePort'
const familyOf = (address: string): Family => (address.includes(':') ? 'ipv6' : 'ipv4')

/** What a server answers with, as of the last sync. */
export function healthCheckAnswer({ service, local }: HealthCheck, family: Family, healthy: boolean): HttpAnswer {
  const [namespace, name] = service.split('/')
  const localEndpoints = local[family]
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: healthy }
  return {
    status: localEndpoints > 0 && healthy ? 200 : 503,
    headers: { ...JSON_HEADERS, 'x-load-balancing-endpoint-weight': String(localEndpoints) },
    body: JSON.stringify(body, undefined, '\t'),
  }
}

/**
 * Servers on each address that node ports are served on, in the network namespace of this process. A port that can not be listened on is a
 * problem, and tried again with each sync.
 */
export class HealthPorts implements ProxyObserver, AsyncDisposable {
  readonly #health: ProxyHealth
  readonly #log: Log
  #proxy: ServiceProxy | undefined
  /** By address and port. */
  readonly #servers = new Map<string, HttpServer>()
  readonly #problems = new Map<string, SourceProblem>()
  #conflicts: SourceProblem[] = []
  /** What is served by each: what changes of it, changes answers. */
  #checks = new Map<string, HealthCheck>()
  #settling: Promise<void> = Promise.resolve()

  constructor(health: ProxyHealth, log: Log = () => {}) {
    this.#health = health
    this.#log = log
  }

  get problems(): readonly SourceProblem[] {
    return [...this.#conflicts, ...this.#problems.values()]
  }

  opened(proxy: ServiceProxy): void {
    this.#proxy = proxy
  }

  synced(): void {
    const { healthChecks = [], nodePortAddresses = [] } = this.#proxy ?? {}
    const wanted = new Map<string, HealthCheck>()
    const holders = new Map<number, string>()
    this.#conflicts = []
    for (const check of healthChecks) {
      const { service, port } = check
      const holder = holders.get(port)
      // Who asks can not be told which one is meant.
      if (holder !== undefined) this.#conflicts.push({ where: service, field: FIELD, message: `${port} is ${holder}'s already` })
      else for (const address of nodePortAddresses) wanted.set(`${address} ${port}`, check)
      holders.set(port, holder ?? service)
    }
    this.#checks = wanted
    this.#settling = this.#settling.then(() => this.#settle())
  }

  /** What was asked for so far has been done. */
  settled(): Promise<void> {
    return this.#settling
  }

  async #settle(): Promise<void> {
    for (const [place, server] of this.#servers) {
      if (this.#checks.has(place)) continue
      this.#servers.delete(place)
      await server.close()
    }
    for (const place of this.#problems.keys()) if (!this.#checks.has(place)) this.#problems.delete(place)
    for (const [place, { service }] of this.#checks) if (!this.#servers.has(place)) await this.#open(place, service)
  }

  async #open(place: string, service: string): Promise<void> {
    const [address = '', port] = place.split(' ')
    try {
      const answer = (): HttpAnswer | undefined => {
        const check = this.#checks.get(place)
        return check && healthCheckAnswer(check, familyOf(address), this.#health.healthy)
      }
      this.#servers.set(place, await serve({ address, port: Number(port) }, answer))
      this.#problems.delete(place)
    } catch (error) {
      const message = `${address} can not be listened on at port ${port}: ${(error as Error).message}`
      const problem = { where: service, field: FIELD, message }
      if (this.#problems.get(place)?.message !== message) this.#log('warn', message, { where: service, field: FIELD })
      this.#problems.set(place, problem)
    }
  }

  async close(): Promise<void> {
    this.#checks = new Map()
    this.#settling = this.#settling.then(() => this.#settle())
    await this.#settling
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
