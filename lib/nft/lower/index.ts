/** Statements of libnftables JSON as the kernel's expressions, as nft makes them. */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, nearestWord, objectOf } from '../json/fields.js'
import type * as json from '../json/index.js'
import type { LowerContext, LoweredRule } from './context.js'
import { Lowering } from './lowering.js'
import { STATEMENTS } from './statements/index.js'

export type { AnonymousSet, LowerContext, LoweredRule } from './context.js'

/** The expressions of a rule, and the sets without a name that they look into. Throws a `BadValue` with the path within `statements`. */
export function lowerRule(statements: readonly json.Statement[], context: LowerContext): LoweredRule {
  if (!Array.isArray(statements)) throw new BadValue('type', `${shown(statements)}: give a list of statements`)
  const rule = new Lowering(context)
  let last: string | undefined
  for (const [i, statement] of statements.entries()) {
    if (last !== undefined)
      throw new BadValue('type', `stands behind ${last}, where a rule ends: put it before, or into a rule of its own`).within(i)
    const word = at(i, () => lowerStatement(statement, rule))
    if (LAST.has(word)) last = word
  }
  return { expressions: rule.expressions, sets: rule.sets }
}

/** Statements that nothing is reached behind: nft takes nothing there (src/evaluate.c, rule_evaluate). */
const LAST: ReadonlySet<string> = new Set([
  ...['accept', 'drop', 'return', 'jump', 'goto', 'reject', 'queue'],
  ...['snat', 'dnat', 'masquerade', 'redirect'],
])

/** Returns its word. */
function lowerStatement(given: unknown, rule: Lowering): string {
  const fields = objectOf(given)
  const words = Object.keys(fields).filter(word => fields[word] !== undefined)
  const [word, another] = words
  if (word === undefined || another !== undefined)
    throw new BadValue('type', `${shown(given)}: give an object with one field, that says which statement it is`)
  const statement = STATEMENTS[word]
  if (statement === undefined)
    throw new BadValue('type', `there is no such statement: ${nearestWord(word, Object.keys(STATEMENTS))}`).within(word)
  at(word, () => statement(fields[word], rule))
  return word
}
