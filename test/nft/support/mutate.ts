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
    bytes.set(seed.bytes.subarray(0, HEADER))
    if (seed.attributes.length === 0) {
      bytes.set(seed.bytes)
      this.end = seed.bytes.length
    } else {
      const attributes = copyOf(seed.attributes)
      for (let edits = random.below(4); edits > 0; edits--) this.#edit(attributes)
      this.end = writeAttributes(bytes.subarray(0, ROOM - 64), HEADER, attributes)
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
        if (!Array.isArray(attribute.value)) attribute.value = attribute.value.subarray(0, random.below(attribute.value.length + 1))
        break
      default:
        attribute.value = this.#value()
    }
  }

  /** Somewhere in the tree. */
  #place(attributes: Attribute[]): Place | undefined {
    const random = this.#random
    let list = attributes
    for (;;) {
      if (list.length === 0) return undefined
      const index = random.below(list.length)
      const { value } = list[index] as Attribute
      if (!Array.isArray(value) || random.below(4) === 0) return { list, index }
      list = value
    }
  }

  /** An attribute of some other message. */
  #foreign(): Attribute {
    const place = this.#place(copyOf(this.#random.of(this.#seeds).attributes))
    return place?.list[place.index] ?? { type: 1, value: this.#value() }
  }

  #value(): Uint8Array {
    const random = this.#random
    if (random.below(3) === 0) return new Uint8Array(Buffer.from(`${random.of(WORDS)}${random.below(2) ? '\0' : ''}`))
    const length = random.of([0, 1, 2, 4, 4, 4, 8, 8, 12, 16, 64, 65, random.below(300)])
    const kind = random.below(4)
    return Uint8Array.from({ length }, (_, i) => {
      if (kind === 0) return 0
      if (kind === 1) return 0xff
      return kind === 2 && i + 2 < length ? 0 : random.below(256)
    })
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

function copyOf(attributes: readonly Attribute[]): Attribute[] {
  return attributes.map(({ type, value }) => ({ type, value: Array.isArray(value) ? copyOf(value) : value }))
}
