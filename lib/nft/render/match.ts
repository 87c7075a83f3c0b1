/** Comparisons. */
import type * as json from '../json/index.js'
import { typesOf } from '../vocabulary/type-of.js'
import { type RenderOptions, renderExpression } from './expression.js'
import { comparedTypes, isTunnelField, precedenceOf } from './types.js'

/**
 * `==` is left out, except after calculations, and before a single constant of a type with flags: without it text means that one of the flags
 * is set.
 */
function showsEquality(left: json.Expression, right: json.Expression, flags: boolean): boolean {
  return (
    precedenceOf(left) > 0 ||
    (flags && (typeof right === 'string' || typeof right === 'number') && !String(right).startsWith('@'))
  )
}

export function renderMatch({ op, left, right }: json.MatchStatement['match'], options: RenderOptions): string {
  const single = typeof right === 'number' && (op === '==' || op === '!=')
  const shapes = single && isTunnelField(left) ? [] : comparedTypes(left, options.family)
  // `bitmask` itself, the type that the others are made of, is none of those with flags to name.
  const flags = shapes[0]?.type.flags === true && shapes[0].type.name !== 'bitmask'
  const hidden = op === 'in' || (op === '==' && (!showsEquality(left, right, flags) || isTurned(left, right, options)))
  return [
    renderExpression(presence(left, right), options),
    ...(hidden ? [] : [op]),
    renderExpression(right, options, shapes),
  ].join(' ')
}

/** Numbers of the machine are turned round before they are compared with a range: nft does not see then that they are calculated. */
function isTurned(left: json.Expression, right: json.Expression, { family }: RenderOptions): boolean {
  if (precedenceOf(left) === 0 || typeof right !== 'object' || right === null || !('range' in right)) return false
  const [shape] = typesOf(left, family)
  const isShifted = '<<' in (left as object) || '>>' in (left as object)
  return shape !== undefined && shape.bits > 8 && (isShifted || shape.order === 'host')
}

/** Whether there is an option that only has a number is written without what is read of it. */
const presence = (left: json.Expression, right: json.Expression): json.Expression =>
  asksPresence(right) ? withoutPlace(left) : left

function asksPresence(right: json.Expression): boolean {
  if (typeof right !== 'object' || right === null || !('set' in right)) return typeof right === 'boolean'
  return Array.isArray(right.set) ? right.set.some(item => typeof item === 'boolean') : typeof right.set === 'boolean'
}

/** An option by its number, whatever is read of it. */
export function withoutPlace(expression: json.Expression): json.Expression {
  if (typeof expression !== 'object' || expression === null || !('tcp option' in expression)) return expression
  const option = expression['tcp option']
  return 'base' in option ? { 'tcp option': { name: String(option.base) } } : expression
}
