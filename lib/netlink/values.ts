/** Attribute values of strict tables: each has one form on the wire, and what has another is left as it is. */
import type { MessageReader, MessageWriter } from './buffer.js'
import { type AttributeType, BadValue, be16 as plainBe16, shown } from './schema.js'

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

const swap32 = (value: number): number =>
  LITTLE_ENDIAN ? ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0 : value >>> 0

/** Writes 32 bits in network byte order. The writer has to be aligned. */
export function writeBe32(writer: MessageWriter, value: number): void {
  writer.u32[writer.offset >> 2] = swap32(value)
  writer.offset += 4
}

/** Reads 32 bits in network byte order at an aligned place. */
export function readBe32(reader: MessageReader, offset: number): number {
  return swap32(reader.u32[offset >> 2] as number)
}

function whole(value: unknown, minimum: number, maximum: number): asserts value is number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return
  throw new BadValue(
    typeof value === 'number' ? 'range' : 'type',
    `${shown(value)}: give a whole number from ${minimum} to ${maximum}`,
  )
}

/** 8 bits. */
export const u8: AttributeType<number> = {
  write(writer, value) {
    whole(value, 0, 0xff)
    writer.bytes[writer.offset++] = value
  },
  read: (reader, offset, length) => (length === 1 ? reader.bytes[offset] : undefined),
}

/** 16 bits in network byte order. */
export const be16: AttributeType<number> = {
  write(writer, value) {
    whole(value, 0, 0xffff)
    plainBe16.write(writer, value)
  },
  read: (reader, offset, length) => (length === 2 ? plainBe16.read(reader, offset, length) : undefined),
}

/** 32 bits in network byte order. */
export const be32: AttributeType<number> = {
  write(writer, value) {
    if (typeof value !== 'number' || value >>> 0 !== value) whole(value, 0, 0xffff_ffff)
    writeBe32(writer, value)
  },
  read: (reader, offset, length) => (length === 4 ? readBe32(reader, offset) : undefined),
}

/** 32 bits with a sign, in network byte order. */
export const sbe32: AttributeType<number> = {
  write(writer, value) {
    whole(value, -0x8000_0000, 0x7fff_ffff)
    writeBe32(writer, value)
  },
  read: (reader, offset, length) => (length === 4 ? readBe32(reader, offset) | 0 : undefined),
}

/** 32 bits in network byte order that are 0 or 1. Another number is left as it is. */
export const bool32: AttributeType<boolean> = {
  write(writer, value) {
    if (typeof value !== 'boolean') throw new BadValue('type', `${shown(value)}: give true or false`)
    writeBe32(writer, value ? 1 : 0)
  },
  read(reader, offset, length) {
    const value = length === 4 ? readBe32(reader, offset) : undefined
    return value === 0 || value === 1 ? value === 1 : undefined
  },
}

/** 32 bits in the machine's byte order. */
export const u32: AttributeType<number> = {
  write(writer, value) {
    whole(value, 0, 0xffff_ffff)
    writer.u32[writer.offset >> 2] = value
    writer.offset += 4
  },
  read: (reader, offset, length) => (length === 4 ? reader.u32[offset >> 2] : undefined),
}

const MAXIMUM_64 = 0xffff_ffff_ffff_ffffn

/** 64 bits in network byte order: counters. A whole number is taken as well. */
export const be64: AttributeType<bigint> = {
  write(writer, value: bigint | number) {
    const given = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
    if (typeof given !== 'bigint' || given < 0n || given > MAXIMUM_64)
      throw new BadValue(typeof given === 'bigint' ? 'range' : 'type', `${shown(value)}: give a bigint from 0n to ${MAXIMUM_64}n`)
    writeBe32(writer, Number(given >> 32n))
    writeBe32(writer, Number(given & 0xffff_ffffn))
  },
  read(reader, offset, length) {
    if (length !== 8) return undefined
    const high = readBe32(reader, offset)
    const low = readBe32(reader, offset + 4)
    if (high === 0) return low === 0 ? 0n : BigInt(low) // one shared zero: idle counters cost no memory
    return (BigInt(high) << 32n) | BigInt(low)
  },
}

/** 64 bits in network byte order that count up from 1 and never come near 2^53: handles, milliseconds. What does is left as it is. */
export const be64Number: AttributeType<number> = {
  write(writer, value) {
    whole(value, 0, Number.MAX_SAFE_INTEGER)
    writeBe32(writer, Math.floor(value / 0x1_0000_0000))
    writeBe32(writer, value >>> 0)
  },
  read(reader, offset, length) {
    if (length !== 8) return undefined
    const value = readBe32(reader, offset) * 0x1_0000_0000 + readBe32(reader, offset + 4)
    return Number.isSafeInteger(value) ? value : undefined
  },
}

/** Bytes of any length. What is read is a copy. */
export const bytes: AttributeType<Uint8Array> = {
  write(writer, value) {
    if (!(value instanceof Uint8Array)) throw new BadValue('type', `${shown(value)}: give a Uint8Array`)
    writer.append(value)
  },
  read: (reader, offset, length) => reader.bytes.slice(offset, offset + length),
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Refuses what is no text: halves of characters, which would be written as others. Throws a `BadValue`. */
export function checkText(value: string): void {
  if (/\p{Surrogate}/u.test(value))
    throw new BadValue('type', `${shown(value)}: has half a character (a lone surrogate): give a text`)
}

/** UTF-8 text with a NUL behind it. The kernel's limit of its length is the caller's to say. */
export function text(maximum: number): AttributeType<string> {
  return {
    write(writer, value) {
      if (typeof value !== 'string') throw new BadValue('type', `${shown(value)}: give a text`)
      if (value.length > maximum) throw tooLong(value, maximum)
      writer.reserve(3 * value.length + 4)
      let at = writer.offset
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i)
        if (code === 0) throw new BadValue('type', `${shown(value)}: give a text without NUL`)
        if (code > 127) {
          if (value.includes('\0')) throw new BadValue('type', `${shown(value)}: give a text without NUL`)
          checkText(value)
          const { written } = encoder.encodeInto(value, writer.bytes.subarray(writer.offset))
          if (written > maximum) throw tooLong(value, maximum)
          at = writer.offset + written
          break
        }
        writer.bytes[at++] = code
      }
      writer.bytes[at++] = 0
      writer.offset = at
    },
    read(reader, offset, length) {
      if (length === 0 || length > maximum + 1 || reader.bytes[offset + length - 1] !== 0) return undefined
      return readText(reader.bytes, offset, offset + length - 1)
    },
  }
}

function tooLong(value: string, maximum: number): BadValue {
  return new BadValue('range', `${shown(value)}: is too long: at most ${maximum} bytes`)
}

/** The text from `start` to `end`; undefined when it is no UTF-8, or has a NUL in it. */
export function readText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let hash = 0
  for (let i = start; i < end; i++) {
    const code = bytes[i] as number
    if (code === 0) return undefined
    if (code > 127) return readUtf8(bytes, start, end)
    hash = (Math.imul(hash, 31) + code) | 0
  }
  return intern(bytes, start, end, hash)
}

function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const part = bytes.subarray(start, end)
  if (part.includes(0)) return undefined
  try {
    return decoder.decode(part)
  } catch {
    return undefined
  }
}

/** Names repeat in every record of a dump: one string for each, not one a record. Each has one place here, by its hash. */
const interned: (string | undefined)[] = Array.from({ length: 4096 })

function intern(bytes: Uint8Array, start: number, end: number, hash: number): string {
  const place = (hash ^ (hash >>> 12)) & 4095
  const known = interned[place]
  if (known !== undefined && isText(known, bytes, start, end)) return known
  const value = String.fromCharCode(...bytes.subarray(start, end))
  interned[place] = value
  return value
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false
  return true
}

/** A number as one of some words; a number that has none stays a number. */
export function choice<const W extends string>(
  type: AttributeType<number>,
  words: Readonly<Record<W, number>>,
): AttributeType<W | number> {
  const byWord = new Map<unknown, number>(Object.entries(words))
  const byNumber = new Map([...byWord].map(([word, number]) => [number, word as W]))
  return {
    write(writer, value) {
      const number = typeof value === 'number' ? value : byWord.get(value)
      if (number === undefined) throw new BadValue('type', `${shown(value)}: give one of ${[...byWord.keys()].join(', ')}`)
      type.write(writer, number)
    },
    read(reader, offset, length) {
      const number = type.read(reader, offset, length)
      return number === undefined ? undefined : (byNumber.get(number) ?? number)
    },
  }
}

/** Bits as words; bits that have none are one number at the end. Reading none gives an empty list. */
export function flags<const W extends string>(
  type: AttributeType<number>,
  words: Readonly<Record<W, number>>,
): AttributeType<readonly (W | number)[]> {
  const known = Object.entries(words) as [W, number][]
  const byWord = new Map<unknown, number>(known)
  return {
    write(writer, value) {
      if (!Array.isArray(value))
        throw new BadValue('type', `${shown(value)}: give a list of ${known.map(([word]) => word).join(', ')}`)
      let bits = 0
      value.forEach((word: unknown, i) => {
        const bit = typeof word === 'number' ? word : byWord.get(word)
        if (bit === undefined || bit >>> 0 !== bit)
          throw new BadValue('type', `${shown(word)}: give one of ${known.map(([word]) => word).join(', ')}`).within(i)
        bits |= bit
      })
      type.write(writer, bits >>> 0)
    },
    read(reader, offset, length) {
      const bits = type.read(reader, offset, length)
      if (bits === undefined) return undefined
      let rest = bits
      const set: (W | number)[] = []
      for (const [word, bit] of known) {
        if ((rest & bit) !== bit) continue
        set.push(word)
        rest &= ~bit
      }
      if (rest !== 0) set.push(rest >>> 0)
      return set
    },
  }
}
