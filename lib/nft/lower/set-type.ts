/** Types of keys and data: from JSON to what a set has (src/parser_json.c, json_parse_dtype_expr). */

import { BadValue, shown } from '../../netlink/schema.js'
import { at, nearestWord, objectOf } from '../json/fields.js'
import type * as json from '../json/index.js'
import type { DataTypes, Family } from '../types.js'
import { dataTypesOf } from '../vocabulary/shapes.js'
import { typeOf } from '../vocabulary/type-of.js'
import { typeNamed, typeNumbered } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'

export { shapesOf } from '../vocabulary/shapes.js'

export interface LoweredType {
  readonly types: DataTypes
  readonly shapes: readonly Shape[]
  /** The expression whose type it is, which is kept with the set. */
  readonly expression?: json.Expression | undefined
}

/** The types that a word, a list of words or an expression means. Throws a `BadValue`. */
export function lowerSetType(given: unknown, family: Family): LoweredType {
  if (typeof given === 'string' || isWords(given)) {
    const shapes = typeof given === 'string' ? wordsOf(given) : given.map((word, i) => at(i, () => shapeNamed(word)))
    return { types: dataTypesOf(shapes), shapes }
  }
  const isObject = given !== null && typeof given === 'object' && Object.hasOwn(given, 'typeof')
  const expression = isObject ? objectOf(given).typeof : given
  return isObject ? at('typeof', () => typeOfExpression(expression, family)) : typeOfExpression(expression, family)
}

/** TYPE_MAX */
const TYPES = 47
const TYPE_NAMES: readonly string[] = Array.from({ length: TYPES }, (_, number) => typeNumbered(number)?.name).filter(
  name => name !== undefined,
)

const isWords = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.length > 0 && given.every(word => typeof word === 'string')

/** `ipv4_addr . inet_service` is understood as the list of both. */
const wordsOf = (given: string): Shape[] => given.split(' . ').map(shapeNamed)

function shapeNamed(name: string): Shape {
  const type = typeNamed(name)
  if (type === undefined) throw new BadValue('type', `${shown(name)} is no type: ${nearestWord(name, TYPE_NAMES)}`)
  if (type.bits === 0)
    throw new BadValue('type', `${shown(name)}: has no length of its own: give { "typeof": … } with an expression of that type`)
  return { type, bits: type.bits, order: type.order }
}

function typeOfExpression(expression: unknown, family: Family): LoweredType {
  const fields = fieldsIn(expression)
  const shapes = fields.map(([path, field]) => at(path, () => shapeOf(field, family)))
  return { types: dataTypesOf(shapes), shapes, expression: expression as json.Expression }
}

/** The fields of a concatenation, or the expression alone, each with its path. */
function fieldsIn(expression: unknown): (readonly [path: string, field: unknown])[] {
  if (expression === null || typeof expression !== 'object')
    throw new BadValue('type', `${shown(expression)}: give the name of a type, a list of them, or { "typeof": … }`)
  const { concat } = expression as { readonly concat?: unknown }
  const list = Array.isArray(expression) ? expression : concat
  if (!Array.isArray(list)) return [['', expression]]
  return list.map((field, i) => [Array.isArray(expression) ? `[${i}]` : `concat[${i}]`, field] as const)
}

function shapeOf(expression: unknown, family: Family): Shape {
  const shape = typeOf(expression as json.Expression, family)
  if (shape === undefined || shape.bits === 0) throw new BadValue('type', `${shown(expression)}: has no type that sets can have`)
  return shape
}
