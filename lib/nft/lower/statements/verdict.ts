/** Verdicts, and maps to them (src/evaluate.c, stmt_evaluate_verdict). */
import { at, fieldsOf } from '../../json/fields.js'
import { setOf } from '../anonymous.js'
import { emit, lookup, register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { operand } from '../operand.js'
import { lowerVerdict } from '../verdict.js'

export const verdict =
  (word: string) =>
  (given: unknown, rule: Lowering): void =>
    rule.add({ kind: 'immediate', destination: 0, data: lowerVerdict({ [word]: isJump(word) ? given : null }) })

/** What stands behind the others does not matter. */
const isJump = (word: string): boolean => word === 'jump' || word === 'goto'

export function vmap(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['key', 'data'])
  const key = at('key', () => operand(rule, fields.key))
  const { key: looked, set } = at('data', () => setOf(rule, key, fields.data, { data: 'verdict' }))
  rule.add(...emit(looked), lookup(set, register(0), { destination: 0 }))
}
