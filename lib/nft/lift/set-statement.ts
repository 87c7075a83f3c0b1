/** Statements that add to sets and maps (src/netlink_delinearize.c, netlink_parse_dynset). */
import type { Dynset, StatefulExpression } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { shapesOf } from '../vocabulary/shapes.js'
import type { Shape } from '../vocabulary/value-type.js'
import { complete } from './complete.js'
import { express } from './express.js'
import { keyAndSet } from './match.js'
import { add, type Reading } from './reading.js'
import { HOST_NUMBER } from './shape.js'
import { word } from './source.js'
import { liftStateful, periodOf } from './stateful.js'
import { isAnonymous, unliftable, type Value } from './value.js'

export function readDynset(reading: Reading, dynset: Dynset): void {
  const { set: name, key: source, data, operation, timeout = 0, expression, expressions, flags = [] } = dynset
  if (flags.length > 0) unliftable('flags')
  const { key, set } = keyAndSet(reading, source, name)
  const val = keyJson(reading, key, shapesOf(set.set.key))
  const seconds = reading.context.whole ? timeout / 1000 : Math.trunc(timeout / 1000)
  const elem: json.Expression = timeout > 0 ? { elem: { val, timeout: seconds } } : val
  const stmt = (expressions ?? (expression === undefined ? [] : [expression])).map(statement)
  const op = word<'add' | 'update' | 'delete'>(operation)
  if (isAnonymous(set)) return readMeter(reading, name, elem, stmt, set.set.size)
  const statements = stmt.length > 0 ? { stmt } : {}
  if (data === undefined) {
    add(reading, { set: { op, elem, set: `@${name}`, ...statements } })
    return
  }
  const mapped = set.set.data
  const shape = mapped === undefined || mapped === 'verdict' ? undefined : shapesOf(mapped)[0]
  const value = express(reading.context, complete(reading, reading.registers.get(data)), shape ?? HOST_NUMBER)
  add(reading, { map: { op, elem, data: value, map: `@${name}`, ...statements } })
}

/** Constants have the types of the set. */
function keyJson({ context }: Reading, key: Value, shapes: readonly Shape[]): json.Expression {
  const isTyped = key.kind === 'concatenated' && key.parts.some(part => part.kind === 'constant')
  if (!isTyped) return express(context, key, key.kind === 'constant' ? shapes[0] : undefined)
  return { concat: key.parts.map((part, i) => express(context, part, part.kind === 'constant' ? shapes[i] : undefined)) }
}

function readMeter(
  reading: Reading,
  name: string,
  key: json.Expression,
  statements: readonly json.Statement[],
  size?: number,
): void {
  const [stmt] = statements
  if (stmt === undefined || statements.length > 1) return unliftable('a meter')
  add(reading, { meter: { name, key, stmt, ...(size === undefined ? {} : { size }) } })
}

function statement(expression: StatefulExpression): json.Statement {
  return (statefulStatement(expression, true) ?? unliftable('a statement of elements')) as json.Statement
}

/** Undefined for what the language has no words for. */
export function statefulStatement(expression: StatefulExpression, stateless: boolean): json.ElementStatement | undefined {
  if (expression.kind === 'limit' && periodOf(expression.unit) === undefined) return undefined
  if ('flags' in expression && expression.flags?.some(flag => typeof flag === 'number')) return undefined
  return liftStateful(expression, stateless)
}
