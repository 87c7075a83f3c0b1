/** Types of stateful objects (NFT_OBJECT_*). */
import { BadValue, entryOf, shown } from '../../netlink/schema.js'
import type { ObjectType } from '../types.js'

/** By their words here. */
export const objectTypes: Readonly<Record<ObjectType, number>> = {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
}
const WORDS = Object.keys(objectTypes) as readonly ObjectType[]
const BY_NUMBER = new Map(WORDS.map(word => [objectTypes[word], word]))

/** The number of a type; a number is itself. Throws a `BadValue`. */
export function objectTypeToWire(type: ObjectType | number): number {
  if (typeof type === 'number') return type
  const number = entryOf(objectTypes, type)
  if (number === undefined) throw new BadValue('type', `${shown(type)}: give one of ${WORDS.join(', ')}`)
  return number
}

/** The word of a type; a number that has none stays a number. */
export const objectTypeFromWire = (number: number): ObjectType | number => BY_NUMBER.get(number) ?? number
