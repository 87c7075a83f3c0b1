/**
 * Whose endpoints see the address of this node: told by the address that a client asked for, where all ports of it are alike, else by port
 * as well. Addresses of nodes are always told by port: what others translate there is none of ours.
 */
import type { Verdict } from '../../nft/index.js'
import type { RulesetObject } from '../../nft/json/index.js'
import type { ServerParts } from '../names.js'
import type { ElementStore, Wanted } from './elements.js'
import { type Masquerade, masqueradeChain, PORTED, portedChain, portsMap, SETS } from './layout.js'
import type { Skeleton } from './skeleton.js'

/** A frontend at one address. */
export interface Masqueraded extends ServerParts {
  /** Undefined: clients are seen by their own addresses. */
  readonly when: Masquerade | undefined
  /** Whether the address is one of this node's own, or another one's. */
  readonly own: boolean
}

/** An address takes as long as so many other objects. */
const ADDRESS = 4

const goto = (when: Masquerade): Verdict => ({ verdict: 'goto', chain: masqueradeChain(when) })
const MASQUERADED: Readonly<Record<Masquerade, Verdict>> = {
  always: goto('always'),
  'not-pods': goto('not-pods'),
  node: goto('node'),
}

/** How an address is told: not at all, alike for all ports, or by port. */
type Form = Masquerade | 'ports' | undefined

interface Known {
  /** By protocol and port: few, or as many as a node has ports for Services. */
  readonly ports: Masqueraded[]
  /** How many there are of each kind. */
  readonly counts: Record<Kind, number>
  own: number
  form: Form
}

type Kind = Masquerade | 'never'

export class Masquerades {
  readonly #skeleton: Skeleton
  readonly #store: ElementStore
  readonly #addresses = new Map<string, Known>()
  readonly #touched = new Set<string>()
  /** Addresses whose chains and maps are to be made, and those whose are not needed any more. */
  readonly #made = new Set<string>()
  readonly #unused = new Set<string>()

  constructor(skeleton: Skeleton, store: ElementStore) {
    this.#skeleton = skeleton
    this.#store = store
  }

  add(one: Masqueraded): void {
    this.#touched.add(one.address)
    const known = this.#addresses.get(one.address)
    if (!known) {
      const counts = { always: 0, 'not-pods': 0, node: 0, never: 0 }
      counts[one.when ?? 'never'] = 1
      this.#addresses.set(one.address, { ports: [one], counts, own: one.own ? 1 : 0, form: undefined })
      return
    }
    const i = known.ports.findIndex(other => isSamePlace(one, other))
    const before = known.ports[i]
    if (before) known.ports[i] = one
    else known.ports.push(one)
    count(known, one, 1)
    if (before) count(known, before, -1)
    if (known.form === 'ports') this.#exchange(portElement(before), portElement(one))
  }

  /** Nothing where another one has taken its place. */
  remove(one: Masqueraded): void {
    const known = this.#addresses.get(one.address)
    const i = known?.ports.indexOf(one) ?? -1
    if (!known || i < 0) return
    known.ports.splice(i, 1)
    count(known, one, -1)
    if (known.form === 'ports') this.#exchange(portElement(one), undefined)
    this.#touched.add(one.address)
  }

  /** Elements become what is wanted now. */
  *settle(): Generator<number, void, void> {
    for (const address of this.#touched) {
      this.#touched.delete(address)
      const known = this.#addresses.get(address)
      if (known) this.#settle(address, known)
      yield ADDRESS
    }
  }

  /** Of all addresses that are told by port. */
  all(): readonly RulesetObject[] {
    const objects: RulesetObject[] = []
    for (const [address, { form }] of this.#addresses) if (form === 'ports') objects.push(...this.#skeleton.ports(address))
    return objects
  }

  /** What has to be made, and names of what nothing needs any more; the same until `settled`. */
  changes(): {
    readonly objects: readonly RulesetObject[]
    readonly chains: readonly string[]
    readonly maps: readonly string[]
  } {
    return {
      objects: [...this.#made].flatMap(address => this.#skeleton.ports(address)),
      chains: [...this.#unused].map(portedChain),
      maps: [...this.#unused].flatMap(address => PORTED.map(protocol => portsMap(address, protocol))),
    }
  }

  /** The changes were made. */
  settled(): void {
    this.#made.clear()
    this.#unused.clear()
  }

  #settle(address: string, known: Known): void {
    const before = known.form
    const form = formOf(known)
    if (form === before) {
      if (known.ports.length === 0) this.#addresses.delete(address)
      return
    }
    this.#exchange(addressElement(address, before), addressElement(address, form))
    known.form = form
    for (const one of known.ports) {
      if (form === 'ports') this.#exchange(undefined, portElement(one))
      if (before === 'ports') this.#exchange(portElement(one), undefined)
    }
    if (form === 'ports' && !this.#unused.delete(address)) this.#made.add(address)
    if (before === 'ports' && !this.#made.delete(address)) this.#unused.add(address)
    if (known.ports.length === 0) this.#addresses.delete(address)
  }

  #exchange(before: Wanted | undefined, after: Wanted | undefined): void {
    if (after) this.#store.add(after)
    if (before) this.#store.remove(before)
  }
}

const isSamePlace = (a: Masqueraded, b: Masqueraded): boolean => a.port === b.port && a.protocol === b.protocol

function count(known: Known, { when, own }: Masqueraded, more: 1 | -1): void {
  known.counts[when ?? 'never'] += more
  if (own) known.own += more
}

function formOf({ ports, counts, own }: Known): Form {
  const [first] = ports
  if (!first) return undefined
  const alike = counts[first.when ?? 'never'] === ports.length
  return alike && (own === 0 || first.when === undefined) ? first.when : 'ports'
}

function addressElement(address: string, form: Form): Wanted | undefined {
  if (form === undefined) return undefined
  const data = form === 'ports' ? ({ verdict: 'goto', chain: portedChain(address) } as const) : MASQUERADED[form]
  return { set: SETS.masquerade, name: address, element: { key: address, data } }
}

function portElement(one: Masqueraded | undefined): Wanted | undefined {
  if (one?.when === undefined) return undefined
  const { address, protocol, port, when } = one
  return { set: portsMap(address, protocol), name: String(port), element: { key: port, data: MASQUERADED[when] } }
}
