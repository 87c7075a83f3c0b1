/** Verdicts, and maps to them (src/evaluate.c, stmt_evaluate_verdict). */
import type { Verdict } from '../../data.js'
import { at, fieldsOf } from '../../json/fields.js'
import { setOf } from '../anonymous.js'
import { emit, lookup, register, reserved, WHOLE } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { operand } from '../operand.js'
import { jumpTo } from '../verdict.js'

/** What stands behind words that are no jumps does not matter. */
export const verdict =
  (word: 'accept' | 'drop' | 'continue' | 'return' | 'jump' | 'goto') =>
  (given: unknown, rule: Lowering): void => {
    const data: Verdict = word === 'jump' || word === 'goto' ? jumpTo(word, given) : { verdict: word }
    const { chain } = data
    if (chain !== undefined) at('target', () => rule.requireNamed('chain', chain))
    rule.add({ kind: 'immediate', destination: 0, data })
  }

export function vmap(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['key', 'data'])
  const key = at('key', () => operand(rule, fields.key))
  const { key: looked, set } = at('data', () => setOf(rule, key, fields.data, { data: 'verdict' }))
  rule.add(...emit(looked, 0, Math.max(WHOLE, reserved(looked))), lookup(set, register(0), { destination: 0 }))
}
