/** A service proxy: what a source tells, in the kernel. */
import { release } from 'node:os'
import { inTurns } from '../netlink/turns.js'
import { renderCommands } from '../nft/index.js'
import type { Allocations, Answer, Family, Flow, Frontend, FrontendChange } from '../service/index.js'
import type { SourceProblem, SourceUpdate } from '../source/source.js'
import { setAgain } from './again.js'
import { Backend, type EngineName } from './backend.js'
import { type Clients, chooseEngines, closeClients, openClients } from './clients.js'
import { Cluster, type HealthCheck, type LocalAddresses } from './cluster.js'
import { DRAIN_SECONDS, Drain } from './drain.js'
import { watchAddresses, watchTables } from './drift.js'
import { explain, type ServedExplanation } from './explain.js'
import { describePlan } from './ipvs/describe.js'
import type { DrainRules } from './ipvs/drains.js'
import { Settings, settingsFor } from './ipvs/settings.js'
import { keepUp } from './keep-up.js'
import { TABLE, tableFamily } from './nftables/layout.js'
import { type Refusals, readRefusals } from './nftables/refusals.js'
import type { ProxyObserver, SyncReport } from './observer.js'
import { type BackendName, clusterOptionsOf, type Log, type ServiceProxyOptions } from './options.js'
import { changed, localAddresses } from './routes.js'
import { ServiceRoutes } from './service-routes.js'
import { StaleFlows } from './stale.js'
import { type Parts, syncFamilies } from './sync.js'
import { syncLog } from './sync-log.js'
import { Wake } from './wake.js'

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** Milliseconds between two looks at the machine's addresses. */
const LOOK = 10_000

/** A frontend takes as long as so many endpoints, besides its own, and an endpoint as long as so many other objects. */
const FRONTEND = 10
const ENDPOINT = 4

/** Watches a source, and keeps the kernel of one namespace as it says. */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions
  readonly #clients: Clients
  readonly #routes: ServiceRoutes
  readonly #cluster: Cluster
  readonly #backends: ReadonlyMap<Family, Backend>
  readonly #log: Log
  readonly #observers: readonly ProxyObserver[]
  readonly #drain: Drain
  #local: LocalAddresses
  /** Addresses of other nodes. */
  #elsewhere: ReadonlySet<string> = new Set()
  #problems: readonly SourceProblem[] = []
  /** Until the source has told everything, what is in the kernel stays as it is. */
  #complete = false
  /** Node ports are served elsewhere now: all of them are set again. */
  #moved = false
  /** Addresses that came to the machine, or went. */
  readonly #relocated = new Set<string>()
  #working: Promise<void> = Promise.resolve()
  /** When the machine's addresses were read, in milliseconds. */
  #looked = performance.now()
  /** Whose turn it is in a sync. */
  #syncing: Family | undefined
  readonly #wake = new Wake()
  /** Engines that the next sync changes over to. */
  #chosen: ReadonlyMap<Family, EngineName> = new Map()
  readonly #stale = new StaleFlows()
  readonly #parts: Parts
  /** What was handed over since then. */
  #changes: readonly FrontendChange[] = []

  private constructor(options: ServiceProxyOptions, clients: Clients, local: LocalAddresses) {
    const { nft, lvs, files } = clients
    this.#options = options
    this.#clients = clients
    this.#local = local
    this.#log = options.log ?? (() => {})
    this.#routes = new ServiceRoutes(clients.routes, nft, options.serviceCidrs ?? [], this.#log)
    this.#observers = [...(options.observers ?? []), ...(options.log ? [syncLog(options.log)] : [])]
    this.#drain = new Drain({ seconds: options.drainTimeout, serviceCidrs: options.serviceCidrs })
    this.#cluster = new Cluster(clusterOptionsOf(options), local)
    const seconds: DrainRules['seconds'] = frontend => frontend?.drain ?? options.drainTimeout ?? DRAIN_SECONDS
    const drains: DrainRules = { seconds, stateOf: (frontend, endpoint) => this.#cluster.stateOf(frontend, endpoint) }
    const settings = new Settings(files, settingsFor(release()))
    const common = { nft, lvs, drains, log: this.#log }
    this.#backends = new Map(
      FAMILIES.map(family => [family, new Backend(family, family === 'ipv4' ? { ...common, settings } : common)]),
    )
    for (const backend of this.#backends.values()) {
      backend.setRanges({ pods: options.clusterCidrs ?? [], services: options.serviceCidrs ?? [] })
      backend.setAddresses(local, this.#elsewhere)
    }
    const { tracked } = clients
    this.#parts = { backends: this.#backends, routes: this.#routes, stale: this.#stale, tracked, isServing: this.#isServing }
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
    return this.#cluster.frontends
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
    const work = {
      next: () => Math.min(LOOK, this.#drain.next, ...this.#dues()),
      run: () => this.#keep(all, synced),
      failed: (error: Error, retry: number) => this.#failed(error, retry),
    }
    const watching = this.#watch(all)
    const syncing = keepUp(work, this.#wake, all)
    try {
      for await (const update of this.#options.source.updates(all)) {
        await this.#take(update)
        if (update.complete) this.#wake.wake()
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
    const local = look ? await localAddresses(this.#clients.routes) : this.#local
    if (look) this.#looked = performance.now()
    if (local.join() !== this.#local.join()) {
      if (this.#cluster.setLocalAddresses(local)) this.#moved = true
      this.#setAddresses(local, this.#cluster.elsewhere)
    }
    for (const [family, engine] of this.#chosen) await this.#backends.get(family)?.setEngine(engine)
    this.#chosen = new Map()
    await this.#update()
    const places = { local: this.#local, elsewhere: this.#elsewhere }
    const turn = (family: Family): void => {
      this.#syncing = family
    }
    const { report, ...times } = await syncFamilies(this.#parts, places, turn, signal)
    this.#syncing = undefined
    this.#stale.settled()
    for (const observer of this.#observers) observer.synced?.({ report, changes: this.#changes, ...times })
    this.#changes = []
    return report
  }

  /** What a sync would change: commands of nftables as text, and of `ip route`, a line each. Changes nothing. */
  async plan(signal?: AbortSignal): Promise<string> {
    await this.#update()
    let text = ''
    for (const [family, backend] of this.#backends) {
      const routes = await this.#routes.describe(await this.#routes.plan(family, this.#local, this.#elsewhere, signal), signal)
      const { rules, operations } = await backend.plan(signal)
      text += routes.removed + renderCommands(rules) + describePlan(operations) + routes.added
    }
    return text
  }

  /** Packets of new connections that were refused, by Service and why, since the kernel was told to refuse them. */
  async refusals(signal?: AbortSignal): Promise<readonly Refusals[]> {
    const all = await Promise.all(FAMILIES.map(family => readRefusals(this.#clients.nft, family, signal)))
    return all.flat()
  }

  /** Removes everything that a proxy made here: routes first, then the tables. Returns whether there was something. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    let found = false
    // IPv4 last, which gives back the settings: by expire_nodest_conn the kernel forgets flows of what is removed (ip_vs_ctl.c, __ip_vs_del_dest).
    for (const [family, backend] of [...this.#backends].reverse()) {
      const routes = await this.#routes.cleanup(family, signal)
      found = (await backend.cleanup(signal)) || routes > 0 || found
    }
    return found
  }

  async close(): Promise<void> {
    await closeClients(this.#clients)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What is served on an address that came, or went, is set again: it is one of a node's now, or none any more. */
  #setAddresses(local: LocalAddresses, elsewhere: ReadonlySet<string>): void {
    for (const address of [...changed(this.#local, local), ...changed(this.#elsewhere, elsewhere)]) this.#relocated.add(address)
    this.#local = local
    this.#elsewhere = elsewhere
    for (const backend of this.#backends.values()) backend.setAddresses(local, elsewhere)
  }

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
    const addressesOf = (frontend: Frontend): readonly string[] => this.#cluster.addressesOf(frontend)
    yield* this.#cluster.model.settle()
    const changes = [...this.#cluster.model.changes()]
    this.#changes = [...this.#changes, ...changes]
    if (this.#cluster.elsewhere !== this.#elsewhere) this.#setAddresses(this.#local, this.#cluster.elsewhere)
    for (const change of changes) {
      this.#routes.changed(change)
      this.#drain.changed([change], this.#cluster)
      yield sizeOf(change)
    }
    this.#stale.changed(changes, addressesOf, this.#isServing)
    const again = setAgain(this.#cluster, { changes, moved: this.#moved, relocated: this.#relocated })
    this.#moved = false
    this.#relocated.clear()
    for (const change of [...changes, ...again]) {
      const { family = 'ipv4' } = change.after ?? change.before ?? {}
      this.#backends.get(family)?.set(change, addressesOf)
      yield sizeOf(change)
    }
  }

  readonly #isServing = (frontend: Frontend, endpoint: string): boolean => this.#cluster.stateOf(frontend, endpoint) === 'serving'

  /** Work on all that is known gives others a turn in the middle, but no other such work. */
  #oneByOne(work: () => Promise<void>): Promise<void> {
    const done = this.#working.then(work)
    this.#working = done.catch(() => {})
    return done
  }

  /** Syncs, and ends connections that are due. */
  async #keep(signal: AbortSignal, synced: () => unknown): Promise<void> {
    if (!this.#complete) return
    const report = await this.sync(signal)
    if (Object.values(report).some(one => one && changesIn(one) > 0)) await synced()
    await this.#drainFlows(signal)
  }

  #failed(error: Error, retry: number): void {
    for (const observer of this.#observers) observer.failed?.(error, this.#syncing)
    this.#syncing = undefined
    this.#log('error', `the kernel is as it was: ${error.message}`, { retry: `${retry} ms` })
  }

  /** Ends connections whose endpoints are gone for long enough. */
  async #drainFlows(signal: AbortSignal): Promise<void> {
    for (const family of FAMILIES) {
      const flows = await this.#drain.run(this.#clients.tracked, family, this.#cluster, signal)
      if (flows === 0) continue
      this.#log('info', 'connections to endpoints that are gone came to their deadline', { family, flows })
      for (const observer of this.#observers) observer.drained?.(family, flows)
    }
  }

  /** What others change in our tables is changed back; the machine's addresses are followed. */
  async #watch(signal: AbortSignal): Promise<void> {
    const drifted = (family: Family): void => {
      this.#log('warn', 'somebody else changed the table', { family: tableFamily(family), table: TABLE })
      this.#backends.get(family)?.doubt()
      this.#routes.doubt()
      for (const observer of this.#observers) observer.drifted?.(family)
      this.#wake.wake()
    }
    const moved = (): void => {
      this.#looked = Number.NEGATIVE_INFINITY
      this.#wake.wake()
    }
    // What came before somebody watched is not told.
    this.#looked = Number.NEGATIVE_INFINITY
    try {
      await Promise.all([watchTables(this.#clients.nft, signal, drifted), watchAddresses(this.#clients.routes, signal, moved)])
    } catch (error) {
      if (!signal.aborted) this.#log('error', `changes by others are not seen any more: ${(error as Error).message}`)
    }
  }
}

const changesIn = ({ added, removed, operations, routesAdded, routesRemoved }: NonNullable<SyncReport[Family]>): number =>
  added + removed + operations + routesAdded + routesRemoved

/** For how many endpoints' time a change is taken over. */
function sizeOf({ before, after }: FrontendChange): number {
  const of = (answer: Answer | undefined): number => (answer?.verdict === 'accept' ? answer.endpoints.length : 0)
  return ENDPOINT * (FRONTEND + of(before?.answers.node) + of(after?.answers.node))
}
