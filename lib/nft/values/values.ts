/** How values of each type stand in keys and data: `NFTA_DATA_VALUE`, the content of registers. */
import type { ByteOrder, ResolvedType } from '../data-types.js'
import type { Scalar } from '../types.js'
import { IPv4, IPv6, Link } from './addresses.js'
import { Bytes } from './bytes.js'
import { Names } from './names.js'
import { Booleans, Numbers } from './numbers.js'
import { Protocols } from './protocols.js'

/** The values of one type. Offsets are absolute; there is room for all of `length`. */
export interface Values {
  /** Bytes that each has. */
  readonly length: number
  /** Writes all bytes of a value. Throws a `BadValue`. */
  write(bytes: Uint8Array, offset: number, value: unknown): void
  /** Reads what `write` makes the same bytes of. */
  read(bytes: Uint8Array, offset: number): Scalar
  /** Writes the first and the last of the values that a text stands for; false when it stands for one. Throws a `BadValue`. */
  writeRange(bytes: Uint8Array, from: number, to: number, value: unknown): boolean
  /** The text that stands for all values between the two; undefined when there is none. */
  readRange(bytes: Uint8Array, from: number, to: number): string | undefined
  /** Writes the last of all values. */
  writeLast(bytes: Uint8Array, offset: number): void
  /** Below 0 when the first value comes before the second one, 0 when they are the same. */
  compare(bytes: Uint8Array, a: number, b: number): number
}

/**
 * The values of a type.
 *
 * @param order of numbers, when it is not that of the type: the kernel compares the keys of intervals as bytes
 */
export function valuesOf({ length, bits, form, order: natural }: ResolvedType, order: ByteOrder = natural): Values {
  switch (form) {
    case 'ipv4':
      return IPv4.values
    case 'ipv6':
      return IPv6.values
    case 'link':
      return new Link(length)
    case 'name':
      return new Names(length)
    case 'protocol':
      return Protocols.values
    case 'boolean':
      return Booleans.values
    case 'number':
      return new Numbers(length, bits, order)
    case 'bytes':
      return new Bytes(length, 'bytes')
  }
}
