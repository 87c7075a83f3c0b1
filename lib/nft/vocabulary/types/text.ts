/** Types whose constants are text or the bytes of an address. */
import { formatAddress, parseIPv4, parseIPv6 } from '../../../netlink/address.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Immediate } from '../../json/index.js'
import { fromRegister, toRegister } from '../bytes.js'
import type { ValueType } from '../value-type.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Text up to the first zero, filled up with zeros. A `*` at its end is a part of it: who compares prefixes takes it off. */
export function textType(name: string, number: number, bits: number): ValueType {
  const text = (value: bigint, asked: number): string => {
    const bytes = toRegister(value, asked || bits, 'network')
    const end = bytes.indexOf(0)
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
  }
  const quoted = (value: bigint, asked: number): string => `"${text(value, asked)}"`
  return {
    name,
    number,
    bits,
    order: 'host',
    text: true,
    flags: false,
    parse(given, asked) {
      const bytes = encoder.encode(typeof given === 'number' ? String(given) : textOf(given, name))
      const size = (asked || bits) >> 3 || bytes.length
      if (bytes.length > size) throw new BadValue('range', `${shown(given)}: give at most ${size} bytes of text`)
      const whole = new Uint8Array(size)
      whole.set(bytes)
      return fromRegister(whole, 8 * size, 'network')
    },
    json: text,
    print: quoted,
    printNumber: quoted,
  }
}

export function textOf(given: Immediate, type: string): string {
  if (typeof given === 'string') return given
  throw new BadValue('type', `${shown(given)} is no ${type}: give text`)
}

/** An address of the network layer. */
export function addressType(family: 'ipv4' | 'ipv6', name: string, number: number): ValueType {
  const size = family === 'ipv4' ? 4 : 16
  const parse = family === 'ipv4' ? parseIPv4 : parseIPv6
  const example = family === 'ipv4' ? '192.0.2.1' : '2001:db8::1'
  const text = (value: bigint): string => formatAddress(toRegister(value, 8 * size, 'network'), 0, family)
  return {
    name,
    number,
    bits: 8 * size,
    order: 'network',
    text: false,
    flags: false,
    parse(given) {
      const bytes = new Uint8Array(size)
      if (typeof given === 'string' && parse(given, bytes, 0)) return fromRegister(bytes, 8 * size, 'network')
      const short = family === 'ipv4' ? parseShort(String(given)) : undefined
      if (short !== undefined) return short
      throw new BadValue('type', `${shown(given)} is no ${name}: give an address, as "${example}"`)
    },
    json: text,
    print: text,
    printNumber: text,
  }
}

/** As inet_aton(3), by which nft reads addresses: the last part fills what is left, and each is decimal, octal or hexadecimal. */
function parseShort(given: string): bigint | undefined {
  const parts = given.split('.')
  if (parts.length > 4 || !parts.every(part => /^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.test(part))) return undefined
  const numbers = parts.map(part => Number(/^0[0-7]+$/.test(part) ? `0o${part}` : part))
  const last = numbers.pop() as number
  if (numbers.some(number => number > 255) || last >= 256 ** (4 - numbers.length)) return undefined
  return BigInt(numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last))
}

/** An address of the link layer: pairs of hexadecimal digits. `bits` 0: as long as what it is compared with. */
export function linkType(name: string, number: number, bits: number): ValueType {
  const text = (value: bigint, asked: number): string =>
    Array.from(toRegister(value, bits || asked, 'network'), byte => byte.toString(16).padStart(2, '0')).join(':')
  return {
    name,
    number,
    bits,
    order: 'network',
    text: false,
    flags: false,
    parse(given, asked) {
      const parts = typeof given === 'string' ? given.split(':') : []
      const size = (bits || asked) >> 3
      if (!parts.every(part => /^[0-9a-f]{1,2}$/i.test(part)) || parts.length === 0 || (size > 0 && parts.length > size))
        throw new BadValue('type', `${shown(given)} is no ${name}: give ${size || 'its'} bytes, as "02:00:00:00:00:01"`)
      return parts.reduce((value, part) => (value << 8n) | BigInt(`0x${part}`), 0n)
    },
    json: text,
    print: text,
    printNumber: text,
  }
}
