/**
 * Concatenations with numbers, of which a set does not say how long they are. nft writes with a set from which expressions its types are; where
 * it could not, because the rule turns bytes round, it takes the numbers for nothing, and what follows for what stands in their place.
 */
import { elementCodec } from '../objects/element-codec.js'
import type { DataType, Element, NftSet } from '../types.js'
import { shapesOf } from '../vocabulary/shapes.js'
import type { NamedSet } from './value.js'

/** NFTNL_UDATA_SET_KEY_TYPEOF */
const KEY_TYPEOF = 3

const isNumber = (type: DataType): boolean => typeof type !== 'string' && type.type === 'integer'

/** Maps without a name to data, of which nft keeps nothing: it does not go by what it keeps of their keys then. */
const isUntold = ({ data, flags }: NftSet): boolean =>
  data !== undefined && data !== 'verdict' && (flags?.includes('anonymous') ?? false)

/** Whether nft does not find its way about in the keys. `whole`: then what it keeps of them counts all the same. */
export function isForgotten({ set }: NamedSet, whole = false): boolean {
  if (!Array.isArray(set.key) || !(set.key as readonly DataType[]).some(isNumber)) return false
  if (!whole && isUntold(set)) return true
  const datum = set.userData?.find(({ type }) => type === KEY_TYPEOF)
  return datum === undefined || componentsOf(datum.data) !== set.key.length
}

const isEnd = (data: Uint8Array, at: number): boolean => at + 2 > data.length

/** How many expressions a concatenation was made from: it is its type, and a list of them, each with its type and its length. */
function componentsOf(data: Uint8Array): number {
  const list = 2 + (data[1] ?? 0)
  if (isEnd(data, list)) return 0
  let count = 0
  for (let at = list + 2; !isEnd(data, at); at += 2 + (data[at + 1] as number)) count++
  return count
}

/** The set as nft reads it. */
export function forgotten({ set, elements }: NamedSet): NamedSet {
  const types = set.key as readonly DataType[]
  const ranges = set.flags?.includes('interval') ?? false
  const { key: tuple } = elementCodec(set)
  const words = 4 * Math.ceil(tuple.length / 4)
  const lengths = types.map(type => (isNumber(type) ? 0 : Math.ceil((shapesOf(type)[0]?.bits ?? 0) / 8)))
  const read = (key: Element['key']): Element['key'] => {
    if (key === '*') return key
    const bytes = new Uint8Array(2 * words + 64)
    if (ranges) tuple.writeRange(bytes, 0, words, key)
    else tuple.write(bytes, 0, key)
    return partsOf(bytes, lengths, ranges ? words : undefined) as Element['key']
  }
  const key = types.map((type): DataType => (isNumber(type) ? { type: 'integer', length: 1, order: 'network' } : type))
  return { set: { ...set, key }, elements: elements.map(element => ({ ...element, key: read(element.key) })) }
}

/** One value after the other: those without a length are 0. `last`: where the other ends of ranges stand. */
function partsOf(bytes: Uint8Array, lengths: readonly number[], last: number | undefined): readonly unknown[] {
  let at = 0
  return lengths.map(length => {
    if (length === 0) return 0
    const from = bytes.slice(at, at + length)
    const to = last === undefined ? from : bytes.slice(last + at, last + at + length)
    at += 4 * Math.ceil(length / 4)
    return last === undefined ? from : { from, to }
  })
}
