/** Types of keys and data as `nft -j` prints them (src/json.c, set_dtype_json). */
import { align4 } from '../../netlink/buffer.js'
import type * as json from '../json/index.js'
import type { DataType, DataTypes, NftSet } from '../types.js'
import { type ElementShapes, shapesOf } from '../vocabulary/shapes.js'
import { typesOf } from '../vocabulary/type-of.js'
import { isVerdictData, typeofFromData } from '../vocabulary/typeof-data.js'
import type { Shape } from '../vocabulary/value-type.js'

/** NFTNL_UDATA_SET_KEY_TYPEOF, NFTNL_UDATA_SET_DATA_TYPEOF */
export const KEY_TYPEOF = 3
export const DATA_TYPEOF = 4

/**
 * The expression that the type of keys or data was given by; undefined where it was given by words, and where it has not as many parts as
 * there are types: user data have no room for more than four headers' fields (NFT_USERDATA_MAXLEN).
 */
export function typeofSet(
  { userData, key, data }: Pick<NftSet, 'userData' | 'key' | 'data'>,
  type: number,
): json.Expression | undefined {
  const datum = userData?.find(datum => datum.type === type)
  const expression = datum && typeofFromData(datum.data)
  const types = type === KEY_TYPEOF ? key : data
  return expression !== undefined && partsIn(expression) === (Array.isArray(types) ? types.length : 1) ? expression : undefined
}

const partsIn = (expression: json.Expression): number =>
  typeof expression === 'object' && 'concat' in expression ? expression.concat.length : 1

/** nft's words for types. */
export function liftTypes(types: DataTypes): json.SetType {
  const words = (Array.isArray(types) ? (types as readonly DataType[]) : [types as DataType]).map(wordOf)
  const [single] = words
  return single !== undefined && words.length === 1 ? single : words
}

function wordOf(given: DataType): string {
  if (typeof given === 'string') return given === 'date' ? 'time' : given
  return typeof given.type === 'string' ? given.type : 'integer'
}

/** The type of a set's keys. A map shows the expression only where that of its data was given by one, too. */
export function liftKeyType(set: NftSet): json.SetType {
  const expression = typeofSet(set, KEY_TYPEOF)
  return expression === undefined || !isByExpression(set) ? liftTypes(set.key) : { typeof: expression }
}

function isByExpression(set: NftSet): boolean {
  if (set.data === undefined) return true
  if (set.data !== 'verdict') return typeofSet(set, DATA_TYPEOF) !== undefined
  const datum = set.userData?.find(datum => datum.type === DATA_TYPEOF)
  return datum !== undefined && isVerdictData(datum.data)
}

/** What keys of a map are mapped to; undefined for a set. `nft -j` prints words even where an expression was given. */
export function liftMapType(set: NftSet, whole = false): json.SetType | undefined {
  const { data, objects } = set
  if (objects !== undefined) return String(objects)
  if (data === undefined || data === 'verdict') return data
  const expression = whole && typeofSet(set, KEY_TYPEOF) !== undefined ? typeofSet(set, DATA_TYPEOF) : undefined
  return expression === undefined ? liftTypes(data) : { typeof: expression }
}

type Typed = Pick<NftSet, 'family' | 'key' | 'data' | 'objects' | 'userData'>

/** Of what shape a set's elements are. */
export function shapesOfSet(set: Typed): ElementShapes {
  const { data, objects } = set
  const values = data === undefined || data === 'verdict' ? data : shapesBy(set, data, DATA_TYPEOF)
  return { key: shapesBy(set, set.key, KEY_TYPEOF), data: objects === undefined ? values : 'object' }
}

/**
 * What an expression tells is more exact than the types are: how many bits there are, and in which order. Of a concatenation the kernel tells
 * only how long it is as a whole, where it has no intervals.
 */
function shapesBy(set: Pick<Typed, 'family' | 'userData' | 'key' | 'data'>, types: DataTypes, datum: number): readonly Shape[] {
  const plain = shapesOf(types)
  const expression = typeofSet(set, datum)
  if (expression === undefined) return plain
  const told = typesOf(expression, set.family)
  const fits = told.length === plain.length && lengthOf(told) === lengthOf(plain)
  return fits ? (told as readonly Shape[]) : plain
}

function lengthOf(shapes: readonly (Shape | undefined)[]): number {
  const lengths = shapes.map(shape => (shape === undefined ? Number.NaN : (shape.bits + 7) >> 3))
  const [single] = lengths
  return single !== undefined && lengths.length === 1 ? single : lengths.reduce((sum, length) => sum + align4(length), 0)
}
