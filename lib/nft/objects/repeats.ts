/** Sees that a listing told a key twice. */
import type { MessageReader } from '../../netlink/buffer.js'

const EMPTY = -1

/**
 * The kernel moves the elements of a set to a larger table without a new generation, and a listing that goes on meanwhile tells some twice
 * and leaves as many out (lib/rhashtable.c, rhashtable_walk_next). Keys are kept as 64 bits each.
 */
export class Repeats {
  found = false
  #count = 0
  #low = new Uint32Array(16)
  #high = new Uint32Array(16)
  /** Number of the key in each slot: twice as many slots as there is room for keys. */
  #slots = new Int32Array(32).fill(EMPTY)

  /** @param offset of the key's bytes, aligned to 4 */
  add({ bytes, u32 }: MessageReader, offset: number, length: number): void {
    let low = length
    let high = 0x9e37_79b9
    const end = offset + (length & ~3)
    for (let at = offset; at < end; at += 4) {
      const word = u32[at >> 2] as number
      low = Math.imul(low ^ word, 0x85eb_ca6b)
      low ^= low >>> 15
      high = Math.imul((high ^ word) + at - offset, 0xc2b2_ae35)
      high ^= high >>> 13
    }
    for (let at = end; at < offset + length; at++) {
      low = Math.imul(low ^ (bytes[at] as number), 0x85eb_ca6b)
      high = Math.imul(high ^ (bytes[at] as number), 0xc2b2_ae35)
    }
    low ^= low >>> 16
    if (this.#count === this.#low.length) this.#grow()
    this.#place(low >>> 0, high >>> 0)
  }

  #place(low: number, high: number): void {
    const mask = this.#slots.length - 1
    let slot = low & mask
    for (let other = this.#slots[slot] as number; other !== EMPTY; other = this.#slots[slot] as number) {
      if (this.#low[other] === low && this.#high[other] === high) this.found = true
      slot = (slot + 1) & mask
    }
    this.#slots[slot] = this.#count
    this.#low[this.#count] = low
    this.#high[this.#count] = high
    this.#count++
  }

  #grow(): void {
    const [low, high, count] = [this.#low, this.#high, this.#count]
    this.#low = new Uint32Array(2 * count)
    this.#high = new Uint32Array(2 * count)
    this.#slots = new Int32Array(4 * count).fill(EMPTY)
    this.#count = 0
    for (let i = 0; i < count; i++) this.#place(low[i] as number, high[i] as number)
  }
}
