/**
 * A transaction: what it does is done at once, remembered for the case that it is taken back, and told to others once it is carried out
 * (nf_tables_api.c, nf_tables_commit and nf_tables_abort).
 */
import type { Notices } from './notices.js'
import type { Chain, NftSet, Rule, Table } from './state.js'

/** A place in a transaction to go back to. */
interface Mark {
  readonly undo: number
  readonly steps: number
  readonly last: number
}

export class Transaction {
  readonly #undo: (() => void)[] = []
  readonly #steps: ((notices: Notices) => void)[] = []
  readonly #last: (() => void)[] = []
  /** What it added, by the ids that later messages name it by. */
  readonly chains = new Map<number, Chain>()
  readonly rules = new Map<number, Rule>()
  readonly sets = new Map<number, NftSet>()
  /** Tables whose base chains it changes or removes. */
  readonly rehooked = new Set<Table>()
  /** Tables that it has put to sleep, or woken. */
  readonly dormancyChanged = new Set<Table>()
  /** New names of chains. */
  readonly renamed = new Set<string>()
  /** Sets and chains without a name of their own, until a rule of this transaction uses them. */
  readonly unbound = new Set<Chain | NftSet>()
  /** Whether rules have to be looked at for loops and for expressions that are not allowed where they are. */
  needsValidation = false
  /** Whether every message is looked at by itself, to find the one at fault. */
  validates = false

  /** Whether it would change nothing. */
  get empty(): boolean {
    return this.#steps.length === 0
  }

  /** How to take back what was done just now. */
  undo(action: () => void): void {
    this.#undo.push(action)
  }

  /** What is to be done, in this order, when it is carried out. */
  step(action: (notices: Notices) => void): void {
    this.#steps.push(action)
  }

  /** What is to be done behind all steps. */
  last(action: () => void): void {
    this.#last.push(action)
  }

  #mark(): Mark {
    return { undo: this.#undo.length, steps: this.#steps.length, last: this.#last.length }
  }

  /** Takes back what was done since. */
  #rollBack({ undo, steps, last }: Mark): void {
    while (this.#undo.length > undo) this.#undo.pop()?.()
    this.#steps.length = steps
    this.#last.length = last
  }

  /** Does something whole, or not at all. */
  attempt<T>(work: () => T): T {
    const mark = this.#mark()
    try {
      return work()
    } catch (error) {
      this.#rollBack(mark)
      throw error
    }
  }

  carryOut(notices: Notices): void {
    for (const step of this.#steps) step(notices)
    for (const action of this.#last) action()
  }

  abort(): void {
    this.#rollBack({ undo: 0, steps: 0, last: 0 })
  }

  /** Adds to one of its sets. */
  add<T>(set: Set<T>, item: T): void {
    if (set.has(item)) return
    set.add(item)
    this.undo(() => set.delete(item))
  }

  /** Takes out of one of its sets. */
  remove<T>(set: Set<T>, item: T): void {
    if (set.delete(item)) this.undo(() => set.add(item))
  }

  /** Counts users of something up or down. */
  use(used: { use: number }, change: 1 | -1): void {
    used.use += change
    this.undo(() => {
      used.use -= change
    })
  }

  /** Changes fields of something. */
  set<T extends object>(target: T, change: Partial<T>): void {
    const before = Object.fromEntries(Object.keys(change).map(key => [key, target[key as keyof T]]))
    Object.assign(target, change)
    this.undo(() => Object.assign(target, before))
  }
}
