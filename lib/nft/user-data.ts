/**
 * User data: what nft keeps with an object and the kernel does not look at. A sequence of `u8 type, u8 length, value` (libnftnl,
 * include/libnftnl/udata.h), 256 bytes at most.
 */
import type { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { type AttributeType, BadValue, shown } from '../netlink/schema.js'
import { checkText, readText } from '../netlink/values.js'
import { within } from './objects/within.js'

/** One datum. */
export interface UserDatum {
  /** 0 to 255. What a number means depends on the object: NFTNL_UDATA_* of libnftnl. */
  readonly type: number
  /** At most 255 bytes. */
  readonly data: Uint8Array
}

/** Bytes that the kernel takes (NFT_USERDATA_MAXLEN). */
const MAXIMUM = 256
/** What type and length are told by. */
const BYTE = 255
/** Bytes of a comment without its NUL that nft reads (NFTNL_UDATA_COMMENT_MAXLEN). */
const COMMENT = 127

/** All data of an object in order. Bytes that are no such sequence are left as they are: an unknown attribute. */
export const userData: AttributeType<readonly UserDatum[]> = {
  write(writer: MessageWriter, data) {
    const start = writer.offset
    for (const { type, data: value } of data) {
      writer.reserve(value.length + 8)
      writer.bytes[writer.offset++] = type
      writer.bytes[writer.offset++] = value.length
      writer.append(value)
    }
    const length = writer.offset - start
    if (length > MAXIMUM) throw new BadValue('range', `${length} bytes are too much user data: the kernel takes ${MAXIMUM}`)
  },
  read({ bytes }: MessageReader, offset, length) {
    if (length > MAXIMUM) return undefined
    const data: UserDatum[] = []
    const end = offset + length
    while (offset < end) {
      const next = offset + 2 + (bytes[offset + 1] as number)
      if (offset + 2 > end || next > end) return undefined
      data.push({ type: bytes[offset] as number, data: bytes.slice(offset + 2, next) })
      offset = next
    }
    return data
  },
}

/** Throws a `BadValue` at `userData`. */
export function checkUserData(data: readonly UserDatum[]): readonly UserDatum[] {
  return within('userData', () => {
    if (!Array.isArray(data)) throw new BadValue('type', `${shown(data)}: give a list of { type, data }`)
    for (const [i, datum] of data.entries()) checkDatum(datum, i)
    return data
  })
}

function checkDatum(datum: UserDatum, index: number): void {
  if (datum === null || typeof datum !== 'object')
    throw new BadValue('type', `${shown(datum)}: give { type, data }`).within(index)
  const { type, data } = datum
  if (!Number.isInteger(type) || type < 0 || type > BYTE)
    throw new BadValue('range', `${shown(type)}: give a whole number from 0 to ${BYTE}`).within('type').within(index)
  if (!(data instanceof Uint8Array) || data.length > BYTE)
    throw new BadValue('type', `${shown(data)}: give a Uint8Array of at most ${BYTE} bytes`).within('data').within(index)
}

const encoder = new TextEncoder()

/** A comment as a datum. */
export function comment(type: number, value: string): UserDatum {
  if (typeof value !== 'string' || value.includes('\0'))
    throw new BadValue('type', `${shown(value)}: give a text without NUL`).within('comment')
  within('comment', () => checkText(value))
  const data = encoder.encode(`${value}\0`)
  if (data.length - 1 > COMMENT)
    throw new BadValue('range', `${shown(value)}: is too long: at most ${COMMENT} bytes`).within('comment')
  return { type, data }
}

/** The comment among the data, and the rest. A comment that is no text stays with the rest. */
export function splitComment(
  data: readonly UserDatum[] | undefined,
  type: number,
): { readonly comment?: string; readonly userData?: readonly UserDatum[] } {
  if (data === undefined) return {}
  const index = data.findIndex(datum => datum.type === type)
  const value = data[index]?.data
  const text = value?.at(-1) === 0 ? readText(value, 0, value.length - 1) : undefined
  if (text === undefined) return { userData: data }
  const rest = data.filter((_, i) => i !== index)
  return rest.length > 0 ? { comment: text, userData: rest } : { comment: text }
}

/** Back to what `splitComment` was given. */
export function joinComment(
  { comment: text, userData }: { readonly comment?: string | undefined; readonly userData?: readonly UserDatum[] | undefined },
  type: number,
): readonly UserDatum[] | undefined {
  const data = userData === undefined ? [] : checkUserData(userData)
  if (text === undefined) return data.length > 0 ? data : undefined
  return [comment(type, text), ...data]
}
