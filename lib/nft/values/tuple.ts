/** Keys and data: the values of one type, or of several one behind the other, each filled up to 4 bytes. */
import { align4 } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import type { Interval, Scalar } from '../types.js'
import type { Values } from './values.js'

export class Tuple {
  /** Bytes of all of it. */
  readonly length: number
  readonly #values: readonly Values[]
  readonly #offsets: readonly number[]
  /** Its only type, when it is no concatenation. */
  readonly single: Values | undefined

  /** @param concatenated whether it is a list even if it has one type */
  constructor(values: readonly Values[], concatenated: boolean) {
    this.#values = values
    this.single = concatenated ? undefined : values[0]
    let length = 0
    this.#offsets = values.map(type => {
      const offset = length
      length += align4(type.length)
      return offset
    })
    this.length = this.single ? this.single.length : length
  }

  /** Writes all bytes. Throws a `BadValue`. */
  write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (this.single) return this.single.write(bytes, offset, value)
    const list = this.#listOf(value)
    for (let i = 0; i < list.length; i++) {
      const type = this.#values[i] as Values
      const at = this.#offsets[i] as number
      try {
        type.write(bytes, offset + at, list[i])
      } catch (error) {
        throw error instanceof BadValue ? error.within(i) : error
      }
      for (let end = at + type.length; end & 3; end++) bytes[offset + end] = 0
    }
  }

  /** Writes the first and the last value of a range, in each type that it is one. Throws a `BadValue`. */
  writeRange(bytes: Uint8Array, from: number, to: number, value: unknown): void {
    if (this.single) return writeRange(this.single, bytes, from, to, value)
    const list = this.#listOf(value)
    for (let i = 0; i < list.length; i++) {
      const type = this.#values[i] as Values
      const at = this.#offsets[i] as number
      try {
        writeRange(type, bytes, from + at, to + at, list[i])
      } catch (error) {
        throw error instanceof BadValue ? error.within(i) : error
      }
      for (let end = at + type.length; end & 3; end++) bytes[from + end] = bytes[to + end] = 0
    }
  }

  #listOf(value: unknown): readonly unknown[] {
    const count = this.#values.length
    if (!Array.isArray(value))
      throw new BadValue('type', `${shown(value)}: give a list of ${count} values: it is a concatenation`)
    if (value.length !== count) throw new BadValue('range', `${shown(value)}: has ${value.length} values: give ${count}`)
    return value
  }

  read(bytes: Uint8Array, offset: number): Scalar | readonly Scalar[] {
    if (this.single) return this.single.read(bytes, offset)
    // As literals: a list that grows keeps room for more.
    switch (this.#values.length) {
      case 2:
        return [this.#at(0, bytes, offset), this.#at(1, bytes, offset)]
      case 3:
        return [this.#at(0, bytes, offset), this.#at(1, bytes, offset), this.#at(2, bytes, offset)]
      default:
        return this.#values.map((_, i) => this.#at(i, bytes, offset))
    }
  }

  #at(i: number, bytes: Uint8Array, offset: number): Scalar {
    return (this.#values[i] as Values).read(bytes, offset + (this.#offsets[i] as number))
  }

  readRange(bytes: Uint8Array, from: number, to: number): Interval | readonly Interval[] {
    if (this.single) {
      const key = readRange(this.single, bytes, from, to)
      // A name that begins with anything is no catch-all element.
      return key === '*' ? ends(this.single, bytes, from, to) : key
    }
    return this.#values.map((type, i) => {
      const offset = this.#offsets[i] as number
      return readRange(type, bytes, from + offset, to + offset)
    })
  }
}

function writeRange(type: Values, bytes: Uint8Array, from: number, to: number, value: unknown): void {
  if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array) && !Array.isArray(value)) {
    const range = value as { readonly from?: unknown; readonly to?: unknown }
    writeEnd(type, bytes, from, range.from, 'from')
    writeEnd(type, bytes, to, range.to, 'to')
    if (type.compare(bytes, from, to) > 0) throw new BadValue('range', `${shown(value)}: ends before it begins`)
  } else if (!type.writeRange(bytes, from, to, value)) {
    type.write(bytes, from, value)
    bytes.copyWithin(to, from, from + type.length)
  }
}

function writeEnd(type: Values, bytes: Uint8Array, offset: number, value: unknown, field: 'from' | 'to'): void {
  try {
    if (value === undefined) throw new BadValue('type', 'is missing: a range is { from, to }')
    type.write(bytes, offset, value)
  } catch (error) {
    throw error instanceof BadValue ? error.within(field) : error
  }
}

function readRange(type: Values, bytes: Uint8Array, from: number, to: number): Interval {
  if (same(bytes, from, to, type.length)) return type.read(bytes, from)
  return type.readRange(bytes, from, to) ?? ends(type, bytes, from, to)
}

const ends = (type: Values, bytes: Uint8Array, from: number, to: number): Interval => ({
  from: type.read(bytes, from),
  to: type.read(bytes, to),
})

function same(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
