/** Looks at the fields of objects that come from outside: JSON that anybody wrote. Throws a `BadValue` with the place. */
import { nearest } from '../../netlink/nearest.js'
import { BadValue, shown } from '../../netlink/schema.js'
import { bigintOf, type Whole } from './number.js'

/** An object of which nothing is known but the names of its fields. */
export type Fields = Readonly<Record<string, unknown>>

/** An object with no fields but these. Fields that are undefined count as absent. */
export function fieldsOf(given: unknown, known: readonly string[]): Fields {
  const fields = objectOf(given)
  for (const name of Object.keys(fields)) {
    if (fields[name] === undefined || known.includes(name)) continue
    throw new BadValue('type', `there is no such field${nearest(name, known)}`).within(name)
  }
  return fields
}

export function objectOf(given: unknown): Fields {
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw new BadValue('type', `${shown(given)}: give an object`)
  return given as Fields
}

/** The only field of an object such as `{ "accept": null }`, which says what it is. */
export function singleOf(given: unknown, known: readonly string[]): readonly [name: string, value: unknown] {
  const fields = fieldsOf(given, known)
  const names = Object.keys(fields).filter(name => fields[name] !== undefined)
  const [name] = names
  if (name === undefined || names.length > 1)
    throw new BadValue('type', `${shown(given)}: give an object with one of the fields ${known.join(', ')}`)
  return [name, fields[name]]
}

/** A text that has to be there. */
export function textIn(fields: Fields, name: string): string {
  const value = optionalText(fields, name)
  if (value === undefined) throw new BadValue('type', 'is missing: give a text').within(name)
  return value
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  if (value === undefined || typeof value === 'string') return value
  throw new BadValue('type', `${shown(value)}: give a text`).within(name)
}

/** A whole number from `first` to `last`. */
export function optionalNumber(
  fields: Fields,
  name: string,
  first = 0,
  last: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw new BadValue('type', `${shown(value)}: give a number`).within(name)
  if (!Number.isInteger(value) || value < first || value > last)
    throw new BadValue('range', `${shown(value)}: give a whole number from ${first} to ${last}`).within(name)
  return value
}

/** A whole number of 64 bits: also as a bigint or as text with its digits. nft prints those from 2^63 on with a sign. */
export function optionalWhole(fields: Fields, name: string): bigint | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  const isWhole =
    typeof value === 'bigint' || Number.isSafeInteger(value) || (typeof value === 'string' && /^[0-9]+$/.test(value))
  if (!isWhole) throw new BadValue('type', `${shown(value)}: give a whole number, above 2^53 as text or as a bigint`).within(name)
  const whole = BigInt(value as Whole)
  if (whole < -(1n << 63n) || whole >= 1n << 64n)
    throw new BadValue('range', `${whole}: give a whole number from 0 to ${(1n << 64n) - 1n}`).within(name)
  return bigintOf(whole)
}

/** A whole number that has to be there. */
export function numberIn(fields: Fields, name: string, first?: number, last?: number): number {
  const value = optionalNumber(fields, name, first, last)
  if (value === undefined) throw new BadValue('type', 'is missing: give a number').within(name)
  return value
}

export function wholeIn(fields: Fields, name: string): bigint {
  const value = optionalWhole(fields, name)
  if (value === undefined) throw new BadValue('type', 'is missing: give a number').within(name)
  return value
}

export function optionalBoolean(fields: Fields, name: string): boolean | undefined {
  const value = fields[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw new BadValue('type', `${shown(value)}: give true or false`).within(name)
}

/** One of some words. */
export function optionalWord<W extends string>(fields: Fields, name: string, words: readonly W[]): W | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  return wordOf(value, words, name)
}

function wordOf<W extends string>(value: unknown, words: readonly W[], name: string): W {
  const word = words.find(known => known === value)
  if (word !== undefined) return word
  const remedy = typeof value === 'string' ? nearestWord(value, words) : `give one of ${words.join(', ')}`
  throw new BadValue('type', `${shown(value)}: ${remedy}`).within(name)
}

/** One word or a list of them. */
export function wordsIn<W extends string>(fields: Fields, name: string, words: readonly W[]): readonly W[] | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value)) return [wordOf(value, words, name)]
  return value.map((word, i) => wordOf(word, words, `${name}[${i}]`))
}

/** What a word that there is not may have meant. */
export function nearestWord(word: string, words: readonly string[]): string {
  return nearest(word, words).slice(2).replace('the fields are', 'give one of')
}

/** What `task` throws is within `name`. */
export function at<T>(name: string | number, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof BadValue ? error.within(name) : error
  }
}
