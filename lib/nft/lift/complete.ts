/** Pieces of the packet become fields, by what is known of it where they are used (src/netlink_delinearize.c, expr_postprocess). */

import { typeNamed } from '../vocabulary/types.js'
import { releaseFor, releaseForOption, releaseTransport } from './dependencies.js'
import { completed, cut, type Trimmed, trimmed } from './header.js'
import { headerOf } from './packet.js'
import { packetFor, type Reading } from './reading.js'
import { optionOf } from './shape.js'
import { asNumber } from './typed.js'
import { isLonger, shifted, shortened, typedSet, wordless } from './typed-set.js'
import {
  type CalculatedValue,
  isAnonymous,
  type MappedValue,
  type NamedSet,
  type OptionValue,
  type PacketValue,
  type SelectorValue,
  type Value,
} from './value.js'

/** Tells of fields; what they need as a dependency needs no statement of its own. */
export function complete(reading: Reading, value: Value): Value {
  switch (value.kind) {
    case 'constant':
      return value
    case 'selector':
      return completeSelector(reading, value)
    case 'packet':
      releaseTunnel(reading, value)
      return completePacket(reading, value)
    case 'option':
      releaseForOption(reading.packet, value)
      return value
    case 'swapped': {
      // What is turned round of the packet within a tunnel nft looks for in the one around it.
      const of = complete({ ...reading, inner: reading.packet }, value.of)
      return of.kind === 'constant' ? value : { ...value, of }
    }
    case 'concatenated':
      return { ...value, parts: value.parts.map(part => completePart(reading, part)) }
    case 'mapped':
      return completeMapped(reading, value)
    case 'hash':
      return { ...value, of: complete(reading, value.of) }
    case 'calculated':
      return completeCalculated(reading, value)
  }
}

export function completePacket(reading: Reading, value: PacketValue): PacketValue {
  const packet = packetFor(reading, value)
  const field = completed(packet, value)
  releaseFor(packet, field)
  return field
}

const GRE = 47n

/** That there is GRE follows from what is within. */
export function releaseTunnel({ packet }: Reading, { tunnel }: { readonly tunnel?: string | undefined }): void {
  if (tunnel === 'gre' || tunnel === 'gretap') releaseTransport(packet, GRE)
}

/** Addresses of connections have the type of the packet's family (ct_expr_update_type). */
function completeSelector(reading: Reading, value: SelectorValue): SelectorValue {
  if (!('ct' in value.json)) return value
  const { key } = value.json.ct
  if (key !== 'saddr' && key !== 'daddr') return value
  const name = headerOf(reading.packet, 'network')?.name
  const type = typeNamed(name === 'ip6' ? 'ipv6_addr' : 'ipv4_addr')
  return (name === 'ip' || name === 'ip6') && type ? { ...value, shape: { type, bits: type.bits, order: 'network' } } : value
}

function completeCalculated(reading: Reading, value: CalculatedValue): Value {
  const { operator, left, right } = value
  const inside = left.kind === 'swapped' ? left.of : left
  if (right.kind === 'constant' && operator === '>>' && inside.kind === 'calculated') {
    const part = partOf(reading, inside)
    // `nft -j` leaves out that a field is shifted further.
    if (part && (!reading.context.whole || BigInt(part.shift) === shiftOf(right)))
      return complete(reading, { ...part.value, moved: value.bits })
  }
  return { ...value, left: complete(reading, left), right: complete(reading, right) }
}

/** What a key is looked up by, and the set with what it then holds. */
export function completeLookup(
  reading: Reading,
  key: Value,
  set: NamedSet,
  compared = false,
): { readonly key: Value; readonly set: NamedSet } {
  // Fields of options that are no whole bytes nft finds only where they are compared.
  const found = key.kind === 'calculated' ? masked(reading, compared ? maskedAgain(reading, key) : key) : undefined
  const part = compared || found?.value.kind === 'packet' ? found : undefined
  if (part && part.value.kind === 'packet') releaseTunnel(reading, part.value)
  const value = completeKey(reading, part?.value ?? key, compared)
  // Elements of sets with names stay as they are, whatever mask the key has (binop_adjust).
  if (!isAnonymous(set)) return { key: value, set }
  const isShifted = part !== undefined && part.shift > 0
  const options = { compared, full: part?.shift !== 0, whole: reading.context.whole }
  const typed = typedSet(isShifted ? shifted(set, value, part.shift) : shortened(set, value), value, options)
  return { key: value, set: compared && !isShifted && isLonger(set, value) ? wordless(typed) : typed }
}

/** What is compared with a set itself does not say that there is GRE. */
const completeKey = (reading: Reading, key: Value, compared: boolean): Value =>
  compared && key.kind === 'packet' ? completePacket(reading, key) : complete(reading, key)

function completeMapped(reading: Reading, value: MappedValue): MappedValue {
  const { key, set } = completeLookup(reading, value.key, value.map)
  return { ...value, key, map: set }
}

/** A part of a concatenation: a mask may make it a field. */
function completePart(reading: Reading, value: Value): Value {
  if (value.kind !== 'calculated') return complete(reading, value)
  const { operator, left, right } = value
  const shifted = operator === '>>' && right.kind === 'constant' && left.kind === 'calculated'
  const found = partOf(reading, shifted ? left : value)
  const part = found?.value.kind === 'option' && found.value.of === 'exthdr' ? undefined : found
  return complete(reading, part && BigInt(part.shift) === (shifted ? shiftOf(right) : 0n) ? part.value : value)
}

/** The field or the piece that a mask leaves. */
export function partOf(reading: Reading, given: CalculatedValue): Part | undefined {
  const value = maskedAgain(reading, given)
  const field = masked(reading, value)
  if (field || value.operator !== '&' || value.left.kind !== 'packet' || value.right.kind !== 'constant') return field
  return completePacket(reading, value.left).field ? undefined : cut(value.left, value.right)
}

/**
 * A mask of what a mask and a shift made a field is to nft one of the piece of the packet from there on, as if nothing had been shifted:
 * `ip dscp & 3` is read as `ip ecn`, unless it has as many bits as the field. Of pieces that are no field it takes the bytes of the mask in
 * the machine's order.
 */
export function maskedAgain(reading: Reading, value: CalculatedValue): CalculatedValue {
  const { operator, left, right } = value
  if (operator !== '&' || left.kind !== 'calculated' || left.operator !== '>>' || right.kind !== 'constant') return value
  const inside = complete(reading, left)
  if (inside.kind !== 'packet' || (inside.field && asNumber(right).toString(2).length === inside.bits)) return value
  return { ...value, left: inside, right: inside.field ? right : { ...right, bytes: Uint8Array.from(right.bytes).reverse() } }
}

/** The field that a mask leaves, where there is one. */
export function masked(reading: Reading, { operator, left, right }: CalculatedValue): Part | undefined {
  if (operator !== '&' || right.kind !== 'constant') return undefined
  if (left.kind === 'packet') return trimmed(packetFor(reading, left), left, right)
  return left.kind === 'option' ? trimmedOption(left, asNumber(right)) : undefined
}

export type Part = Trimmed | { readonly value: OptionValue; readonly shift: number }

/** The same of extension headers and options (exthdr_find_template). */
function trimmedOption(value: OptionValue, mask: bigint): Part | undefined {
  const digits = mask.toString(2).padStart(value.bits, '0')
  const ones = /^0*(1+)(0*)$/.exec(digits)
  if (value.present || !ones || digits.length !== value.bits) return undefined
  const shift = (ones[2] as string).length
  const bits = (ones[1] as string).length
  const part: OptionValue = { ...value, offset: value.offset + value.bits - shift - bits, bits }
  return optionOf(part) && { value: part, shift }
}

/** How far to shift: 4 bytes in the machine's order. */
const shiftOf = (constant: Extract<Value, { readonly kind: 'constant' }>): bigint =>
  asNumber({ kind: 'constant', bytes: LITTLE ? constant.bytes.toReversed() : constant.bytes })

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
