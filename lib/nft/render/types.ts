/** The types that text shows constants with: those of the expressions that they are compared with, but for what nft forgets of them. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { NETWORK } from '../vocabulary/protocols/network.js'
import { typesOf } from '../vocabulary/type-of.js'
import { INTEGER, RAW_INTEGER } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'

/** One for each component of a concatenation. */
export type Shapes = readonly (Shape | undefined)[]

/** From the strongest to the weakest (nft's own order, not that of C). */
export const PRECEDENCE: Readonly<Record<string, number>> = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 }

/** 0 for what is no calculation. */
export const precedenceOf = (expression: json.Expression): number =>
  typeof expression === 'object' && expression !== null ? (PRECEDENCE[Object.keys(expression)[0] ?? ''] ?? 0) : 0

const operand = (expression: json.Expression): json.Expression | undefined =>
  precedenceOf(expression) === 0
    ? undefined
    : Object.values(expression as Readonly<Record<string, readonly json.Expression[]>>)[0]?.[0]

/** A field of the header of a tunnel itself. */
export function isTunnelField(expression: json.Expression): boolean {
  if (typeof expression !== 'object' || expression === null || !('payload' in expression)) return false
  const { payload } = expression
  return 'protocol' in payload && payload.protocol === payload.tunnel
}

const forgotten = (shapes: Shapes): Shapes =>
  shapes.map(shape => (shape?.type === RAW_INTEGER ? { ...shape, type: INTEGER } : shape))

/**
 * The types of what is mapped. nft forgets where numbers are of bytes that it knows nothing of, but not in all concatenations.
 */
export function keyTypes(expression: json.Expression, family: Family, elements: readonly json.SetItem[]): Shapes {
  const shapes = typesOf(expression, family)
  const field = maskedTwice(expression)
  if (field !== undefined) return [field]
  return shapes.length > 1 ? elementTypes(shapes, elements) : forgotten(shapes)
}

/** A field that nft lists as bytes with its mask, once before and once behind it turned them round: the map still has its type. */
function maskedTwice(expression: json.Expression): Shapes[number] {
  const [inside, mask] = operandsOf(expression)
  const [piece, same] = inside === undefined ? [] : operandsOf(inside)
  if (typeof mask !== 'number' || mask !== same || typeof piece !== 'object' || piece === null || !('payload' in piece))
    return undefined
  const { payload } = piece
  if (!('base' in payload) || payload.base !== 'nh') return undefined
  const digits = mask.toString(2)
  const [offset, bits] = [payload.offset + payload.len - digits.length, digits.replace(/0+$/, '').length]
  const field = NETWORK.flatMap(({ fields }) => fields).find(known => known.offset === offset && known.bits === bits)
  return field && field.type.bits > 0 ? { type: field.type, bits: payload.len, order: 'network' } : undefined
}

const operandsOf = (expression: json.Expression): readonly json.Expression[] =>
  typeof expression === 'object' && expression !== null && '&' in expression ? expression['&'] : []

/** The types of the elements of a set without a name: nothing is kept of concatenations of which something is turned round for ranges. */
export const elementTypes = (shapes: Shapes, elements: readonly json.SetItem[]): Shapes =>
  shapes.length > 1 && shapes.some(isHost) && elements.some(hasRange) ? forgotten(shapes) : shapes

const isHost = (shape: Shape | undefined): boolean => shape?.order === 'host' && shape.bits > 8 && !shape.type.text

/** Whether an element is a concatenation with a range or a prefix. */
function hasRange(item: json.SetItem | json.Expression): boolean {
  if (typeof item !== 'object' || item === null) return false
  if (Array.isArray(item)) return hasRange(item[0] as json.Expression)
  if ('elem' in item) return hasRange(item.elem.val)
  const isRange = (part: json.Expression): boolean =>
    typeof part === 'object' && part !== null && ('range' in part || 'prefix' in part)
  return 'concat' in item && (item.concat as readonly json.Expression[]).some(isRange)
}

/** The types of the data of a map that a field of the packet is set to. */
export const dataTypes = (expression: json.Expression, family: Family): Shapes => forgotten(typesOf(expression, family))

/** The types of what is compared or calculated with an expression. nft lists numbers for a tunnel's own fields. */
export function comparedTypes(expression: json.Expression, family: Family): Shapes {
  const shapes = typesOf(expression, family)
  let inner: json.Expression | undefined = expression
  while (inner !== undefined && !isTunnelField(inner)) inner = operand(inner)
  return inner === undefined ? shapes : shapes.map(shape => shape && { ...shape, type: RAW_INTEGER })
}
