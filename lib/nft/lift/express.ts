/** Values as JSON. */
import type * as json from '../json/index.js'
import type { Shape } from '../vocabulary/value-type.js'
import type { LiftContext } from './context.js'
import { liftElements } from './elements.js'
import { bitsOf, HOST_NUMBER, optionOf, shapeOf, tcpOptionName } from './shape.js'
import { asNumber, constantJson } from './typed.js'
import { withoutWords } from './typed-set.js'
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
      return packetJson(context, value)
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
      return { concat: value.parts.map(part => maskedFlags(context, part) ?? express(context, part)) }
    case 'swapped':
      return express(context, value.of, expected)
    case 'mapped':
      return { map: { key: express(context, value.key), data: setJson(context, value.map) } }
  }
}

/** Of several flags of a header nft tells the number, where it masks them in a concatenation: only then does it find their type. */
function maskedFlags(context: LiftContext, part: Value): json.Expression | undefined {
  if (part.kind !== 'calculated' || part.operator !== '&' || part.left.kind !== 'packet' || part.right.kind !== 'constant')
    return undefined
  const { type, bits } = shapeOf(part.left)
  return type.flags ? { '&': [packetJson(context, part.left), type.json(asNumber(part.right), bits)] } : undefined
}

/** `nft -j` leaves out which tunnel it is in that a piece of the packet stands, though nft's text has it. */
function packetJson(
  { whole }: LiftContext,
  { tunnel, protocol, field, layer, offset, bits }: PacketValue,
): json.PayloadExpression {
  const within = tunnel === undefined ? {} : { tunnel }
  if (protocol && field) return { payload: { ...within, protocol: protocol.name, field: field.name } }
  return { payload: { ...(whole && within), base: BASES[layer], offset, len: bits } }
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
  const first = firstBits(context, value)
  if (first !== undefined) return first as json.Expression
  return { [value.operator]: operandsOf(context, value, value.operator) } as unknown as json.Expression
}

/** The first bits of a piece of the packet nft takes for no piece, and forgets that they are moved (payload_expr_trim_force). */
function firstBits(
  context: LiftContext,
  { operator, left, right }: CalculatedValue,
): { readonly '&': readonly json.Expression[] } | undefined {
  const masked = left.kind === 'swapped' ? left.of : left
  if (operator !== '>>' || right.kind !== 'constant' || masked.kind !== 'calculated' || masked.operator !== '&') return undefined
  const [piece, mask] = [masked.left, masked.right]
  if (piece.kind !== 'packet' || piece.field !== undefined || mask.kind !== 'constant') return undefined
  const number = asNumber(mask)
  const isFirst = number.toString(2).length === piece.bits && /^1+0+$/.test(number.toString(2))
  return isFirst ? { '&': [packetJson(context, piece), `0x${number.toString(16)} [invalid type]`] } : undefined
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
  const first = operator === '&' && value.left.kind === 'calculated' ? firstBits(context, value.left) : undefined
  if (first) return [...first['&'], ...operandsOf(context, value.right, operator, typed)]
  if (operator === '&' && value.left.kind === 'option' && value.left.of === 'exthdr')
    return maskedHeader(context, value.left, value)
  return [...operandsOf(context, value.left, operator, typed), ...operandsOf(context, value.right, operator, typed)]
}

/** nft finds the header of a masked part of an extension header, and no longer the field; nor the type of bytes that are none. */
function maskedHeader(context: LiftContext, part: OptionValue, { right }: CalculatedValue): readonly json.Expression[] {
  const found = optionOf(part)
  const name = optionOf({ ...part, present: true, offset: 0 })?.option.name ?? unliftable(`exthdr ${part.type}`)
  const mask = found || right.kind !== 'constant' ? undefined : `0x${asNumber(right).toString(16)} [invalid type]`
  return [
    { exthdr: { name, field: (context.fields && found?.field?.name) || 'unknown' } } as unknown as json.Expression,
    mask ?? express(context, right, operandShape({ left: part, bits: part.bits })),
  ]
}

/** Bits of what is calculated with. */
function innermost(value: Value): number {
  if (value.kind === 'calculated') return innermost(value.left)
  return (value.kind === 'packet' || value.kind === 'option' ? value.moved : undefined) ?? bitsOf(value)
}

/** Fewer bytes of a packet than are calculated with stand in the machine's order, and what is beside a shift, even if that is not told. */
function operandShape({ left, bits }: Pick<CalculatedValue, 'left' | 'bits'>): Shape {
  const shape = shapeOf(left)
  const isLonger = bits > 8 * Math.ceil(innermost(left) / 8)
  const isMoved = (left.kind === 'packet' || left.kind === 'option') && left.moved !== undefined
  if (isLonger || isMoved) return { ...shape, bits, order: 'host' }
  return { ...shape, type: withoutWords(shape.type, Math.ceil(bits / 8)), bits }
}

/** A set or a map: its elements, or its name. */
export function setJson({ devices }: LiftContext, named: NamedSet): json.Expression {
  const { set, elements, shapes } = named
  if (!isAnonymous(named)) return `@${set.name}`
  return { set: liftElements(set, elements, { devices, key: shapes }) }
}
