/** Values as JSON. */
import type * as json from '../json/index.js'
import type { Shape } from '../vocabulary/value-type.js'
import type { LiftContext } from './context.js'
import { liftElements } from './elements.js'
import { bitsOf, HOST_NUMBER, optionOf, shapeOf, tcpOptionName } from './shape.js'
import { asNumber, constantJson } from './typed.js'
import {
  type CalculatedValue,
  isAnonymous,
  type NamedSet,
  type OptionValue,
  type PacketValue,
  unliftable,
  type Value,
} from './value.js'

/** `expected`: the type that a constant gets. */
export function express(context: LiftContext, value: Value, expected?: Shape): json.Expression {
  switch (value.kind) {
    case 'constant':
      return constantJson(value, expected ?? shapeOf(value), context.devices)
    case 'packet':
      return packetJson(value)
    case 'option':
      return optionJson(value)
    case 'selector':
      return value.json
    case 'hash': {
      const { mod, offset, seed } = value.options
      return {
        jhash: { mod, ...(seed === undefined ? {} : { seed }), ...(offset ? { offset } : {}), expr: express(context, value.of) },
      }
    }
    case 'calculated':
      return calculation(context, value)
    case 'concatenated':
      return { concat: value.parts.map(part => maskedFlags(part) ?? express(context, part)) }
    case 'swapped':
      return express(context, value.of, expected)
    case 'mapped':
      return { map: { key: express(context, value.key), data: setJson(context, value.map) } }
  }
}

/** Of several flags of a header nft tells the number, where it masks them in a concatenation: only then does it find their type. */
function maskedFlags(part: Value): json.Expression | undefined {
  if (part.kind !== 'calculated' || part.operator !== '&' || part.left.kind !== 'packet' || part.right.kind !== 'constant')
    return undefined
  const { type, bits } = shapeOf(part.left)
  return type.flags ? { '&': [packetJson(part.left), type.json(asNumber(part.right), bits)] } : undefined
}

function packetJson({ tunnel, protocol, field, layer, offset, bits }: PacketValue): json.PayloadExpression {
  const within = tunnel === undefined ? {} : { tunnel }
  if (protocol && field) return { payload: { ...within, protocol: protocol.name, field: field.name } }
  return { payload: { base: BASES[layer], offset, len: bits } }
}

const BASES = { link: 'll', network: 'nh', transport: 'th', inner: 'ih' } as const

function optionJson(value: OptionValue): json.Expression {
  const found = optionOf(value)
  if (value.of === 'dccp option') return { 'dccp option': { type: value.type } }
  if (value.of === 'tcp option' && !found) {
    const name = value.present ? undefined : tcpOptionName(value.type)
    if (name !== undefined) return { 'tcp option': { name, field: 'unknown' } }
    const [offset, len] = value.present ? [0, 8] : [value.offset, value.bits]
    return { 'tcp option': { base: value.type, offset, len } }
  }
  if (!found) return unliftable(`${value.of} ${value.type}`)
  const name = found.option.name
  const given = found.field ? { name, field: found.field.name } : { name }
  return { [value.of]: given } as unknown as json.Expression
}

function calculation(context: LiftContext, value: CalculatedValue): json.Expression {
  return { [value.operator]: operandsOf(context, value, value.operator) } as unknown as json.Expression
}

/** Several of the same operator stand beside each other. */
function operandsOf(
  context: LiftContext,
  value: Value,
  operator: CalculatedValue['operator'],
  shape?: Shape,
): readonly json.Expression[] {
  if (value.kind !== 'calculated' || value.operator !== operator) return [express(context, value, shape)]
  const shifts = operator === '<<' || operator === '>>'
  const typed = shifts ? HOST_NUMBER : operandShape(value)
  if (operator === '&' && value.left.kind === 'option' && value.left.of === 'exthdr')
    return maskedHeader(context, value.left, value)
  return [...operandsOf(context, value.left, operator, typed), ...operandsOf(context, value.right, operator, typed)]
}

/** nft finds the header of a masked part of an extension header, and no longer the field; nor the type of bytes that are none. */
function maskedHeader(context: LiftContext, part: OptionValue, { right }: CalculatedValue): readonly json.Expression[] {
  const name = optionOf({ ...part, present: true })?.option.name ?? unliftable(`exthdr ${part.type}`)
  const mask = optionOf(part) || right.kind !== 'constant' ? undefined : `0x${asNumber(right).toString(16)} [invalid type]`
  return [
    { exthdr: { name, field: 'unknown' } } as unknown as json.Expression,
    mask ?? express(context, right, operandShape({ left: part, bits: part.bits })),
  ]
}

/** Bits of what is calculated with. */
const innermost = (value: Value): number => (value.kind === 'calculated' ? innermost(value.left) : bitsOf(value))

/** Fewer bytes of a packet than are calculated with stand in the machine's order. */
function operandShape({ left, bits }: Pick<CalculatedValue, 'left' | 'bits'>): Shape {
  const shape = shapeOf(left)
  const isLonger = bits > 8 * Math.ceil(innermost(left) / 8)
  return { ...shape, bits, order: isLonger || left.kind === 'swapped' ? 'host' : shape.order }
}

/** A set or a map: its elements, or its name. */
export function setJson({ devices }: LiftContext, named: NamedSet): json.Expression {
  const { set, elements, shapes } = named
  if (!isAnonymous(named)) return `@${set.name}`
  return { set: liftElements(set, elements, { devices, key: shapes }) }
}
