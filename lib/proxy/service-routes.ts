/** The routes of all Services' addresses: which are wanted is counted as frontends come and go. */
import type { RouteClient } from '../route/index.js'
import { type Cidr, contains, type Family, type FrontendChange } from '../service/index.js'
import type { LocalAddresses } from './cluster.js'
import { addRoutes, destinations, isLoopback, ownRoutes, planRoutes, type RouteChanges, removeRoutes } from './routes.js'

export class ServiceRoutes {
  readonly #client: RouteClient
  readonly #ranges: readonly Cidr[]
  /** Addresses that need routes of their own, and how many frontends have each. */
  readonly #addresses = new Map<string, number>()

  /** @param ranges of Services' addresses: everyone has a route, and no address of it needs one */
  constructor(client: RouteClient, ranges: readonly Cidr[]) {
    this.#client = client
    this.#ranges = ranges
  }

  changed({ before, after }: FrontendChange): void {
    this.#count(before?.address, -1)
    this.#count(after?.address, 1)
  }

  /**
   * What is missing of a family, and what is not wanted any more.
   *
   * @param elsewhere addresses of other nodes: with a route of ours this one could not reach them any more
   */
  async plan(family: Family, local: LocalAddresses, elsewhere: ReadonlySet<string>, signal?: AbortSignal): Promise<RouteChanges> {
    const source = local.find(address => address.includes(':') === (family === 'ipv6') && !isLoopback(address))
    const nodes = new Set([...local, ...elsewhere])
    const wanted = destinations({ family, ranges: this.#ranges, addresses: this.#addresses.keys(), nodes }, contains)
    return planRoutes(wanted, await ownRoutes(this.#client, family, signal), source)
  }

  add(changes: RouteChanges, signal?: AbortSignal): Promise<void> {
    return addRoutes(this.#client, changes, signal)
  }

  remove(changes: RouteChanges, signal?: AbortSignal): Promise<void> {
    return removeRoutes(this.#client, changes, signal)
  }

  /** Removes all that a proxy made. Returns how many there were. */
  async cleanup(family: Family, signal?: AbortSignal): Promise<number> {
    const removed = await ownRoutes(this.#client, family, signal)
    await this.remove({ added: [], removed }, signal)
    return removed.length
  }

  #count(address: string | undefined, more: 1 | -1): void {
    if (address === undefined || this.#ranges.some(cidr => contains(cidr, address))) return
    const count = (this.#addresses.get(address) ?? 0) + more
    if (count > 0) this.#addresses.set(address, count)
    else this.#addresses.delete(address)
  }
}

/** As commands of `ip route`, a line each. */
export function describeRoutes({ added, removed }: RouteChanges): { readonly added: string; readonly removed: string } {
  const from = (source: string | undefined): string => (source === undefined ? '' : ` src ${source}`)
  return {
    added: added.map(({ destination, source }) => `ip route add local ${destination} dev lo${from(source)}\n`).join(''),
    removed: removed.map(({ destination }) => `ip route del local ${destination}\n`).join(''),
  }
}
