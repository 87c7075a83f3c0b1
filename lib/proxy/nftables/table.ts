/** The table of one family: what is wanted in it, and what has to be changed. */
import type { RulesetObject } from '../../nft/json/index.js'
import type { Cidr, Family, Frontend, FrontendKey } from '../../service/index.js'
import type { Renumbered } from './affinity.js'
import { ElementStore, type SetChange, type Wanted } from './elements.js'
import {
  affinitySet,
  chooseChain,
  type Masquerade,
  masqueradeChain,
  mixedChain,
  SETS,
  slotMap,
  stickyChain,
  type View,
} from './layout.js'
import { type Choice, type Rendered, render } from './render.js'
import { Skeleton } from './skeleton.js'
import { assign } from './slots.js'

/** What is to be done, in this order. */
export interface TableChange {
  /** Sets, chains and rules that are new. */
  readonly objects: readonly RulesetObject[]
  /** Chains that are filled anew: the rules that they had go. */
  readonly emptied: readonly string[]
  readonly elements: readonly SetChange[]
  /** Chains that nothing leads to any more. */
  readonly unused: readonly string[]
}

interface Placed {
  readonly address: string
  readonly protocol: string
  readonly port: number
  readonly rendered: Rendered
}

type Modes = Map<string, { readonly protocol: string; readonly port: number; readonly when: Masquerade | undefined }>

/** Frontends in, changes out. Each is rendered on its own: what one costs does not depend on how many there are. */
export class ProxyTable {
  readonly family: Family
  readonly #skeleton: Skeleton
  readonly #elements = new ElementStore()
  /** By the key of the frontend, at each of its addresses. */
  readonly #placed = new Map<FrontendKey, readonly Placed[]>()
  /** Endpoints by number, by view, address, protocol and port. */
  readonly #slots = new Map<string, readonly string[]>()
  readonly #renumbered = new Map<string, Renumbered>()
  /** Names of chains and sets that are made, with what makes them. */
  readonly #made = new Map<string, readonly RulesetObject[]>()
  #objects: RulesetObject[] = []
  readonly #modes = new Map<string, Modes>()
  /** What the map of masqueraded addresses has for each. */
  readonly #masquerades = new Map<string, Wanted>()
  /** Addresses whose masquerading changed. */
  readonly #touched = new Set<string>()
  /** Addresses that have a chain of their own, with what makes it. */
  readonly #mixed = new Map<string, readonly RulesetObject[]>()
  readonly #mixedObjects = new Map<string, readonly RulesetObject[]>()
  readonly #emptied = new Set<string>()
  readonly #unused = new Set<string>()

  constructor(family: Family) {
    this.family = family
    this.#skeleton = new Skeleton(family)
  }

  /** The table as it is without Services. */
  base(): readonly RulesetObject[] {
    return this.#skeleton.base()
  }

  /** All objects of the table as it is wanted, without elements. */
  all(): readonly RulesetObject[] {
    this.#settleMasquerades()
    return [...this.base(), ...[...this.#made.values()].flat(), ...[...this.#mixed.values()].flat()]
  }

  /** Endpoints that have a number already: before the frontends are set. */
  adoptSlots(view: View, address: string, protocol: string, port: number, endpoints: readonly string[]): void {
    this.#slots.set(`${view} ${address} ${protocol} ${port}`, endpoints)
  }

  /** What the kernel has in a set, as it was read. */
  found(set: string, elements: Iterable<Omit<Wanted, 'set'>>): void {
    this.#elements.found(set, elements)
  }

  /** Addresses that are pods', and those of Services; replaces what was. */
  setRanges({ pods, services }: { readonly pods: readonly Cidr[]; readonly services: readonly Cidr[] }): void {
    for (const [set, cidrs] of [
      [SETS.pods, pods],
      [SETS.serviceRanges, services],
    ] as const) {
      const before = [...this.#elements.in(set)]
      const now = cidrs.filter(({ family }) => family === this.family).map(({ text }): Wanted => ({ set, key: [text] }))
      for (const wanted of now) this.#elements.add(wanted)
      for (const wanted of before) this.#elements.remove(wanted)
    }
  }

  /** @param addresses of the frontend: its own, or those of the node for node ports; none: it is gone */
  set(key: FrontendKey, frontend: Frontend | undefined, addresses: readonly string[]): void {
    const before = this.#placed.get(key) ?? []
    const now = frontend ? addresses.map(address => this.#place(frontend, address)) : []
    // What both want is not touched in between.
    for (const { rendered } of now) for (const wanted of rendered.elements) this.#elements.add(wanted)
    for (const { rendered } of before) for (const wanted of rendered.elements) this.#elements.remove(wanted)
    for (const place of before) this.#setMode(place, false)
    for (const place of now) this.#setMode(place, true)
    this.#forgetSlots(before, now)
    if (now.length > 0) this.#placed.set(key, now)
    else this.#placed.delete(key)
  }

  /** What has to be changed; the same again until `settled`. */
  changes(): TableChange {
    const mixed = this.#settleMasquerades()
    return {
      objects: [...this.#objects, ...mixed.objects],
      emptied: mixed.emptied,
      elements: this.#elements.changes(),
      unused: mixed.unused,
    }
  }

  /** The changes were made. */
  settled(): void {
    this.#objects = []
    this.#mixedObjects.clear()
    this.#emptied.clear()
    this.#unused.clear()
    this.#elements.settled()
  }

  #place(frontend: Frontend, address: string): Placed {
    const { protocol, port } = frontend
    const slotsOf = (view: View, endpoints: readonly string[]): readonly string[] => {
      const name = `${view} ${address} ${protocol} ${port}`
      const before = this.#slots.get(name) ?? []
      const slots = assign(before, endpoints)
      this.#slots.set(name, slots)
      if (frontend.affinity !== undefined && before.some((endpoint, slot) => slots[slot] !== endpoint))
        this.#renumber(name, { view, address, protocol, port, before, after: slots })
      return slots
    }
    const rendered = render(frontend, address, slotsOf)
    for (const choice of rendered.choices) this.#need(choice)
    return { address, protocol, port, rendered }
  }

  /** Of several changes since the last time only the first and the last numbers count. */
  #renumber(name: string, change: Renumbered): void {
    this.#renumbered.set(name, { ...change, before: this.#renumbered.get(name)?.before ?? change.before })
  }

  /** Whose clients have to be moved, once the changes were made: told once. */
  renumbered(): readonly Renumbered[] {
    const all = [...this.#renumbered.values()]
    this.#renumbered.clear()
    return all
  }

  #forgetSlots(before: readonly Placed[], now: readonly Placed[]): void {
    const used = new Set(now.flatMap(placed => slotNames(placed)))
    for (const name of before.flatMap(placed => slotNames(placed))) if (!used.has(name)) this.#slots.delete(name)
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

  #setMode({ address, protocol, port, rendered }: Placed, there: boolean): void {
    const modes: Modes = this.#modes.get(address) ?? new Map()
    this.#modes.set(address, modes)
    const key = `${protocol} ${port}`
    if (there) modes.set(key, { protocol, port, when: rendered.masquerade })
    else modes.delete(key)
    if (modes.size === 0) this.#modes.delete(address)
    this.#touched.add(address)
  }

  #settleMasquerades(): Pick<TableChange, 'objects' | 'emptied' | 'unused'> {
    for (const address of this.#touched) this.#settleMasquerade(address)
    this.#touched.clear()
    return { objects: [...this.#mixedObjects.values()].flat(), emptied: [...this.#emptied], unused: [...this.#unused] }
  }

  #settleMasquerade(address: string): void {
    const modes = [...(this.#modes.get(address)?.values() ?? [])]
    const [first] = modes
    const alike = modes.every(({ when }) => when === first?.when)
    const chain = mixedChain(address)
    const before = this.#masquerades.get(address)
    if (!alike) this.#mix(address, modes)
    else if (this.#mixed.delete(address)) {
      this.#unused.add(chain)
      this.#mixedObjects.delete(address)
    }
    const target = alike ? first?.when && masqueradeChain(first.when) : chain
    const now: Wanted | undefined =
      target === undefined ? undefined : { set: SETS.masquerade, key: [address], data: { verdict: 'goto', chain: target } }
    if (now) this.#elements.add(now)
    if (before) this.#elements.remove(before)
    if (now) this.#masquerades.set(address, now)
    else this.#masquerades.delete(address)
  }

  #mix(
    address: string,
    modes: readonly { readonly protocol: string; readonly port: number; readonly when: Masquerade | undefined }[],
  ): void {
    const ports = new Map<string, Map<number, string>>()
    for (const { protocol, port, when } of modes) {
      if (when === undefined) continue
      const of = ports.get(protocol) ?? new Map<number, string>()
      of.set(port, masqueradeChain(when))
      ports.set(protocol, of)
    }
    const objects = this.#skeleton.mixed(address, ports)
    const before = this.#mixed.get(address)
    if (before && JSON.stringify(before) === JSON.stringify(objects)) return
    if (before || this.#unused.delete(mixedChain(address))) this.#emptied.add(mixedChain(address))
    this.#mixed.set(address, objects)
    this.#mixedObjects.set(address, objects)
  }
}

const slotNames = ({ address, protocol, port, rendered }: Placed): readonly string[] =>
  Object.keys(rendered.slots).map(view => `${view} ${address} ${protocol} ${port}`)
