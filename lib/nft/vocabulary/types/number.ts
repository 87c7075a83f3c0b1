/** Types whose constants are numbers, with words for some of them or without. */

import { nearest } from '../../../netlink/nearest.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { ByteOrder } from '../../data-types.js'
import type { Immediate } from '../../json/index.js'
import { bigintOf, wholeOf } from '../../json/number.js'
import type { ValueType } from '../value-type.js'
import { numberOf, type SymbolTable, symbolsOf, wordOf } from './symbols.js'

export interface NumberDescription {
  readonly name: string
  readonly number: number
  readonly bits: number
  readonly order: ByteOrder
  readonly symbols?: SymbolTable | undefined
  /** Whether words are quoted in text. */
  readonly quoted?: boolean | undefined
  /** Whether words are understood, but never printed. */
  readonly silent?: boolean | undefined
  readonly flags?: boolean | undefined
  /** How text shows numbers without a word; default decimal. */
  readonly format?: ((value: bigint) => string) | undefined
}

/** A type whose constants are numbers. */
export function numberType(description: NumberDescription): ValueType {
  const { name, number, bits, order, symbols, quoted, silent, flags = false, format = String } = description
  const word = (value: bigint): string | undefined => (silent ? undefined : wordOf(symbolsOf(symbols), value))
  return {
    name,
    number,
    bits,
    order,
    text: false,
    flags,
    parse(given, asked) {
      const known = typeof given === 'string' ? numberOf(symbolsOf(symbols), given) : undefined
      return (
        known ??
        inRange(integerOf(given) ?? signed(given, asked || bits) ?? refuse(given, name, symbolsOf(symbols)), asked || bits)
      )
    },
    json: value => word(value) ?? jsonNumber(value),
    print(value) {
      const known = word(value)
      return known === undefined ? format(value) : quoted ? `"${known}"` : known
    },
    printNumber: format,
    ...(flags ? { names: (value: bigint) => namesOf(value, word) } : {}),
  }
}

/** The number that a JSON value means, as GMP reads it: decimal, `0x`, `0b`, octal behind a zero. */
export function integerOf(given: Immediate): bigint | undefined {
  if (typeof given === 'bigint') return given >= 0n ? given : undefined
  if (typeof given === 'number') return Number.isInteger(given) && given >= 0 ? BigInt(given) : undefined
  if (typeof given !== 'string') return undefined
  const text = given.trim().toLowerCase()
  if (/^(0x[0-9a-f]+|0b[01]+|[1-9][0-9]*|0)$/.test(text)) return BigInt(text)
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : undefined
}

/** A number of JSON; those that a double would round are text. Above 64 bits nft writes hexadecimal text. */
export function jsonNumber(value: bigint): Immediate {
  if (value >= 1n << 64n) return `0x${value.toString(16)}`
  return wholeOf(value)
}

/** Throws where a number needs more bits than there are. 0 bits: as many as wanted. */
export function inRange(value: bigint, bits: number): bigint {
  if (bits === 0 || value < 1n << BigInt(bits)) return value
  throw new BadValue('range', `${value}: give 0 to ${(1n << BigInt(bits)) - 1n}`)
}

/** nft prints numbers of 64 bits with a sign. */
const signed = (given: Immediate, bits: number): bigint | undefined =>
  bits === 64 && typeof given === 'number' && Number.isSafeInteger(given) ? bigintOf(given) : undefined

function refuse(given: Immediate, type: string, symbols: readonly (readonly [string, bigint])[]): never {
  const words = symbols.map(symbol => symbol[0])
  if (typeof given === 'string' && words.length > 0) {
    const close = nearest(given, words)
    const remedy = close.startsWith(': did') ? close.slice(2) : `give a number, or one of ${words.slice(0, 60).join(', ')}`
    throw new BadValue('type', `${shown(given)} is no ${type}: ${remedy}`)
  }
  throw new BadValue('type', `${shown(given)} is no ${type}: give a whole number from 0, or text with one, as "0x1f"`)
}

function namesOf(value: bigint, word: (value: bigint) => string | undefined): readonly string[] | undefined {
  const names: string[] = []
  for (let bit = 1n; bit <= value; bit <<= 1n) {
    if ((value & bit) === 0n) continue
    const name = word(bit)
    if (name === undefined) return undefined
    names.push(name)
  }
  return names
}

/** `0x` and at least so many digits. */
export const hexadecimal =
  (digits = 1) =>
  (value: bigint): string =>
    `0x${value.toString(16).padStart(digits, '0')}`
