/** Types of keys and data as `nft -j` prints them (src/json.c, set_dtype_json). */
import type * as json from '../json/index.js'
import type { DataType, DataTypes, NftSet } from '../types.js'
import { type ElementShapes, shapesOf } from '../vocabulary/shapes.js'

/** nft's words for types. */
export function liftTypes(types: DataTypes): json.SetType {
  const words = (Array.isArray(types) ? (types as readonly DataType[]) : [types as DataType]).map(wordOf)
  const [single] = words
  return single !== undefined && words.length === 1 ? single : words
}

function wordOf(given: DataType): string {
  if (typeof given === 'string') return given
  return typeof given.type === 'string' ? given.type : 'integer'
}

/** The type of a set's keys. */
export const liftKeyType = (set: NftSet): json.SetType => liftTypes(set.key)

/** What keys of a map are mapped to; undefined for a set. */
export function liftMapType({ data, objects }: NftSet): json.SetType | undefined {
  if (objects !== undefined) return String(objects)
  return data === undefined || data === 'verdict' ? data : liftTypes(data)
}

/** Of what shape a set's elements are. */
export function shapesOfSet({ key, data, objects }: NftSet): ElementShapes {
  const values = data === undefined || data === 'verdict' ? data : shapesOf(data)
  return { key: shapesOf(key), data: objects === undefined ? values : 'object' }
}
