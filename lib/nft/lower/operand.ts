/** Expressions of JSON as terms (src/parser_json.c, json_parse_expr; src/evaluate.c, expr_evaluate). */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, fieldsOf, nearestWord, objectOf } from '../json/fields.js'
import { integerOf } from '../vocabulary/types/number.js'
import { INTEGER } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'
import { mapOf } from './anonymous.js'
import { spanOf } from './constant.js'
import type { Lowering } from './lowering.js'
import { turned, turnedHeader } from './selectors/bits.js'
import * as generators from './selectors/generators.js'
import * as keys from './selectors/keys.js'
import * as options from './selectors/option.js'
import { payload } from './selectors/payload.js'
import { type Binary, type BinaryOperator, type Constant, inOrder, type Term, wholeBytes } from './terms.js'

/** What a value is wanted for: types that constants get, one for each field of a concatenation. */
export type Wanted = readonly Shape[] | undefined

type Selector = (given: unknown, rule: Lowering) => Term

const SELECTORS: Readonly<Record<string, Selector>> = {
  payload,
  exthdr: options.exthdr,
  'tcp option': options.tcpOption,
  'ip option': options.ipOption,
  'sctp chunk': options.sctpChunk,
  'dccp option': options.dccpOption,
  meta: keys.meta,
  rt: keys.rt,
  ct: keys.ct,
  numgen: generators.numgen,
  jhash: (given, rule) => generators.jhash(given, hashed => operand(rule, hashed)),
  symhash: generators.symhash,
  fib: keys.fib,
  socket: keys.socket,
  osf: keys.osf,
  ipsec: keys.ipsec,
  tunnel: keys.tunnel,
}
const OPERATORS: readonly BinaryOperator[] = ['|', '^', '&', '<<', '>>']
const WORDS: readonly string[] = [...Object.keys(SELECTORS), ...OPERATORS, 'concat', 'map', 'set', 'range', 'prefix', 'elem']

/** The word that says what an expression is, and what stands behind it. */
export function wordOf(given: unknown): readonly [word: string, value: unknown] | undefined {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return undefined
  const names = Object.keys(given)
  const [word] = names
  if (word === undefined || names.length > 1)
    throw new BadValue('type', `${shown(given)}: give an object with one field, that says what it is`)
  return [word, objectOf(given)[word]]
}

/** What a field of an expression is; undefined where it is another one. */
export function behind(given: unknown, word: string): unknown {
  const found = wordOf(given)
  return found?.[0] === word ? found[1] : undefined
}

/** A term for an expression. Constants get the types that are wanted. Throws a `BadValue`. */
export function operand(rule: Lowering, given: unknown, wanted?: Wanted): Term {
  const found = wordOf(given)
  if (found === undefined) return constant(rule, given, wanted)
  const [word, value] = found
  const selector = SELECTORS[word]
  if (selector !== undefined) return at(word, () => (rule.setting ? turned(selector(value, rule)) : selector(value, rule)))
  const operator = OPERATORS.find(known => known === word)
  if (operator !== undefined) return at(word, () => binary(rule, operator, value, wanted))
  if (word === 'concat') return at(word, () => concatenation(rule, value, wanted))
  if (word === 'map') return at(word, () => mapped(rule, value, wanted))
  if (word === 'elem') return at(word, () => at('val', () => operand(rule, objectOf(value).val, wanted)))
  if (WORDS.includes(word)) return constant(rule, given, wanted)
  throw new BadValue('type', `there is no such expression: ${nearestWord(word, WORDS)}`).within(word)
}

function constant(rule: Lowering, given: unknown, wanted: Wanted): Constant {
  const [shape, another] = wanted ?? []
  if (shape === undefined || another !== undefined)
    throw new BadValue('type', `${shown(given)}: has no type of its own here: give an expression`)
  const { from, to } = spanOf(loose(given, shape), shape, rule.context.devices)
  if (from !== to) throw new BadValue('type', `${shown(given)}: give a single value`)
  return { kind: 'constant', value: from, shape, width: wholeBytes(shape.bits) }
}

/** Addresses are understood as numbers, too (inet_aton); those of Ethernet by their last byte in hexadecimal digits. */
export function loose(given: unknown, shape: Shape): unknown {
  if (shape.type.name === 'ether_addr' && typeof given === 'number' && given >= 0 && given < 100)
    return `00:00:00:00:00:${String(given).padStart(2, '0')}`
  if (shape.type.name !== 'ipv4_addr') return given
  const value = typeof given === 'number' || typeof given === 'string' ? integerOf(given) : undefined
  if (value === undefined || value > 0xffff_ffffn) return given
  return [24n, 16n, 8n, 0n].map(by => (value >> by) & 255n).join('.')
}

const NUMBER: Shape = { type: INTEGER, bits: 32, order: 'host' }

function binary(rule: Lowering, operator: BinaryOperator, given: unknown, wanted: Wanted): Term {
  if (!Array.isArray(given) || given.length < 2) throw new BadValue('type', `${shown(given)}: give two operands or more`)
  const isShift = operator === '<<' || operator === '>>'
  if (isShift && given.length > 2) throw new BadValue('type', `${shown(given)}: give a value and how far to shift it`)
  const first = at(0, () => operand(rule, given[0], wanted))
  return given.slice(1).reduce<Term>((left, right, i) => {
    const shapes = isShift ? [NUMBER] : [{ ...left.shape, bits: Math.max(left.shape.bits, wanted?.[0]?.bits ?? 0) }]
    const second = at(i + 1, () => operand(rule, right, shapes))
    return combined(operator, left, second, wanted?.[0])
  }, first)
}

/** Calculates with constants at once. */
function combined(operator: BinaryOperator, left: Term, right: Term, wanted: Shape | undefined): Term {
  if (left.kind === 'constant' && right.kind === 'constant')
    return { ...left, value: calculated(operator, left.value, right.value) }
  if (left.kind === 'constant' && operator !== '<<' && operator !== '>>') return combined(operator, right, left, wanted)
  if (left.kind === 'concat' || right.kind === 'concat') throw new BadValue('type', 'concatenations can not be calculated with')
  const isShift = operator === '<<' || operator === '>>'
  const width = Math.max(left.width, wholeBytes(wanted?.bits ?? 0))
  const isMixed = right.kind !== 'constant' && left.shape.order !== right.shape.order
  const isHost = isShift || isMixed || (wanted?.order === 'host' && width > left.width)
  // A single byte has no order.
  const one = isHost && left.width > 8 ? inOrder(left, 'host') : left
  const another = isHost && !isShift ? inOrder(right, 'host') : right
  const order = width > left.width ? (wanted?.order ?? one.shape.order) : one.shape.order
  // What is shifted is a plain number.
  const shape: Shape = { ...one.shape, order, ...(isShift && { type: INTEGER }) }
  const second: Term = another.kind === 'constant' && !isShift ? { ...another, shape, width } : another
  return { kind: 'binary', operator, left: one, right: second, shape, width } satisfies Binary
}

export function calculated(operator: BinaryOperator, a: bigint, b: bigint): bigint {
  if (operator === '|') return a | b
  if (operator === '&') return a & b
  if (operator === '^') return a ^ b
  return operator === '<<' ? a << b : a >> b
}

function concatenation(rule: Lowering, given: unknown, wanted: Wanted): Term {
  if (!Array.isArray(given) || given.length < 2) throw new BadValue('type', `${shown(given)}: give two expressions or more`)
  const parts = given.map((part, i) => at(i, () => operand(rule, part, wanted?.[i] && [wanted[i] as Shape])))
  const [first] = parts as [Term]
  const width = parts.reduce((sum, part) => sum + 32 * Math.ceil(part.width / 32), 0)
  return turnedHeader({ kind: 'concat', parts, given: { concat: given }, shape: first.shape, width })
}

function mapped(rule: Lowering, given: unknown, wanted: Wanted): Term {
  const fields = fieldsOf(given, ['key', 'data'])
  const key = at('key', () => operand(rule, fields.key, rule.setting ? wanted : undefined))
  return at('data', () => mapOf(rule, key, fields.data, wanted))
}
