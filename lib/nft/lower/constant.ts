/** Constants: from one value to another, both included (src/evaluate.c; src/datatype.c, symbol_parse). */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, fieldsOf, numberIn, objectOf } from '../json/fields.js'
import type { Immediate } from '../json/index.js'
import type { Span } from '../vocabulary/shapes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'

const IMMEDIATE = ['string', 'number', 'bigint', 'boolean']
const isImmediate = (given: unknown): given is Immediate => IMMEDIATE.includes(typeof given)

const one = (value: bigint): Span => ({ from: value, to: value })

/** What an expression without a selector means to something of this shape. Throws a `BadValue`. */
export function spanOf(given: unknown, shape: Shape, devices?: Devices): Span {
  if (Array.isArray(given)) return one(joined(given, shape, devices))
  if (typeof given === 'object' && given !== null) return compound(given, shape, devices)
  if (!isImmediate(given)) throw new BadValue('type', `${shown(given)}: give a constant of the type ${shape.type.name}`)
  return (typeof given === 'string' && shape.type.text && wildcard(given, shape)) || one(parsed(given, shape, devices))
}

function parsed(given: Immediate, { type, bits }: Shape, devices: Devices | undefined): bigint {
  if (typeof given === 'string' && given.startsWith('@'))
    throw new BadValue('type', `${shown(given)}: a named set can not stand here: give a constant of the type ${type.name}`)
  // A name that really ends in an asterisk.
  const text = type.text && typeof given === 'string' && given.endsWith('\\*') ? `${given.slice(0, -2)}*` : given
  return type.parse(text, bits, devices)
}

/** All names that begin so: `eth*`. */
function wildcard(given: string, { type, bits }: Shape): Span | undefined {
  if (!given.endsWith('*') || given.endsWith('\\*')) return undefined
  if (given === '*') throw new BadValue('type', `${shown(given)}: would be every name: leave it out`)
  const from = type.parse(given.slice(0, -1), bits)
  const behind = BigInt(Math.max(0, bits - 8 * Buffer.byteLength(given.slice(0, -1))))
  return { from, to: from | ((1n << behind) - 1n) }
}

const OPERATORS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '|': (a, b) => a | b,
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
}

function compound(given: object, shape: Shape, devices: Devices | undefined): Span {
  const [name, ...others] = Object.keys(given)
  const value = objectOf(given)[name as string]
  if (name === undefined || others.length > 0) throw new BadValue('type', `${shown(given)}: give a constant`)
  if (name === 'prefix') return at(name, () => prefix(value, shape, devices))
  if (name === 'range') return at(name, () => range(value, shape, devices))
  const operator = OPERATORS[name]
  if (operator) return at(name, () => one(calculated(operator, value, shape, devices)))
  throw new BadValue('type', `${shown(given)}: only constants can stand in sets: give one of the type ${shape.type.name}`)
}

function prefix(given: unknown, shape: Shape, devices: Devices | undefined): Span {
  const fields = fieldsOf(given, ['addr', 'len'])
  const len = numberIn(fields, 'len', 0, shape.bits)
  const address = at('addr', () => single(fields.addr, shape, devices))
  const rest = (1n << BigInt(shape.bits - len)) - 1n
  return { from: address & ~rest, to: address | rest }
}

function range(given: unknown, shape: Shape, devices: Devices | undefined): Span {
  if (!Array.isArray(given) || given.length !== 2) throw new BadValue('type', `${shown(given)}: give a first and a last value`)
  const from = at(0, () => single(given[0], shape, devices))
  const to = at(1, () => lastOf(given[1], shape, devices))
  if (from > to) throw new BadValue('range', `${shown(given)}: ends before it begins`)
  return { from, to }
}

/** nft lists an interval to the last value of all as one to the last that its bytes can have: of 6 bits to 255. */
function lastOf(given: unknown, shape: Shape, devices: Devices | undefined): bigint {
  const whole = (shape.bits + 7) & ~7
  const widest = (1n << BigInt(whole)) - 1n
  if (whole === shape.bits || given !== Number(widest)) return single(given, shape, devices)
  return (1n << BigInt(shape.bits)) - 1n
}

function calculated(
  operator: (a: bigint, b: bigint) => bigint,
  given: unknown,
  shape: Shape,
  devices: Devices | undefined,
): bigint {
  if (!Array.isArray(given) || given.length < 2) throw new BadValue('type', `${shown(given)}: give two operands or more`)
  return given.map((operand, i) => at(i, () => single(operand, shape, devices))).reduce(operator)
}

/** A list of flags is all of them. */
function joined(given: readonly unknown[], shape: Shape, devices: Devices | undefined): bigint {
  return given.reduce<bigint>((sum, flag, i) => sum | at(i, () => single(flag, shape, devices)), 0n)
}

function single(given: unknown, shape: Shape, devices: Devices | undefined): bigint {
  const { from, to } = spanOf(given, shape, devices)
  if (from !== to) throw new BadValue('type', `${shown(given)}: give a single value`)
  return from
}
