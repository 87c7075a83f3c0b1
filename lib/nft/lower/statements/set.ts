/** Changes of sets and maps by packets, and meters (src/evaluate.c, stmt_evaluate_set and stmt_evaluate_map). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Expression, StatefulExpression } from '../../expressions/index.js'
import { at, type Fields, fieldsOf, objectOf, optionalNumber, optionalWord, textIn } from '../../json/fields.js'
import type { DataTypes, NftSet } from '../../types.js'
import { dataTypesOf, shapesOf } from '../../vocabulary/shapes.js'
import { referenceTo, typeofKey } from '../anonymous.js'
import { seconds, statementsOf } from '../items.js'
import type { Lowering } from '../lowering.js'
import { behind, operand } from '../operand.js'
import { turnedHeader } from '../selectors/bits.js'
import { lowerStateful, STATEFUL } from '../stateful.js'
import { inOrder, shapesOfTerm, type Term } from '../terms.js'
import { placed } from './value.js'

const OPERATIONS = ['add', 'update', 'delete'] as const

export function set(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['op', 'elem', 'set', 'stmt'])
  change(
    fields,
    at('set', () => rule.setNamed(fields.set)),
    rule,
  )
}

export function map(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['op', 'elem', 'data', 'map', 'stmt'])
  const target = at('map', () => rule.setNamed(fields.map))
  if (target.data === undefined || target.data === 'verdict')
    throw new BadValue('type', `${shown(fields.map)}: maps its keys to nothing that packets can give`).within('map')
  change(fields, target, rule)
}

function change(fields: Fields, target: NftSet, rule: Lowering): void {
  const operation = optionalWord(fields, 'op', OPERATIONS)
  if (operation === undefined) throw new BadValue('type', 'is missing: give "add", "update" or "delete"').within('op')
  const { term, timeout, expressions } = at('elem', () => elementOf(fields.elem, shapesOf(target.key), rule))
  const own = at('stmt', () => statementsOf(fields.stmt))
  const data = target.data === undefined ? undefined : at('data', () => dataOf(fields.data, target, rule))
  const isInterval = target.flags?.includes('interval') ?? false
  const [key, value] = placed(rule, [isInterval ? inOrder(term, 'network') : term, data])
  const all = [...expressions, ...own]
  rule.add(dynset(target, operation, { key: key ?? 1, data: value, timeout, expressions: all }))
}

interface Change {
  readonly key: number
  readonly data?: number | undefined
  readonly timeout?: number | undefined
  readonly expressions: readonly StatefulExpression[]
}

function dynset(set: NftSet, operation: 'add' | 'update' | 'delete', { key, data, timeout, expressions }: Change): Expression {
  const { name, id } = referenceTo(set)
  const [expression, another] = expressions
  return {
    kind: 'dynset',
    set: name,
    ...(id !== undefined && { setId: id }),
    operation,
    key,
    ...(data !== undefined && { data }),
    ...(timeout !== undefined && { timeout: Math.round(timeout * 1000) }),
    ...(another !== undefined ? { expressions } : expression !== undefined ? { expression } : {}),
  }
}

interface Given {
  readonly term: Term
  readonly timeout?: number | undefined
  readonly expressions: readonly StatefulExpression[]
}

/** An element that packets give: a key, with what `elem` says beside it. */
function elementOf(given: unknown, shapes: ReturnType<typeof shapesOf> | undefined, rule: Lowering): Given {
  const elem = behind(given, 'elem')
  if (elem === undefined) return { term: turnedHeader(operand(rule, given, shapes)), expressions: [] }
  return at('elem', () => {
    const fields = fieldsOf(elem, ['val', 'timeout', 'expires', 'comment', 'stmt', ...STATEFUL])
    const term = at('val', () => turnedHeader(operand(rule, fields.val, shapes)))
    const beside = STATEFUL.filter(name => fields[name] !== undefined).map(name => lowerStateful({ [name]: fields[name] }))
    return {
      term,
      timeout: seconds(fields, 'timeout'),
      expressions: [...beside, ...at('stmt', () => statementsOf(fields.stmt))],
    }
  })
}

function dataOf(given: unknown, target: NftSet, rule: Lowering): Term {
  if (given === undefined) throw new BadValue('type', 'is missing: give what the key is mapped to')
  const shapes = shapesOf(target.data as DataTypes)
  const term = operand(rule, given, shapes)
  const [shape] = shapes
  return shape !== undefined && shapes.length === 1 && shape.order !== 'none' ? inOrder(term, shape.order) : term
}

const METER_SIZE = 0xffff

/** A set of its own, that grows by packets. */
export function meter(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['name', 'key', 'stmt', 'size'])
  const name = textIn(fields, 'name')
  const { term, timeout, expressions } = at('key', () => elementOf(fields.key, undefined, rule))
  const own = at('stmt', () => lowerStateful(objectOf(fields.stmt)))
  const size = optionalNumber(fields, 'size', 1, 0xffff_ffff) ?? METER_SIZE
  const flags = timeout === undefined ? (['dynamic'] as const) : (['timeout', 'dynamic'] as const)
  const target: NftSet = {
    family: rule.context.family,
    table: rule.context.table,
    name,
    key: dataTypesOf(shapesOfTerm(term)),
    flags,
    size,
    id: rule.context.nextId(),
    ...typeofKey(term),
  }
  rule.sets.push({ set: target, elements: [] })
  const [key] = placed(rule, [term])
  rule.add(
    dynset(target, timeout === undefined ? 'add' : 'update', { key: key ?? 1, timeout, expressions: [...expressions, own] }),
  )
}
