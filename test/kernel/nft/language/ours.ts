/** What this library makes of the same: each rule by itself, so that one that fails hides no other. */

import type { Snapshot } from '../../../../lib/nft/index.js'
import type * as json from '../../../../lib/nft/json/index.js'
import { liftRule } from '../../../../lib/nft/lift/index.js'
import { renderStatements } from '../../../../lib/nft/render/index.js'

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A rule as JSON, or why it is none. */
export type Lifted = { readonly expr: unknown; readonly comment?: string | undefined }

/** Each rule of a snapshot, lifted by itself. */
export function liftRules(snapshot: Snapshot): ReadonlyMap<string, readonly Lifted[]> {
  const elementsOf = new Map(snapshot.elements.map(({ set, elements }) => [`${set.family} ${set.table} ${set.name}`, elements]))
  const sets = new Map(snapshot.sets.map(set => [`${set.family} ${set.table} ${set.name}`, set]))
  const rules = new Map<string, Lifted[]>()
  for (const rule of snapshot.rules) {
    const { family, table, chain, comment } = rule
    const setNamed = (name: string) => {
      const set = sets.get(`${family} ${table} ${name}`)
      return set && { set, elements: elementsOf.get(`${family} ${table} ${name}`) ?? [] }
    }
    const list = rules.get(`${family} ${table} ${chain}`) ?? []
    list.push({ ...lift(() => liftRule(rule, { family, setNamed })), comment })
    rules.set(`${family} ${table} ${chain}`, list)
  }
  return rules
}

function lift(work: () => unknown): Lifted {
  try {
    return { expr: work() }
  } catch (error) {
    return { expr: `error: ${messageOf(error)}` }
  }
}

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
