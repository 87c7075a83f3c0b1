/** Into how many parts keys are divided. */
const PARTS = 64

/**
 * A map with text for keys, for as many as there may be. That of V8 copies itself as it grows: 100 ms at 250,000 keys, or where fifty maps
 * grow with the same key. Parts of it do so at a time of their own each, and seldom have many.
 */
export class LargeMap<V> {
  readonly #parts: (Map<string, V> | undefined)[] = []

  get size(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.size ?? 0), 0)
  }

  get(key: string): V | undefined {
    return this.#parts[partOf(key)]?.get(key)
  }

  set(key: string, value: V): void {
    const number = partOf(key)
    const part = this.#parts[number]
    if (part) part.set(key, value)
    else this.#parts[number] = new Map([[key, value]])
  }

  delete(key: string): void {
    this.#parts[partOf(key)]?.delete(key)
  }

  *values(): Generator<V, void, void> {
    for (const part of this.#parts) if (part) yield* part.values()
  }
}

/** The key that was asked for last: the same one is looked up in many maps, one after the other. */
let lastKey = ''
let lastPart = 0

function partOf(text: string): number {
  if (text === lastKey) return lastPart
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  lastKey = text
  lastPart = ((hash ^ (hash >>> 16)) >>> 0) % PARTS
  return lastPart
}
