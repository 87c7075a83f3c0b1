/** Constants as `nft -j` prints them (src/json.c, constant_expr_json, range_expr_json, prefix_expr_json). */
import type * as json from '../json/index.js'
import type { Span } from '../vocabulary/shapes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'

/** One value: several flags are joined by `|`. */
export function liftValue(value: bigint, { type, bits }: Shape, devices?: Devices): json.Expression {
  const names = type.flags && type.name !== 'ct_label' ? flagsOf(value) : []
  if (names.length < 2) return type.json(value, bits, devices)
  return { '|': names.map(flag => type.json(flag, bits, devices)) }
}

function flagsOf(value: bigint): bigint[] {
  const flags: bigint[] = []
  for (let flag = 1n; flag <= value; flag <<= 1n) if ((value & flag) !== 0n) flags.push(flag)
  return flags
}

/** The types whose ranges are prefixes where they can be (DTYPE_F_PREFIX). */
const PREFIXED: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr'])

/** From one value to another: a value, a prefix, a range, or all names that begin so. `alone`: it is no part of a concatenation. */
export function liftSpan({ from, to }: Span, shape: Shape, alone: boolean, devices?: Devices): json.Expression {
  const { type, bits } = shape
  if (from === to) return liftValue(from, shape, devices)
  const rest = from ^ to
  const isPrefix = (rest & (rest + 1n)) === 0n && (from & rest) === 0n
  const length = rest.toString(2).length
  if (type.text && isPrefix && length % 8 === 0) return `${type.json(from, bits, devices)}*`
  const addr = type.json(from, bits, devices)
  if (isPrefix && PREFIXED.has(type.name)) return { prefix: { addr, len: bits - length } }
  // Protocols are numbers in ranges (src/json.c, range_expr_json).
  if (type.name === 'inet_proto') return { range: [Number(from), Number(to)] }
  return { range: [addr, type.json(alone ? lastOf(to, bits) : to, bits, devices)] }
}

/** An interval to the last value of all goes to the last that its bytes can have, as nft reads it: it is written without an end. */
const lastOf = (to: bigint, bits: number): bigint =>
  to === (1n << BigInt(bits)) - 1n ? (1n << BigInt((bits + 7) & ~7)) - 1n : to
