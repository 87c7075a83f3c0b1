/** How many keys one map has: beyond, they are divided. */
const WHOLE = 4096
/** Into how many parts. */
const PARTS = 64

/**
 * A map with text for keys, for as many as there may be. That of V8 copies itself as it grows: 100 ms at 250,000 keys, or where fifty maps
 * grow with the same key. Parts of it do so at a time of their own each, and seldom have many.
 */
export class LargeMap<V> {
  #whole: Map<string, V> | undefined = new Map()
  readonly #parts: (Map<string, V> | undefined)[] = []

  get size(): number {
    return this.maps().reduce((sum, map) => sum + map.size, 0)
  }

  get(key: string): V | undefined {
    return (this.#whole ?? this.#parts[partOf(key)])?.get(key)
  }

  set(key: string, value: V): void {
    if (this.#whole && this.#whole.size >= WHOLE) this.#divide(this.#whole)
    if (this.#whole) this.#whole.set(key, value)
    else this.#setPart(key, value)
  }

  delete(key: string): void {
    ;(this.#whole ?? this.#parts[partOf(key)])?.delete(key)
  }

  /** Each key is in one of them. */
  maps(): readonly Map<string, V>[] {
    return this.#whole ? [this.#whole] : this.#parts.filter(part => part !== undefined)
  }

  #divide(whole: ReadonlyMap<string, V>): void {
    this.#whole = undefined
    for (const [key, value] of whole) this.#setPart(key, value)
  }

  #setPart(key: string, value: V): void {
    const number = partOf(key)
    const part = this.#parts[number]
    if (part) part.set(key, value)
    else this.#parts[number] = new Map([[key, value]])
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
