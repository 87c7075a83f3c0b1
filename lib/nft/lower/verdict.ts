/** Verdicts of rules and of maps (src/parser_json.c, json_parse_verdict_expr). */

import { BadValue, shown } from '../../netlink/schema.js'
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
  return at(name, () => {
    if (plain === undefined) return jumpTo(name === 'jump' ? 'jump' : 'goto', value)
    if (value !== null) throw new BadValue('type', `${shown(value)}: give null`)
    return { verdict: plain }
  })
}

/** What stands behind `jump` and `goto`. Throws a `BadValue`. */
export const jumpTo = (verdict: 'jump' | 'goto', given: unknown): Verdict => ({
  verdict,
  chain: textIn(fieldsOf(given, ['target']), 'target'),
})
