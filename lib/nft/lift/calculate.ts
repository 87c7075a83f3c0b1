/** Expressions that calculate with registers (src/netlink_delinearize.c, netlink_parse_bitwise, netlink_parse_byteorder, netlink_parse_hash). */
import type { Bitwise, Byteorder, Hash } from '../expressions/index.js'
import type { Reading } from './reading.js'
import { bitsOf, HOST_NUMBER } from './shape.js'
import { REGISTERS, word } from './source.js'
import { asNumber, constantOf } from './typed.js'
import { type Calculation, type Constant, unliftable, type Value } from './value.js'

/** Brings several registers together where an expression takes more than the one. */
export function operand(reading: Reading, register: number, bits: number): Value {
  const value = reading.registers.get(register)
  return bitsOf(value) < bits && bitsOf(value) % 8 === 0 && Math.ceil(bitsOf(value) / 32) < Math.ceil(bits / 32)
    ? reading.registers.concatenation(register, bits)
    : value
}

const bytesOf = (data: unknown): Constant =>
  data instanceof Uint8Array ? { kind: 'constant', bytes: data } : unliftable('a verdict')

const OPERATORS = { lshift: '<<', rshift: '>>', and: '&', or: '|', xor: '^' } as const satisfies Record<string, Calculation>

export function bitwiseValue(reading: Reading, expression: Bitwise): Value {
  const { source, source2, length, data, operator = 'mask-xor' } = expression
  const name = word<Exclude<typeof operator, number>>(operator)
  if (length > REGISTERS) return unliftable('length')
  const left = operand(reading, source, 8 * length)
  if (name === 'mask-xor') return maskXor(left, expression)
  const right = source2 === undefined ? bytesOf(data) : reading.registers.get(source2)
  return { kind: 'calculated', operator: OPERATORS[name], left, right, bits: 8 * length }
}

const lowestZero = (value: bigint): number => {
  let at = 0
  while ((value >> BigInt(at)) & 1n) at++
  return at
}

/** `(source & mask) ^ xor` is one of `&`, `^` and `|`, or several of them. */
function maskXor(source: Value, { mask, xor, length }: Bitwise): Value {
  const bits = 8 * length
  if (bytesOf(mask).bytes.length !== length || bytesOf(xor).bytes.length !== length) return unliftable('length')
  const given = asNumber(bytesOf(mask))
  const flipped = asNumber(bytesOf(xor))
  const set = flipped & ~given
  const kept = given | set
  const calculated = (operator: Calculation, left: Value, right: bigint): Value => ({
    kind: 'calculated',
    operator,
    left,
    right: constantOf(right, bits),
    bits,
  })
  // As nft does, which does not see that there may be zeros beyond what is masked.
  let value = lowestZero(kept) >= bitsOf(source) ? source : calculated('&', source, kept)
  if ((flipped & given) !== 0n) value = calculated('^', value, flipped & given)
  return set === 0n ? value : calculated('|', value, set)
}

export function byteorderValue(reading: Reading, { source, length, size }: Byteorder): Value {
  // nft turns long and odd numbers in pieces that the kernel knows.
  if (size !== (length % 8 === 0 ? 8 : length % 4 === 0 ? 4 : 2) || length > REGISTERS) unliftable('several numbers')
  const of = operand(reading, source, 8 * length)
  return { kind: 'swapped', of, bits: 8 * length }
}

export function hashValue(reading: Reading, { source, length, modulus, seed, offset, type = 'jenkins' }: Hash): Value {
  const name = word<'jenkins' | 'symmetric'>(type)
  if (name === 'symmetric') {
    const json = { symhash: { mod: modulus, ...(offset ? { offset } : {}) } }
    return { kind: 'selector', json, shape: HOST_NUMBER }
  }
  if (source === undefined || length === undefined) return unliftable('no source')
  const of = operand(reading, source, 8 * length)
  return { kind: 'hash', of, options: { mod: modulus, offset, seed } }
}
