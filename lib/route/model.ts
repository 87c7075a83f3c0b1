/** What there is of devices, addresses, routes and rules, and what messages change of it. Devices of objects are indices. */
import type { MessageReader } from '../netlink/buffer.js'
import type { Message } from '../netlink/message.js'
import type { Turns } from '../netlink/turns.js'
import { readAddress } from './addresses.js'
import { LINK_FLAGS, readLink } from './links.js'
import { readRoute } from './routes.js'
import { readRule } from './rules.js'
import type { Address, Link, Route, Rule } from './types.js'
import { addressHeader, linkHeader, message, NLM_F_REPLACE } from './wire.js'

/** An object of each kind. */
export interface Kinds {
  readonly link: Link
  readonly address: Address
  readonly route: Route
  readonly rule: Rule
}
export type Kind = keyof Kinds

/** An object that came, went, or is another than before. */
export type Change =
  | { readonly type: 'added' | 'removed'; readonly object: 'link'; readonly value: Link }
  | { readonly type: 'changed'; readonly object: 'link'; readonly value: Link; readonly before: Link }
  | { readonly type: 'added' | 'removed'; readonly object: 'address'; readonly value: Address }
  | { readonly type: 'changed'; readonly object: 'address'; readonly value: Address; readonly before: Address }
  /** A route that is replaced is one that goes and one that comes. */
  | { readonly type: 'added' | 'removed'; readonly object: 'route'; readonly value: Route }
  | { readonly type: 'added' | 'removed'; readonly object: 'rule'; readonly value: Rule }

/** What a message changed; `reread` are the kinds of which it is not known. */
export interface Outcome {
  readonly changes: readonly Change[]
  readonly reread: readonly Kind[]
}

const NOTHING: Outcome = { changes: [], reread: [] }

/** What tells an object from others of its kind. */
const KEYS: { readonly [K in Kind]: (object: Kinds[K]) => string } = {
  link: ({ index }) => String(index),
  address: ({ device, address, prefixLength, peer = '' }) => `${device} ${address}/${prefixLength} ${peer}`,
  // Several may differ in anything.
  route: route => JSON.stringify(route),
  rule: rule => JSON.stringify(rule),
}

/** What of an object counts: lifetimes run down without a change. */
function essence(object: object): string {
  const { validLifetime: _, preferredLifetime: __, ...rest } = object as Partial<Address>
  return JSON.stringify(rest)
}

const networkOf = ({ table, destination }: Route): string => `${table} ${destination}`

/** Objects of one kind. */
export class Objects<K extends Kind> {
  readonly kind: K
  readonly #objects = new Map<string, Kinds[K]>()
  /** How many there are to each network, of routes. */
  readonly #networks = new Map<string, number>()

  constructor(kind: K) {
    this.kind = kind
  }

  has(value: Kinds[K]): boolean {
    return this.#objects.has(KEYS[this.kind](value))
  }

  /** How many routes there are to the same network in the same table. */
  besides(route: Route): number {
    return this.#networks.get(networkOf(route)) ?? 0
  }

  #count(value: Kinds[K], difference: 1 | -1): void {
    if (this.kind !== 'route') return
    const network = networkOf(value as Route)
    const count = (this.#networks.get(network) ?? 0) + difference
    if (count === 0) this.#networks.delete(network)
    else this.#networks.set(network, count)
  }

  values(): IterableIterator<Kinds[K]> {
    return this.#objects.values()
  }

  /** Adds an object, or changes the one with its key. */
  put(value: Kinds[K]): Change[] {
    const key = KEYS[this.kind](value)
    const before = this.#objects.get(key)
    this.#objects.set(key, value)
    if (before === undefined) this.#count(value, 1)
    if (before === undefined) return [{ type: 'added', object: this.kind, value } as unknown as Change]
    if (essence(before) === essence(value)) return []
    return [{ type: 'changed', object: this.kind, value, before } as unknown as Change]
  }

  remove(value: Kinds[K]): Change[] {
    const key = KEYS[this.kind](value)
    const before = this.#objects.get(key)
    if (this.#objects.delete(key)) this.#count(value, -1)
    return before === undefined ? [] : [{ type: 'removed', object: this.kind, value: before } as unknown as Change]
  }

  /** Takes over what was read anew. Returns what has changed. */
  async since(now: readonly Kinds[K][], turns: Turns): Promise<Change[]> {
    const keys = new Set<string>()
    for (const value of now) {
      keys.add(KEYS[this.kind](value))
      if (turns.due(1)) await turns.give()
    }
    const changes: Change[] = []
    for (const [key, value] of this.#objects) {
      if (!keys.has(key)) changes.push(...this.remove(value))
      if (turns.due(1)) await turns.give()
    }
    for (const value of now) {
      changes.push(...this.put(value))
      if (turns.due(1)) await turns.give()
    }
    return changes
  }
}

export class Model {
  readonly link = new Objects('link')
  readonly address = new Objects('address')
  readonly route = new Objects('route')
  readonly rule = new Objects('rule')

  /** Carries a message over into the model. */
  apply(reader: MessageReader, { type, flags, payload, end }: Message): Outcome {
    switch (type) {
      case message.newLink:
      case message.deleteLink:
        return this.#applyLink(reader, payload, end, type === message.newLink)
      case message.newAddress:
      case message.deleteAddress:
        return this.#applyAddress(reader, payload, end, type === message.newAddress)
      case message.newRoute:
      case message.deleteRoute:
        return this.#applyRoute(readRoute(reader, payload, end), type === message.newRoute, (flags & NLM_F_REPLACE) !== 0)
      case message.newRule:
      case message.deleteRule: {
        const rule = readRule(reader, payload, end)
        return rule ? { changes: type === message.newRule ? this.rule.put(rule) : this.rule.remove(rule), reread: [] } : NOTHING
      }
      default:
        return NOTHING
    }
  }

  #applyLink(reader: MessageReader, start: number, end: number, there: boolean): Outcome {
    const { family, flags } = linkHeader.read(reader, start)
    const link = readLink(reader, start, end)
    // Bridges tell of their ports with a family of their own: that a port was removed is not that it is gone.
    if (!link || family !== 0) return NOTHING
    const changes = there ? this.link.put(link) : this.link.remove(link)
    // The kernel tells nobody of IPv4 routes that go with a device (fib_flush).
    const down = !there || !(flags & LINK_FLAGS.up)
    return { changes, reread: down && changes.length > 0 ? ['address', 'route', 'rule'] : [] }
  }

  #applyAddress(reader: MessageReader, start: number, end: number, there: boolean): Outcome {
    const address = end - start < addressHeader.size ? undefined : readAddress(reader, start, end)
    if (!address) return NOTHING
    const changes = there ? this.address.put(address) : this.address.remove(address)
    // Nor of those with a source that goes (fib_sync_down_addr).
    return { changes, reread: there ? [] : ['route'] }
  }

  /** Messages tell parts of routes with several ways, and not which one was replaced: then they are read again. */
  #applyRoute(route: Route | undefined, there: boolean, replaces: boolean): Outcome {
    if (!route) return NOTHING
    const alone = there ? this.route.besides(route) === 0 : this.route.besides(route) === 1 && this.route.has(route)
    if (replaces || route.nexthops || !alone) return { changes: [], reread: ['route'] }
    return { changes: there ? this.route.put(route) : this.route.remove(route), reread: [] }
  }
}
