/** What is asked of the system once something was refused: an errno alone has several meanings. */
import type { Limit } from '../netlink/channel.js'
import type { Kernel } from './kernel.js'
import * as read from './read.js'
import type { Chain, Family, Table } from './types.js'

/** How many questions are worth it for the failures of one transaction. */
const QUESTIONS = 32

/** Answers are of the moment after the refusal; undefined when there is none. */
export class Around {
  readonly #kernel: Kernel
  readonly #limit: Limit
  #left = QUESTIONS

  constructor(kernel: Kernel, limit: Limit) {
    this.#kernel = kernel
    this.#limit = limit
  }

  table(family: Family, name: string): Promise<Table | undefined> {
    return this.#find(read.tables, { family, name })
  }

  chain(family: Family, table: string, name: string): Promise<Chain | undefined> {
    return this.#find(read.chains, { family, table, name })
  }

  async #find<T>(kind: read.Kind<T>, filter: read.Filter): Promise<T | undefined> {
    if (this.#left-- <= 0) return undefined
    return read.find(this.#kernel, kind, filter, this.#limit).catch(() => undefined)
  }
}
