/** Messages that no kernel sends: real ones, changed at random. */
import type { Random } from '../../kernel/support/random.js'
import { type Attribute, attributesIn, writeAttributes } from './attributes.js'
import type { Recorded } from './recording.js'

/** Bytes of the header of netfilter, which stays as it is. */
const HEADER = 4
/** Room for a mutant. */
export const ROOM = 16 << 10

interface Seed extends Recorded {
  readonly attributes: readonly Attribute[]
}

/** Where an attribute stands: its list, and its index there. */
interface Place {
  readonly list: Attribute[]
  readonly index: number
}

const WORDS = ['', 'lo', 'accept', 'payload', 'lookup', 'x'.repeat(127), 'x'.repeat(255), 'x'.repeat(300), 'é', '\u{1f600}']

export class Mutator {
  readonly #seeds: readonly Seed[]
  readonly #random: Random
  /** The mutant: from the header of netfilter on. */
  readonly bytes = new Uint8Array(ROOM)
  readonly #room = this.bytes.subarray(0, ROOM - 64)
  end = 0

  constructor(recorded: readonly Recorded[], random: Random) {
    this.#random = random
    this.#seeds = recorded.map(seed => ({ ...seed, attributes: attributesIn(seed.bytes, HEADER, seed.bytes.length) ?? [] }))
  }

  /** Makes the next mutant, and returns what it was made from. */
  next(): Recorded {
    const random = this.#random
    const seed = random.of(this.#seeds)
    const { bytes } = this
    const edits = seed.attributes.length === 0 ? 0 : random.below(4)
    if (edits === 0) {
      bytes.set(seed.bytes)
      this.end = seed.bytes.length
    } else {
      bytes.set(seed.bytes.subarray(0, HEADER))
      const attributes = [...seed.attributes]
      for (let i = 0; i < edits; i++) this.#edit(attributes)
      this.end = writeAttributes(this.#room, HEADER, attributes)
    }
    for (let changes = random.below(3); changes > 0; changes--) this.#spoil()
    bytes.fill(0xa5, this.end, this.end + 64) // whoever reads beyond the end is found out
    return seed
  }

  /** Changes an attribute; the lengths of those around it fit. */
  #edit(attributes: Attribute[]): void {
    const random = this.#random
    const place = this.#place(attributes)
    if (!place) return
    const { list, index } = place
    const attribute = list[index] as Attribute
    switch (random.below(9)) {
      case 0:
        attribute.type = random.of([random.below(40), random.below(0x4000), attribute.type ^ 0x8000, attribute.type ^ 0x4000])
        break
      case 1:
        list.splice(index, 1)
        break
      case 2:
        list.splice(random.below(list.length + 1), 0, { ...attribute })
        break
      case 3:
        list.splice(random.below(list.length), 0, ...list.splice(index, 1))
        break
      case 4:
        list.splice(random.below(list.length + 1), 0, this.#foreign())
        break
      case 5:
        list[index] = { type: attribute.type, value: [attribute] }
        break
      case 6:
        if (!Array.isArray(attribute.value))
          attribute.value = attribute.value.subarray(0, random.below(attribute.value.length + 1))
        break
      default:
        attribute.value = this.#value()
    }
  }

  /** Somewhere in the tree. What is on the way there is copied, for it belongs to the seed. */
  #place(attributes: Attribute[]): Place | undefined {
    const random = this.#random
    let list = attributes
    for (;;) {
      if (list.length === 0) return undefined
      const index = random.below(list.length)
      const { type, value } = list[index] as Attribute
      const below = Array.isArray(value) ? [...value] : undefined
      list[index] = { type, value: below ?? value }
      if (!below || random.below(4) === 0) return { list, index }
      list = below
    }
  }

  /** An attribute of some other message. */
  #foreign(): Attribute {
    const place = this.#place([...this.#random.of(this.#seeds).attributes])
    return place?.list[place.index] ?? { type: 1, value: this.#value() }
  }

  #value(): Uint8Array {
    const random = this.#random
    if (random.below(3) === 0) return new Uint8Array(Buffer.from(`${random.of(WORDS)}${random.below(2) ? '\0' : ''}`))
    const length = random.of([0, 1, 2, 4, 4, 4, 8, 8, 12, 16, 64, 65, random.below(300)])
    const kind = random.below(4)
    const value = new Uint8Array(length)
    for (let i = kind === 2 ? Math.max(0, length - 2) : 0; i < length && kind > 0; i++)
      value[i] = kind === 1 ? 0xff : random.below(256)
    return value
  }

  /** Changes bytes without a look at what they are. */
  #spoil(): void {
    const random = this.#random
    const { bytes, end } = this
    if (end <= HEADER) return
    const at = HEADER + random.below(end - HEADER)
    switch (random.below(4)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
        break
      case 1:
        bytes[at] = random.below(256)
        break
      case 2:
        bytes.copyWithin(at, HEADER + random.below(end - HEADER), end)
        break
      case 3:
        if (random.below(4) === 0) this.end = at
    }
  }
}
