/** Expressions as nft's text writes them (src/expression.c). */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { renderConstant } from './constant.js'
import { renderSelector } from './selector.js'
import { renderItems } from './set.js'
import { comparedTypes, elementTypes, keyTypes, PRECEDENCE, precedenceOf, type Shapes } from './types.js'
import { renderVerdict } from './verdict.js'

export interface RenderOptions {
  /** Of the table: the family of addresses that say none of their own. */
  readonly family: Family
  /** The types of the keys of the table's sets and maps, by their names: for the constants that rules put into them. */
  readonly keyOf?: ((set: string) => Shapes) | undefined
  /** The types of the data of the table's maps, by their names. */
  readonly dataOf?: ((map: string) => Shapes) | undefined
  /** The rules of a chain without a name, which text has where it is jumped to; undefined for chains with names. */
  readonly rulesOf?: ((chain: string) => readonly string[] | undefined) | undefined
}

/** An expression as text. `shapes`: the types of its constants, where it is what another expression is compared with. */
export function renderExpression(expression: json.Expression, options: RenderOptions, shapes: Shapes = []): string {
  if (typeof expression !== 'object' || expression === null) return renderConstant(expression, shapes[0])
  if (Array.isArray(expression)) {
    const flags = expression as readonly json.Expression[]
    return flags.map(part => renderExpression(part, options, shapes)).join(',')
  }
  const [word, given] = (Object.entries(expression)[0] ?? ['', null]) as [string, never]
  const render = Object.hasOwn(COMPOUND, word) ? COMPOUND[word] : undefined
  if (render !== undefined) return render(given, options, shapes)
  return renderSelector(word, given, options) ?? renderVerdict(expression as json.VerdictExpression) ?? ''
}

function calculation(operator: string) {
  return (operands: readonly json.Expression[], options: RenderOptions, shapes: Shapes): string => {
    const own = operands[0] === undefined ? [] : comparedTypes(operands[0], options.family)
    const types = own.length > 0 ? own : shapes
    const distance = operator === '<<' || operator === '>>'
    return operands
      .map((operand, i) => {
        const text = renderExpression(operand, options, distance && i > 0 ? [] : types)
        const isWeaker = precedenceOf(operand) > (PRECEDENCE[operator] ?? 0)
        return isWeaker && !(distance && isTurned(types[0], operator)) ? `(${text})` : text
      })
      .join(` ${operator} `)
  }
}

/** Numbers of a packet are turned round before they are shifted: nft does not see through that what is calculated before. */
const isTurned = (shape: Shapes[number], operator: string): boolean =>
  shape?.order === 'network' && shape.bits > (operator === '<<' ? 8 : 16)

type Compound = (given: never, options: RenderOptions, shapes: Shapes) => string

const concat = (parts: readonly json.Expression[], options: RenderOptions, shapes: Shapes): string =>
  parts.map((part, i) => renderExpression(part, options, [shapes[i]])).join(' . ')

const range = (bounds: json.RangeExpression['range'], _options: RenderOptions, shapes: Shapes): string =>
  bounds.map(bound => renderConstant(bound, shapes[0], true)).join('-')

function prefix(given: json.PrefixExpression['prefix'], options: RenderOptions, shapes: Shapes): string {
  return `${renderExpression(given.addr, options, shapes)}/${given.len}`
}

function set(given: json.SetExpression['set'], options: RenderOptions, shapes: Shapes): string {
  const items = (Array.isArray(given) ? given : [given]) as readonly json.SetItem[]
  return `{ ${renderItems(items, options, elementTypes(shapes, items)).join(', ')} }`
}

/** The data of a map get their types from where the map stands. */
function map({ key, data }: json.MapExpression['map'], options: RenderOptions, shapes: Shapes): string {
  return `${renderExpression(key, options)} map ${renderData(key, data, options, shapes)}`
}

/** What a key is mapped to: `@name`, or a map without a name. */
export function renderData(key: json.Expression, data: json.Expression, options: RenderOptions, shapes: Shapes = []): string {
  if (typeof data !== 'object' || data === null || !('set' in data)) return renderExpression(data, options)
  const items = (Array.isArray(data.set) ? data.set : [data.set]) as readonly json.SetItem[]
  return `{ ${renderItems(items, options, keyTypes(key, options.family, items), shapes).join(', ')} }`
}

const COMPOUND: Readonly<Record<string, Compound>> = {
  '|': calculation('|'),
  '&': calculation('&'),
  '^': calculation('^'),
  '<<': calculation('<<'),
  '>>': calculation('>>'),
  concat,
  range,
  prefix,
  set,
  map,
  elem: (given: never, options, shapes) => renderItems([{ elem: given }], options, shapes).join(''),
}
