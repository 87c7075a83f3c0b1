/** Messages as trees of attributes, without knowing what they mean: bytes that can be read as attributes are taken for a nest. */
import { align4 } from '../../../lib/netlink/buffer.js'

/** One attribute; `type` with the flags of its upper two bits. */
export interface Attribute {
  type: number
  value: Uint8Array | Attribute[]
}

const TYPE = 0x3fff
const NO_BYTES = new Uint8Array()

/** The attributes that stand one behind the other from `start` to `end`; undefined when that is not all there is. */
export function attributesIn(bytes: Uint8Array, start: number, end: number): Attribute[] | undefined {
  const attributes: Attribute[] = []
  for (let offset = start; offset < end; ) {
    const length = lengthAt(bytes, offset, end)
    if (length === 0) return undefined
    const type = (bytes[offset + 2] as number) | ((bytes[offset + 3] as number) << 8)
    const below = attributesIn(bytes, offset + 4, offset + length)
    attributes.push({ type, value: below?.length ? below : bytes.slice(offset + 4, offset + length) })
    offset += align4(length)
  }
  return attributes
}

/** Length of the attribute at `offset`; 0 when there is none. */
function lengthAt(bytes: Uint8Array, offset: number, end: number): number {
  if (offset + 4 > end) return 0
  const length = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8)
  return length < 4 || offset + length > end ? 0 : length
}

/** Writes attributes at `offset`, as far as there is room, and returns where they end. */
export function writeAttributes(bytes: Uint8Array, offset: number, attributes: readonly Attribute[]): number {
  let at = offset
  for (const { type, value } of attributes) {
    if (at + 8 > bytes.length) break
    const start = at
    if (Array.isArray(value)) at = writeAttributes(bytes, start + 4, value)
    else {
      const fitting = value.length + start + 8 > bytes.length ? NO_BYTES : value
      bytes.set(fitting, start + 4)
      at = start + 4 + fitting.length
    }
    const length = (at - start) & 0xffff
    bytes[start] = length
    bytes[start + 1] = length >> 8
    bytes[start + 2] = type
    bytes[start + 3] = type >> 8
    for (; at & 3; at++) bytes[at] = 0
  }
  return at
}

/**
 * Whether two stretches hold the same attributes: the same numbers and bytes in the same nests. Those of one number stand in the same
 * order; how those of different numbers are mixed, what is in their padding, and the flags above the number do not matter to the kernel.
 */
export function sameAttributes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (sameBytes(a, aStart, aEnd, b, bStart, bEnd)) return true
  const count = countAttributes(a, aStart, aEnd)
  if (count <= 0 || count !== countAttributes(b, bStart, bEnd)) return false
  for (let offset = aStart; offset < aEnd; ) {
    const length = lengthAt(a, offset, aEnd)
    const twin = find(b, bStart, bEnd, numberAt(a, offset), rankOf(a, aStart, offset))
    if (twin < 0) return false
    if (!sameAttributes(a, offset + 4, offset + length, b, twin + 4, twin + lengthAt(b, twin, bEnd))) return false
    offset += align4(length)
  }
  return true
}

function sameBytes(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (a[i] !== b[j]) return false
  return true
}

const numberAt = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset + 2] as number) | ((bytes[offset + 3] as number) << 8)) & TYPE

/** How many attributes there are; -1 when the bytes are none. */
function countAttributes(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let offset = start; offset < end; count++) {
    const length = lengthAt(bytes, offset, end)
    if (length === 0) return -1
    offset += align4(length)
  }
  return count
}

/** How many attributes of the same number stand before the one at `offset`. */
function rankOf(bytes: Uint8Array, start: number, offset: number): number {
  let rank = 0
  for (let at = start; at < offset; at += align4(lengthAt(bytes, at, offset)))
    if (numberAt(bytes, at) === numberAt(bytes, offset)) rank++
  return rank
}

/** Where the attribute of a number stands that has so many of the same number before it; -1 for nowhere. */
function find(bytes: Uint8Array, start: number, end: number, number: number, rank: number): number {
  let left = rank
  for (let at = start; at < end; at += align4(lengthAt(bytes, at, end)))
    if (numberAt(bytes, at) === number && left-- === 0) return at
  return -1
}
