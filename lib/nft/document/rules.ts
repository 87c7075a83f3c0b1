/** Rules of documents. */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, type Fields, fieldsOf, numberIn, optionalNumber, textIn } from '../json/fields.js'
import { lowerRule } from '../lower/index.js'
import { checkName } from '../lower/names.js'
import type { Command, Rule } from '../types.js'
import type { Devices } from '../vocabulary/value-type.js'
import { familyIn } from './identity.js'
import type { Known, Owned, RulePlace } from './known.js'
import { commentIn } from './lower-objects.js'

const RULE = ['family', 'table', 'chain', 'expr', 'handle', 'index', 'comment']

export type RuleVerb = 'add' | 'insert' | 'replace'

/** The commands for a rule: the sets that it needs, and itself. */
export function ruleCommands(verb: RuleVerb, given: unknown, known: Known, devices: Devices | undefined): Command[] {
  const fields = fieldsOf(given, RULE)
  const of: Owned = { family: familyIn(fields), table: textIn(fields, 'table') }
  const chain = textIn(fields, 'chain')
  at('chain', () => checkName('chain', chain, of, known.named(of, 'chain')))
  const { expressions, sets } = at('expr', () =>
    lowerRule(statementsIn(fields), {
      ...of,
      chain: known.chain(of, chain) ?? {},
      setNamed: name => known.set(of, name),
      named: kind => known.named(of, kind),
      nextId: () => known.nextId(),
      devices,
    }),
  )
  const rule: Rule = { ...of, chain, expressions, ...commentIn(fields) }
  return [
    ...sets.flatMap(({ set, elements }): Command[] => [
      { add: { set } },
      ...(elements.length > 0 ? [{ add: { elements: { set, elements } } }] : []),
    ]),
    placed(verb, rule, fields, known),
  ]
}

function statementsIn({ expr }: Fields) {
  if (expr === undefined) throw new BadValue('type', 'is missing: give a list of statements')
  if (!Array.isArray(expr)) throw new BadValue('type', `${shown(expr)}: give a list of statements`)
  return expr
}

function placed(verb: RuleVerb, rule: Rule, fields: Fields, known: Known): Command {
  const rules = known.rules(rule, rule.chain)
  if (verb === 'replace') {
    const handle = numberIn(fields, 'handle', 1)
    return { replace: { rule: { ...rule, handle } } }
  }
  const id = known.nextId()
  const given = placeIn(verb, fields, rules)
  const own = given?.at ?? (verb === 'add' ? rules.length : 0)
  rules.splice(own, 0, { positionId: id })
  const whole = { ...rule, id, ...given?.place }
  return verb === 'add' ? { add: { rule: whole } } : { insert: { rule: whole } }
}

/** Behind or before which rule it comes, and which number it gets in the chain. A handle counts only where a rule is inserted. */
function placeIn(
  verb: 'add' | 'insert',
  fields: Fields,
  rules: readonly RulePlace[],
): { readonly place: RulePlace; readonly at: number } | undefined {
  const index = optionalNumber(fields, 'index')
  const handle = optionalNumber(fields, 'handle')
  if (index !== undefined) {
    const place = rules[index]
    if (!place) {
      const there =
        rules.length === 0 ? 'the chain has no rules' : `the chain has ${rules.length} rules: give 0 to ${rules.length - 1}`
      throw new BadValue('range', `${index}: there is no such rule: ${there}`).within('index')
    }
    return { place, at: verb === 'add' ? index + 1 : index }
  }
  if (verb !== 'insert' || handle === undefined) return undefined
  const found = rules.findIndex(place => 'position' in place && place.position === handle)
  return { place: { position: handle }, at: Math.max(0, found) }
}

const REFERENCE = ['family', 'table', 'chain', 'handle', 'index', 'expr', 'comment']

/** Names a rule that is removed. */
export function ruleKey(given: unknown): Owned & { readonly chain: string; readonly handle: number } {
  const fields = fieldsOf(given, REFERENCE)
  return {
    family: familyIn(fields),
    table: textIn(fields, 'table'),
    chain: textIn(fields, 'chain'),
    handle: numberIn(fields, 'handle', 1),
  }
}
