/**
 * Numbers of 64 bits in documents. nft writes them as plain numbers, and `JSON.parse` rounds those above 2^53: here they are text, which `nft`
 * understands as well where a constant can stand.
 */
import type * as json from './index.js'

/** A whole number: as text or as a bigint where a double would round it. What is read has text. */
export type Whole = number | bigint | string

/** As documents that are read have it. */
export const wholeOf = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()

/** Of 64 bits: nft writes those from 2^63 on with a sign. */
export const bigintOf = (value: Whole): bigint => BigInt.asUintN(64, BigInt(value))

const UNITS = ['bytes', 'kbytes', 'mbytes'] as const

type ByteUnit = (typeof UNITS)[number]

/** Bytes in the largest unit that they are a multiple of. */
export function inUnits(bytes: bigint): readonly [amount: number | string, unit: ByteUnit] {
  let amount = bytes
  let unit = 0
  while (unit < UNITS.length - 1 && amount > 0n && amount % 1024n === 0n) {
    amount /= 1024n
    unit++
  }
  return [wholeOf(amount), UNITS[unit] as ByteUnit]
}

/** Behind these is text that people wrote, whatever it looks like. */
const TEXTS: ReadonlySet<string> = new Set(['comment', 'prefix', 'context'])
/** The largest number that nft's parser of JSON takes. */
const LAST = (1n << 63n) - 1n
/** Before a number that is to stand without quotes: in no text that nft takes. */
const MARK = '\u0000'

/** A document as text, as `nft -j` prints it: no number is quoted that its parser takes. */
export function documentToText(document: json.Document): string {
  const text = JSON.stringify(document, (key, value) => {
    if (typeof value === 'bigint') return unquoted(value)
    const isNumber = typeof value === 'string' && !TEXTS.has(key) && /^[1-9][0-9]{15,18}$/.test(value)
    return isNumber ? unquoted(BigInt(value)) : value
  })
  return text.replace(/"\\u0000([0-9]+)"/g, '$1')
}

const unquoted = (value: bigint): number | string =>
  value > LAST || value <= BigInt(Number.MAX_SAFE_INTEGER) ? wholeOf(value) : `${MARK}${value}`

/** The document of a text; large numbers are text in it. Throws a `SyntaxError`. */
export function documentOfText(text: string): json.Document {
  // Strings are matched first, so that no digits within one are taken for a number.
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?[0-9]{16,}(?![0-9.eE])/g, part =>
    part.startsWith('"') || Number.isSafeInteger(Number(part)) ? part : `"${part.startsWith('-') ? bigintOf(part) : part}"`,
  )
  return JSON.parse(quoted) as json.Document
}
