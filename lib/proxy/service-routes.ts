/** The routes of all Services' addresses: which are wanted is counted as frontends come and go. */
import { type NftClient, renderCommands } from '../nft/index.js'
import type { RouteClient } from '../route/index.js'
import { type Cidr, contains, type Family, type FrontendChange, outermost } from '../service/index.js'
import { ArpGuard } from './arp-guard.js'
import type { LocalAddresses } from './cluster.js'
import type { Log } from './options.js'
import { addRoutes, destinations, isLoopback, ownRoutes, planRoutes, type RouteChanges, removeRoutes } from './routes.js'

/** What is to be done, and all destinations that have a route then. */
export interface PlannedRoutes extends RouteChanges {
  readonly family: Family
  readonly wanted: ReadonlySet<string>
}

export class ServiceRoutes {
  readonly #client: RouteClient
  readonly #guard: ArpGuard
  readonly #ranges: readonly Cidr[]
  /** Addresses that need routes of their own, and how many frontends have each. */
  readonly #addresses = new Map<string, number>()

  /** @param ranges of Services' addresses: everyone has a route, and no address of it needs one */
  constructor(client: RouteClient, nft: NftClient, ranges: readonly Cidr[], log: Log) {
    this.#client = client
    this.#guard = new ArpGuard(nft, log)
    this.#ranges = outermost(ranges)
  }

  /** What goes with the routes may be another way than it was left. */
  doubt(): void {
    this.#guard.doubt()
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
  async plan(
    family: Family,
    local: LocalAddresses,
    elsewhere: ReadonlySet<string>,
    signal?: AbortSignal,
  ): Promise<PlannedRoutes> {
    const source = local.find(address => address.includes(':') === (family === 'ipv6') && !isLoopback(address))
    const nodes = new Set([...local, ...elsewhere])
    const wanted = destinations({ family, ranges: this.#ranges, addresses: this.#addresses.keys(), nodes }, contains)
    return { ...planRoutes(wanted, await ownRoutes(this.#client, family, signal), source), family, wanted }
  }

  /** What keeps the addresses from the networks around, before there are routes. */
  async guard({ family, wanted }: PlannedRoutes, signal?: AbortSignal): Promise<void> {
    if (family === 'ipv4') await this.#guard.sync(wanted, signal)
  }

  /** Those that are missing. */
  add(planned: PlannedRoutes, signal?: AbortSignal): Promise<void> {
    return addRoutes(this.#client, planned, signal)
  }

  remove(changes: RouteChanges, signal?: AbortSignal): Promise<void> {
    return removeRoutes(this.#client, changes, signal)
  }

  /** As commands of nft and of `ip route`, a line each. */
  async describe({ family, wanted, added, removed }: PlannedRoutes, signal?: AbortSignal) {
    const guard = family === 'ipv4' ? renderCommands(await this.#guard.plan(wanted, signal)) : ''
    const from = (source: string | undefined): string => (source === undefined ? '' : ` src ${source}`)
    return {
      added: guard + added.map(({ destination, source }) => `ip route add local ${destination} dev lo${from(source)}\n`).join(''),
      removed: removed.map(({ destination }) => `ip route del local ${destination}\n`).join(''),
    }
  }

  /** Removes all that a proxy made. Returns how many there were. */
  async cleanup(family: Family, signal?: AbortSignal): Promise<number> {
    const removed = await ownRoutes(this.#client, family, signal)
    await this.remove({ added: [], removed }, signal)
    if (family === 'ipv4') await this.#guard.cleanup(signal)
    return removed.length
  }

  #count(address: string | undefined, more: 1 | -1): void {
    if (address === undefined || this.#ranges.some(cidr => contains(cidr, address))) return
    const count = (this.#addresses.get(address) ?? 0) + more
    if (count > 0) this.#addresses.set(address, count)
    else this.#addresses.delete(address)
  }
}
