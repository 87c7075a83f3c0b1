/** The text that this library makes of rules, each by itself, so that one that fails hides no other. */

import type * as json from '../../../../lib/nft/json/index.js'
import { renderStatements } from '../../../../lib/nft/render/index.js'

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The text of each rule that nft printed as JSON. */
export function renderRules(rules: ReadonlyMap<string, readonly json.Rule[]>): ReadonlyMap<string, readonly string[]> {
  return new Map([...rules].map(([chain, list]) => [chain, list.map(render)]))
}

function render({ family, expr, comment }: json.Rule): string {
  try {
    const text = renderStatements(expr, { family })
    return comment === undefined ? text : `${text} comment "${comment}"`
  } catch (error) {
    return `error: ${messageOf(error)}`
  }
}
