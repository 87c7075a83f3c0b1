import { formatAddress, parseIPv4, parseIPv6 } from '../../netlink/address.js'
import { BadValue, shown } from '../../netlink/schema.js'
import type { Scalar } from '../types.js'
import { Bytes, RANGES } from './bytes.js'

/** The number of bits behind the slash of a prefix; more than there are when it is none. */
function bitsOf(text: string, start: number): number {
  let bits = 0
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9 || (bits === 0 && i > start) || bits > 99) return NO_PREFIX
    bits = 10 * bits + digit
  }
  return start === text.length ? NO_PREFIX : bits
}
const NO_PREFIX = 1000

/** Addresses of a network, in ranges also as prefixes. */
abstract class Addresses extends Bytes {
  abstract parse(text: string, bytes: Uint8Array, offset: number): boolean

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (typeof value !== 'string' || !this.parse(value, bytes, offset)) super.write(bytes, offset, value)
  }

  override refusal(value: unknown): BadValue {
    if (typeof value !== 'string' || !value.includes('/')) return super.refusal(value)
    return new BadValue('type', `${shown(value)}: give ${this.wanted}: prefixes ${RANGES}`)
  }

  override writeRange(bytes: Uint8Array, from: number, to: number, value: unknown): boolean {
    const slash = typeof value === 'string' ? value.indexOf('/') : -1
    if (typeof value !== 'string' || slash < 0) return false
    const prefix = bitsOf(value, slash + 1)
    if (prefix > 8 * this.length || !this.parse(value.slice(0, slash), bytes, from))
      throw new BadValue('type', `${shown(value)}: give ${this.wanted}, or a prefix with 0 to ${8 * this.length} bits`)
    let behind = 0
    for (let i = 0; i < this.length; i++) {
      const host = 0xff >> Math.min(8, Math.max(0, prefix - 8 * i))
      const byte = bytes[from + i] as number
      behind |= byte & host
      bytes[from + i] = byte & ~host
      bytes[to + i] = byte | host
    }
    if (behind !== 0) {
      const meant = `${this.read(bytes, from)}/${prefix}`
      throw new BadValue('range', `${shown(value)}: has bits behind its prefix: give ${shown(meant)}`)
    }
    return true
  }

  override readRange(bytes: Uint8Array, from: number, to: number): string | undefined {
    const prefix = prefixOf(bytes, from, to, this.length)
    return prefix === undefined ? undefined : `${this.read(bytes, from)}/${prefix}`
  }
}

/** The bits that all values between the two have in common, when those are all that begin so. */
function prefixOf(bytes: Uint8Array, from: number, to: number, length: number): number | undefined {
  let i = 0
  while (i < length && bytes[from + i] === bytes[to + i]) i++
  if (i === length) return 8 * length
  const first = bytes[from + i] as number
  const host = first ^ (bytes[to + i] as number)
  if ((host & (host + 1)) !== 0 || (first & host) !== 0) return undefined
  for (let j = i + 1; j < length; j++) if (bytes[from + j] !== 0 || bytes[to + j] !== 0xff) return undefined
  return 8 * i + Math.clz32(host) - 24
}

export class IPv4 extends Addresses {
  static readonly values: IPv4 = new IPv4(4, 'an IPv4 address, as "10.0.0.1"')

  override parse(text: string, bytes: Uint8Array, offset: number): boolean {
    return parseIPv4(text, bytes, offset)
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    return formatAddress(bytes, offset, 'ipv4')
  }
}

export class IPv6 extends Addresses {
  static readonly values: IPv6 = new IPv6(16, 'an IPv6 address, as "2001:db8::1"')

  override parse(text: string, bytes: Uint8Array, offset: number): boolean {
    return parseIPv6(text, bytes, offset)
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    return formatAddress(bytes, offset, 'ipv6')
  }
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** Addresses of the link layer: `02:00:00:00:00:01`. */
export class Link extends Bytes {
  constructor(length: number) {
    super(length, `${length} bytes as "${HEX.slice(1, length + 1).join(':')}"`)
  }

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    if (typeof value !== 'string') return super.write(bytes, offset, value)
    const parts = value.split(':')
    if (parts.length !== this.length || !parts.every(part => /^[0-9a-f]{1,2}$/i.test(part))) throw this.refusal(value)
    parts.forEach((part, i) => {
      bytes[offset + i] = Number.parseInt(part, 16)
    })
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    let text = HEX[bytes[offset] as number] as string
    for (let i = 1; i < this.length; i++) text += `:${HEX[bytes[offset + i] as number]}`
    return text
  }
}
