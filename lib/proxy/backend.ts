/** Services of one family in the kernel: a table of nftables, and virtual servers of IPVS where that is the engine. */
import type { IpvsClient } from '../ipvs/index.js'
import type { NftClient } from '../nft/index.js'
import type { Document } from '../nft/json/index.js'
import type { Cidr, Family, Frontend, FrontendChange, FrontendKey } from '../service/index.js'
import type { SourceProblem } from '../source/source.js'
import { UNWEIGHED } from './explain.js'
import type { DrainRules } from './ipvs/drains.js'
import { VirtualServers } from './ipvs/servers.js'
import type { Settings } from './ipvs/settings.js'
import { partsOf, type ServerName, serverName } from './names.js'
import { NftablesBackend, type Synced as TableSynced } from './nftables/backend.js'
import type { Engine } from './nftables/render.js'
import type { Placed } from './nftables/table.js'

/** What gives connections to endpoints. */
export type EngineName = 'ipvs' | 'nftables'

/** What a sync did. */
export interface Synced extends TableSynced {
  /** Operations on virtual servers and real servers. */
  readonly operations: number
}

export interface BackendOptions {
  readonly nft: NftClient
  readonly lvs: IpvsClient
  readonly drains: DrainRules
  /** Of the kernel, for IPVS; they are remembered in the table of this family. */
  readonly settings?: Settings | undefined
  readonly log: (level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>) => void
}

export class Backend {
  readonly family: Family
  readonly #options: BackendOptions
  readonly #rules: NftablesBackend
  readonly #servers: VirtualServers
  #engine: EngineName = 'nftables'
  /** Frontends that rules serve until their virtual servers are there. */
  readonly #both = new Set<FrontendKey>()
  /** Of frontends that rules serve though virtual servers were to. */
  readonly #unheard = new Map<FrontendKey, SourceProblem>()
  /** Those that frontends were set with. */
  #strangers: ReadonlySet<ServerName> = new Set()
  /** Addresses of other nodes. */
  #elsewhere: ReadonlySet<string> = new Set()

  constructor(family: Family, options: BackendOptions) {
    this.family = family
    this.#options = options
    this.#rules = new NftablesBackend(options.nft, family)
    this.#servers = new VirtualServers(options.lvs, family, this.#rules.table, options.drains)
  }

  /** Takes over what an earlier proxy left. Before the first frontend is set. Changes nothing. */
  async adopt(engine: EngineName, signal?: AbortSignal): Promise<void> {
    const { ledger, remembered } = await this.#rules.adopt(signal)
    this.#servers.adopt(ledger)
    this.#options.settings?.adopt(remembered)
    this.#rules.remember(remembered)
    await this.setEngine(engine)
    // What others have is known before the first of ours is entered in the ledger.
    if (engine === 'ipvs' || this.#servers.used) await this.#lookNow(signal)
  }

  get engine(): EngineName {
    return this.#engine
  }

  /** From the next sync on. Connections that there are go on where they are. */
  async setEngine(engine: EngineName): Promise<void> {
    const { settings } = this.#options
    if (engine === 'ipvs' && settings) {
      await settings.prepare()
      this.#rules.remember(settings.remembered)
    }
    this.#engine = engine
    this.#reconsider()
  }

  setRanges(ranges: { readonly pods: readonly Cidr[]; readonly services: readonly Cidr[] }): void {
    this.#rules.setRanges(ranges)
  }

  /**
   * The machine's own addresses, and those of other nodes: what comes to these goes to the nodes, but for what rules translate. Virtual servers
   * would need a route that brings it here. For frontends that are set from now on.
   */
  setAddresses(local: Iterable<string>, elsewhere: ReadonlySet<string>): void {
    this.#rules.table.setNodeAddresses([...local, ...elsewhere])
    this.#elsewhere = elsewhere
  }

  /** @param addressesOf where a frontend of this family is served */
  set({ key, after }: FrontendChange, addressesOf: (frontend: Frontend) => readonly string[]): void {
    this.#set(key, after, after ? addressesOf(after) : [])
  }

  /** How many elements the table has. */
  get size(): number {
    return this.#rules.size
  }

  /** What can not be served as it is wished. */
  get problems(): readonly SourceProblem[] {
    return [
      ...this.#servers.problems,
      ...new Map([...this.#unheard.values()].map(one => [`${one.where} ${one.message}`, one])).values(),
    ]
  }

  /** What serves a frontend at an address, or will. */
  engineAt({ protocol, port }: Frontend, address: string): EngineName {
    return this.#isForRules(serverName(address, protocol, port)) ? 'nftables' : this.#engine
  }

  #isForRules(name: ServerName): boolean {
    return this.#servers.strangers.has(name) || (this.#elsewhere.size > 0 && this.#elsewhere.has(partsOf(name).address))
  }

  /** Milliseconds until a sync may find something to do though nothing was changed; undefined: never. */
  get dueIn(): number | undefined {
    return this.#servers.dueIn
  }

  /** The table may be another one than it was left: it is read before the next sync. */
  doubt(): void {
    this.#rules.doubt()
  }

  /**
   * The first half of a sync: what guards and masquerades, the ledger, and settings. Rejects when a step fails: what the others did stays, and
   * the next sync goes on.
   *
   * @param sent called when the kernel works on the table, if there is anything to do
   */
  async guard(signal?: AbortSignal, sent?: () => void): Promise<TableSynced> {
    await this.#look(signal)
    const synced = await this.#rules.sync(signal, sent)
    if (this.#engine === 'ipvs') await this.#applySettings()
    return synced
  }

  /**
   * The other half, once all is guarded: virtual servers; then rules go that these have taken the place of, and what is gone is taken out of the
   * ledger. Rejects as the first one does.
   */
  async balance(first: TableSynced, signal?: AbortSignal): Promise<Synced> {
    if (!this.#servers.used) return { ...first, operations: 0 }
    const operations = await this.#balance(signal).finally(() => this.#settle())
    const { added, removed } = await this.#rules.sync(signal)
    return { added: first.added + added, removed: first.removed + removed, read: first.read, operations }
  }

  /** What a sync would change. Changes nothing, but is not to be followed by a sync. */
  async plan(
    signal?: AbortSignal,
  ): Promise<{ readonly rules: Document; readonly operations: ReturnType<VirtualServers['plan']> }> {
    await this.#look(signal)
    this.#reset([...this.#both], 'ipvs')
    return { rules: await this.#rules.plan(signal), operations: this.#servers.plan() }
  }

  /** Removes virtual servers, and then the table. Returns whether there was something. */
  async cleanup(signal?: AbortSignal): Promise<boolean> {
    if (this.#servers.used) {
      this.#servers.doubt()
      await this.#servers.look(signal)
    }
    const removed = await this.#servers.cleanup(signal)
    await this.#options.settings?.restore()
    return (await this.#rules.cleanup(signal)) || removed
  }

  #set(key: FrontendKey, frontend: Frontend | undefined, addresses: readonly string[], engine?: Engine): void {
    const before = this.#rules.table.placed.get(key) ?? []
    const placed = this.#rules.table.set(key, frontend, addresses, engine ? () => engine : this.#engineOf)
    this.#servers.set(key, before, placed)
    if (this.#both.size > 0) this.#both.delete(key)
    if (this.#unheard.size > 0) this.#unheard.delete(key)
    for (const place of placed) this.#note(key, place)
  }

  readonly #engineOf = (name: ServerName, served: boolean): Engine => {
    if (this.#engine === 'nftables' || this.#isForRules(name)) return 'nftables'
    return served && !this.#servers.isBalancing(name) ? 'both' : 'ipvs'
  }

  /** Sets frontends again, as they are. */
  #reset(keys: readonly FrontendKey[], engine?: Engine): void {
    for (const key of keys) {
      const placed = this.#rules.table.placed.get(key) ?? []
      const addresses = placed.map(({ address }) => address)
      this.#set(key, placed[0]?.frontend, addresses, engine)
    }
  }

  /** Sets those again that another engine is for now. */
  #reconsider(): void {
    this.#strangers = this.#servers.strangers
    const changed = [...this.#rules.table.placed].filter(([, placed]) =>
      placed.some(({ name, engine }) => this.#engineOf(name, engine !== 'ipvs') !== engine),
    )
    this.#reset(changed.map(([key]) => key))
  }

  /** Reads what IPVS has, if it is time to, and takes note of what somebody else did there. */
  async #look(signal: AbortSignal | undefined): Promise<void> {
    if (this.#servers.used) await this.#lookNow(signal)
  }

  async #lookNow(signal: AbortSignal | undefined): Promise<void> {
    const count = await this.#servers.look(signal)
    if (count > 0) this.#options.log('warn', 'somebody else changed virtual servers', { family: this.family, count })
    if (this.#servers.strangers !== this.#strangers) this.#reconsider()
  }

  async #applySettings(): Promise<void> {
    for (const { name, value, before, why } of (await this.#options.settings?.apply()) ?? [])
      this.#options.log('info', `net.ipv4.${name.replace('/', '.')} is ${value} now: ${why}`, { before })
  }

  /** Once more where it fails, after a look at what is there. */
  async #balance(signal: AbortSignal | undefined): Promise<number> {
    try {
      return await this.#servers.sync(signal)
    } catch (error) {
      if (signal?.aborted) throw error
      await this.#look(signal)
      return this.#servers.sync(signal)
    }
  }

  /** Rules go where virtual servers are now; they come where somebody else has those. */
  #settle(): void {
    this.#reset([...this.#both])
    if (this.#servers.strangers !== this.#strangers) this.#reconsider()
  }

  /** What is to be done yet of a frontend, and what of its wishes is not heard. */
  #note(key: FrontendKey, { frontend: { service: where, balancing }, name, engine }: Placed): void {
    if (engine === 'both') this.#both.add(key)
    if (this.#engine === 'ipvs' && this.#servers.strangers.has(name))
      this.#unheard.set(key, {
        where,
        message: `somebody else has a virtual server at ${name}: rules of nftables come before it and serve the Service, until it is gone`,
      })
    else if (engine === 'nftables' && balancing) this.#unheard.set(key, { where, message: UNWEIGHED })
  }
}
