/** Elements of sets and maps. */
import type * as json from '../json/index.js'
import { renderDuration } from './duration.js'
import { type RenderOptions, renderExpression } from './expression.js'
import { renderState } from './stateful.js'
import type { Shapes } from './types.js'
import { quote, words } from './words.js'

type Pair = readonly [json.Expression, json.Expression]
const isPair = (item: json.SetItem): item is Pair => Array.isArray(item)

/** Elements as text. Elements of maps are pairs. */
export function renderItems(
  items: readonly json.SetItem[],
  options: RenderOptions,
  key: Shapes,
  data: Shapes = [],
): readonly string[] {
  return items.map(item =>
    isPair(item)
      ? `${renderKey(item[0], options, key)} : ${renderExpression(item[1], options, data)}`
      : renderKey(item, options, key),
  )
}

/** A key, with what the element carries. */
export function renderKey(key: json.Expression, options: RenderOptions, shapes: Shapes): string {
  if (key === '*') return key
  const elem = typeof key === 'object' && key !== null && 'elem' in key ? key.elem : undefined
  if (elem === undefined) return renderExpression(key, options, shapes)
  const { val, timeout, expires, comment, stmt = [], ...single } = elem
  const states = [...entries(single), ...stmt].map(state => renderState(state, options))
  return words(
    renderExpression(val, options, shapes),
    ...states,
    timeout === undefined ? undefined : `timeout ${renderDuration(timeout)}`,
    expires === undefined ? undefined : `expires ${renderDuration(expires)}`,
    comment === undefined ? undefined : `comment ${quote(comment)}`,
  )
}

const entries = (states: object): readonly json.ElementStatement[] =>
  Object.entries(states).map(([word, given]) => ({ [word]: given }) as json.ElementStatement)
