/** Whether a proxy does its work, as load balancers and the kubelet ask for it (kube-proxy, pkg/proxy/healthcheck/proxy_health.go). */
import type { HttpAnswer } from './http.js'
import type { ProxyObserver } from './observer.js'
import type { ServiceProxy } from './proxy.js'

export interface ProxyHealthOptions {
  /** Seconds that a sync may be overdue. Default 60, as with kube-proxy. */
  readonly timeout?: number | undefined
  /** Milliseconds since 1970. Default: the time. */
  readonly clock?: (() => number) | undefined
}

/** Kept by kube-proxy from being shown as anything else. */
export const JSON_HEADERS = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' } as const

/**
 * Healthy as long as what was to be synced was so in time: a sync that fails is one that is not done.
 *
 * @example
 * const health = new ProxyHealth()
 * await using proxy = await ServiceProxy.open({ source, observers: [health] })
 * await using server = await serve({ address: '0.0.0.0', port: 10256 }, path => health.answer(path))
 */
export class ProxyHealth implements ProxyObserver {
  readonly #timeout: number
  readonly #clock: () => number
  #proxy: ServiceProxy | undefined
  /** Since when there is something to be synced. */
  #pending: number | undefined
  #synced = 0
  /** How many answers were given, by path and status. */
  readonly #answers = new Map<string, number>()

  constructor({ timeout = 60, clock = Date.now }: ProxyHealthOptions = {}) {
    this.#timeout = 1000 * timeout
    this.#clock = clock
  }

  opened(proxy: ServiceProxy): void {
    this.#proxy = proxy
    this.#wait()
  }

  told(): void {
    this.#wait()
  }

  failed(): void {
    this.#wait()
  }

  drifted(): void {
    this.#wait()
  }

  synced(): void {
    this.#pending = undefined
    this.#synced = this.#clock()
  }

  #wait(): void {
    this.#pending ??= this.#clock()
  }

  get healthy(): boolean {
    return this.#pending === undefined || this.#clock() - this.#pending <= this.#timeout
  }

  /**
   * `/healthz`: whether load balancers may send new connections here, which they may not where the node is about to go (KEP-3836); `/livez`:
   * whether the proxy works. 200 or 503.
   */
  answer(path: string): HttpAnswer | undefined {
    if (path !== '/healthz' && path !== '/livez') return undefined
    const answer = this.#answer(path)
    const key = `${path} ${answer.status}`
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1)
    return answer
  }

  /** How many answers a path was given, by status. */
  answersTo(path: '/healthz' | '/livez'): Readonly<Record<string, number>> {
    const own = [...this.#answers].map(([key, count]) => [...key.split(' '), count] as const)
    return Object.fromEntries(own.filter(([of]) => of === path).map(([, status, count]) => [status, count]))
  }

  #answer(path: '/healthz' | '/livez'): HttpAnswer {
    const { healthy } = this
    const nodeEligible = this.#proxy?.nodeEligible ?? true
    const now = this.#clock()
    const times = {
      lastUpdated: new Date(healthy ? now : this.#synced).toISOString(),
      currentTime: new Date(now).toISOString(),
    }
    const ready = path === '/livez' || nodeEligible
    const body = JSON.stringify(path === '/livez' ? times : { ...times, nodeEligible })
    return { status: healthy && ready ? 200 : 503, headers: JSON_HEADERS, body }
  }
}
