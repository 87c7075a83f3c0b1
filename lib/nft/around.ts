/** What is asked of the system once something was refused: an errno alone has several meanings. */
import type { Limit } from '../netlink/channel.js'
import type { Kernel } from './kernel.js'
import * as read from './read.js'
import { readSnapshot, type Snapshot } from './snapshot.js'
import type { Chain, Command, Family, Table } from './types.js'

/** How many questions are worth it for the failures of one transaction. */
const QUESTIONS = 32

/** Answers are of the moment after the refusal; undefined when there is none. */
export class Around {
  /** Of the transaction that was refused. */
  readonly commands: readonly Command[]
  readonly #kernel: Kernel
  readonly #limit: Limit
  #left = QUESTIONS

  constructor(commands: readonly Command[], kernel: Kernel, limit: Limit) {
    this.commands = commands
    this.#kernel = kernel
    this.#limit = limit
  }

  table(family: Family, name: string): Promise<Table | undefined> {
    return this.#find(read.tables, { family, name })
  }

  chain(family: Family, table: string, name: string): Promise<Chain | undefined> {
    return this.#find(read.chains, { family, table, name })
  }

  /** All of a table. */
  async ruleset(family: Family, table: string): Promise<Snapshot | undefined> {
    if (this.#left-- <= 0) return undefined
    return readSnapshot(this.#kernel, { family, table }, this.#limit).catch(() => undefined)
  }

  async #find<T>(kind: read.Kind<T>, filter: read.Filter): Promise<T | undefined> {
    if (this.#left-- <= 0) return undefined
    return read.find(this.#kernel, kind, filter, this.#limit).catch(() => undefined)
  }
}
