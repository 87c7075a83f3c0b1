/** The rules of a chain in their order, and by their handles. A rule that the running transaction removes keeps its place. */
import type { Rule } from './state.js'
import type { Transaction } from './transaction.js'

interface Node {
  readonly rule: Rule
  previous: Node | undefined
  next: Node | undefined
}

export class RuleList {
  #first: Node | undefined
  #last: Node | undefined
  readonly #nodes = new Map<Rule, Node>()
  readonly #byHandle = new Map<number, Rule>()

  /** The rule of a handle, even one that the running transaction has removed. */
  get(handle: number): Rule | undefined {
    return this.#byHandle.get(handle)
  }

  *values(): Generator<Rule> {
    for (let node = this.#first; node; node = node.next) if (node.rule.active) yield node.rule
  }

  /** Puts a rule right before another, or behind all. */
  add(transaction: Transaction, rule: Rule, before: Rule | undefined): void {
    const next = before && this.#nodes.get(before)
    const previous = next ? next.previous : this.#last
    const node: Node = { rule, previous, next }
    if (previous) previous.next = node
    else this.#first = node
    if (next) next.previous = node
    else this.#last = node
    this.#nodes.set(rule, node)
    const replaced = this.#byHandle.get(rule.handle)
    this.#byHandle.set(rule.handle, rule)
    transaction.undo(() => {
      this.unlink(rule)
      if (replaced) this.#byHandle.set(replaced.handle, replaced)
    })
  }

  unlink(rule: Rule): void {
    const node = this.#nodes.get(rule)
    if (!node) return
    if (node.previous) node.previous.next = node.next
    else this.#first = node.next
    if (node.next) node.next.previous = node.previous
    else this.#last = node.previous
    this.#nodes.delete(rule)
    if (this.#byHandle.get(rule.handle) === rule) this.#byHandle.delete(rule.handle)
  }

  /** The rule behind another; that at the head without one. */
  after(rule?: Rule): Rule | undefined {
    return (rule ? this.#nodes.get(rule)?.next : this.#first)?.rule
  }

  /** The rule before another. */
  before(rule: Rule): Rule | undefined {
    return this.#nodes.get(rule)?.previous?.rule
  }

  /** Whether it is the last one. */
  isLast(rule: Rule): boolean {
    return this.#last?.rule === rule
  }
}
