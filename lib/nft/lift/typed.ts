/** Constants of registers as JSON, by the type of what they are compared with or assigned to. */
import { readText } from '../../netlink/values.js'
import type * as json from '../json/index.js'
import { fromRegister, toRegister } from '../vocabulary/bytes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'
import { type Constant, unliftable } from './value.js'

/** The number that a constant is to a type. */
export const numberOf = ({ bytes }: Constant, { order }: Pick<Shape, 'order'>): bigint =>
  fromRegister(bytes, 8 * bytes.length, order)

/** As the network orders bytes: as masks and shifts of the packet see it. */
export const asNumber = ({ bytes }: Constant): bigint => fromRegister(bytes, 8 * bytes.length, 'network')

export const constantOf = (value: bigint, bits: number): Constant => ({
  kind: 'constant',
  bytes: toRegister(value, Math.ceil(bits / 8) * 8, 'network'),
})

/** How sets of flags are told: joined by `|`, or as a list. */
type FlagForm = 'joined' | 'list'

export function constantJson(constant: Constant, shape: Shape, devices?: Devices, form: FlagForm = 'joined'): json.Expression {
  if (shape.type.text) return textOf(constant)
  const value = numberOf(constant, shape)
  if (shape.type.name === 'boolean' && value > 1n) return Number(value)
  if (!shape.type.flags || value === 0n) return shape.type.json(value, shape.bits, devices)
  const flags = bitsOf(value).map(bit => shape.type.json(bit, shape.bits))
  if (flags.length === 1) return flags[0] as json.Immediate
  return form === 'list' ? flags : { '|': flags }
}

function bitsOf(value: bigint): readonly bigint[] {
  const bits: bigint[] = []
  for (let bit = 1n; bit <= value; bit <<= 1n) if ((value & bit) !== 0n) bits.push(bit)
  return bits
}

/** Text that is cut before its zero stands for all that begin so; a `*` of its own is marked. */
function textOf({ bytes }: Constant): json.Expression {
  const end = bytes.indexOf(0)
  if (end >= 0 && bytes.subarray(end).some(byte => byte !== 0)) unliftable('something behind a text')
  const text = readText(bytes, 0, end < 0 ? bytes.length : end) ?? unliftable('no text')
  if (end < 0 && bytes.length < LONGEST) return `${text}*`
  return text.endsWith('*') ? `${text.slice(0, -1)}\\*` : text
}

/** Bytes of names (IFNAMSIZ), with which all registers of text are as long. */
const LONGEST = 16

/** The length of the prefix that a mask is; undefined where it is none. */
export function prefixOf(mask: bigint, bits: number): number | undefined {
  let zeros = 0
  while (zeros < bits && ((mask >> BigInt(zeros)) & 1n) === 0n) zeros++
  const ones = bits - zeros
  return mask === ((1n << BigInt(ones)) - 1n) << BigInt(zeros) ? ones : undefined
}
