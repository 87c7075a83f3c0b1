/** Doing again and again what is to be done, whatever comes between. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Wake } from './wake.js'

/** Milliseconds before work that failed is tried again, at first and at most. */
const RETRY = { first: 500, most: 30_000 }

export interface Work {
  /** In how many milliseconds at most there is something to do, though nobody says so. */
  next(): number
  run(): Promise<void>
  /** @param retry milliseconds until it is tried again */
  failed(error: Error, retry: number): void
}

/** Works whenever it is woken, until it is aborted; work that fails is tried again, later each time. */
export async function keepUp(work: Work, wake: Wake, signal: AbortSignal): Promise<void> {
  let retry = RETRY.first
  while (!signal.aborted) {
    await wake.asked(signal, work.next())
    if (signal.aborted) return
    try {
      await work.run()
      retry = RETRY.first
    } catch (error) {
      if (signal.aborted) return
      work.failed(error as Error, retry)
      await pause(retry, undefined, { signal }).catch(() => {})
      retry = Math.min(2 * retry, RETRY.most)
      wake.wake()
    }
  }
}
