/** Comparisons (src/netlink_delinearize.c, netlink_parse_cmp, netlink_parse_range, netlink_parse_lookup; relational_expr_postprocess). */
import { isDeepStrictEqual } from 'node:util'
import type { Cmp, Lookup, Range } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { fromRegister, toRegister } from '../vocabulary/bytes.js'
import { jsonNumber } from '../vocabulary/types/number.js'
import type { Shape } from '../vocabulary/value-type.js'
import { complete, completeLookup, completePacket, masked, maskedAgain, partOf, releaseTunnel } from './complete.js'
import { dependOnKey, releaseFor, releaseForAddress, remember } from './dependencies.js'
import { express, setJson } from './express.js'
import { expanded } from './header.js'
import { keyLength } from './key-length.js'
import { learnFromField, learnFromKey } from './packet.js'
import { add, type Entry, packetFor, type Reading } from './reading.js'
import { bitsOf, isOfPacket, shapeOf } from './shape.js'
import { word } from './source.js'
import { asNumber, constantJson, constantOf, numberOf, prefixOf } from './typed.js'
import { withoutWords } from './typed-set.js'
import {
  type CalculatedValue,
  type Constant,
  isAnonymous,
  type NamedSet,
  type PacketValue,
  unliftable,
  type Value,
} from './value.js'

const OPERATORS = { eq: '==', neq: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const
type Operator = (typeof OPERATORS)[keyof typeof OPERATORS]

export function readCmp(reading: Reading, { source, operator, data }: Cmp): void {
  if (!(data instanceof Uint8Array)) unliftable('a verdict')
  const right: Constant = { kind: 'constant', bytes: data }
  const op = OPERATORS[word<keyof typeof OPERATORS>(operator)]
  const left = reading.registers.get(source)
  if (wordsOf(bitsOf(left)) < wordsOf(bitsOf(right)))
    return matchConcatenation(reading, op, reading.registers.concatenation(source, bitsOf(right)), right)
  // Of three bytes that are compared with four nft makes a concatenation of one.
  if (bitsOf(left) === 24 && bitsOf(right) === 32)
    return matchConcatenation(reading, op, { kind: 'concatenated', parts: [left] }, right)
  matchConstant(reading, op, left, right)
}

const wordsOf = (bits: number): number => Math.ceil(bits / 32)

/** Several registers with one constant. */
function matchConcatenation(reading: Reading, op: Operator, left: Value, right: Constant): void {
  if (left.kind !== 'concatenated') return matchConstant(reading, op, left, right)
  const parts = left.parts.map(part => complete(reading, part))
  let at = 0
  const constants = parts.map(part => {
    const size = Math.ceil(bitsOf(part) / 8)
    const constant: Constant = { kind: 'constant', bytes: right.bytes.subarray(at, at + size) }
    at += 4 * wordsOf(bitsOf(part))
    return constantJson(constant, shapeOf(part), reading.context.devices)
  })
  addMatch(reading, op, express(reading.context, { kind: 'concatenated', parts }), { concat: constants })
}

function addMatch(reading: Reading, op: json.Operator, left: json.Expression, right: json.Expression): Entry {
  return add(reading, { match: { op, left, right } })
}

/** At least something, and behind it at most something: a range, as older versions of nft write it. */
function addBounded(
  reading: Reading,
  op: json.Operator,
  left: json.Expression,
  right: json.Expression,
  bound: json.Immediate,
): Entry {
  const last = reading.entries.at(-1)
  if (op === '<=' && last?.low !== undefined && isDeepStrictEqual(last.low.left, left)) {
    last.statement = { match: { op: '==', left, right: { range: [last.low.bound, bound] } } }
    last.low = undefined
    return last
  }
  const entry = addMatch(reading, op, left, right)
  if (op === '>=') entry.low = { left, bound }
  return entry
}

/**
 * What nft turned round in the packet is compared without a word for how: `in` is that in JSON. Text shows it, `nft -j` does not (OP_IMPLICIT).
 */
const operatorOf = ({ context }: Reading, op: Operator, left: Value): json.Operator =>
  context.whole && op === '==' && left.kind === 'swapped' && isOfPacket(left) ? 'in' : op

function matchConstant(reading: Reading, op: Operator, left: Value, right: Constant): void {
  if (left.kind === 'packet') return matchPacket(reading, op, left, asNumber(right), bitsOf(right))
  if (left.kind === 'calculated') return matchCalculated(reading, op, left, right)
  const value = complete(reading, left)
  if (left.kind === 'selector') releaseForAddress(reading.packet, left)
  const shape = shapeOf(value)
  const { context } = reading
  // What is compared with less than there is, is a prefix: text is one of its own.
  if (bitsOf(right) < shape.bits && !shape.type.text && !isUntyped(left)) {
    const given = constantOf(asNumber(right) << BigInt(shape.bits - bitsOf(right)), shape.bits)
    const addr = constantJson(given, shape, context.devices) as json.Immediate
    addMatch(reading, op, express(context, value), { prefix: { addr, len: bitsOf(right) } })
    return
  }
  const bound = boundOf(reading, numberOf(right, shape), right, shape)
  const told = operatorOf(reading, op, left)
  const isOrdered = op !== '==' && op !== '!='
  const constant =
    isOrdered && isTurned(shape) ? turnedFlags(numberOf(right, shape), shape) : constantJson(right, shape, context.devices)
  const entry = addBounded(reading, told, express(context, value), constant, bound)
  learn(reading, op, value, numberOf(right, shape), entry)
}

/** Of which nft knows the length only once it is compared: `ct original saddr`. */
const isUntyped = (value: Value): boolean =>
  value.kind === 'selector' && 'ct' in value.json && (value.json.ct.key === 'saddr' || value.json.ct.key === 'daddr')

/** What a comparison tells of the packet. */
function learn(reading: Reading, op: Operator, left: Value, value: bigint, entry: Entry): void {
  if (op !== '==' || left.kind !== 'selector') return
  const packet = packetFor(reading, left)
  const key = 'meta' in left.json ? left.json.meta.key : 'ct' in left.json ? ctKey(left.json.ct.key) : undefined
  if (key === undefined) return
  learnFromKey(packet, key, value)
  dependOnKey(packet, key, { entry, left, value })
}

const ctKey = (key: string): string | undefined => (key === 'protocol' ? 'protocol of ct' : key === 'l3proto' ? key : undefined)

/** Fields that were compared at once are told one by one (payload_match_expand). */
function matchPacket(reading: Reading, op: Operator, left: PacketValue, whole: bigint, bits: number): void {
  if (bits < left.bits) {
    const value = completePacket(reading, left)
    const addr = fieldJson(reading, value, whole << BigInt(left.bits - bits)) as json.Immediate
    addMatch(reading, op, express(reading.context, value), { prefix: { addr, len: bits } })
    return
  }
  if (op !== '==' && op !== '!=') {
    const value = completePacket(reading, left)
    const bound = boundOf(reading, whole, constantOf(whole, value.bits), shapeOf(value))
    addBounded(reading, op, express(reading.context, value), fieldJson(reading, value, whole), bound)
    return
  }
  const packet = packetFor(reading, left)
  releaseTunnel(reading, left)
  let rest = bits
  for (const part of expanded(packet, left)) {
    rest -= part.bits
    if (rest < 0) unliftable('a constant that is too short')
    const value = (whole >> BigInt(rest)) & ((1n << BigInt(part.bits)) - 1n)
    const entry = add(reading, { match: matchOf(reading, op, part, value) })
    const next = op === '==' ? learnFromField(packet, part, value) : undefined
    releaseFor(packet, part, true)
    if (next) remember(packet, next, { entry, left: part, value })
  }
}

function matchOf(reading: Reading, op: Operator, part: PacketValue, value: bigint): json.MatchStatement['match'] {
  const { context } = reading
  const left = express(context, part)
  const bits = part.field?.bits ?? part.bits
  if (part.bits === bits) return { op, left, right: fieldJson(reading, part, value) }
  const given = constantOf(value << BigInt(bits - part.bits), bits)
  const addr = constantJson(given, { ...shapeOf(part), bits }, context.devices) as json.Immediate
  return { op, left, right: { prefix: { addr, len: part.bits } } }
}

/** Of several flags nft tells the number, where they are compared without a mask. */
function fieldJson({ context }: Reading, field: PacketValue, value: bigint): json.Expression {
  const shape = shapeOf(field)
  if (shape.type.flags) return shape.type.json(value, shape.bits)
  return constantJson(constantOf(value, field.bits), { ...shape, order: 'network' }, context.devices)
}

/** Masks make prefixes, flags, and fields that are no whole bytes (relational_binop_postprocess). */
function matchCalculated(reading: Reading, op: Operator, left: CalculatedValue, right: Constant): void {
  const { context } = reading
  if (bitsOf(right) < left.bits) return matchBeginning(reading, op, left, right)
  const mask = left.operator === '&' && left.right.kind === 'constant' ? left.right : undefined
  if (mask) {
    const inside = complete(reading, left.left)
    const shape = shapeOf(inside)
    if ((op === '==' || op === '!=') && shape.type.flags && numberOf(right, shape) === 0n)
      return matchFlags(reading, op, inside, mask)
    const length = prefixOf(numberOf(mask, shape), bitsOf(mask))
    if (length !== undefined && PREFIXED.has(shape.type.name) && bitsOf(mask) === shape.bits) {
      const addr = constantJson(right, shape, context.devices) as json.Immediate
      addMatch(reading, op, express(context, inside), { prefix: { addr, len: length } })
      return
    }
  }
  const part = partOf(reading, left)
  const isPiece = part !== undefined && 'piece' in part && part.piece === true
  // Of pieces nft shows all bits but the last ones that they are compared with.
  const beside = left.right.kind === 'constant' ? asNumber(right) & ~asNumber(left.right) : 0n
  if (part && (isPiece ? beside & ((1n << BigInt(part.shift)) - 1n) : beside) !== 0n) unliftable('bits beside the mask')
  if (part && part.value.kind === 'packet') releaseTunnel(reading, part.value)
  if (part && part.value.kind === 'packet' && !isPiece)
    return matchPacket(reading, op, part.value, asNumber(right) >> BigInt(part.shift), part.value.bits)
  const value = part ? complete(reading, part.value) : complete(reading, left)
  const shape = shapeOf(value)
  const constant = part ? constantOf(asNumber(right) >> BigInt(part.shift), isPiece ? bitsOf(right) : part.value.bits) : right
  const bound = boundOf(reading, numberOf(constant, shape), constant, shape)
  addBounded(reading, op, express(context, value), constantJson(constant, shape, context.devices), bound)
}

/** What is compared with fewer bytes than there are, is a prefix to nft. */
function matchBeginning(reading: Reading, op: Operator, left: CalculatedValue, right: Constant): void {
  const value = complete(reading, left)
  const given = constantOf(asNumber(right) << BigInt(left.bits - bitsOf(right)), left.bits)
  const shape = shapeOf(value)
  const type = withoutWords(shape.type, Math.ceil(left.bits / 8))
  const addr = constantJson(given, { ...shape, type, bits: left.bits }, reading.context.devices) as json.Immediate
  addMatch(reading, op, express(reading.context, value), { prefix: { addr, len: bitsOf(right) } })
}

function matchFlags(reading: Reading, op: '==' | '!=', left: Value, flags: Constant): void {
  const right = constantJson(flags, shapeOf(left), reading.context.devices, 'list')
  addMatch(reading, op === '==' ? '!' : 'in', express(reading.context, left), right)
}

/** Types that are told as prefixes where they are compared with a mask (DTYPE_F_PREFIX). */
const PREFIXED: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr'])

export function readRange(reading: Reading, { source, operator, from, to }: Range): void {
  if (!(from instanceof Uint8Array && to instanceof Uint8Array)) unliftable('verdicts')
  const op = word<'eq' | 'neq'>(operator)
  const loaded = reading.registers.get(source)
  const part = loaded.kind === 'calculated' ? masked(reading, maskedAgain(reading, loaded)) : undefined
  const left = loaded.kind === 'packet' ? completePacket(reading, loaded) : complete(reading, part?.value ?? loaded)
  const shape = shapeOf(left)
  const bounds = [from, to].map(bytes => {
    const constant: Constant = { kind: 'constant', bytes }
    return boundOf(reading, part ? asNumber(constant) >> BigInt(part.shift) : numberOf(constant, shape), constant, shape)
  })
  const [low, high] = bounds as [json.Immediate, json.Immediate]
  const expression = express(reading.context, left)
  // Around midnight nft turns the range of hours over.
  if (op === 'neq' && shape.type.name === 'hour') addMatch(reading, 'in', expression, { range: [high, low] })
  else addMatch(reading, operatorOf(reading, op === 'eq' ? '==' : '!=', loaded), expression, { range: [low, high] })
}

/** Flags and protocols are numbers in ranges. */
function boundOf({ context }: Reading, value: bigint, constant: Constant, shape: Shape): json.Immediate {
  if (isTurned(shape) && (value & (value - 1n)) === 0n) return turnedFlag(value, shape)
  if (shape.type.name === 'inet_proto') return Number(value)
  return shape.type.text ? (constantJson(constant, shape) as json.Immediate) : shape.type.json(value, shape.bits, context.devices)
}

/** Flags of the machine's order: nft turns them round to compare which is more, and then looks for their words. */
const isTurned = ({ type, bits, order }: Shape): boolean => type.flags && order === 'network' && bits === 32

function turnedFlag(flag: bigint, { type, bits }: Shape): json.Immediate {
  const word = type.json(fromRegister(toRegister(flag, bits, 'host'), bits, 'network'), bits)
  return typeof word === 'string' ? word : jsonNumber(flag)
}

function turnedFlags(value: bigint, shape: Shape): json.Expression {
  const flags = Array.from({ length: shape.bits }, (_, bit) => 1n << BigInt(bit)).filter(flag => (value & flag) !== 0n)
  if (flags.length < 2) return turnedFlag(value, shape)
  return { '|': flags.map(flag => turnedFlag(flag, shape)) }
}

function namedSet(reading: Reading, name: string): NamedSet {
  return reading.context.setNamed(name) ?? unliftable(`set ${name}`)
}

/** The value that a key is looked up by. */
function keyFor(reading: Reading, source: number, set: NamedSet): Value {
  const bits = 8 * keyLength(set)
  const key = reading.registers.get(source)
  return wordsOf(bitsOf(key)) < wordsOf(bits) ? reading.registers.concatenation(source, bits) : key
}

/** The same as fields, and the set with what it then holds. */
export function keyAndSet(
  reading: Reading,
  source: number,
  name: string,
  compared = false,
): { readonly key: Value; readonly set: NamedSet } {
  const set = namedSet(reading, name)
  return completeLookup(reading, keyFor(reading, source, set), set, compared)
}

export function readLookup(reading: Reading, { set: name, source, destination, flags }: Lookup): void {
  if (flags?.some(flag => flag !== 'invert')) unliftable('flags')
  const { context } = reading
  if (destination !== undefined && destination !== 0) {
    const map = namedSet(reading, name)
    return reading.registers.set(destination, { kind: 'mapped', key: keyFor(reading, source, map), map })
  }
  const { key, set } = keyAndSet(reading, source, name, destination === undefined)
  if (destination === 0) {
    add(reading, { vmap: { key: express({ ...context, fields: true }, key), data: setJson(context, set) } })
    return
  }
  const inverted = flags?.includes('invert') ?? false
  addMatch(reading, operatorOf(reading, inverted ? '!=' : '==', key), express(context, key), setJson(context, set))
  if (!inverted && isAnonymous(set)) learnFromSet(reading, key, set)
}

/** Of several types of ICMP messages the first counts for what fields there are. */
function learnFromSet(reading: Reading, key: Value, { elements }: NamedSet): void {
  if (key.kind !== 'packet' || key.field?.name !== 'type') return
  if (key.protocol?.name !== 'icmp' && key.protocol?.name !== 'icmpv6') return
  const types = elements.flatMap(({ key: type }) =>
    type instanceof Uint8Array ? [...type] : typeof type === 'number' ? [type] : [],
  )
  if (types.length > 0) packetFor(reading, key).message = BigInt(Math.min(...types))
}
