/** Changes of the ruleset, as the kernel tells them. */

import { Monitor } from '../netlink/monitor.js'
import { BadValue, shown } from '../netlink/schema.js'
import { NETLINK_NETFILTER } from '../netlink/transport.js'
import { Turns } from '../netlink/turns.js'
import type { Change } from './change.js'
import { familyToWire } from './family.js'
import { Follower } from './follower.js'
import type { Generation, Kernel } from './kernel.js'
import { checkFlags, checkNames } from './known-fields.js'
import { Model } from './model.js'
import { nftTrace } from './trace.js'
import type { Family } from './types.js'
import { NFNLGRP_NFTABLES } from './wire.js'

/** Options of `watch`. */
export interface WatchOptions {
  /** Only tables of this family. Default: all families. */
  readonly family?: Family | undefined
  /** Only tables of this name, and what is in them. Default: all tables. */
  readonly table?: string | undefined
  /** Begin with an event in which all that is there is added, even if nothing is. Default false. */
  readonly initial?: boolean | undefined
  /**
   * Keep all elements of all sets in memory: then `initial` and what is read after an overrun have them, and an element that was there
   * is `changed`. Default false: elements are told as the kernel tells them, each that is written as `added`.
   */
  readonly elements?: boolean | undefined
  /** Bytes that may wait to be read, from 65536. What is beyond is an overrun. Default 64 MiB. */
  readonly unread?: number | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
}

/** What one transaction changed. */
export interface WatchEvent {
  /** The generation that it made, or that was read. */
  readonly generation: Generation
  /** Who made it: number of the process in the initial namespace, and its name. Absent for what is no transaction. */
  readonly process?: { readonly id: number; readonly name: string } | undefined
  /** This client made it. */
  readonly own: boolean
  /**
   * Events were lost, or there were none: the changes are the difference between what was reported before and what is there. There may be
   * none.
   */
  readonly resynchronised: boolean
  /** In the order in which they were made. */
  readonly changes: readonly Change[]
}

const SUBSCRIPTION = { protocol: NETLINK_NETFILTER, groups: [NFNLGRP_NFTABLES], trace: nftTrace }

/** Bytes. */
const UNREAD = 64 << 20
const LEAST = 64 << 10

/** The events of `watch`: an iterator that also ends while it waits. */
export class Watch implements AsyncIterableIterator<WatchEvent, void, void>, AsyncDisposable {
  readonly #monitor: Monitor
  readonly #stop = new AbortController()
  readonly #events: AsyncGenerator<WatchEvent, void, void>
  readonly #signal: AbortSignal | undefined
  readonly #aborted = () => void this.return()
  readonly #ended: (watch: Watch) => void

  /** @param ended is called when it has ended */
  constructor(kernel: Kernel, options: WatchOptions, ended: (watch: Watch) => void) {
    checkOptions(options)
    const { family, table, elements = false, unread = UNREAD, signal, initial = false } = options
    this.#ended = ended
    this.#monitor = new Monitor(kernel.transport, SUBSCRIPTION, unread)
    const follower = new Follower(kernel, { family, table, elements }, this.#monitor, this.#stop.signal)
    // At once, and in its turn among the client's calls: what this client does from now on is told.
    const first = follower.read()
    first.catch(() => {}) // told by the first `next`
    this.#events = this.#run(follower, first, initial)
    this.#signal = signal
    if (signal?.aborted) this.#aborted()
    else signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  next(): Promise<IteratorResult<WatchEvent, void>> {
    return this.#events.next()
  }

  async return(): Promise<IteratorResult<WatchEvent, void>> {
    await this.#close()
    return this.#events.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#stop.abort()
    this.#ended(this)
    await this.#monitor.close()
  }

  async *#run(follower: Follower, first: Promise<Model>, initial: boolean): AsyncGenerator<WatchEvent, void, void> {
    try {
      const model = await first
      if (initial) {
        const changes = await model.since(new Model(), new Turns())
        yield { generation: model.generation, own: false, resynchronised: false, changes }
      }
      yield* follower.follow(model)
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    } finally {
      await this.#close()
    }
  }
}

const NAMES = ['family', 'table', 'initial', 'elements', 'unread', 'signal']

function checkOptions(options: WatchOptions): void {
  checkNames(options, NAMES, 'options')
  checkFlags(options, ['initial', 'elements'])
  const { family, table, unread = UNREAD } = options
  try {
    if (family !== undefined) familyToWire(family)
    if (table !== undefined && typeof table !== 'string')
      throw new BadValue('type', `${shown(table)}: give the name of a table`).within('table')
    if (typeof unread !== 'number' || !(unread >= LEAST))
      throw new BadValue('range', `${shown(unread)}: give bytes, from ${LEAST}`).within('unread')
  } catch (error) {
    throw error instanceof BadValue ? error.within('options').toError() : error
  }
}
