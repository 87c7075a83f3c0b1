import { BadValue, shown } from '../../netlink/schema.js'
import { checkText, readText } from '../../netlink/values.js'
import type { Scalar } from '../types.js'
import { Bytes } from './bytes.js'

const encoder = new TextEncoder()

/**
 * Text filled up with NUL. In intervals `eth*` stands for all that begin with `eth`; a name that really ends so is written `eth\*`, as for
 * nft.
 */
export class Names extends Bytes {
  constructor(length: number) {
    super(length, `a text of at most ${length - 1} bytes without NUL`)
  }

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (typeof value !== 'string') return super.write(bytes, offset, value)
    if (isWildcard(value))
      throw new BadValue(
        'type',
        `${shown(value)}: names that begin so are for sets with the flag "interval": give ${shown(`${value.slice(0, -1)}\\*`)} for the one`,
      )
    this.#write(bytes, offset, value.endsWith('\\*') ? `${value.slice(0, -2)}*` : value, value)
    bytes[offset + this.length - 1] = 0
  }

  /** Writes the text, and NULs behind it. */
  #write(bytes: Uint8Array, offset: number, text: string, given: string): number {
    const { read, written } = encoder.encodeInto(text, bytes.subarray(offset, offset + this.length - 1))
    if (read < text.length) throw new BadValue('range', `${shown(given)}: is too long: give ${this.wanted}`)
    if (text.includes('\0')) throw this.refusal(given)
    if (written > read) checkText(text)
    bytes.fill(0, offset + written, offset + this.length)
    return written
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    const end = offset + this.length
    let nul = offset
    while (nul < end && bytes[nul] !== 0) nul++
    for (let i = nul; i < end; i++) if (bytes[i] !== 0) return super.read(bytes, offset)
    const text = nul === end ? undefined : readText(bytes, offset, nul)
    if (text === undefined) return super.read(bytes, offset)
    return text.endsWith('*') ? `${text.slice(0, -1)}\\*` : text
  }

  override writeRange(bytes: Uint8Array, from: number, to: number, value: unknown): boolean {
    if (typeof value !== 'string' || !isWildcard(value)) return false
    const written = this.#write(bytes, from, value.slice(0, -1), value)
    bytes.copyWithin(to, from, from + written)
    bytes.fill(0xff, to + written, to + this.length)
    return true
  }

  override readRange(bytes: Uint8Array, from: number, to: number): string | undefined {
    let length = 0
    while (length < this.length && bytes[from + length] === bytes[to + length]) length++
    for (let i = length; i < this.length; i++) if (bytes[from + i] !== 0 || bytes[to + i] !== 0xff) return undefined
    const text = length === this.length ? undefined : readText(bytes, from, from + length)
    return text === undefined || text.endsWith('\\') ? undefined : `${text}*`
  }
}

const isWildcard = (text: string): boolean => text.endsWith('*') && !text.endsWith('\\*')
