/** Numbers of sets without a name have the type of what is looked up: the kernel does not tell their order, nor their length. */

import { elementCodec } from '../objects/element-codec.js'
import type { DataType, DataTypes, Element } from '../types.js'
import { dataTypeOf, shapesOf } from '../vocabulary/shapes.js'
import { typesOf } from '../vocabulary/type-of.js'
import { jsonNumber } from '../vocabulary/types/number.js'
import { INTEGER, RAW_INTEGER } from '../vocabulary/types.js'
import type { Shape, ValueType } from '../vocabulary/value-type.js'
import { forgotten, isForgotten } from './forgotten.js'
import { KEY_TYPEOF, typeofSet } from './set-type.js'
import { isOfPacket, optionOf, shapeOf } from './shape.js'
import { asNumber, constantOf } from './typed.js'
import type { NamedSet, Value } from './value.js'

/** Elements of a field that is no whole byte, where the rule does not shift it. */
export function shifted({ set, elements }: NamedSet, value: Value, shift: number): NamedSet {
  const shape = shapeOf(value)
  const bits = 8 * ((shape.bits + 7) >> 3)
  const moved = (key: unknown): unknown => {
    if (isRange(key)) return { from: moved(key.from), to: moved(key.to) }
    const bytes = bytesOf(key, set)
    return bytes
      ? constantOf((asNumber({ kind: 'constant', bytes }) >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n), bits).bytes
      : key
  }
  const typed = { ...set, key: dataTypeOf({ ...shape, bits }) }
  return { set: typed, elements: elements.map(element => ({ ...element, key: moved(element.key) as Element['key'] })) }
}

/** Elements that have more bytes than the field. */
export const shortened = (named: NamedSet, value: Value): NamedSet => (isLonger(named, value) ? shifted(named, value, 0) : named)

/** Whether a set has more bytes for a field than that has. */
export function isLonger({ set: { key } }: NamedSet, value: Value): boolean {
  if (Array.isArray(key)) return false
  const type = key as DataType
  if (typeof type !== 'object' || isNumber(type)) return false
  return value.kind === 'packet' && value.field !== undefined && type.length > Math.ceil(value.bits / 8)
}

/** A set whose words nft does not find, for its elements are longer than those. */
export const wordless = ({ shapes, ...named }: NamedSet): NamedSet => ({
  ...named,
  shapes: shapes?.map(shape => ({ ...shape, type: withoutWords(shape.type, Number.POSITIVE_INFINITY) })),
})

const isRange = (key: unknown): key is { readonly from: unknown; readonly to: unknown } =>
  key !== null && typeof key === 'object' && 'from' in key && 'to' in key

/** The bytes of a key; undefined of the element for all that no other is for. */
function bytesOf(key: unknown, { key: types }: NamedSet['set']): Uint8Array | undefined {
  if (key instanceof Uint8Array) return key
  const [type] = Array.isArray(types) ? types : [types]
  const tuple = elementCodec({ ...EMPTY, key: type }).key
  if (key === '*') return undefined
  const bytes = new Uint8Array(4 * Math.ceil(tuple.length / 4))
  tuple.write(bytes, 0, key)
  return bytes.subarray(0, tuple.length)
}

const EMPTY = { family: 'inet', table: '', name: '' } as const

interface TypedOptions {
  readonly compared: boolean
  /** Whether elements may have all bits of the bytes that they stand in. */
  readonly full: boolean
  readonly whole?: boolean | undefined
}

/** `compared`: nft then gives the elements the type of what they are compared with, else only their length and order. */
export function typedSet(named: NamedSet, key: Value, { compared, full, whole }: TypedOptions): NamedSet {
  if (isForgotten(named, whole)) return forgotten(named)
  const { set, elements } = named
  const shapes = key.kind === 'concatenated' ? key.parts.map(shapeOf) : [shapeOfKey(key)]
  const types = Array.isArray(set.key) ? (set.key as readonly DataType[]) : [set.key as DataType]
  if (types.length !== shapes.length) return { set, elements }
  const told = key.kind === 'concatenated' ? toldShapes(set, key.parts) : []
  const typed = types.map((type, i) => typeFor(type, shapes[i] as Shape))
  const lengths = typed.map(lengthOf)
  return {
    set: { ...set, key: (Array.isArray(set.key) ? typed : typed[0]) as DataTypes },
    elements: elements.map(element => ({ ...element, key: keyFor(element.key, lengths) })),
    shapes: typed.map(
      (type, i) => told[i] ?? shapeFor(type, shapes[i] as Shape, compared && types.length === 1, full, key.kind === 'packet'),
    ),
  }
}

/**
 * In concatenations nft goes by what the set keeps of an expression. That is the first field of an option or a header that is asked for, and
 * of one by its number the byte for that.
 */
function toldShapes(set: NamedSet['set'], parts: readonly Value[]): readonly (Shape | undefined)[] {
  const expression = typeofSet(set, KEY_TYPEOF)
  const isKept = set.userData?.some(({ type }) => type === KEY_TYPEOF) && !set.flags?.includes('interval')
  if (expression === undefined && !isKept) return []
  const shapes = expression === undefined ? [] : typesOf(expression, set.family)
  return parts.map((part, i) => {
    // Of pieces of the packet it keeps that they are, even if they are fields.
    if (part.kind === 'packet' && part.field && shapes[i]?.type === RAW_INTEGER) return shapes[i]
    if (part.kind !== 'option') return undefined
    if (part.present) return shapes[i] ?? KIND
    return part.of === 'tcp option' && optionOf(part) === undefined ? KIND : undefined
  })
}

const KIND: Shape = { type: INTEGER, bits: 8, order: 'network' }

/** What is calculated from the packet stands in sets as it does there. */
const shapeOfKey = (key: Value): Shape =>
  key.kind === 'calculated' && isOfPacket(key) ? { ...shapeOf(key), order: 'network' } : shapeOf(key)

const isNumber = (type: DataType): boolean => typeof type !== 'string' && type.type === 'integer'

/** The shape of what is looked up, if it is as long as the set's. */
function shapeFor(type: DataType, shape: Shape, compared: boolean, full: boolean, isField: boolean): Shape {
  const [own] = shapesOf(type) as [Shape]
  const length = typeof type === 'string' ? Math.ceil(own.bits / 8) : type.length
  const natural = Math.ceil(own.bits / 8) === length
  if (own.type.text || shape.type.text) return own
  if (Math.ceil(shape.bits / 8) !== length) return { ...own, type: withoutWords(own.type, length) }
  if (!compared && isField && isNumber(type) && shape.type.bits > 0) return { ...own, order: shape.order }
  if (!compared && (shape.type.name === 'boolean' || !isNumber(type)))
    return natural ? own : { type: withoutWords(own.type, length), bits: 8 * length, order: 'network' }
  // What was shifted may go to the last value.
  const bits = full ? 8 * length : shape.bits
  const order = own.order === 'none' || !natural ? shape.order : own.order
  return { ...shape, type: withoutWords(shape.type, length), bits, order }
}

/** nft looks for words by their bytes, of which the first are the value's where there are more of them than the type has. */
export function withoutWords(type: ValueType, length: number): ValueType {
  if (type.bits === 0 || length <= Math.ceil(type.bits / 8)) return type
  const first = 8n * BigInt(length === Number.POSITIVE_INFINITY ? 0 : length - 1)
  const isFound = (value: bigint): boolean =>
    value === 0n || (first > 0n && type.bits <= 8 && (value >> first) << first === value)
  return { ...type, json: (value, bits) => (isFound(value) ? wordOf(type, value >> first, value, bits) : jsonNumber(value)) }
}

/** The word for a value, or the number that it was found by. */
function wordOf(type: ValueType, value: bigint, number: bigint, bits: number): ReturnType<ValueType['json']> {
  const word = type.json(value, bits)
  return typeof word === 'string' ? word : jsonNumber(number)
}

function typeFor(type: DataType, shape: Shape): DataType {
  if (typeof type === 'string' || !isNumber(type) || shape.type.text) return type
  const bytes = (shape.bits + 7) >> 3
  if (bytes > type.length || (type.order !== undefined && type.length === bytes)) return type
  return dataTypeOf({ ...shape, type: shape.type.name === 'boolean' ? INTEGER : shape.type, bits: 8 * bytes })
}

const lengthOf = (type: DataType): number | undefined => (typeof type === 'string' ? undefined : type.length)

function keyFor(key: unknown, lengths: readonly (number | undefined)[]): Element['key'] {
  if (Array.isArray(key)) return key.map((part, i) => partFor(part, lengths[i])) as unknown as Element['key']
  return partFor(key, lengths[0]) as Element['key']
}

/** Bytes without what a register has more of. */
function partFor(part: unknown, length: number | undefined): unknown {
  if (length === undefined) return part
  if (part instanceof Uint8Array) return part.subarray(0, length)
  if (isRange(part)) return { from: partFor(part.from, length), to: partFor(part.to, length) }
  return part
}
