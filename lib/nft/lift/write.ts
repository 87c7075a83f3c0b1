/** Changes of the packet and of what belongs to it (src/netlink_delinearize.c, stmt_payload_postprocess, stmt_payload_binop_postprocess). */
import type { Ct, Exthdr, Meta, Payload } from '../expressions/index.js'
import type * as json from '../json/index.js'
import type { Shape } from '../vocabulary/value-type.js'
import { complete, completePacket } from './complete.js'
import { releaseForOption } from './dependencies.js'
import { express } from './express.js'
import { completed, cut, enclosing, trimmed } from './header.js'
import { add, type Reading } from './reading.js'
import { bitsOf, shapeOf } from './shape.js'
import { ctValue, exthdrValue, metaValue, payloadValue } from './source.js'
import { asNumber, constantJson, constantOf } from './typed.js'
import { type Calculation, type Constant, type PacketValue, type SelectorValue, unliftable, type Value } from './value.js'

function addWrite(reading: Reading, key: Value, value: json.Expression): void {
  add(reading, { mangle: { key: express(reading.context, key), value } })
}

/** What a register holds as the value of something of a type. */
export function assigned(reading: Reading, register: number, shape: Shape): json.Expression {
  return express(reading.context, completeValue(reading, reading.registers.get(register)), shape)
}

/** What stands in a tunnel, nft sees there only where it is compared. */
const completeValue = (reading: Reading, value: Value): Value => complete({ ...reading, inner: reading.packet }, value)

export const writeMeta = (reading: Reading, { key, source }: Meta): void =>
  writeKey(reading, metaValue({ key }), source as number)

export function writeCt(reading: Reading, { key, direction, source }: Ct): void {
  writeKey(reading, ctValue({ key, direction }, reading.context.family), source as number)
}

function writeKey(reading: Reading, key: SelectorValue, source: number): void {
  const value = completeValue(reading, reading.registers.get(source))
  const event = 'ct' in key.json && key.json.ct.key === 'event'
  // Events are a list of their own.
  const form = event ? 'list' : 'joined'
  const { context } = reading
  const given =
    value.kind === 'constant' ? constantJson(value, key.shape, context.devices, form) : express(context, value, key.shape)
  addWrite(reading, key, given)
}

export function writeOption(reading: Reading, expression: Exthdr): void {
  const { source, ...place } = expression
  const key = exthdrValue(place)
  if (key.kind !== 'option') return
  releaseForOption(reading.packet, key)
  if (source !== undefined) return addWrite(reading, key, assigned(reading, source, shapeOf(key)))
  if (key.of !== 'tcp option' || key.offset !== 0 || key.bits !== 0) unliftable('a part of an option that is removed')
  const option = express(reading.context, { ...key, present: true }) as json.TcpOptionExpression
  const { base } = option['tcp option'] as { readonly base?: number }
  add(reading, { reset: base === undefined ? option : { 'tcp option': { base, offset: 0, len: 0 } } })
}

export function writePayload(reading: Reading, expression: Payload): void {
  const place = payloadValue(expression)
  if (place.kind !== 'packet') return
  const value = reading.registers.get(expression.source as number)
  const part = partly(reading, place, value)
  if (part) {
    const key = completePacket(reading, part.place)
    addWrite(reading, key, part.value(key))
    return
  }
  const key = completePacket(reading, place)
  addWrite(reading, key, express(reading.context, complete(reading, value), shapeOf(key)))
}

interface PartialWrite {
  readonly place: PacketValue
  readonly value: (key: PacketValue) => json.Expression
}

/** Bytes that are read, changed in some bits, and written back: a field that is no whole byte. */
function partly(reading: Reading, place: PacketValue, written: Value): PartialWrite | undefined {
  if (written.kind !== 'calculated' || isPort(place) || completed(reading.packet, place).field) return undefined
  const { left, right, operator } = written
  if (right.kind !== 'constant' || bitsOf(right) !== place.bits) return undefined
  if (left.kind === 'calculated') {
    if (left.operator !== '&' || left.right.kind !== 'constant' || operator !== '|' || !isPlace(left.left, place))
      return undefined
    return assignment(reading, place, asNumber(left.right), asNumber(right))
  }
  if (!isPlace(left, place)) return undefined
  return operator === '&' ? cleared(reading, place, right) : changed(reading, place, operator, right)
}

/** nft takes these bytes for ports, whatever the protocol. */
const isPort = ({ layer, offset, bits }: PacketValue): boolean =>
  layer === 'transport' && bits === 16 && (offset === 0 || offset === 16)

const isPlace = (value: Value, { layer, offset, bits }: PacketValue): boolean =>
  value.kind === 'packet' && value.layer === layer && value.offset === offset && value.bits === bits

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n

const constantFor =
  ({ context }: Reading, value: bigint) =>
  (key: PacketValue): json.Expression =>
    constantJson(constantOf(value, key.bits), shapeOf(key), context.devices)

const calculatedFor =
  (reading: Reading, operator: Calculation, value: bigint) =>
  (key: PacketValue): json.Expression =>
    ({ [operator]: [express(reading.context, key), constantFor(reading, value)(key)] }) as unknown as json.Expression

/** `(place & kept) | set`: what is not kept is the field. */
function assignment(reading: Reading, place: PacketValue, kept: bigint, set: bigint): PartialWrite | undefined {
  const mask = constantOf((kept ^ ones(place.bits)) | set, place.bits)
  const field = trimmed(reading.packet, place, mask) ?? cut(place, mask)
  return field && { place: field.value, value: constantFor(reading, set >> BigInt(field.shift)) }
}

/** `place & kept` */
function cleared(reading: Reading, place: PacketValue, kept: Constant): PartialWrite | undefined {
  const mask = asNumber(kept) ^ ones(place.bits)
  const whole = trimmed(reading.packet, place, constantOf(mask, place.bits))
  if (whole) return { place: whole.value, value: constantFor(reading, 0n) }
  const field = enclosing(reading.packet, place, mask)
  if (field) {
    const rest = (asNumber(kept) >> BigInt(field.shift)) & ones(field.value.bits)
    return { place: field.value, value: rest === 0n ? constantFor(reading, 0n) : calculatedFor(reading, '&', rest) }
  }
  const piece = cut(place, constantOf(mask, place.bits))
  return piece && { place: piece.value, value: constantFor(reading, 0n) }
}

/** `place | set`, `place ^ flipped` */
function changed(reading: Reading, place: PacketValue, operator: Calculation, given: Constant): PartialWrite | undefined {
  const field = (operator === '|' && trimmed(reading.packet, place, given)) || enclosing(reading.packet, place, asNumber(given))
  if (!field) return undefined
  const value = asNumber(given) >> BigInt(field.shift)
  const whole = operator === '|' && value === ones(field.value.bits)
  return { place: field.value, value: whole ? constantFor(reading, value) : calculatedFor(reading, operator, value) }
}
