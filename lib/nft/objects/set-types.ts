/** The types of a set's keys and data as the kernel keeps them for nft: one number with six bits for each type of a concatenation. */
import { align4 } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import {
  type ByteOrder,
  lengthOfType,
  MAXIMUM,
  orderOfType,
  type ResolvedType,
  resolveType,
  typeFromWire,
} from '../data-types.js'
import type { DataType, DataTypes } from '../types.js'

/** TYPE_BITS */
const BITS = 6
/** How many types a number has room for, and nft can list. */
const LISTABLE = 5
/** NFT_REG32_COUNT: fields of a concatenation of intervals. */
const FIELDS = 16

/** Types that were resolved, and whether they are a concatenation. */
export interface TypeList {
  readonly types: readonly ResolvedType[]
  readonly concatenated: boolean
}

/** Resolves types. Throws a `BadValue`. */
export function resolveTypes(given: DataTypes): TypeList {
  if (!Array.isArray(given)) return { types: [resolveType(given as DataType)], concatenated: false }
  if (given.length === 0 || given.length > FIELDS) throw new BadValue('range', `${shown(given)}: give 1 to ${FIELDS} types`)
  const types = given.map((type: DataType, i) => {
    try {
      return resolveType(type)
    } catch (error) {
      throw error instanceof BadValue ? error.within(i) : error
    }
  })
  const list = { types, concatenated: types.length > 1 }
  if (lengthOf(list) > MAXIMUM)
    throw new BadValue('range', `${shown(given)}: has ${lengthOf(list)} bytes: at most ${MAXIMUM} are possible`)
  return list
}

/** Bytes of a value of all types. */
export function lengthOf({ types, concatenated }: TypeList): number {
  if (!concatenated) return (types[0] as ResolvedType).length
  return types.reduce((length, type) => length + align4(type.length), 0)
}

/** The number for all types. What is beyond 32 bits is lost, as with nft. */
export function numberOf({ types }: TypeList): number {
  return types.reduce((number, type) => ((number << BITS) | type.number) >>> 0, 0)
}

/** Refuses what nft can not list. */
export function checkListable({ types }: TypeList, unlistable: boolean | undefined): void {
  if (types.length > LISTABLE && unlistable !== true)
    throw new BadValue(
      'range',
      `has ${types.length} types: nft can not list a set of more than ${LISTABLE}: give unlistable: true if that does not matter`,
    )
}

export const isListable = (types: DataTypes | 'verdict' | undefined): boolean => !Array.isArray(types) || types.length <= LISTABLE

/** enum byteorder of nft. */
const ORDERS: Readonly<Record<ByteOrder, number>> = { none: 0, host: 1, network: 2 }

/** What nft keeps as the byte order of values: it has none for concatenations. */
export function orderNumber(types: DataTypes): number {
  const [type, another] = Array.isArray(types) ? (types as readonly DataType[]) : [types as DataType]
  return another !== undefined || type === undefined ? ORDERS.none : ORDERS[orderOfType(type)]
}

/** What is known of a set when its types are read. */
export interface TypeHints {
  /** Bytes of each field (NFTA_SET_DESC_CONCAT). */
  readonly fields?: readonly number[] | undefined
  /** What nft keeps as the byte order. */
  readonly order?: number | undefined
  /** Values of all types are in the order of the network. */
  readonly interval?: boolean | undefined
  /** It is not told as a concatenation, whatever its number says. */
  readonly plain?: boolean | undefined
}

/** The types of a number, with lengths that make up `length`. Where they do not fit, one type that is bytes. */
export function typesFromWire(number: number, length: number, { fields, order, interval, plain }: TypeHints): DataTypes {
  const numbers = numbersOf(number)
  // A longer one than the type's is of a concatenation that the number has no room for.
  const alone = numbers.length === 1 && length <= align4(lengthOfType(number) ?? length)
  if (plain || alone)
    return typeFromWire(number, length, order === ORDERS.host ? 'host' : order === ORDERS.network ? 'network' : undefined)
  const parts = fields ? ofFields(numbers, fields) : ofLengths(numbers, length)
  const whole = parts?.reduce((sum, part) => sum + align4(part.length), 0)
  if (!parts || whole !== length) return { type: number, length }
  const cut = parts.length - LISTABLE
  return parts.map((part, i) =>
    i < cut
      ? { type: part.number, length: part.length }
      : typeFromWire(part.number, part.length, interval ? 'network' : undefined),
  )
}

interface Part {
  readonly number: number
  readonly length: number
}

/** Six of them where the number is full: of the first there are two bits. */
function numbersOf(number: number): number[] {
  const numbers = [number & 63]
  for (let rest = number >>> BITS; rest > 0; rest >>>= BITS) numbers.unshift(rest & 63)
  return numbers
}

/** Where the lengths are told, there are as many types; those that the number has no room for are not known. */
function ofFields(numbers: readonly number[], fields: readonly number[]): Part[] | undefined {
  const missing = fields.length - numbers.length
  if (missing < 0) return undefined
  return fields.map((length, i) => ({ number: i < missing ? 0 : (numbers[i - missing] as number), length }))
}

/** Without them: what the types leave that have a length belongs to the last that has none, or to one that is not told. */
function ofLengths(numbers: readonly number[], length: number): Part[] | undefined {
  const known = numbers.map((number, i) => (i < numbers.length - LISTABLE ? undefined : lengthOfType(number)))
  const rest = known.reduce<number>((left, bytes) => left - align4(bytes ?? 4), length)
  const last = known.lastIndexOf(undefined)
  const parts = numbers.map((number, i) => ({ number, length: known[i] ?? 4 + (i === last ? rest : 0) }))
  if (rest === 0 || (rest > 0 && last >= 0)) return parts
  return rest > 0 && numbers.length === LISTABLE ? [{ number: 0, length: rest }, ...parts] : undefined
}
