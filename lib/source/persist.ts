/** Reading on, whatever happens to what is read. */
import { setTimeout as pause } from 'node:timers/promises'

/** What came of one attempt. */
export interface Attempt {
  /** Whether it was read for a while, or something new. */
  readonly progress: boolean
  /** Why it ended; undefined: it had come to its end, and is to go on. */
  readonly error: unknown
  /** Whether such an error comes now and then, and needs nobody's attention the first time. */
  readonly usual?: boolean
  /** Milliseconds that the other side asks to wait. */
  readonly retryAfter?: number | undefined
}

export interface Persistence {
  readonly signal: AbortSignal
  /** Failures in a row that are not told: there are others to ask. Default 0. */
  readonly allowed?: number
  /** Told what does not go away by asking again. */
  lost(error: unknown): void
}

/** Milliseconds before it is tried again: at first, and at most. */
const PAUSE = { first: 500, most: 30_000 }

/**
 * Tries until it is aborted. It waits after each failure, longer each time, and another part of that each time, so that those who lost the
 * same server do not come back together. A connection that is cut after it was of use is no failure: servers restart.
 */
export async function persist(attempt: () => Promise<Attempt>, { signal, allowed = 0, lost }: Persistence): Promise<void> {
  let failures = 0
  let time = PAUSE.first
  while (!signal.aborted) {
    const { progress, error, usual = false, retryAfter = 0 } = await attempt()
    if (signal.aborted) return
    failures = progress ? 0 : failures + 1
    if (progress) time = PAUSE.first
    if (error === undefined) continue
    if (failures > allowed && !(usual && failures === 1)) lost(error)
    await pause(Math.max(retryAfter, time * (0.5 + Math.random() / 2)), undefined, { signal }).catch(() => {})
    time = Math.min(2 * time, PAUSE.most)
  }
}

/** @param before whether it could be read before */
export function lossOf(error: unknown, before: boolean): string {
  const { message, code } = error as NodeJS.ErrnoException
  return `can not be read: ${message || code}${before ? ': what was read before is served on' : ''}`
}
