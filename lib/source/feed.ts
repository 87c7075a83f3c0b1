/** What a source has to tell, kept until somebody asks: a slow reader is told how an object is now, not how it was in between. */
import type { ObjectChange, Source, SourceProblem, SourceUpdate } from './source.js'

/** From those who read objects to the one who is told of them. */
export class Feed {
  #changes = new Map<string, ObjectChange>()
  readonly #lost = new Map<string, SourceProblem>()
  readonly #bad = new Map<string, readonly SourceProblem[]>()
  #complete = false
  #news = false
  #tell: () => void = () => {}

  change(change: ObjectChange): void {
    this.#changes.set(`${change.kind} ${change.name}`, change)
    if (this.#complete) this.#wake()
  }

  /** What is wrong with what is at a place; nothing: all is well there. */
  bad(place: string, problems: readonly SourceProblem[]): void {
    if (problems.length === 0 && !this.#bad.has(place)) return
    if (problems.length === 0) this.#bad.delete(place)
    else this.#bad.set(place, problems)
    if (this.#complete) this.#wake()
  }

  /** A place that can not be read: what was read of it before is served on. Undefined: it is read again. */
  lost(where: string, message: string | undefined): void {
    if (this.#lost.get(where)?.message === message) return
    if (message === undefined) this.#lost.delete(where)
    else this.#lost.set(where, { where, message })
    this.#wake()
  }

  /** Everything that there is has been read. */
  complete(): void {
    this.#complete = true
    this.#wake()
  }

  /** Until everything has been read there is an update only to tell what can not be. */
  async *updates(signal: AbortSignal): ReturnType<Source['updates']> {
    const ending = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    while (!signal.aborted) {
      if (!this.#news) await Promise.race([new Promise<void>(resolve => (this.#tell = resolve)), ending])
      if (this.#news && !signal.aborted) yield this.#take()
    }
  }

  #wake(): void {
    this.#news = true
    this.#tell()
  }

  #take(): SourceUpdate {
    const changes = [...this.#changes.values()]
    this.#changes = new Map()
    this.#news = false
    return { complete: this.#complete, changes, problems: [...this.#lost.values(), ...[...this.#bad.values()].flat()] }
  }
}
