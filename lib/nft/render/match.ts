/** Comparisons. */
import type * as json from '../json/index.js'
import { type RenderOptions, renderExpression } from './expression.js'
import { comparedTypes, isTunnelField } from './types.js'

const CALCULATIONS: ReadonlySet<string> = new Set(['|', '&', '^', '<<', '>>'])
const isCalculation = (expression: json.Expression): boolean =>
  typeof expression === 'object' && expression !== null && CALCULATIONS.has(Object.keys(expression)[0] ?? '')

/**
 * `==` is left out, except after calculations, and before a single constant of a type with flags: without it text means that one of the flags
 * is set.
 */
function showsEquality(left: json.Expression, right: json.Expression, flags: boolean): boolean {
  return (
    isCalculation(left) || (flags && (typeof right === 'string' || typeof right === 'number') && !String(right).startsWith('@'))
  )
}

export function renderMatch({ op, left, right }: json.MatchStatement['match'], options: RenderOptions): string {
  const single = typeof right === 'number' && (op === '==' || op === '!=')
  const shapes = single && isTunnelField(left) ? [] : comparedTypes(left, options.family)
  // `bitmask` itself, the type that the others are made of, is none of those with flags to name.
  const flags = shapes[0]?.type.flags === true && shapes[0].type.name !== 'bitmask'
  const hidden = op === 'in' || (op === '==' && !showsEquality(left, right, flags))
  return [
    renderExpression(presence(left, right), options),
    ...(hidden ? [] : [op]),
    renderExpression(right, options, shapes),
  ].join(' ')
}

/** Whether there is an option that only has a number is written without what is read of it. */
function presence(left: json.Expression, right: json.Expression): json.Expression {
  if (typeof right !== 'boolean' || typeof left !== 'object' || left === null || !('tcp option' in left)) return left
  const option = left['tcp option']
  return 'base' in option ? { 'tcp option': { name: String(option.base) } } : left
}
