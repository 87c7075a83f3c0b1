/** Watches: endless iterations that also end while they wait. */
import { BadValue } from './schema.js'

/** Those of a client that have not ended. */
export class Watches {
  readonly #open = new Set<Watching<unknown>>()

  /** Starts one. A `BadValue` is thrown as a TypeError or RangeError. */
  keep<T>(start: () => Watching<T>): Watching<T> {
    try {
      const watching = start()
      this.#open.add(watching)
      watching.ended = () => this.#open.delete(watching)
      return watching
    } catch (error) {
      throw error instanceof BadValue ? error.toError() : error
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(watching => watching.return()))
  }
}

export class Watching<T> implements AsyncIterableIterator<T, void, void>, AsyncDisposable {
  readonly #events: AsyncGenerator<T, void, void>
  readonly #close: () => Promise<void>
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal | undefined
  readonly #aborted = () => void this.return()
  /** Is called when it has ended. */
  ended: () => unknown = () => {}

  /**
   * @param run makes the events. Its signal says that it has to end: what it throws then is nobody's
   * @param close ends what it waits for; may be called several times
   * @param signal ends it from outside
   */
  constructor(
    run: (stop: AbortSignal) => AsyncGenerator<T, void, void>,
    close: () => Promise<void>,
    signal: AbortSignal | undefined,
  ) {
    this.#close = close
    this.#events = this.#run(run)
    this.#signal = signal
    if (signal?.aborted) this.#aborted()
    else signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  next(): Promise<IteratorResult<T, void>> {
    return this.#events.next()
  }

  async return(): Promise<IteratorResult<T, void>> {
    await this.#end()
    return this.#events.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #end(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#stop.abort()
    this.ended()
    await this.#close()
  }

  async *#run(run: (stop: AbortSignal) => AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
    try {
      yield* run(this.#stop.signal)
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    } finally {
      await this.#end()
    }
  }
}
