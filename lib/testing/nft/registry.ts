/** Named things in their order. What a transaction removes keeps its place until it is carried out. */
import type { Transaction } from './transaction.js'

export interface Listed {
  /** What it is looked up by. */
  key: string
  readonly handle: number
  /** False once the running transaction has removed it. */
  active: boolean
}

export class Registry<T extends Listed> {
  readonly #order = new Set<T>()
  readonly #byKey = new Map<string, T>()

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  byHandle(handle: number | undefined): T | undefined {
    for (const item of this.#byKey.values()) if (item.handle === handle) return item
    return undefined
  }

  /** In the order in which they were added. */
  *values(): Generator<T> {
    for (const item of this.#order) if (item.active) yield item
  }

  add(transaction: Transaction, item: T): void {
    this.#order.add(item)
    this.#byKey.set(item.key, item)
    transaction.undo(() => this.drop(item))
  }

  remove(transaction: Transaction, item: T): void {
    item.active = false
    this.#byKey.delete(item.key)
    transaction.undo(() => {
      item.active = true
      this.#byKey.set(item.key, item)
    })
    transaction.last(() => this.#order.delete(item))
  }

  /** Removes it without a transaction. */
  drop(item: T): void {
    this.#order.delete(item)
    if (this.#byKey.get(item.key) === item) this.#byKey.delete(item.key)
  }

  rename(item: T, key: string): void {
    this.#byKey.delete(item.key)
    item.key = key
    this.#byKey.set(key, item)
  }
}
