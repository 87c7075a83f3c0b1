/** The types that text shows constants with: those of the expressions that they are compared with, but for what nft forgets of them. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { typesOf } from '../vocabulary/type-of.js'
import { RAW_INTEGER } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'

/** One for each component of a concatenation. */
export type Shapes = readonly (Shape | undefined)[]

const operand = (expression: json.Expression): json.Expression | undefined => {
  const given = typeof expression === 'object' && expression !== null ? Object.values(expression)[0] : undefined
  return Array.isArray(given) ? (given as readonly json.Expression[])[0] : undefined
}

/** A field of the header of a tunnel itself. */
export function isTunnelField(expression: json.Expression): boolean {
  if (typeof expression !== 'object' || expression === null || !('payload' in expression)) return false
  const { payload } = expression
  return 'protocol' in payload && payload.protocol === payload.tunnel
}

/** The types of what is compared or calculated with an expression. nft lists numbers for a tunnel's own fields. */
export function comparedTypes(expression: json.Expression, family: Family): Shapes {
  const shapes = typesOf(expression, family)
  let inner: json.Expression | undefined = expression
  while (inner !== undefined && !isTunnelField(inner)) inner = operand(inner)
  return inner === undefined ? shapes : shapes.map(shape => shape && { ...shape, type: RAW_INTEGER })
}
