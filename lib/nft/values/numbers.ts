import { BadValue, shown } from '../../netlink/schema.js'
import type { ByteOrder } from '../data-types.js'
import type { Scalar } from '../types.js'
import { Bytes } from './bytes.js'

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** Whole numbers from 0. */
export class Numbers extends Bytes {
  readonly #last: number | bigint
  /** Whether the first byte counts most. */
  readonly #big: boolean

  constructor(length: number, bits: number, order: ByteOrder) {
    const last = bits > 53 ? (1n << BigInt(bits)) - 1n : 2 ** bits - 1
    super(length, `a whole number from 0 to ${last}`)
    this.#last = last
    this.#big = order !== 'host' || !LITTLE_ENDIAN
  }

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (typeof value === 'number' && this.length <= 4) {
      if (!(value >= 0 && value <= (this.#last as number)) || value >>> 0 !== value) throw this.refusal(value)
      const { length } = this
      if (this.#big) for (let i = length, rest = value; i-- > 0; rest >>>= 8) bytes[offset + i] = rest
      else for (let i = 0, rest = value; i < length; i++, rest >>>= 8) bytes[offset + i] = rest
    } else if (typeof value === 'number' || typeof value === 'bigint') this.#writeLarge(bytes, offset, value)
    else super.write(bytes, offset, value)
  }

  override refusal(value: unknown): BadValue {
    if (typeof value !== 'number' && typeof value !== 'bigint') return super.refusal(value)
    return new BadValue('range', `${shown(value)}: give ${this.wanted}`)
  }

  #writeLarge(bytes: Uint8Array, offset: number, value: number | bigint): void {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw this.refusal(value)
    if (value < 0 || value > this.#last) throw this.refusal(value)
    let rest = BigInt(value)
    for (let i = 0; i < this.length; i++, rest >>= 8n)
      bytes[offset + (this.#big ? this.length - 1 - i : i)] = Number(rest & 0xffn)
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    const value = this.#read(bytes, offset)
    return value > this.#last ? super.read(bytes, offset) : value
  }

  #read(bytes: Uint8Array, offset: number): number | bigint {
    const { length } = this
    let value = 0
    const head = Math.min(length, 6)
    for (let i = 0; i < head; i++) value = value * 256 + (bytes[offset + (this.#big ? i : length - 1 - i)] as number)
    if (length === head) return value
    let large = BigInt(value)
    for (let i = head; i < length; i++) large = (large << 8n) | BigInt(bytes[offset + (this.#big ? i : length - 1 - i)] as number)
    return large <= Number.MAX_SAFE_INTEGER ? Number(large) : large
  }

  /** Of what its bytes can hold: nft gives intervals without an end to the last number of fewer bits, too. */
  override writeLast(bytes: Uint8Array, offset: number): void {
    bytes.fill(0xff, offset, offset + this.length)
  }

  override compare(bytes: Uint8Array, a: number, b: number): number {
    if (this.#big) return super.compare(bytes, a, b)
    const first = this.#read(bytes, a)
    const second = this.#read(bytes, b)
    return first < second ? -1 : first > second ? 1 : 0
  }
}

/** Whether something is there. */
export class Booleans extends Bytes {
  static readonly values: Booleans = new Booleans(1, 'true or false')

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (typeof value === 'boolean') bytes[offset] = value ? 1 : 0
    else super.write(bytes, offset, value)
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    const byte = bytes[offset] as number
    return byte > 1 ? super.read(bytes, offset) : byte === 1
  }

  override writeLast(bytes: Uint8Array, offset: number): void {
    bytes[offset] = 1
  }
}
