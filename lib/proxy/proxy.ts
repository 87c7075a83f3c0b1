/** A service proxy: what a source tells, in the kernel. */
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConntrackClient, open as openConntrack } from '../conntrack/index.js'
import {
  type Change,
  type Elements,
  type NftClient,
  type OpenOptions as NftOptions,
  open as openNft,
  renderCommands,
  type Table,
} from '../nft/index.js'
import { open as openRoutes, type RouteClient } from '../route/index.js'
import {
  type Allocations,
  type Cidr,
  contains,
  type Explanation,
  explain,
  type Family,
  type Flow,
  type Frontend,
  type FrontendChange,
} from '../service/index.js'
import type { Source, SourceProblem, SourceUpdate } from '../source/source.js'
import { Cluster, type LocalAddresses } from './cluster.js'
import { NftablesBackend, type Synced } from './nftables/backend.js'
import { TABLE, tableFamily } from './nftables/layout.js'
import { addRoutes, destinations, ownRoutes, planRoutes, type RouteChanges, removeRoutes } from './routes.js'
import { deleteStale, type Serving, servingAfter } from './stale.js'

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

export type LogLevel = 'info' | 'warn' | 'error'
/** A line of the log: what happened, and to what. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

/** Options of a proxy. */
export interface ServiceProxyOptions extends Pick<NftOptions, 'netns'> {
  readonly source: Source
  /** Name of the node. Default: that of the machine. */
  readonly node?: string | undefined
  /** Addresses of pods. Default none: nobody is known to be a pod, and no one is masqueraded for being none. */
  readonly clusterCidrs?: readonly Cidr[] | undefined
  /** Addresses for Services: one local route for all of them, instead of one each; in a standalone cluster they are given from here. */
  readonly serviceCidrs?: readonly Cidr[] | undefined
  /** Whether endpoints see the address of the node instead of every client's, on cluster addresses. Default false. */
  readonly masqueradeAll?: boolean | undefined
  /** Which of the node's addresses serve node ports. Default: the primary one of each family. */
  readonly nodePortCidrs?: readonly Cidr[] | undefined
  /** Addresses for load balancers, where there is no API server. */
  readonly balancerPool?: readonly Cidr[] | undefined
  /** Whether there is no API server: addresses are given and slices made here. Default true. */
  readonly standalone?: boolean | undefined
  /** What was given before (`allocations` of an earlier proxy). */
  readonly allocations?: Allocations | undefined
  /** Default: nothing is logged. */
  readonly log?: Log | undefined
}

/** What a sync did besides: routes, and UDP flows that led to endpoints which are gone. */
export interface SyncAround {
  readonly routesAdded: number
  readonly routesRemoved: number
  readonly stale: number
}

/** What a sync did, by family. */
export type SyncReport = Readonly<Partial<Record<Family, Synced & SyncAround>>>

/** Milliseconds between two looks at the machine's addresses; before a failed sync is tried again, at first and at most. */
const LOOK = 10_000
const RETRY = { first: 500, most: 30_000 }

/** Clients of one namespace. */
interface Clients {
  readonly nft: NftClient
  readonly routes: RouteClient
  readonly tracked: ConntrackClient
}

/** Watches a source, and keeps the kernel of one namespace as it says. */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions
  readonly #nft: NftClient
  readonly #routes: RouteClient
  readonly #tracked: ConntrackClient
  readonly #cluster: Cluster
  readonly #backends: ReadonlyMap<Family, NftablesBackend>
  readonly #log: Log
  #local: LocalAddresses
  #problems: readonly SourceProblem[] = []
  /** Until the source has told everything, what is in the kernel stays as it is. */
  #complete = false
  /** Node ports are served elsewhere now: all of them are set again. */
  #moved = false
  /** Addresses that need routes, and how many frontends have each. */
  readonly #addresses = new Map<string, number>()
  /** When the machine's addresses were read, in milliseconds. */
  #looked = Number.NEGATIVE_INFINITY
  /** Where UDP flows may have become stale since the last sync that was done. */
  #serving: Serving = new Map()

  private constructor(options: ServiceProxyOptions, { nft, routes, tracked }: Clients, local: LocalAddresses) {
    this.#options = options
    this.#nft = nft
    this.#routes = routes
    this.#tracked = tracked
    this.#local = local
    this.#log = options.log ?? (() => {})
    this.#cluster = new Cluster(
      {
        node: options.node ?? hostname(),
        clusterCidrs: options.clusterCidrs ?? [],
        serviceCidrs: options.serviceCidrs ?? [],
        masqueradeAll: options.masqueradeAll ?? false,
        nodePortCidrs: options.nodePortCidrs,
        balancerPool: options.balancerPool ?? [],
        standalone: options.standalone ?? true,
        allocations: options.allocations,
      },
      local,
    )
    this.#backends = new Map(FAMILIES.map(family => [family, new NftablesBackend(nft, family)]))
    for (const backend of this.#backends.values())
      backend.setRanges({ pods: options.clusterCidrs ?? [], services: options.serviceCidrs ?? [] })
  }

  /** Opens clients of the kernel, and takes over what an earlier proxy left. Changes nothing. */
  static async open(options: ServiceProxyOptions): Promise<ServiceProxy> {
    const of = options.netns === undefined ? {} : { netns: options.netns }
    const nft = await openNft(of)
    const routes = await openRoutes(of)
    const tracked = await openConntrack(of)
    const proxy = new ServiceProxy(options, { nft, routes, tracked }, await localAddresses(routes))
    for (const backend of proxy.#backends.values()) await backend.adopt()
    return proxy
  }

  /** To be kept, so that Services get the same addresses after a restart. */
  get allocations(): Allocations {
    return this.#cluster.allocations
  }

  /** What can not be read, or served, now. */
  get problems(): readonly SourceProblem[] {
    return [...this.#problems, ...this.#cluster.problems]
  }

  get frontends(): Iterable<Frontend> {
    return this.#cluster.model.frontends.values()
  }

  /** What becomes of a new connection, and why. Throws a `TypeError` for addresses that are none. */
  explain(flow: Flow): Explanation {
    return explain(this.#cluster.model.frontends, flow, this.#cluster.surroundings)
  }

  /**
   * Reads the source until it is aborted, and syncs after each update; a sync that fails is tried again.
   *
   * @param synced called after each sync that changed something
   */
  async run(signal: AbortSignal, synced: () => unknown = () => {}): Promise<void> {
    const ending = new AbortController()
    const all = AbortSignal.any([signal, ending.signal])
    const wake = new Wake()
    const watching = this.#watch(all, wake)
    const syncing = this.#keepUp(all, wake, synced)
    try {
      for await (const update of this.#options.source.updates(all)) {
        this.#take(update)
        if (update.complete) wake.wake()
      }
    } finally {
      ending.abort()
      await Promise.all([watching, syncing])
    }
  }

  /** Reads the source once, and syncs once. Rejects, with nothing changed, when the source can not be read. */
  async once(signal: AbortSignal = new AbortController().signal): Promise<SyncReport> {
    await this.read(signal)
    return this.sync(signal)
  }

  /** Reads the source once, and changes nothing. Rejects when it can not be read. */
  async read(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const ending = new AbortController()
    for await (const update of this.#options.source.updates(AbortSignal.any([signal, ending.signal]))) {
      this.#take(update)
      ending.abort()
      if (!update.complete)
        throw new Error(
          `${this.#options.source.name}: ${update.problems.map(({ message }) => message).join('; ') || 'is not complete'}`,
        )
    }
  }

  /** Makes the kernel as it is wanted. Routes to what is gone go first, routes to what is new come last. */
  async sync(signal?: AbortSignal): Promise<SyncReport> {
    const look = performance.now() - this.#looked > LOOK
    const local = look ? await localAddresses(this.#routes) : this.#local
    if (look) this.#looked = performance.now()
    if (local.join() !== this.#local.join()) {
      this.#local = local
      if (this.#cluster.setLocalAddresses(local)) this.#moved = true
    }
    this.#update()
    const report: { -readonly [F in Family]?: NonNullable<SyncReport[F]> } = {}
    for (const [family, backend] of this.#backends) {
      const routes = await this.#planRoutes(family, signal)
      await removeRoutes(this.#routes, routes, signal)
      const synced = await backend.sync(signal)
      await addRoutes(this.#routes, routes, signal)
      const stale = await deleteStale(this.#tracked, family, this.#serving, signal)
      report[family] = { ...synced, stale, routesAdded: routes.added.length, routesRemoved: routes.removed.length }
    }
    this.#serving = new Map()
    return report
  }

  /** What a sync would change: commands of nftables as text, and of `ip route`, a line each. Changes nothing. */
  async plan(signal?: AbortSignal): Promise<string> {
    this.#update()
    let text = ''
    for (const [family, backend] of this.#backends) {
      const { added, removed } = await this.#planRoutes(family, signal)
      text += removed.map(({ destination }) => `ip route del local ${destination}\n`).join('')
      text += renderCommands(await backend.plan(signal))
      text += added
        .map(
          ({ destination, source }) =>
            `ip route add local ${destination} dev lo${source === undefined ? '' : ` src ${source}`}\n`,
        )
        .join('')
    }
    return text
  }

  /** Removes everything that a proxy made here: routes first, then the tables. Returns whether there was something. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    let found = false
    for (const [family, backend] of this.#backends) {
      const removed = await ownRoutes(this.#routes, family, signal)
      await removeRoutes(this.#routes, { added: [], removed }, signal)
      found = (await backend.cleanup(signal)) || removed.length > 0 || found
    }
    return found
  }

  async close(): Promise<void> {
    await this.#nft.close()
    await this.#routes.close()
    await this.#tracked.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take({ complete, changes, problems }: SourceUpdate): void {
    this.#complete = complete
    if (this.#cluster.apply(changes)) this.#moved = true
    this.#problems = problems
    for (const { where, line, field, message } of this.problems) this.#log('warn', message, { where, line, field })
  }

  /** Hands over to the backends what has changed. */
  #update(): void {
    const addressesOf = (family: Family) => (frontend: Frontend) =>
      frontend.family === family ? this.#cluster.addressesOf(frontend) : []
    const changes = [...this.#cluster.model.changes()]
    for (const change of changes) this.#count(change)
    this.#serving = new Map([...this.#serving, ...servingAfter(changes, frontend => this.#cluster.addressesOf(frontend))])
    if (this.#moved)
      for (const [key, frontend] of this.#cluster.model.frontends)
        if (frontend.kind === 'node-port') changes.push({ key, before: frontend, after: frontend })
    this.#moved = false
    for (const [family, backend] of this.#backends)
      for (const change of changes) if (key(change.key) === family) backend.set(change, addressesOf(family))
  }

  async #planRoutes(family: Family, signal: AbortSignal | undefined): Promise<RouteChanges> {
    const ranges = this.#options.serviceCidrs ?? []
    const source = this.#local.find(address => address.includes(':') === (family === 'ipv6') && !isLoopback(address))
    const wanted = destinations({ family, ranges, addresses: this.#addresses.keys(), local: this.#local, source }, contains)
    return planRoutes(wanted, await ownRoutes(this.#routes, family, signal), source)
  }

  /** How many frontends have each address outside of the ranges: those need routes of their own. */
  #count({ before, after }: FrontendChange): void {
    const ranges = this.#options.serviceCidrs ?? []
    for (const [frontend, more] of [
      [before, -1],
      [after, 1],
    ] as const) {
      const { address } = frontend ?? {}
      if (address === undefined || ranges.some(cidr => contains(cidr, address))) continue
      const count = (this.#addresses.get(address) ?? 0) + more
      if (count > 0) this.#addresses.set(address, count)
      else this.#addresses.delete(address)
    }
  }

  /** Syncs whenever it is woken. */
  async #keepUp(signal: AbortSignal, wake: Wake, synced: () => unknown): Promise<void> {
    let retry = RETRY.first
    while (!signal.aborted) {
      await wake.asked(signal, LOOK)
      if (signal.aborted) return
      if (!this.#complete) continue
      try {
        const report = await this.sync(signal)
        if (Object.values(report).some(one => one && one.added + one.removed + one.routesAdded + one.routesRemoved > 0)) {
          this.#log('info', 'synced', report)
          await synced()
        }
        retry = RETRY.first
      } catch (error) {
        if (signal.aborted) return
        this.#log('error', `the kernel is as it was: ${(error as Error).message}`, { retry: `${retry} ms` })
        await pause(retry, undefined, { signal }).catch(() => {})
        retry = Math.min(2 * retry, RETRY.most)
        wake.wake()
      }
    }
  }

  /** What others change in our tables is changed back. */
  async #watch(signal: AbortSignal, wake: Wake): Promise<void> {
    try {
      for await (const { own, changes } of this.#nft.watch({ table: TABLE, signal }))
        for (const family of own ? [] : FAMILIES)
          if (changes.some(change => familyOf(change) === tableFamily(family))) {
            this.#log('warn', 'somebody else changed the table', { family: tableFamily(family), table: TABLE })
            this.#backends.get(family)?.doubt()
            wake.wake()
          }
    } catch (error) {
      if (!signal.aborted) this.#log('error', `changes by others are not seen any more: ${(error as Error).message}`)
    }
  }
}

/** Lets one wait until something is to be done. */
class Wake {
  #asked = false
  #resolve: (() => void) | undefined

  wake(): void {
    this.#asked = true
    this.#resolve?.()
  }

  async asked(signal: AbortSignal, most: number): Promise<void> {
    if (!this.#asked) {
      const waiting = new AbortController()
      const woken = new Promise<void>(resolve => {
        this.#resolve = resolve
      })
      await Promise.race([woken, pause(most, undefined, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => {})])
      waiting.abort()
    }
    this.#asked = false
    this.#resolve = undefined
  }
}

const key = (text: string): string => text.split(' ', 1)[0] as string

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** Usable ones, in the order of the devices: loopback and link-local addresses last. */
async function localAddresses(routes: RouteClient): Promise<LocalAddresses> {
  const all = (await routes.addresses()).map(({ address, scope }) => ({
    address,
    far: isLoopback(address) || scope === 'link' || scope === 'host',
  }))
  return [...all.filter(({ far }) => !far), ...all.filter(({ far }) => far)].map(({ address }) => address)
}

/** The family of a table that a change is in. */
function familyOf({ object, before, after }: Change): string | undefined {
  const thing = after ?? before
  return object === 'elements' ? (thing as Elements | undefined)?.set.family : (thing as Table | undefined)?.family
}
