/** How long to wait before something is tried again. */
import { setTimeout as pause } from 'node:timers/promises'

/** Longer after each failure, up to 30 s; each time another part of that, so that those who lost the same server do not come back together. */
export class Backoff {
  static readonly FIRST = 500
  static readonly MOST = 30_000
  #next = Backoff.FIRST

  reset(): void {
    this.#next = Backoff.FIRST
  }

  /** @param least milliseconds that are waited in any case: the server asked for them */
  async wait(signal: AbortSignal, least = 0): Promise<void> {
    const time = Math.max(least, this.#next * (0.5 + Math.random() / 2))
    this.#next = Math.min(2 * this.#next, Backoff.MOST)
    await pause(time, undefined, { signal }).catch(() => {})
  }
}
