/** Verdicts of rules and of maps (src/parser_json.c, json_parse_verdict_expr). */
import type { Verdict } from '../data.js'
import { at, fieldsOf, singleOf, textIn } from '../json/fields.js'

const PLAIN = ['accept', 'drop', 'continue', 'return'] as const
const JUMPS = ['jump', 'goto'] as const

/** Names of the verdicts that JSON has. */
export const VERDICTS: readonly string[] = [...PLAIN, ...JUMPS]

/** One of them: `{ "accept": null }`. Throws a `BadValue`. */
export function lowerVerdict(given: unknown): Verdict {
  const [name, value] = singleOf(given, VERDICTS)
  const plain = PLAIN.find(word => word === name)
  // What stands behind words that are no jumps does not matter.
  if (plain !== undefined) return { verdict: plain }
  return at(name, () => jumpTo(name === 'jump' ? 'jump' : 'goto', value))
}

/** What stands behind `jump` and `goto`. Throws a `BadValue`. */
export const jumpTo = (verdict: 'jump' | 'goto', given: unknown): Verdict => ({
  verdict,
  chain: textIn(fieldsOf(given, ['target']), 'target'),
})
