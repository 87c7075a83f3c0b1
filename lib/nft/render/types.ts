/** The types that text shows constants with: those of the expressions that they are compared with, but for what nft forgets of them. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
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

/** The types of what is mapped. nft forgets where numbers are of bytes that it knows nothing of, but not in concatenations. */
export function keyTypes(expression: json.Expression, family: Family): Shapes {
  const shapes = typesOf(expression, family)
  return shapes.length > 1 ? shapes : forgotten(shapes)
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
