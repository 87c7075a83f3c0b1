/** The order of a client's calls: one runs when those before it have ended, or its limit is reached. */
import { type CallOptions, interrupted, Limit } from './channel.js'
import type { NetlinkError } from './error.js'

export class Calls {
  readonly #deadline: number
  #tail: Promise<unknown> = Promise.resolve()
  #closed = false

  /** @param deadline seconds that a call may take unless it says otherwise */
  constructor(deadline: number) {
    this.#deadline = deadline
  }

  /** When a call with these options has to end. */
  limit(options: CallOptions | undefined): Limit {
    return new Limit(options, this.#deadline)
  }

  /** Runs one call when those before it have ended. */
  run<T>(options: CallOptions | undefined, task: (limit: Limit) => Promise<T>): Promise<T> {
    const before = this.#tail
    const mine = this.#run(before, options, task)
    const ended = () => {}
    this.#tail = before.then(() => mine.then(ended, ended))
    return mine
  }

  async #run<T>(before: Promise<unknown>, options: CallOptions | undefined, task: (limit: Limit) => Promise<T>): Promise<T> {
    const limit = this.limit(options)
    this.throwIfClosed()
    limit.throwIfOver()
    await limit.race(before, 'no')
    limit.throwIfOver()
    return task(limit)
  }

  throwIfClosed(): void {
    if (this.#closed) throw closedError()
  }

  /** No call from now on. Settles when those that were made have ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#tail
  }
}

export function closedError(): NetlinkError {
  return interrupted('ERR_CLOSED', 'the client is closed', 'no')
}
