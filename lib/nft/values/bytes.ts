import { BadValue, shown } from '../../netlink/schema.js'
import type { Scalar } from '../types.js'
import type { Values } from './values.js'

/** Where there are ranges: for errors. */
export const RANGES = 'are for sets with the flag "interval", and for data with dataInterval'

/** Values of a length and nothing else that is known. All others can be given, and are told where they are none of theirs, as bytes. */
export class Bytes implements Values {
  readonly length: number
  /** What to give: for errors. */
  readonly wanted: string

  constructor(length: number, wanted: string) {
    this.length = length
    this.wanted = wanted
  }

  write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (!(value instanceof Uint8Array)) throw this.refusal(value)
    if (value.length !== this.length)
      throw new BadValue('range', `${value.length} bytes: give ${this.wanted}, or a Uint8Array of ${this.length}`)
    bytes.set(value, offset)
  }

  /** Why a value can not be written. */
  refusal(value: unknown): BadValue {
    const others = this.wanted === 'bytes' ? `give a Uint8Array of ${this.length} bytes` : `give ${this.wanted}`
    const range = value !== null && typeof value === 'object' && 'from' in value
    return new BadValue('type', `${shown(value)}: ${others}${range ? `: ranges ${RANGES}` : ''}`)
  }

  read(bytes: Uint8Array, offset: number): Scalar {
    return bytes.slice(offset, offset + this.length)
  }

  writeRange(_bytes: Uint8Array, _from: number, _to: number, _value: unknown): boolean {
    return false
  }

  readRange(_bytes: Uint8Array, _from: number, _to: number): string | undefined {
    return undefined
  }

  writeLast(bytes: Uint8Array, offset: number): void {
    bytes.fill(0xff, offset, offset + this.length)
  }

  compare(bytes: Uint8Array, a: number, b: number): number {
    for (let i = 0; i < this.length; i++) {
      const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
}
