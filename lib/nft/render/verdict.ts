/** What becomes of packets. */
import type * as json from '../json/index.js'

const PLAIN: ReadonlySet<string> = new Set(['accept', 'drop', 'continue', 'return'])

/** A verdict as text; undefined for what is none. */
export function renderVerdict(expression: json.VerdictExpression): string | undefined {
  if ('jump' in expression) return `jump ${expression.jump.target}`
  if ('goto' in expression) return `goto ${expression.goto.target}`
  const word = Object.keys(expression)[0] ?? ''
  return PLAIN.has(word) ? word : undefined
}
