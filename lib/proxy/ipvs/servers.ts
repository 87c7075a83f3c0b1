/** The virtual servers of one family: what is wanted, what the kernel has of them, and what leads from one to the other. */
import type {
  IpvsClient,
  NetlinkError,
  Operation,
  RealServer,
  Result,
  VirtualServer,
  VirtualServerKey,
} from '../../ipvs/index.js'
import { Turns } from '../../netlink/turns.js'
import type { Family, Frontend, FrontendKey } from '../../service/index.js'
import { type EndpointName, endpointName, endpointOf, partsOf, type ServerName, serverName } from '../names.js'
import type { Placed } from '../nftables/table.js'
import { type DrainRules, Drains } from './drains.js'
import { Entered, type Ledger } from './ledger.js'
import { contentOf, knownWeight, type WantedServer, type Weighed, wantedServer } from './wanted.js'

/** What the kernel has of ours. */
interface Known {
  content: string
  /** Weights by endpoint. */
  readonly weights: Map<EndpointName, number>
  /** Whose it was last; unknown of what an earlier proxy left. */
  frontend: Frontend | undefined
}

/** An operation, and what is known once it was carried out. */
interface Step {
  readonly name: ServerName
  readonly operation: Operation
  readonly done: () => void
}

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
  readonly #wanted = new Map<ServerName, WantedServer>()
  readonly #kernel = new Map<ServerName, Known>()
  readonly #entered: Entered
  #strangers: ReadonlySet<ServerName> = new Set()
  readonly #touched = new Set<ServerName>()
  readonly #missing = new Set<string>()
  readonly #problems = new Map<ServerName, { readonly where: string; readonly message: string }>()
  /** When all is looked at next, in milliseconds. */
  #look = 0

  constructor(client: IpvsClient, family: Family, ledger: Ledger, rules: DrainRules) {
    this.#client = client
    this.family = family
    this.#entered = new Entered(ledger)
    this.#drains = new Drains(rules)
  }

  /** Takes over what an earlier proxy has written into its ledger. */
  adopt(entered: ReadonlyMap<ServerName, string | undefined>): void {
    for (const [name, comment] of entered) {
      this.#kernel.set(name, { content: '', weights: new Map(), frontend: undefined })
      this.#entered.enter(name, comment)
    }
  }

  /** Whether there is, or is to be, anything of ours. */
  get used(): boolean {
    return this.#wanted.size + this.#kernel.size > 0
  }

  /** Whether it gives new connections to an endpoint: one that only drains is there, and does not. */
  isBalancing(name: ServerName): boolean {
    for (const weight of this.#kernel.get(name)?.weights.values() ?? []) if (weight > 0) return true
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

  #want(name: ServerName, wanted: WantedServer): void {
    this.#wanted.set(name, wanted)
    this.#touched.add(name)
    this.#settleLedger(name)
    if (wanted.problem === undefined) this.#problems.delete(name)
    else this.#problems.set(name, { where: wanted.place.frontend.service, message: wanted.problem })
  }

  #unwant(name: ServerName, key: FrontendKey): void {
    if (this.#wanted.get(name)?.owner !== key) return
    this.#wanted.delete(name)
    this.#touched.add(name)
    this.#problems.delete(name)
    this.#settleLedger(name)
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
      const known = this.#kernel.get(name)
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
    for (const [name, before] of this.#kernel) {
      const now = found.get(name)
      if (now && sameKnown(before, now)) continue
      if (!now && !whole) continue
      if (before.content !== '') drifted++
      if (now) this.#kernel.set(name, now)
      else this.#kernel.delete(name)
      this.#touched.add(name)
      this.#settleLedger(name)
    }
    return drifted
  }

  /** What a sync would do now, in order. */
  plan(): readonly Operation[] {
    const steps = [...this.#touched].flatMap(name => {
      const addition = this.#addition(name)
      const wanted = addition && this.#wanted.get(name)?.realServers
      const known = { content: '', weights: new Map(), frontend: undefined }
      const servers = (wanted ?? []).map(server => this.#weigh(name, known, partsOf(name), server))
      return [...(addition ? [addition] : []), ...servers, ...this.#steps(name)]
    })
    return steps.map(({ operation }) => operation)
  }

  /**
   * Makes the kernel as it is wanted, as far as it can be. Returns how many operations were carried out. What failed is tried again the next
   * time, when all was looked at; rejects with an `AggregateError` that tells it.
   */
  async sync(signal?: AbortSignal): Promise<number> {
    for (const name of await this.#drains.lookAt(this.#client, signal)) this.#touched.add(name)
    for (const name of this.#drains.unanswered(name => this.#kernel.get(name)?.frontend)) this.#touched.add(name)
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

  async #bring(names: readonly ServerName[], failures: Error[], signal: AbortSignal | undefined): Promise<number> {
    for (const name of names) this.#touched.delete(name)
    try {
      // Apart: the real servers of what could not be made would come to whoever has it.
      const added = await this.#run(this.#additions(names), failures, signal)
      return added + (await this.#run(this.#changes(names), failures, signal))
    } catch (error) {
      for (const name of names) this.#touched.add(name)
      throw error
    }
  }

  /** Removes everything of ours. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    const names = [...this.#kernel.keys()]
    if (names.length === 0) return false
    const failures: Error[] = []
    await this.#run(
      names.map(name => this.#removal(name)),
      failures,
      signal,
    )
    if (failures[0]) throw failures[0]
    return true
  }

  async #run(steps: Iterable<Step>, failures: Error[], signal: AbortSignal | undefined): Promise<number> {
    const turns = new Turns()
    let done = 0
    let part: Step[] = []
    for (const step of steps) {
      part.push(step)
      if (turns.due(STEP)) await turns.give()
      if (part.length < TOGETHER) continue
      done += await this.#carryOut(part, failures, signal)
      part = []
    }
    return part.length === 0 ? done : done + (await this.#carryOut(part, failures, signal))
  }

  /** Returns how many it were, and takes note of what they did. */
  async #carryOut(steps: readonly Step[], failures: Error[], signal: AbortSignal | undefined): Promise<number> {
    const results = await this.#client.run(
      steps.map(({ operation }) => operation),
      { signal },
    )
    let done = 0
    for (const [i, step] of steps.entries()) {
      const result = results[i] as Result
      if (result.ok) {
        step.done()
        done++
      } else this.#failed(step, result.error, failures)
    }
    return done
  }

  #failed({ name, operation }: Step, error: Error, failures: Error[]): void {
    const { problem, applied } = error as Partial<NetlinkError>
    const isAddition = operation.operation === 'addVirtualServer'
    if (isAddition && problem === 'exists') {
      this.#strangers = new Set([...this.#strangers, name])
      this.#settleLedger(name)
    } else if (problem === 'no-such-scheduler') this.#missed(name)
    else {
      failures.push(error)
      this.#touched.add(name)
      // It may have been made all the same: the next look tells.
      if (isAddition && applied === 'unknown')
        this.#kernel.set(name, { content: '', weights: new Map(), frontend: this.#wanted.get(name)?.place.frontend })
    }
  }

  /** Whoever wishes for a scheduler that is not there gets another one. */
  #missed(name: ServerName): void {
    const scheduler = this.#wanted.get(name)?.config.scheduler
    if (scheduler === undefined || this.#missing.has(scheduler)) return
    this.#missing.add(scheduler)
    for (const [name, { config, place, owner }] of this.#wanted) {
      const wanted = config.scheduler === scheduler ? wantedServer(owner, place, this.#missing) : undefined
      if (wanted) this.#want(name, wanted)
    }
  }

  *#additions(names: readonly ServerName[]): Generator<Step> {
    for (const name of names) {
      const step = this.#addition(name)
      if (step) yield step
    }
  }

  *#changes(names: readonly ServerName[]): Generator<Step> {
    for (const name of names) yield* this.#steps(name)
  }

  /** What makes a virtual server that is not there. */
  #addition(name: ServerName): Step | undefined {
    const wanted = this.#wanted.get(name)
    if (!wanted || this.#kernel.has(name) || this.#strangers.has(name)) return undefined
    const { config, content, place } = wanted
    const done = (): void => {
      this.#kernel.set(name, { content, weights: new Map(), frontend: place.frontend })
    }
    return { name, operation: { operation: 'addVirtualServer', virtualServer: config }, done }
  }

  #removal(name: ServerName): Step {
    const done = (): void => {
      this.#kernel.delete(name)
      this.#drains.forget(name)
      this.#settleLedger(name)
    }
    return { name, operation: { operation: 'removeVirtualServer', virtualServer: partsOf(name) }, done }
  }

  /** What brings one that is there to what is wanted: first what comes, then what goes. */
  *#steps(name: ServerName): Generator<Step> {
    const known = this.#kernel.get(name)
    if (!known) return
    const wanted = this.#wanted.get(name)
    // One object for all of its real servers: the client encodes it once.
    const key = wanted?.config ?? partsOf(name)
    if (wanted) {
      known.frontend = wanted.place.frontend
      if (known.content !== wanted.content) yield this.#update(name, known, wanted)
    }
    for (const realServer of wanted?.realServers ?? []) {
      this.#drains.end(name, realServer.name)
      if (known.weights.get(realServer.name) !== realServer.config.weight) yield this.#weigh(name, known, key, realServer)
    }
    const leaving = leavingOf(known, wanted)
    for (const endpoint of leaving) this.#drains.begin(name, endpoint, known.frontend)
    const isOver = (endpoint: EndpointName): boolean => this.#drains.isOver(name, endpoint, known.frontend)
    if (!wanted && leaving.every(isOver)) yield this.#removal(name)
    else
      for (const endpoint of leaving)
        if (isOver(endpoint)) yield this.#dismissal(name, known, key, endpoint)
        else if (known.weights.get(endpoint) !== 0)
          yield this.#weigh(name, known, key, { name: endpoint, config: { ...endpointOf(endpoint), weight: 0 } })
  }

  #update(name: ServerName, known: Known, { config, content }: WantedServer): Step {
    const done = (): void => {
      known.content = content
    }
    return { name, operation: { operation: 'updateVirtualServer', virtualServer: config }, done }
  }

  #weigh(name: ServerName, { weights }: Known, virtualServer: VirtualServerKey, { name: endpoint, config }: Weighed): Step {
    const operation = weights.has(endpoint) ? ('updateRealServer' as const) : ('addRealServer' as const)
    const done = (): void => {
      weights.set(endpoint, config.weight)
    }
    return { name, operation: { operation, virtualServer, realServer: config }, done }
  }

  #dismissal(name: ServerName, known: Known, virtualServer: VirtualServerKey, endpoint: EndpointName): Step {
    const done = (): void => {
      known.weights.delete(endpoint)
      this.#drains.end(name, endpoint)
    }
    const realServer = endpointOf(endpoint)
    return { name, operation: { operation: 'removeRealServer', virtualServer, realServer }, done }
  }

  /** The ledger has what is ours, and what is to be. */
  #settleLedger(name: ServerName): void {
    const wanted = this.#strangers.has(name) ? undefined : this.#wanted.get(name)
    if (wanted) this.#entered.enter(name, wanted.place.rendered.comment)
    else if (!this.#kernel.has(name)) this.#entered.strike(name)
    else if (!this.#entered.has(name)) this.#entered.enter(name, undefined)
  }
}

function leavingOf({ weights }: Known, wanted: WantedServer | undefined): readonly EndpointName[] {
  if (weights.size === 0) return []
  const staying = new Set(wanted?.realServers.map(({ name }) => name))
  return [...weights.keys()].filter(endpoint => !staying.has(endpoint))
}

const weightsIn = (realServers: readonly RealServer[]): Map<EndpointName, number> =>
  new Map(realServers.map(server => [endpointName(server), knownWeight(server)]))

function sameKnown(a: Known, b: Known): boolean {
  return (
    a.content === b.content &&
    a.weights.size === b.weights.size &&
    [...a.weights].every(([endpoint, weight]) => b.weights.get(endpoint) === weight)
  )
}
