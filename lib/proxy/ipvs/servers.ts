/** The virtual servers of one family: what is wanted, what the kernel has of them, and what leads from one to the other. */
import type { IpvsClient, NetlinkError, Operation, RealServer, VirtualServer } from '../../ipvs/index.js'
import { Turns } from '../../netlink/turns.js'
import type { Family, FrontendKey } from '../../service/index.js'
import { type EndpointName, endpointOf, partsOf, type ServerName, serverName } from '../names.js'
import type { Placed } from '../nftables/table.js'
import { type DrainRules, Drains } from './drains.js'
import {
  dismissal,
  type Known,
  type Ledger,
  leavingOf,
  removal,
  type Server,
  type Step,
  sameKnown,
  setting,
  unread,
  weighing,
  weightsIn,
} from './steps.js'
import { contentOf, DEFAULT_SCHEDULER, type WantedServer, wantedServer } from './wanted.js'

/** Seconds between two looks at all that is there, for the kernel tells no changes of IPVS; more where a look takes more than a hundredth of it. */
const LOOK = 10
const SHARE = 100

/** Operations that are carried out in one go: many, for the client encodes some while the kernel works on others. */
const TOGETHER = 5_000
/** An operation takes as long as so many objects. */
const STEP = 2

export class VirtualServers {
  readonly family: Family
  readonly #client: IpvsClient
  readonly #drains: Drains
  readonly #ledger: Ledger
  readonly #servers = new Map<ServerName, Server>()
  #strangers: ReadonlySet<ServerName> = new Set()
  readonly #touched = new Set<Server>()
  readonly #missing = new Set<string>()
  readonly #problems = new Map<ServerName, { readonly where: string; readonly message: string }>()
  /** When all is looked at next, in milliseconds. */
  #look = 0

  constructor(client: IpvsClient, family: Family, ledger: Ledger, rules: DrainRules) {
    this.#client = client
    this.family = family
    this.#ledger = ledger
    this.#drains = new Drains(rules)
  }

  /** Takes over what an earlier proxy has written into its ledger. */
  adopt(entered: ReadonlyMap<ServerName, string | undefined>): void {
    for (const [name, comment] of entered) {
      const server = this.#of(name)
      server.known = unread(undefined)
      this.#enter(server, comment)
    }
  }

  /** Whether there is, or is to be, anything of ours. */
  get used(): boolean {
    return this.#servers.size > 0
  }

  /** Whether it gives new connections to an endpoint: one that only drains is there, and does not. */
  isBalancing(name: ServerName): boolean {
    for (const weight of this.#servers.get(name)?.known?.weights.values() ?? []) if (weight > 0) return true
    return false
  }

  /** Virtual servers that somebody else made: another set when they change. */
  get strangers(): ReadonlySet<ServerName> {
    return this.#strangers
  }

  /** What Services do not get of what they wish. */
  get problems(): Iterable<{ readonly where: string; readonly message: string }> {
    return this.#problems.values()
  }

  /** Milliseconds until there is something to do again though nothing was changed; undefined: never. */
  get dueIn(): number | undefined {
    if (!this.used) return undefined
    return Math.max(0, Math.min(this.#look, this.#drains.look) - performance.now())
  }

  /** All may be another way than it was left: it is read before the next sync. */
  doubt(): void {
    this.#look = 0
  }

  /** @param placed what is wanted of a frontend now, at each of its addresses */
  set(key: FrontendKey, before: readonly Placed[], placed: readonly Placed[]): void {
    for (const place of placed) {
      const wanted = wantedServer(key, place, this.#missing)
      if (wanted) this.#want(place.name, wanted)
      else this.#unwant(place.name, key)
    }
    for (const { name } of before) if (!placed.some(place => place.name === name)) this.#unwant(name, key)
  }

  #of(name: ServerName): Server {
    let server = this.#servers.get(name)
    if (!server) {
      server = { name, wanted: undefined, known: undefined, entry: undefined }
      this.#servers.set(name, server)
    }
    return server
  }

  #want(name: ServerName, wanted: WantedServer): void {
    const server = this.#of(name)
    server.wanted = wanted
    this.#touched.add(server)
    this.#settleLedger(server)
    if (wanted.problem !== undefined) this.#problems.set(name, { where: wanted.place.frontend.service, message: wanted.problem })
    else if (this.#problems.size > 0) this.#problems.delete(name)
  }

  #unwant(name: ServerName, key: FrontendKey): void {
    const server = this.#servers.get(name)
    if (server?.wanted?.owner !== key) return
    server.wanted = undefined
    this.#touched.add(server)
    this.#problems.delete(name)
    this.#settleLedger(server)
  }

  /** Reads what is there, if it is time to. Returns how many virtual servers of ours somebody else had changed. */
  async look(signal?: AbortSignal): Promise<number> {
    if (performance.now() < this.#look) return 0
    const began = performance.now()
    const found = new Map<ServerName, Known>()
    const strangers = new Set<ServerName>()
    const visit = (server: VirtualServer & { readonly realServers: readonly RealServer[] }): void => {
      if (!('protocol' in server)) return
      const name = serverName(server.address, server.protocol, server.port)
      const known = this.#servers.get(name)?.known
      if (!known) strangers.add(name)
      else found.set(name, { content: contentOf(server), weights: weightsIn(server.realServers), frontend: known.frontend })
    }
    const { consistent } = await this.#client.visit(group => group.forEach(visit), { family: this.family, signal })
    const drifted = this.#take(found, consistent)
    if ([...strangers].sort().join() !== [...this.#strangers].sort().join()) this.#strangers = strangers
    this.#look = performance.now() + Math.max(LOOK * 1000, SHARE * (performance.now() - began))
    return drifted
  }

  /** @param whole whether nothing was left out of what was found */
  #take(found: ReadonlyMap<ServerName, Known>, whole: boolean): number {
    let drifted = 0
    for (const server of this.#servers.values()) {
      const { known: before } = server
      const now = found.get(server.name)
      if (!before || (now ? sameKnown(before, now) : !whole)) continue
      if (before.content !== '') drifted++
      server.known = now
      if (!now) this.#drains.forget(server.name)
      this.#touched.add(server)
      this.#settleLedger(server)
    }
    return drifted
  }

  /** What a sync would do now, in order. */
  plan(): readonly Operation[] {
    const steps: Step[] = []
    for (const server of this.#touched) {
      const { length } = steps
      this.#addition(server, steps)
      if (steps.length === length) this.#change(server, steps)
      else
        for (const { name, config } of server.wanted?.realServers ?? [])
          steps.push(weighing(server, partsOf(server.name), name, config))
    }
    return steps.map(({ operation }) => operation)
  }

  /**
   * Makes the kernel as it is wanted, as far as it can be. Returns how many operations were carried out. What failed is tried again the next
   * time, when all was looked at; rejects with an `AggregateError` that tells it.
   */
  async sync(signal?: AbortSignal): Promise<number> {
    const looked = await this.#drains.lookAt(this.#client, signal)
    const unanswered = this.#drains.unanswered(name => this.#servers.get(name)?.known?.frontend)
    for (const name of [...looked, ...unanswered]) {
      const server = this.#servers.get(name)
      if (server) this.#touched.add(server)
    }
    const failures: Error[] = []
    let count = 0
    for (let missing = -1; missing < this.#missing.size; ) {
      missing = this.#missing.size
      count += await this.#bring([...this.#touched], failures, signal)
    }
    if (failures.length === 0) return count
    this.doubt()
    throw new AggregateError(failures, `IPVS: ${failures.length} operations failed, the first: ${failures[0]?.message}`)
  }

  async #bring(servers: readonly Server[], failures: Error[], signal: AbortSignal | undefined): Promise<number> {
    for (const server of servers) this.#touched.delete(server)
    try {
      // Apart: the real servers of what could not be made would come to whoever has it.
      const added = await this.#run(servers, (server, steps) => this.#addition(server, steps), failures, signal)
      const changed = await this.#run(servers, (server, steps) => this.#change(server, steps), failures, signal)
      this.#forget(servers)
      return added + changed
    } catch (error) {
      for (const server of servers) this.#touched.add(server)
      throw error
    }
  }

  /** Removes everything of ours. The next sync makes anew what is wanted. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    const servers = [...this.#servers.values()].filter(({ known }) => known)
    if (servers.length === 0) return false
    for (const server of servers) this.#touched.add(server)
    const failures: Error[] = []
    await this.#run(servers, (server, steps) => steps.push(removal(server)), failures, signal)
    this.#forget(servers)
    if (failures[0]) throw failures[0]
    return true
  }

  /** Those of them that are neither wanted nor there. */
  #forget(servers: readonly Server[]): void {
    for (const server of servers)
      if (!server.wanted && !server.known && this.#servers.get(server.name) === server) this.#servers.delete(server.name)
  }

  async #run(
    servers: readonly Server[],
    add: (server: Server, steps: Step[]) => unknown,
    failures: Error[],
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const turns = new Turns()
    let done = 0
    let steps: Step[] = []
    for (const server of servers) {
      const { length } = steps
      add(server, steps)
      // Endpoints that drain take their time without an operation.
      const looked = 1 + (server.known?.weights.size ?? 0)
      if (turns.due(looked + STEP * (steps.length - length))) await turns.give()
      if (steps.length < TOGETHER) continue
      done += await this.#carryOut(steps, failures, signal)
      steps = []
    }
    return steps.length === 0 ? done : done + (await this.#carryOut(steps, failures, signal))
  }

  /** Returns how many it were, and takes note of what they did. */
  async #carryOut(steps: readonly Step[], failures: Error[], signal: AbortSignal | undefined): Promise<number> {
    const results = await this.#client.run(
      steps.map(({ operation }) => operation),
      { signal },
    )
    let done = 0
    for (const [i, result] of results.entries()) {
      const step = steps[i] as Step
      if (result.ok) {
        this.#done(step)
        done++
      } else this.#failed(step, result.error, failures)
    }
    return done
  }

  #done({ server, operation, wanted, endpoint = '' }: Step): void {
    const { known } = server
    switch (operation.operation) {
      case 'addVirtualServer':
        server.known = { content: wanted?.content ?? '', weights: new Map(), frontend: wanted?.place.frontend }
        return
      case 'updateVirtualServer':
        if (known) known.content = wanted?.content ?? ''
        return
      case 'removeVirtualServer':
        server.known = undefined
        this.#drains.forget(server.name)
        return this.#settleLedger(server)
      case 'addRealServer':
      case 'updateRealServer':
        known?.weights.set(endpoint, operation.realServer.weight ?? 1)
        return
      case 'removeRealServer':
        known?.weights.delete(endpoint)
        return this.#drains.end(server.name, endpoint)
    }
  }

  #failed({ server, operation, wanted }: Step, error: Error, failures: Error[]): void {
    const { problem, applied } = error as Partial<NetlinkError>
    const scheduler = wanted?.config.scheduler
    const isAddition = operation.operation === 'addVirtualServer'
    if (isAddition && problem === 'exists') {
      this.#strangers = new Set([...this.#strangers, server.name])
      this.#settleLedger(server)
    } else if (problem === 'no-such-scheduler' && scheduler !== DEFAULT_SCHEDULER) this.#missed(scheduler)
    else {
      failures.push(error)
      this.#touched.add(server)
      // It may have been made all the same: the next look tells.
      if (isAddition && applied === 'unknown') server.known = unread(server.wanted?.place.frontend)
    }
  }

  /** Whoever wishes for a scheduler that is not there gets another one. */
  #missed(scheduler: string | undefined): void {
    if (scheduler === undefined || this.#missing.has(scheduler)) return
    this.#missing.add(scheduler)
    for (const { name, wanted } of this.#servers.values()) {
      if (wanted?.config.scheduler !== scheduler) continue
      const other = wantedServer(wanted.owner, wanted.place, this.#missing)
      if (other) this.#want(name, other)
    }
  }

  /** What makes a virtual server that is not there. */
  #addition(server: Server, steps: Step[]): void {
    const { wanted, known } = server
    if (!wanted || known || this.#strangers.has(server.name)) return
    steps.push(setting('addVirtualServer', server, wanted))
  }

  /** What brings one that is there to what is wanted: first what comes, then what goes. */
  #change(server: Server, steps: Step[]): void {
    const { name, known, wanted } = server
    if (!known) return
    // One object for all of its real servers: the client encodes it once.
    const key = wanted?.config ?? partsOf(name)
    if (wanted) {
      known.frontend = wanted.place.frontend
      if (known.content !== wanted.content) steps.push(setting('updateVirtualServer', server, wanted))
      for (const { name: endpoint, config } of wanted.realServers) {
        this.#drains.end(name, endpoint)
        if (known.weights.get(endpoint) !== config.weight) steps.push(weighing(server, key, endpoint, config))
      }
    }
    const leaving = leavingOf(known, wanted)
    for (const endpoint of leaving) this.#drains.begin(name, endpoint, known.frontend)
    const isOver = (endpoint: EndpointName): boolean => this.#drains.isOver(name, endpoint, known.frontend)
    if (!wanted && leaving.every(isOver)) steps.push(removal(server))
    else
      for (const endpoint of leaving)
        if (isOver(endpoint)) steps.push(dismissal(server, key, endpoint))
        else if (known.weights.get(endpoint) !== 0)
          steps.push(weighing(server, key, endpoint, { ...endpointOf(endpoint), weight: 0 }))
  }

  /** The ledger has what is ours, and what is to be. */
  #settleLedger(server: Server): void {
    const { name, known, entry } = server
    const wanted = this.#strangers.has(name) ? undefined : server.wanted
    if (wanted) this.#enter(server, wanted.place.rendered.comment)
    else if (known) this.#enter(server, entry?.comment)
    else if (entry) {
      this.#ledger.strike(entry)
      server.entry = undefined
    }
  }

  #enter(server: Server, comment: string | undefined): void {
    const { name, entry, wanted } = server
    if (entry && entry.comment === comment) return
    const { address, protocol, port } = wanted?.place ?? partsOf(name)
    const now = { name, address, protocol, port, comment }
    this.#ledger.enter(now)
    // It was another Service's: what stays is not touched in between.
    if (entry) this.#ledger.strike(entry)
    server.entry = now
  }
}
