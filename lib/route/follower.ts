/** Follows what the kernel tells with a model, and reads again where something is not known. */

import { MessageReader } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import type { Kernel } from '../netlink/kernel.js'
import { messagesOf } from '../netlink/message.js'
import type { Monitor } from '../netlink/monitor.js'
import { Turns } from '../netlink/turns.js'
import { readAddress } from './addresses.js'
import { linkAsk } from './devices.js'
import { readLink } from './links.js'
import { type Change, type Kind, type Kinds, Model, type Objects } from './model.js'
import { addressAsk, decode, routeAsk, ruleAsk, withNames } from './read.js'
import { asking } from './reasons.js'
import { readRoute } from './routes.js'
import { readRule } from './rules.js'
import type { Device } from './types.js'

/** Milliseconds without a message after which what is not known is read: changes come in groups. */
const QUIET = 5

/** What happened. */
export interface WatchEvent {
  /** Events were lost: the changes are the difference between what was reported before and what is there. There may be none. */
  readonly resynchronised: boolean
  /** In the order in which they were told. */
  readonly changes: readonly Change[]
}

const ALL: readonly Kind[] = ['link', 'address', 'route', 'rule']
const EVERYTHING = { family: 0, table: 0, type: 0, protocol: 0, index: 0 }

export class Follower {
  readonly #kernel: Kernel
  readonly #monitor: Monitor
  readonly #kinds: ReadonlySet<Kind>
  readonly #signal: AbortSignal
  readonly #turns = new Turns()

  /** @param kinds those that are told */
  constructor(kernel: Kernel, monitor: Monitor, kinds: ReadonlySet<Kind>, signal: AbortSignal) {
    this.#kernel = kernel
    this.#monitor = monitor
    this.#kinds = kinds
    this.#signal = signal
  }

  /** What is there, in the turn of this call. */
  read(): Promise<Model> {
    return this.#ask(async limit => {
      this.#monitor.restart()
      const model = new Model()
      for (const kind of ALL) await this.#since(model, kind, limit)
      return model
    })
  }

  #ask<T>(task: (limit: Limit) => Promise<T>): Promise<T> {
    return asking({ operation: 'watch', object: 'link' }, () => this.#kernel.call({ signal: this.#signal }, task))
  }

  async #read<K extends Kind>(kind: K, limit: Limit): Promise<Kinds[K][]> {
    const all = () => true
    const read = {
      link: async () => decode(await this.#kernel.dump(linkAsk(), limit), readLink, all),
      address: async () => decode(await this.#kernel.dump(addressAsk(0, 0), limit), readAddress, all),
      route: async () => decode(await this.#kernel.dump(routeAsk(EVERYTHING), limit), readRoute, all),
      rule: async () => decode(await this.#kernel.dump(ruleAsk(0), limit), readRule, all),
    }
    return (await read[kind]()) as Kinds[K][]
  }

  /** Reads a kind anew. Returns what has changed. */
  async #since<K extends Kind>(model: Model, kind: K, limit: Limit): Promise<Change[]> {
    const objects = model[kind] as unknown as Objects<K>
    return objects.since(await this.#read(kind, limit), this.#turns)
  }

  /** All that is there, as changes from nothing. */
  initial(model: Model): WatchEvent {
    const changes = ALL.flatMap(object => [...model[object].values()].map(value => ({ type: 'added', object, value }) as Change))
    return { resynchronised: false, changes: this.#told(model, changes) }
  }

  /** What happens from `model` on. */
  async *follow(model: Model): AsyncGenerator<WatchEvent, void, void> {
    const unknown = new Set<Kind>()
    for (;;) {
      const next = await this.#monitor.next(unknown.size > 0 ? QUIET : undefined)
      if (next === 'closed') return
      const lost = next === 'lost'
      if (lost) {
        this.#monitor.restart()
        for (const kind of ALL) unknown.add(kind)
      }
      const changes = typeof next === 'string' ? await this.#reread(model, unknown) : await this.#apply(model, next, unknown)
      const told = this.#told(model, changes)
      if (told.length > 0 || lost) yield { resynchronised: lost, changes: told }
    }
  }

  async #apply(model: Model, data: Uint8Array, unknown: Set<Kind>): Promise<Change[]> {
    const reader = new MessageReader(data)
    const changes: Change[] = []
    for (const message of messagesOf(reader)) {
      const outcome = model.apply(reader, message)
      changes.push(...outcome.changes)
      for (const kind of outcome.reread) unknown.add(kind)
      if (this.#turns.due(1)) await this.#turns.give()
    }
    return changes
  }

  async #reread(model: Model, unknown: Set<Kind>): Promise<Change[]> {
    const kinds = ALL.filter(kind => unknown.has(kind))
    unknown.clear()
    const changes: Change[] = []
    for (const kind of kinds) changes.push(...(await this.#ask(limit => this.#since(model, kind, limit))))
    return changes
  }

  /** Changes of what is told, with the names of devices. */
  #told(model: Model, changes: readonly Change[]): Change[] {
    const names = new Map<number, Device>()
    for (const { index, name } of model.link.values()) names.set(index, name)
    for (const change of changes)
      if (change.object === 'link' && change.type === 'removed') names.set(change.value.index, change.value.name)
    const nameOf = (index: number): Device => names.get(index) ?? index
    return changes
      .filter(({ object }) => this.#kinds.has(object))
      .map(change => {
        if (change.object !== 'address' && change.object !== 'route') return change
        const value = withNames(change.value, nameOf)
        return (
          change.type === 'changed' ? { ...change, value, before: withNames(change.before, nameOf) } : { ...change, value }
        ) as Change
      })
  }
}
