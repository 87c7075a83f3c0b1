/** Small pieces of text. */

/** What is there, with blanks between. */
export const words = (...parts: readonly (string | number | undefined)[]): string =>
  parts.filter(part => part !== undefined && part !== '').join(' ')

/** nft's JSON writes a list with one entry as that entry. */
export const list = <T>(given: T | readonly T[] | undefined): readonly T[] =>
  given === undefined ? [] : Array.isArray(given) ? (given as readonly T[]) : [given as T]

/** Names and comments stand between quotes; nft escapes nothing in them. */
export const quote = (text: string | number): string => `"${text}"`

/** A whole number: nft's JSON shows those from 2^63 on as negative ones. */
export const unsigned = (number: number): string =>
  number < 0 && Number.isInteger(number) ? BigInt.asUintN(64, BigInt(number)).toString() : String(number)
