import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work in one go: others in this process wait meanwhile. */
const SLICE = 4

/** Gives others a turn in the middle of long work: `if (turns.due) await turns.give()`. */
export class Turns {
  #since = performance.now()

  get due(): boolean {
    return performance.now() - this.#since > SLICE
  }

  async give(): Promise<void> {
    await setImmediate()
    this.#since = performance.now()
  }
}
