/** A service proxy: what a source tells, in the kernel. */
import { hostname, release } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { ConntrackClient } from '../conntrack/index.js'
import { inTurns } from '../netlink/turns.js'
import { type NftClient, renderCommands } from '../nft/index.js'
import type { RouteClient } from '../route/index.js'
import {
  type Allocations,
  type Answer,
  contains,
  endpointKey,
  type Family,
  type Flow,
  type Frontend,
  type FrontendChange,
  type FrontendKey,
} from '../service/index.js'
import type { SourceProblem, SourceUpdate } from '../source/source.js'
import { Backend, type EngineName, type Synced } from './backend.js'
import { type Clients, chooseEngines, closeClients, openClients } from './clients.js'
import { Cluster, type HealthCheck, type LocalAddresses } from './cluster.js'
import { DRAIN_SECONDS, Drain, type DrainModel } from './drain.js'
import { watchTables } from './drift.js'
import { explain, type ServedExplanation } from './explain.js'
import { describePlan } from './ipvs/describe.js'
import type { DrainRules } from './ipvs/drains.js'
import { Settings, settingsFor } from './ipvs/settings.js'
import { TABLE, tableFamily } from './nftables/layout.js'
import { type Refusals, readRefusals } from './nftables/refusals.js'
import type { ProxyObserver } from './observer.js'
import type { BackendName, Log, ServiceProxyOptions } from './options.js'
import {
  addRoutes,
  destinations,
  isLoopback,
  localAddresses,
  ownRoutes,
  planRoutes,
  type RouteChanges,
  removeRoutes,
} from './routes.js'
import { placeOf, StaleFlows } from './stale.js'
import { syncLog } from './sync-log.js'
import { Wake } from './wake.js'

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

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

/** A frontend takes as long as so many endpoints, besides its own. */
const FRONTEND = 10

/** Watches a source, and keeps the kernel of one namespace as it says. */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions
  readonly #nft: NftClient
  readonly #routes: RouteClient
  readonly #tracked: ConntrackClient
  readonly #clients: Clients
  readonly #cluster: Cluster
  readonly #backends: ReadonlyMap<Family, Backend>
  readonly #log: Log
  readonly #observers: readonly ProxyObserver[]
  readonly #drain: Drain
  #local: LocalAddresses
  #problems: readonly SourceProblem[] = []
  /** Until the source has told everything, what is in the kernel stays as it is. */
  #complete = false
  /** Node ports are served elsewhere now: all of them are set again. */
  #moved = false
  /** Addresses that came to the machine, or went. */
  readonly #relocated = new Set<string>()
  /** Addresses that need routes, and how many frontends have each. */
  readonly #addresses = new Map<string, number>()
  #working: Promise<void> = Promise.resolve()
  /** When the machine's addresses were read, in milliseconds. */
  #looked = Number.NEGATIVE_INFINITY
  readonly #wake = new Wake()
  /** Engines that the next sync changes over to. */
  #chosen: ReadonlyMap<Family, EngineName> = new Map()
  readonly #stale = new StaleFlows()
  /** What was handed over since then. */
  #changes: readonly FrontendChange[] = []

  private constructor(options: ServiceProxyOptions, clients: Clients, local: LocalAddresses) {
    const { nft, routes, tracked, lvs, files } = clients
    this.#options = options
    this.#nft = nft
    this.#routes = routes
    this.#tracked = tracked
    this.#clients = clients
    this.#local = local
    this.#log = options.log ?? (() => {})
    this.#observers = [...(options.observers ?? []), syncLog(this.#log)]
    this.#drain = new Drain({ seconds: options.drainTimeout, serviceCidrs: options.serviceCidrs })
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
    const seconds: DrainRules['seconds'] = frontend => frontend?.drain ?? options.drainTimeout ?? DRAIN_SECONDS
    const drains = { seconds, stateOf: this.#stateOf }
    const settings = new Settings(files, settingsFor(release()))
    const common = { nft, lvs, drains, log: this.#log }
    this.#backends = new Map(
      FAMILIES.map(family => [family, new Backend(family, family === 'ipv4' ? { ...common, settings } : common)]),
    )
    for (const backend of this.#backends.values()) {
      backend.setRanges({ pods: options.clusterCidrs ?? [], services: options.serviceCidrs ?? [] })
      backend.setLocalAddresses(local)
    }
  }

  /** Opens clients of the kernel, and takes over what an earlier proxy left. Changes nothing. Rejects where there is no IPVS that was asked for. */
  static async open(options: ServiceProxyOptions): Promise<ServiceProxy> {
    const clients = await openClients(options)
    const proxy = new ServiceProxy(options, clients, await localAddresses(clients.routes))
    try {
      for (const [family, engine] of await chooseEngines(clients.lvs, options.backend ?? 'auto', proxy.#log))
        await proxy.#backends.get(family)?.adopt(engine)
    } catch (error) {
      await proxy.close()
      throw error
    }
    for (const observer of proxy.#observers) observer.opened?.(proxy)
    return proxy
  }

  /** What serves Services of each family. */
  get engines(): Readonly<Record<Family, EngineName>> {
    const of = (family: Family): EngineName => this.#backends.get(family)?.engine ?? 'nftables'
    return { ipv4: of('ipv4'), ipv6: of('ipv6') }
  }

  /**
   * Changes over to another backend with the next sync. Connections stay where they are: what nftables has translated the kernel translates on,
   * and virtual servers are there, without new connections, until theirs are over. Rejects where there is no IPVS that was asked for.
   */
  async setBackend(backend: BackendName): Promise<void> {
    this.#chosen = await chooseEngines(this.#clients.lvs, backend, this.#log)
    this.#wake.wake()
  }

  /** To be kept, so that Services get the same addresses after a restart. */
  get allocations(): Allocations {
    return this.#cluster.allocations
  }

  /** What can not be read, or served, now. */
  get problems(): readonly SourceProblem[] {
    const served = [...this.#backends.values()].flatMap(({ problems }) => problems)
    const seen = this.#observers.flatMap(({ problems = [] }) => problems)
    return [...this.#problems, ...this.#cluster.problems, ...served, ...seen]
  }

  get frontends(): Iterable<Frontend> {
    return this.#cluster.model.frontends.values()
  }

  /** How many elements the sets and maps of each family are to have. */
  get elements(): Readonly<Partial<Record<Family, number>>> {
    return Object.fromEntries([...this.#backends].map(([family, { size }]) => [family, size]))
  }

  /** Services with a health-check node port, and how many of their endpoints are ready here. */
  get healthChecks(): readonly HealthCheck[] {
    return this.#cluster.healthChecks
  }

  /** Where node ports are served. */
  get nodePortAddresses(): readonly string[] {
    return this.#cluster.nodePortAddresses
  }

  /** Whether load balancers may send new connections to this node: it is not about to go. */
  get nodeEligible(): boolean {
    return this.#cluster.nodeEligible
  }

  /** What becomes of a new connection, why, and what does it. Throws a `TypeError` for addresses that are none. */
  explain(flow: Flow): ServedExplanation {
    return explain(this.#cluster.model.frontends, flow, this.#cluster.surroundings, frontend =>
      this.#backends.get(frontend.family)?.engineAt(frontend, flow.address),
    )
  }

  /**
   * Reads the source until it is aborted, and syncs after each update; a sync that fails is tried again.
   *
   * @param synced called after each sync that changed something
   */
  async run(signal: AbortSignal, synced: () => unknown = () => {}): Promise<void> {
    const ending = new AbortController()
    const all = AbortSignal.any([signal, ending.signal])
    const wake = this.#wake
    const watching = this.#watch(all, wake)
    const syncing = this.#keepUp(all, wake, synced)
    try {
      for await (const update of this.#options.source.updates(all)) {
        await this.#take(update)
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
      await this.#take(update)
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
    if (local.join() !== this.#local.join()) this.#setLocalAddresses(local)
    for (const [family, engine] of this.#chosen) await this.#backends.get(family)?.setEngine(engine)
    this.#chosen = new Map()
    await this.#update()
    const report: { -readonly [F in Family]?: NonNullable<SyncReport[F]> } = {}
    const seconds: { [F in Family]?: number } = {}
    for (const [family, backend] of this.#backends) {
      const began = performance.now()
      const routes = await this.#planRoutes(family, signal)
      await removeRoutes(this.#routes, routes, signal)
      const synced = await backend.sync(signal)
      await addRoutes(this.#routes, routes, signal)
      const stale = await this.#stale.delete(this.#tracked, family, signal)
      report[family] = { ...synced, stale, routesAdded: routes.added.length, routesRemoved: routes.removed.length }
      seconds[family] = (performance.now() - began) / 1000
    }
    this.#stale.settled()
    for (const observer of this.#observers) observer.synced?.({ report, changes: this.#changes, seconds })
    this.#changes = []
    return report
  }

  /** What a sync would change: commands of nftables as text, and of `ip route`, a line each. Changes nothing. */
  async plan(signal?: AbortSignal): Promise<string> {
    await this.#update()
    let text = ''
    for (const [family, backend] of this.#backends) {
      const { added, removed } = await this.#planRoutes(family, signal)
      text += removed.map(({ destination }) => `ip route del local ${destination}\n`).join('')
      const { rules, operations } = await backend.plan(signal)
      text += renderCommands(rules) + describePlan(operations)
      text += added
        .map(
          ({ destination, source }) =>
            `ip route add local ${destination} dev lo${source === undefined ? '' : ` src ${source}`}\n`,
        )
        .join('')
    }
    return text
  }

  /** Packets of new connections that were refused, by Service and why, since the kernel was told to refuse them. */
  async refusals(signal?: AbortSignal): Promise<readonly Refusals[]> {
    const all = await Promise.all(FAMILIES.map(family => readRefusals(this.#nft, family, signal)))
    return all.flat()
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
    await closeClients(this.#clients)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What is served on an address that came, or went, is set again: it is one of the machine's own now, or none any more. */
  #setLocalAddresses(local: LocalAddresses): void {
    const before = new Set(this.#local)
    const changed = local.filter(address => !before.delete(address))
    for (const address of [...changed, ...before]) this.#relocated.add(address)
    this.#local = local
    for (const backend of this.#backends.values()) backend.setLocalAddresses(local)
    if (this.#cluster.setLocalAddresses(local)) this.#moved = true
  }

  /** What the slices say of an endpoint that a frontend has no more. */
  readonly #stateOf: DrainRules['stateOf'] = ({ service, family, portName, protocol }, endpoint) => {
    const known = this.#cluster.model.endpointsOf(service).get(endpointKey(family, portName, protocol)) ?? []
    const found = known.find(({ address, port }) => placeOf(address, port) === endpoint)
    return found ? (found.serving ? 'serving' : 'there') : 'gone'
  }

  readonly #isServing = (frontend: Frontend, endpoint: string): boolean => this.#stateOf(frontend, endpoint) === 'serving'

  /** In how many milliseconds there may be something to do. */
  #dues(): readonly number[] {
    return [...this.#backends.values()].map(({ dueIn }) => dueIn).filter(due => due !== undefined)
  }

  async #take(update: SourceUpdate): Promise<void> {
    const { complete, changes, problems } = update
    this.#complete &&= complete
    await this.#oneByOne(async () => {
      if (await inTurns(this.#cluster.apply(changes))) this.#moved = true
    })
    this.#complete = complete
    this.#problems = problems
    for (const { where, line, field, message } of this.problems) this.#log('warn', message, { where, line, field })
    for (const observer of this.#observers) observer.told?.(update)
  }

  /** Hands over to the backends what has changed. */
  #update(): Promise<void> {
    return this.#oneByOne(() => inTurns(this.#handOver()))
  }

  *#handOver(): Generator<number, void, void> {
    const addressesOf = (family: Family) => (frontend: Frontend) =>
      frontend.family === family ? this.#cluster.addressesOf(frontend) : []
    yield* this.#cluster.model.settle()
    const changes = [...this.#cluster.model.changes()]
    this.#changes = [...this.#changes, ...changes]
    for (const change of changes) {
      this.#count(change)
      this.#drain.changed([change], this.#drainModel)
      yield sizeOf(change)
    }
    this.#stale.changed(changes, frontend => this.#cluster.addressesOf(frontend), this.#isServing)
    if (this.#moved || this.#relocated.size > 0)
      for (const [key, frontend] of this.#cluster.model.frontends)
        if (frontend.kind === 'node-port' ? this.#moved : this.#relocated.has(frontend.address ?? ''))
          changes.push({ key, before: frontend, after: frontend })
    this.#moved = false
    this.#relocated.clear()
    for (const change of changes) {
      const family = familyIn(change.key)
      this.#backends.get(family)?.set(change, addressesOf(family))
      yield sizeOf(change)
    }
  }

  /** Work on all that is known gives others a turn in the middle, but no other such work. */
  #oneByOne(work: () => Promise<void>): Promise<void> {
    const done = this.#working.then(work)
    this.#working = done.catch(() => {})
    return done
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
      await wake.asked(signal, Math.min(LOOK, this.#drain.next, ...this.#dues()))
      if (signal.aborted) return
      if (!this.#complete) continue
      try {
        const report = await this.sync(signal)
        if (Object.values(report).some(one => one && changesIn(one) > 0)) await synced()
        await this.#drainFlows(signal)
        retry = RETRY.first
      } catch (error) {
        if (signal.aborted) return
        for (const observer of this.#observers) observer.failed?.(error as Error)
        this.#log('error', `the kernel is as it was: ${(error as Error).message}`, { retry: `${retry} ms` })
        await pause(retry, undefined, { signal }).catch(() => {})
        retry = Math.min(2 * retry, RETRY.most)
        wake.wake()
      }
    }
  }

  get #drainModel(): DrainModel {
    return {
      frontends: this.frontends,
      addressesOf: frontend => this.#cluster.addressesOf(frontend),
      endpointsOf: service => this.#cluster.model.endpointsOf(service),
    }
  }

  /** Ends connections whose endpoints are gone for long enough. */
  async #drainFlows(signal: AbortSignal): Promise<void> {
    for (const family of FAMILIES) {
      const flows = await this.#drain.run(this.#tracked, family, this.#drainModel, signal)
      if (flows === 0) continue
      this.#log('info', 'connections to endpoints that are gone came to their deadline', { family, flows })
      for (const observer of this.#observers) observer.drained?.(family, flows)
    }
  }

  /** What others change in our tables is changed back. */
  async #watch(signal: AbortSignal, wake: Wake): Promise<void> {
    const drifted = (family: Family): void => {
      this.#log('warn', 'somebody else changed the table', { family: tableFamily(family), table: TABLE })
      this.#backends.get(family)?.doubt()
      for (const observer of this.#observers) observer.drifted?.(family)
      wake.wake()
    }
    try {
      await watchTables(this.#nft, signal, drifted)
    } catch (error) {
      if (!signal.aborted) this.#log('error', `changes by others are not seen any more: ${(error as Error).message}`)
    }
  }
}

const changesIn = ({ added, removed, operations, routesAdded, routesRemoved }: Synced & SyncAround): number =>
  added + removed + operations + routesAdded + routesRemoved

const familyIn = (key: FrontendKey): Family => (key.startsWith('ipv4') ? 'ipv4' : 'ipv6')

/** For how many endpoints' time a change is taken over. */
function sizeOf({ before, after }: FrontendChange): number {
  const of = (answer: Answer | undefined): number => (answer?.verdict === 'accept' ? answer.endpoints.length : 0)
  return FRONTEND + of(before?.answers.node) + of(after?.answers.node)
}
