/** Counters, limits and so on: of the rule, or objects of the table (src/evaluate.c, stmt_evaluate_objref). */
import { BadValue, shown } from '../../../netlink/schema.js'
import { at, fieldsOf } from '../../json/fields.js'
import type { ObjectType } from '../../types.js'
import { setOf } from '../anonymous.js'
import { emit, register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { behind, operand } from '../operand.js'
import { statefulOf } from '../stateful.js'

/** One of the rule's own, or an object where it is named or a map names it. */
export const stateful =
  (word: string, type?: ObjectType) =>
  (given: unknown, rule: Lowering): void => {
    const named = oldName(given)
    if (type !== undefined && (typeof named === 'string' || behindMap(named) !== undefined)) return object(type)(named, rule)
    const expression = statefulOf(word, given)
    const isEmpty = expression.kind === 'counter' && expression.packets === undefined
    rule.add(isEmpty ? { kind: 'counter', packets: 0n, bytes: 0n } : expression)
  }

/** `{ "name": … }` is what old versions wrote. */
function oldName(given: unknown): unknown {
  if (given === null || typeof given !== 'object') return given
  const { name, ...others } = given as Readonly<Record<string, unknown>>
  return name !== undefined && Object.keys(others).length === 0 ? name : given
}

function behindMap(given: unknown): unknown {
  if (given === null || typeof given !== 'object' || !('map' in given)) return undefined
  return behind(given, 'map')
}

/** An object by its name, or by a map. */
export const object =
  (type: ObjectType) =>
  (given: unknown, rule: Lowering): void => {
    if (typeof given === 'string') {
      rule.requireNamed(type, given)
      return rule.add({ kind: 'objref', type, name: given })
    }
    const map = behindMap(given)
    if (map === undefined)
      throw new BadValue('type', `${shown(given)}: give the name of an object of the type ${type}, or a map to them`)
    at('map', () => {
      const fields = fieldsOf(map, ['key', 'data'])
      const key = at('key', () => operand(rule, fields.key))
      const { key: looked, set } = at('data', () => setOf(rule, key, fields.data, { objects: type }))
      const id = set.id === undefined ? {} : { setId: set.id }
      rule.add(...emit(looked), { kind: 'objref', source: register(0), set: set.name, ...id })
    })
  }
