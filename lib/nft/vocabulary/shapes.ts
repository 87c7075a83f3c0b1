/** What values of a set's types are to nft's language, and back. */
import { type ByteOrder, orderOfType, resolveType, typeFromWire } from '../data-types.js'
import type { DataType, DataTypes } from '../types.js'
import { INTEGER, typeNumbered } from './types.js'
import type { Shape } from './value-type.js'

/** All values from one to another, both included. */
export interface Span {
  readonly from: bigint
  readonly to: bigint
}

/** Of what shape the elements of a set are. */
export interface ElementShapes {
  readonly key: readonly Shape[]
  /** What keys are mapped to. */
  readonly data?: readonly Shape[] | 'verdict' | 'object' | undefined
}

/** The shape of each type, one for each field of a concatenation. */
export function shapesOf(types: DataTypes): readonly Shape[] {
  return (Array.isArray(types) ? (types as readonly DataType[]) : [types as DataType]).map(shapeOf)
}

function shapeOf(given: DataType): Shape {
  const { number, bits } = resolveType(given)
  const type = typeNumbered(number) ?? INTEGER
  return { type, bits, order: type.bits === 0 && !type.text ? orderOfType(given) : type.order }
}

/** How constants stand in registers: the bytes of text from the first on, though nft says that its order is the machine's. */
export const registerOrder = ({ type, order }: Shape): ByteOrder => (type.text ? 'network' : order)

/** The type that a set has for values of a shape. */
export function dataTypeOf({ type, bits, order }: Shape): DataType {
  return typeFromWire(type.number, (bits + 7) >> 3, order === 'none' ? undefined : order)
}

/** The types that a set has for values of these shapes: a concatenation where there are several. */
export function dataTypesOf(shapes: readonly Shape[]): DataTypes {
  const [first, ...others] = shapes.map(dataTypeOf)
  return first !== undefined && others.length === 0 ? first : shapes.map(dataTypeOf)
}
