/** Sees that a listing told a key twice. */
import type { MessageReader } from '../../netlink/buffer.js'

/** Keys that the first table has slots for, and how many times as many the next one has. */
const FIRST = 16
const GROWTH = 4

/**
 * The kernel moves the elements of a set to a larger table without a new generation, and a listing that goes on meanwhile tells some twice
 * and leaves as many out (lib/rhashtable.c, rhashtable_walk_next). Keys are kept as 64 bits each, in tables that are never made anew: that
 * would keep the event loop.
 */
export class Repeats {
  found = false
  /** Two words for each slot, both 0 where it is empty. All but the last one are full: half of their slots are used. */
  readonly #tables: Uint32Array[] = []
  /** How many keys the last table still takes. */
  #room = 0

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
    this.#place(low >>> 0, high >>> 0 || 1)
  }

  #place(low: number, high: number): void {
    for (const table of this.#tables)
      if (table[slotOf(table, low, high) + 1] === high) {
        this.found = true
        return
      }
    const last = this.#room > 0 ? (this.#tables.at(-1) as Uint32Array) : this.#grow()
    const slot = slotOf(last, low, high)
    last[slot] = low
    last[slot + 1] = high
    this.#room--
  }

  #grow(): Uint32Array {
    const slots = FIRST * GROWTH ** this.#tables.length
    const table = new Uint32Array(2 * slots)
    this.#tables.push(table)
    this.#room = slots / 2
    return table
  }
}

/** Where a key is, or would go. */
function slotOf(table: Uint32Array, low: number, high: number): number {
  const mask = table.length - 1
  let slot = (low << 1) & mask
  while (table[slot + 1] !== 0 && (table[slot] !== low || table[slot + 1] !== high)) slot = (slot + 2) & mask
  return slot
}
