/** Sets and maps of documents (src/parser_json.c, json_parse_cmd_add_set; src/evaluate.c, set_evaluate). */
import { BadValue } from '../../netlink/schema.js'
import { at, type Fields, fieldsOf, optionalBoolean, optionalNumber, optionalWord, wordsIn } from '../json/fields.js'
import type * as json from '../json/index.js'
import { DATA_TYPEOF, KEY_TYPEOF } from '../lift/set-type.js'
import { formOf } from '../lower/elements.js'
import { seconds, statementsOf } from '../lower/items.js'
import { type LoweredType, lowerSetType } from '../lower/set-type.js'
import type { Family, NftSet, SetFlag } from '../types.js'
import type { UserDatum } from '../user-data.js'
import type { ElementShapes } from '../vocabulary/shapes.js'
import { typeofToData } from '../vocabulary/typeof-data.js'
import type { Devices } from '../vocabulary/value-type.js'
import { checkHandle, nameIn } from './identity.js'
import { commentIn } from './lower-objects.js'
import { isObjectKind } from './words.js'

const SET = [
  ...['family', 'table', 'name', 'handle', 'comment', 'type', 'map', 'policy', 'flags', 'timeout', 'gc-interval', 'size'],
  ...['auto-merge', 'stmt', 'elem', 'interval'],
]
const FLAGS = ['constant', 'interval', 'timeout', 'dynamic'] as const
const U32 = 0xffff_ffff

export const SET_FIELDS: readonly string[] = SET

export interface LoweredSet {
  readonly set: NftSet
  readonly shapes: ElementShapes
  /** As they were given, where any were. */
  readonly elem: unknown
}

export function lowerSet(kind: 'set' | 'map', given: unknown, devices: Devices | undefined): LoweredSet {
  const fields = fieldsOf(given, SET)
  checkHandle(fields)
  const named = nameIn(fields)
  if (fields.type === undefined) throw new BadValue('type', 'is missing: give the type of the keys').within('type')
  const key = at('type', () => lowerSetType(fields.type, named.family))
  const mapped = mappedBy(kind, fields, named.family)
  const shapes = { key: key.shapes, data: mapped.shapes }
  const userData = [...typeofDatum(KEY_TYPEOF, key), ...typeofDatum(DATA_TYPEOF, mapped.type)]
  const dataInterval = hasIntervalData(fields, shapes, devices)
  const set: NftSet = {
    ...named,
    key: key.types,
    ...(mapped.data !== undefined && { data: mapped.data }),
    ...(mapped.objects !== undefined && { objects: mapped.objects }),
    ...(dataInterval && { dataInterval }),
    ...settingsOf(fields),
    ...(userData.length > 0 && { userData }),
    ...commentIn(fields),
  }
  return { set, shapes, elem: fields.elem }
}

/** The JSON of nft does not say that data are ranges: the elements show it, or what this library says of a map. */
function hasIntervalData(fields: Fields, shapes: ElementShapes, devices: Devices | undefined): boolean {
  const said = optionalBoolean(fields, 'interval')
  if (said && !Array.isArray(shapes.data))
    throw new BadValue('type', 'only data of maps can be ranges: give "flags": ["interval"] for those of keys').within('interval')
  if (said || !Array.isArray(shapes.data) || fields.elem === undefined) return said ?? false
  return at('elem', () => formOf(fields.elem, shapes, devices).dataInterval)
}

function typeofDatum(number: number, type: LoweredType | undefined): UserDatum[] {
  const data = type?.expression === undefined ? undefined : typeofToData(type.expression)
  return data === undefined ? [] : [{ type: number, data }]
}

interface Mapped extends Pick<NftSet, 'data' | 'objects'> {
  readonly shapes?: ElementShapes['data']
  readonly type?: LoweredType | undefined
}

function mappedBy(kind: 'set' | 'map', { map }: Fields, family: Family): Mapped {
  if (kind === 'set' || map === undefined) {
    if (kind === 'map') throw new BadValue('type', 'is missing: give the type of what keys are mapped to').within('map')
    if (map !== undefined) throw new BadValue('type', 'only a map has one: add a map instead of a set').within('map')
    return {}
  }
  if (map === 'verdict') return { data: 'verdict', shapes: 'verdict' }
  if (isObjectKind(map)) return { objects: map, shapes: 'object' }
  const type = at('map', () => lowerSetType(map, family))
  return { data: type.types, shapes: type.shapes, type }
}

function settingsOf(fields: Fields): Partial<NftSet> {
  const policy = optionalWord(fields, 'policy', ['performance', 'memory'])
  const size = optionalNumber(fields, 'size', 0, U32)
  const timeout = seconds(fields, 'timeout')
  const gcInterval = seconds(fields, 'gc-interval')
  const expressions = at('stmt', () => statementsOf(fields.stmt))
  const flags = new Set<SetFlag>(wordsIn(fields, 'flags', FLAGS))
  if (timeout !== undefined) flags.add('timeout')
  return {
    ...(flags.size > 0 && { flags: [...flags] }),
    ...(policy && { policy }),
    ...(size && { size }),
    ...(timeout && { timeout }),
    ...(gcInterval && { gcInterval }),
    ...(optionalBoolean(fields, 'auto-merge') && { autoMerge: true }),
    ...(expressions.length > 0 && { expressions }),
  }
}

const ELEMENT = ['family', 'table', 'name', 'elem']

/** Which set the elements of a command are of, and what they are. */
export function lowerElementTarget(given: unknown): ReturnType<typeof nameIn> & { readonly elem: unknown } {
  const fields = fieldsOf(given, ELEMENT)
  if (fields.elem === undefined) throw new BadValue('type', 'is missing: give a list of elements').within('elem')
  return { ...nameIn(fields), elem: fields.elem as json.Expression }
}
