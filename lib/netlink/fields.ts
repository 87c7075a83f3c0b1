/** Checks of what callers give, before anything is sent: each says what is wrong in a `BadValue`, and `Fields` adds where it stands. */
import { type Family, familyOf, formatAddress, writeAddress } from './address.js'
import { nearest } from './nearest.js'
import { BadValue, shown } from './schema.js'

/** Takes a value that may be anything. Throws a `BadValue`. */
export type Check<T> = (value: unknown) => T

/** The fields of a plain object. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #within: string | undefined

  /**
   * Throws a `BadValue` for what is no object, and for a field that is none of `known`: it would be left out, and nobody would notice.
   *
   * @param above what the object is a field of, for the paths of errors
   */
  constructor(value: unknown, known: readonly string[], above?: string) {
    this.#within = above
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw this.#bad(new BadValue('type', `${shown(value)}: give an object`))
    this.#object = value as Readonly<Record<string, unknown>>
    for (const name in value) {
      if (known.includes(name) || this.#object[name] === undefined) continue
      throw this.#bad(new BadValue('type', `there is no such field${nearest(name, known)}`).within(name))
    }
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined
  }

  required<T>(name: string, check: Check<T>): T {
    if (!this.has(name)) throw this.#bad(new BadValue('type', 'is missing').within(name))
    return this.#check(name, check)
  }

  optional<T>(name: string, check: Check<T>): T | undefined {
    return this.has(name) ? this.#check(name, check) : undefined
  }

  #check<T>(name: string, check: Check<T>): T {
    try {
      return check(this.#object[name])
    } catch (error) {
      throw error instanceof BadValue ? this.#bad(error.within(name)) : error
    }
  }

  #bad(error: BadValue): BadValue {
    return this.#within === undefined ? error : error.within(this.#within)
  }
}

/** Says of a `BadValue` that it is below a field, or an element of a list. */
export function within<T>(name: string | number, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof BadValue ? error.within(name) : error
  }
}

/** A whole number. */
export function whole(minimum: number, maximum: number): Check<number> {
  return value => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value
    const kind = typeof value === 'number' ? 'range' : 'type'
    throw new BadValue(kind, `${shown(value)}: give a whole number from ${minimum} to ${maximum}`)
  }
}

/** One of some words, as its number. */
export function word(words: Readonly<Record<string, number>>): Check<number> {
  return value => {
    if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value] as number
    throw new BadValue(
      typeof value === 'string' ? 'range' : 'type',
      `${shown(value)}: give one of ${Object.keys(words).join(', ')}`,
    )
  }
}

/** One of some words, or a number up to `maximum`, as its number. */
export function wordOrNumber(words: Readonly<Record<string, number>>, maximum: number): Check<number> {
  return value => {
    if (typeof value === 'number') return whole(0, maximum)(value)
    if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value] as number
    const kind = typeof value === 'string' ? 'range' : 'type'
    throw new BadValue(kind, `${shown(value)}: give one of ${Object.keys(words).join(', ')}, or a number up to ${maximum}`)
  }
}

/** A list of words, as bits. */
export function bits(words: Readonly<Record<string, number>>): Check<number> {
  const bit = word(words)
  return value => listOf(bit)(value).reduce((all, one) => (all | one) >>> 0, 0)
}

/** A list. */
export function listOf<T>(check: Check<T>): Check<T[]> {
  return value => {
    if (!Array.isArray(value)) throw new BadValue('type', `${shown(value)}: give a list`)
    return value.map((element: unknown, i) => within(i, () => check(element)))
  }
}

export const boolean: Check<boolean> = value => {
  if (typeof value !== 'boolean') throw new BadValue('type', `${shown(value)}: give true or false`)
  return value
}

/** An IPv4 or IPv6 address, in its canonical form. */
export const address: Check<string> = value => {
  const bytes = new Uint8Array(16)
  if (typeof value !== 'string')
    throw new BadValue('type', `${shown(value)}: give an address as text, '10.0.0.1' or '2001:db8::1'`)
  if (writeAddress(value, familyOf(value), bytes, 0)) return formatAddress(bytes, 0, familyOf(value))
  const remedy = /^\[.*\]$|\/|%/.test(value) ? ', without brackets, prefix length or zone' : ''
  throw new BadValue('range', `${shown(value)}: is no address: give '10.0.0.1' or '2001:db8::1'${remedy}`)
}

/** A network: an address in canonical form, and how many of its bits count. */
export interface Prefix {
  readonly address: string
  readonly length: number
  readonly family: Family
}

/** `10.0.0.0/8`; an address alone is a network of its own. Bits beyond the prefix have to be 0. */
export const prefix: Check<Prefix> = value => {
  if (typeof value !== 'string')
    throw new BadValue('type', `${shown(value)}: give a network as text, '10.0.0.0/8' or '2001:db8::/32'`)
  const slash = value.indexOf('/')
  const text = slash < 0 ? value : value.slice(0, slash)
  const family = familyOf(text)
  const most = family === 'ipv6' ? 128 : 32
  const length = slash < 0 ? most : /^\d{1,3}$/.test(value.slice(slash + 1)) ? Number(value.slice(slash + 1)) : -1
  const bytes = new Uint8Array(16)
  if (!writeAddress(text, family, bytes, 0) || length < 0 || length > most)
    throw new BadValue(
      'range',
      `${shown(value)}: is no network: give an address and a prefix length of at most ${most}, '10.0.0.0/8' or '2001:db8::/32'`,
    )
  const network = masked(bytes, length)
  if (Buffer.compare(network, bytes) !== 0)
    throw new BadValue(
      'range',
      `${shown(value)}: has bits beyond its prefix length: give ${formatAddress(network, 0, family)}/${length}`,
    )
  return { address: formatAddress(bytes, 0, family), length, family }
}

/** An address without the bits beyond a prefix length. */
export function masked(address: Uint8Array, length: number): Uint8Array {
  return address.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, length - 8 * i))) & 0xff)
}
