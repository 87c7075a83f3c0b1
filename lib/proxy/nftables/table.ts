/** The table of one family: what is wanted in it, and what has to be changed. */
import type { Element } from '../../nft/index.js'
import type { RulesetObject } from '../../nft/json/index.js'
import { type Cidr, type Family, type Frontend, type FrontendKey, outermost } from '../../service/index.js'
import { type EndpointName, type LedgerEntry, type ServerName, serverName } from '../names.js'
import type { Renumbered } from './affinity.js'
import { ElementStore, type SetChange, type Wanted } from './elements.js'
import { affinitySet, chooseChain, SETS, slotMap, stickyChain, type View } from './layout.js'
import { type Masqueraded, Masquerades } from './masquerades.js'
import { type Choice, type Engine, type Rendered, render, type Slots } from './render.js'
import { Skeleton } from './skeleton.js'
import { assign } from './slots.js'

/** What is to be done, in this order. */
export interface TableChange {
  /** Sets, chains and rules that are new. */
  readonly objects: readonly RulesetObject[]
  readonly elements: readonly SetChange[]
  /** Chains and maps that nothing leads to any more. */
  readonly unused: { readonly chains: readonly string[]; readonly maps: readonly string[] }
}

/** A frontend at one of its addresses. */
export interface Placed extends Masqueraded {
  readonly frontend: Frontend
  readonly name: ServerName
  readonly engine: Engine
  readonly rendered: Rendered
}

/** The engine that a frontend is to have at an address. `served`: rules of nftables give its connections to endpoints now. */
export type EngineOf = (name: ServerName, served: boolean) => Engine

/** Frontends in, changes out. Each is rendered on its own: what one costs does not depend on how many there are. */
export class ProxyTable {
  readonly family: Family
  readonly #skeleton: Skeleton
  readonly #elements = new ElementStore()
  /** By the key of the frontend, at each of its addresses. */
  readonly #placed = new Map<FrontendKey, readonly Placed[]>()
  /** Of those that rules serve. */
  readonly #slots = new Map<ServerName, Slots>()
  readonly #renumbered = new Map<string, Renumbered>()
  /** Names of chains and sets that are made, with what makes them. */
  readonly #made = new Map<string, readonly RulesetObject[]>()
  #objects: RulesetObject[] = []
  readonly #masquerades: Masquerades
  #nodes: ReadonlySet<string> = new Set()
  #remembered = ''

  constructor(family: Family) {
    this.family = family
    this.#skeleton = new Skeleton(family)
    this.#masquerades = new Masquerades(this.#skeleton, this.#elements)
  }

  /** The table as it is without Services: never another one. */
  base(): readonly RulesetObject[] {
    return this.#skeleton.base()
  }

  /** Returns whether the table is another one now: it has to be compared. */
  remember(text = ''): boolean {
    const changed = text !== this.#remembered
    this.#remembered = text
    return changed
  }

  /** How many elements there are. */
  get size(): number {
    return this.#elements.size
  }

  /** All other objects of the table as it is wanted, without elements. */
  *others(): Generator<number, readonly RulesetObject[], void> {
    yield* this.#masquerades.settle()
    const remembered = this.#remembered === '' ? [] : [this.#skeleton.remembered(this.#remembered)]
    return [...remembered, ...[...this.#made.values()].flat(), ...this.#masquerades.all()]
  }

  /** Endpoints that have a number already: before the frontends are set. */
  adoptSlots(view: View, address: string, protocol: string, port: number, endpoints: readonly string[]): void {
    const name = serverName(address, protocol, port)
    this.#slots.set(name, { ...this.#slots.get(name), [view]: endpoints })
  }

  /** What the kernel has in a set, as it was read. */
  found(set: string, elements: Iterable<Element>): Generator<number, void, void> {
    return this.#elements.found(set, elements)
  }

  /** Addresses that are pods', and those of Services; replaces what was. */
  setRanges({ pods, services }: { readonly pods: readonly Cidr[]; readonly services: readonly Cidr[] }): void {
    for (const [set, cidrs] of [
      [SETS.pods, pods],
      [SETS.serviceRanges, services],
    ] as const) {
      const before = [...this.#elements.in(set)]
      const own = cidrs.filter(({ family }) => family === this.family)
      const now = outermost(own).map(({ text }): Wanted => ({ set, name: text, element: { key: text } }))
      for (const wanted of now) this.#elements.add(wanted)
      for (const wanted of before) this.#elements.remove(wanted)
    }
  }

  /** The machine's own addresses, and those of other nodes. For frontends that are set from now on. */
  setNodeAddresses(addresses: Iterable<string>): void {
    this.#nodes = new Set(addresses)
  }

  /**
   * Returns what is in the table of it now.
   *
   * @param addresses of the frontend: its own, or those of the node for node ports; none: it is gone
   */
  set(
    key: FrontendKey,
    frontend: Frontend | undefined,
    addresses: readonly string[],
    engineOf: EngineOf = () => 'nftables',
  ): readonly Placed[] {
    const before = this.#placed.get(key) ?? []
    const now = frontend ? addresses.map(address => this.#place(frontend, address, engineOf)) : []
    // What both want is not touched in between.
    for (const place of now) this.#add(place)
    for (const place of before) this.#remove(place)
    if (now.length > 0) this.#placed.set(key, now)
    else this.#placed.delete(key)
    return now
  }

  #add(place: Placed): void {
    const { name, rendered } = place
    for (const wanted of rendered.elements) this.#elements.add(wanted)
    this.#masquerades.add(place)
    if (hasSlots(rendered)) this.#slots.set(name, rendered.slots)
    else if (this.#slots.size > 0) this.#slots.delete(name)
  }

  #remove(place: Placed): void {
    const { name, rendered } = place
    for (const wanted of rendered.elements) this.#elements.remove(wanted)
    this.#masquerades.remove(place)
    // Numbers that another one has there now stay.
    if (this.#slots.get(name) === rendered.slots) this.#slots.delete(name)
  }

  /** What is in the table, by the keys of frontends. */
  get placed(): ReadonlyMap<FrontendKey, readonly Placed[]> {
    return this.#placed
  }

  enter(entry: LedgerEntry): void {
    for (const wanted of elementsOf(entry)) this.#elements.add(wanted)
  }

  strike(entry: LedgerEntry): void {
    for (const wanted of elementsOf(entry)) this.#elements.remove(wanted)
  }

  /** What has to be changed; the same again until `settled`. */
  *changes(): Generator<number, TableChange, void> {
    yield* this.#masquerades.settle()
    const elements = yield* this.#elements.changes()
    const { objects, ...unused } = this.#masquerades.changes()
    return { objects: [...this.#objects, ...objects], elements, unused }
  }

  /** The changes were made. */
  *settled(): Generator<number, void, void> {
    this.#objects = []
    this.#masquerades.settled()
    yield* this.#elements.settled()
  }

  #place(frontend: Frontend, address: string, engineOf: EngineOf): Placed {
    const { protocol, port } = frontend
    const name = serverName(address, protocol, port)
    const known = this.#slots.get(name)
    const engine = engineOf(name, known !== undefined)
    const slotsOf = (view: View, endpoints: readonly EndpointName[]): readonly EndpointName[] => {
      const before = known?.[view] ?? []
      const after = assign(before, endpoints)
      if (frontend.affinity !== undefined && before.some((endpoint, slot) => after[slot] !== endpoint))
        this.#renumber(`${view} ${name}`, { view, address, protocol, port, before, after })
      return after
    }
    const own = frontend.kind === 'node-port' || this.#nodes.has(address)
    const rendered = render(frontend, address, name, engine, own, slotsOf)
    for (const choice of rendered.choices) this.#need(choice)
    return { frontend, address, protocol, port, name, engine, rendered, when: rendered.masquerade, own }
  }

  /** Of several changes since the last time only the first and the last numbers count. */
  #renumber(name: string, change: Renumbered): void {
    this.#renumbered.set(name, { ...change, before: this.#renumbered.get(name)?.before ?? change.before })
  }

  /** Whose clients have to be moved, once the changes were made, until they were `moved`. */
  renumbered(): readonly Renumbered[] {
    return [...this.#renumbered.values()]
  }

  moved(all: readonly Renumbered[]): void {
    const done = new Set(all)
    for (const [name, change] of this.#renumbered) if (done.has(change)) this.#renumbered.delete(name)
  }

  /** Chains are made when they are needed first, and stay. */
  #need({ view, count, seconds }: Choice): void {
    const chain = chooseChain(view, count, seconds)
    if (this.#made.has(chain)) return
    for (let slot = 0; slot < count; slot++) {
      this.#make(slotMap(view, slot), () => this.#skeleton.slot(view, slot))
      if (seconds === undefined) continue
      this.#make(affinitySet(view, slot), () => this.#skeleton.affinity(view, slot))
      this.#make(stickyChain(view, slot, seconds), () => this.#skeleton.sticky(view, slot, seconds))
    }
    this.#make(chain, () => this.#skeleton.choose(view, count, seconds))
  }

  #make(name: string, objects: () => readonly RulesetObject[]): void {
    if (this.#made.has(name)) return
    const made = objects()
    this.#made.set(name, made)
    this.#objects.push(...made)
  }
}

const hasSlots = ({ slots }: Rendered): boolean => slots.outside !== undefined || slots.inside !== undefined

function elementsOf({ name, address, protocol, port, comment }: LedgerEntry): readonly Wanted[] {
  const key = [address, protocol, port]
  return [
    { set: SETS.virtualServers, name, element: comment === undefined ? { key } : { key, comment } },
    { set: SETS.virtualAddresses, name: address, element: { key: address } },
  ]
}
