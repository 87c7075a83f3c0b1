/** Follows what the kernel tells with a model, and reads again where something was lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Limit } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import type { Monitor } from '../netlink/monitor.js'
import { Turns } from '../netlink/turns.js'
import { asking } from './asking.js'
import { following, type Generation, type Kernel } from './kernel.js'
import { changesOf, type Outcome, ownChangesOf } from './message-changes.js'
import type { Model } from './model.js'
import { type Notification, Notifications } from './notifications.js'
import { readModel, readOwners, type Scope } from './read-model.js'
import type { WatchEvent } from './watch.js'

/** Milliseconds between two looks whether tables have gone with their owner, which the kernel tells nobody. */
const OWNERS = 1000
/** Milliseconds until a transaction is told that was carried out. */
const TOLD = 1000
/** Reads that may fail in passing, and milliseconds to wait behind the first one. */
const PATIENCE = 5
const PAUSE = 50

export class Follower {
  readonly #kernel: Kernel
  readonly #scope: Scope
  readonly #notifications: Notifications
  readonly #signal: AbortSignal
  readonly #portId: number

  constructor(kernel: Kernel, scope: Scope, monitor: Monitor, signal: AbortSignal) {
    this.#kernel = kernel
    this.#scope = scope
    this.#notifications = new Notifications(monitor)
    this.#signal = signal
    this.#portId = kernel.writes.open().portId
  }

  /** What is there. What the kernel tells from then on comes after it, without a gap. */
  async read(): Promise<Model> {
    for (let failed = 0; ; ) {
      try {
        const { model, newest } = await this.#ask(limit => {
          this.#notifications.restart()
          return readModel(this.#kernel, this.#scope, limit)
        })
        if (await this.#catchUp(model, newest)) return model
      } catch (error) {
        if (!isTransient(error) || ++failed === PATIENCE) throw error
      }
      await sleep(PAUSE * failed, undefined, { signal: this.#signal })
    }
  }

  /** Brings all parts of the model to the same generation. False where that can not be done. */
  async #catchUp(model: Model, newest: Generation): Promise<boolean> {
    while (model.generation !== newest) {
      const next = await this.#notifications.next(TOLD)
      if (typeof next === 'string' || !(await this.#apply(model, next)).sure) return false
    }
    return true
  }

  /** What happens from `model` on. */
  async *follow(model: Model): AsyncGenerator<WatchEvent, void, void> {
    for (;;) {
      const next = await this.#notifications.next(model.owned() === '' ? undefined : OWNERS)
      if (next === 'closed') return
      const { changes, sure } = await this.#take(model, next)
      if (typeof next !== 'string' && changes.length > 0) {
        const { process, portId } = next
        yield {
          generation: model.generation,
          ...(process && { process }),
          own: portId === this.#portId,
          resynchronised: false,
          changes,
        }
      }
      if (sure) continue
      const now = await this.read()
      yield { generation: now.generation, own: false, resynchronised: true, changes: await now.since(model, new Turns()) }
      model = now
    }
  }

  async #take(model: Model, next: Notification | 'lost' | 'quiet'): Promise<Outcome> {
    if (next === 'lost') return { changes: [], sure: false }
    if (next !== 'quiet') return this.#apply(model, next)
    const owned = model.owned()
    const now = await this.#ask(limit => readOwners(this.#kernel, this.#scope, limit)).catch(error => {
      if (isTransient(error)) return owned // it is looked again
      throw error
    })
    // What explains a difference may have been told meanwhile.
    return { changes: [], sure: now === owned || !this.#notifications.idle }
  }

  #ask<T>(task: (limit: Limit) => Promise<T>): Promise<T> {
    return asking('watch', undefined, () => this.#kernel.call({ signal: this.#signal }, task))
  }

  /** Carries a transaction over into the model. */
  async #apply(model: Model, { generation, parts }: Notification): Promise<Outcome> {
    if (generation === undefined) return ownChangesOf(model, parts, this.#scope)
    if (!isAfter(generation, model.generation)) return { changes: [], sure: true } // it was read
    if (generation !== following(model.generation)) return { changes: [], sure: false }
    model.generation = generation
    return changesOf(model, parts, this.#scope)
  }
}

/** Generations are 32 bits and begin anew. */
const isAfter = (a: Generation, b: Generation): boolean => ((a - b) | 0) > 0

/** Whether a read failed for the moment. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof NetlinkError)) return false
  const { problem, code } = error
  return problem === 'reply-lost' || problem === 'no-memory' || problem === 'generation-changed' || code === 'ERR_DEADLINE'
}
