/** Waiting until something is to be done. */
import { setTimeout as pause } from 'node:timers/promises'

/** Lets one wait until something is to be done. */
export class Wake {
  #asked = false
  #resolve: (() => void) | undefined

  wake(): void {
    this.#asked = true
    this.#resolve?.()
  }

  async asked(signal: AbortSignal, most: number): Promise<void> {
    if (!this.#asked) {
      const waiting = new AbortController()
      const woken = new Promise<void>(resolve => {
        this.#resolve = resolve
      })
      await Promise.race([woken, pause(most, undefined, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => {})])
      waiting.abort()
    }
    this.#asked = false
    this.#resolve = undefined
  }
}
