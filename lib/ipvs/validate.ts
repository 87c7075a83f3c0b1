/** Checks of what the kernel would take and spoil. Every message names the field and says what to give instead. */
import { nearest } from '../netlink/nearest.js'

/** A value in words. Not what an object holds: that may be anything, and of any size. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** The name of a member, as errors begin with it: `realServer.port`. */
export function member(field: string, key: string): string {
  if (!/^[$\w]+$/.test(key)) return `${field}[${JSON.stringify(key)}]`
  return field === '' ? key : `${field}.${key}`
}

/** `"80" is no number`, or that there is nothing. */
function not(noun: string, value: unknown): string {
  return value === undefined ? 'it is missing' : `${show(value)} is no ${noun}`
}

export function integer(value: unknown, field: string, minimum: number, maximum: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`${field}: ${not('number', value)}: give a whole number from ${minimum} to ${maximum}`)
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new RangeError(`${field}: ${value} is out of range: give a whole number from ${minimum} to ${maximum}`)
  return value
}

export function oneOf<T extends string>(value: unknown, field: string, words: readonly T[]): T {
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T
  const give = `give ${words.map(word => `'${word}'`).join(', ')}`
  if (typeof value !== 'string') throw new TypeError(`${field}: ${not('word for it', value)}: ${give}`)
  throw new RangeError(`${field}: ${show(value)} is not known: ${give}`)
}

export function object(value: unknown, field: string): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new TypeError(`${field}: ${show(value)} is no object`)
}

export function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${field}: ${not('list', value)}: give a list`)
  return value
}

export function boolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${field}: ${show(value)} is neither true nor false`)
  return value
}

/** Names that the kernel keeps in `maximum` bytes without their NUL. */
export function name(value: unknown, field: string, maximum: number): string {
  const give = `give 1 to ${maximum} ASCII characters without a space`
  if (typeof value !== 'string') throw new TypeError(`${field}: ${not('name', value)}: ${give}`)
  if (value.length < 1 || value.length > maximum || !/^[\x21-\x7e]+$/.test(value))
    throw new RangeError(`${field}: ${show(value)} is no name: ${give}`)
  return value
}

/** Refuses misspelt fields: the kernel never sees them, so nobody else would. */
export function knownKeys(value: object, field: string, known: Readonly<Record<string, unknown>>): void {
  for (const key in value) {
    if (Object.hasOwn(known, key)) continue
    throw new TypeError(`${member(field, key)}: there is no such field${nearest(key, Object.keys(known))}`)
  }
}

export function malformedAddress(value: unknown, field: string): Error {
  const give = "give an IPv4 or IPv6 address as text, '10.0.0.1' or '2001:db8::1'"
  if (typeof value !== 'string') return new TypeError(`${field}: ${not('address', value)}: ${give}`)
  if (/^\[.*\]$|\/|%/.test(value))
    return new RangeError(`${field}: ${show(value)} is malformed: ${give}, without brackets, prefix length or zone`)
  return new RangeError(`${field}: ${show(value)} is no address: ${give}`)
}
