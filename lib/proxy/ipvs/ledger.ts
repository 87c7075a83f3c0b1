/** Where is written which virtual servers are ours, and whose: before they are made, and until they are gone. */
import type { ServerName } from '../names.js'

/** Entries of a comment each. */
export interface Ledger {
  enter(name: ServerName, comment: string | undefined): void
  strike(name: ServerName, comment: string | undefined): void
}

/** Keeps one entry for a virtual server. */
export class Entered {
  readonly #ledger: Ledger
  readonly #comments = new Map<ServerName, string | undefined>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  has(name: ServerName): boolean {
    return this.#comments.has(name)
  }

  enter(name: ServerName, comment: string | undefined): void {
    if (this.#comments.get(name) === comment && this.has(name)) return
    this.#ledger.enter(name, comment)
    // It was another Service's: what stays is not touched in between.
    this.strike(name)
    this.#comments.set(name, comment)
  }

  strike(name: ServerName): void {
    if (!this.has(name)) return
    this.#ledger.strike(name, this.#comments.get(name))
    this.#comments.delete(name)
  }
}
