/** Which field of which header a piece of the packet is (src/payload.c). */
import type { HeaderField, Protocol } from '../vocabulary/protocol.js'
import { protocolNamed } from '../vocabulary/protocols.js'
import { isOfMessage } from './message.js'
import { headerOf, lengthOf, type Packet } from './packet.js'
import { asNumber } from './typed.js'
import type { Constant, PacketValue } from './value.js'

interface Header {
  readonly protocol: Protocol
  /** Bits from where the layer begins. */
  readonly offset: number
}

function headersOf(packet: Packet, value: PacketValue): readonly Header[] {
  const protocol =
    value.tunnel !== undefined && value.layer === 'inner' ? protocolNamed(value.tunnel) : headerOf(packet, value.layer)
  if (!protocol) return []
  if (value.layer !== 'link') return [{ protocol, offset: 0 }]
  // nft takes what stands where the last header would, were it the first one, for a part of that.
  if (packet.linkOffset > 0 && value.offset < lengthOf(protocol)) return [{ protocol, offset: 0 }]
  return [{ protocol, offset: packet.linkOffset }, ...packet.linkHeaders]
}

/** The field that begins at a bit, of those that `fits` takes. */
function fieldAt(
  packet: Packet,
  value: PacketValue,
  offset: number,
  fits: (field: HeaderField) => boolean,
  message: bigint | null | undefined = packet.message,
): { readonly protocol: Protocol; readonly field: HeaderField } | undefined {
  for (const { protocol, offset: start } of headersOf(packet, value)) {
    const field = protocol.fields.find(
      field => field.offset === offset - start && fits(field) && isOfMessage(protocol, field, message ?? undefined),
    )
    if (field) return { protocol, field }
  }
  return undefined
}

/** The ports of whatever transport protocol it is, where nothing is known of it. */
function port(packet: Packet, value: PacketValue): PacketValue {
  const protocol = protocolNamed('th')
  if (value.layer !== 'transport' || packet.protocols.transport !== undefined || !protocol) return value
  const field = protocol.fields.find(field => field.offset === value.offset && field.bits === value.bits)
  return field ? { ...value, protocol, field } : value
}

/** With the header and the field that it is (payload_expr_complete). */
export function completed(packet: Packet, value: PacketValue): PacketValue {
  const found = fieldAt(packet, value, value.offset, field => field.bits === value.bits)
  return found ? { ...value, ...found } : port(packet, value)
}

/** What a row of fields was merged from, the last of which may be only begun (payload_expr_expand). */
export function expanded(packet: Packet, value: PacketValue): readonly PacketValue[] {
  const parts: PacketValue[] = []
  let { offset, bits } = value
  while (bits > 0) {
    const found = fieldAt(packet, value, offset, () => true)
    if (!found) break
    const length = Math.min(bits, found.field.bits)
    parts.push({ ...value, ...found, offset, bits: length })
    offset += length
    bits -= length
  }
  if (bits > 0) parts.push(port(packet, { ...value, protocol: undefined, field: undefined, offset, bits }))
  return parts
}

export interface Trimmed {
  readonly value: PacketValue
  /** How far the constants that belong to it have to be moved. */
  readonly shift: number
  /** It is no field, but may be one by chance. */
  readonly piece?: boolean | undefined
}

const bit = (value: bigint, at: number): boolean => ((value >> BigInt(at)) & 1n) === 1n

/** The first bit that is set, and behind it the first that is not. */
function extentOf(mask: bigint): { readonly shift: number; readonly end: number } {
  let shift = 0
  while (!bit(mask, shift)) shift++
  let end = shift
  while (bit(mask, end)) end++
  return { shift, end }
}

/** The field that a mask leaves of a piece of the packet (payload_expr_trim). */
export function trimmed(packet: Packet, value: PacketValue, mask: Constant): Trimmed | undefined {
  const number = asNumber(mask)
  if (number === 0n) return undefined
  const { shift, end } = extentOf(number)
  if (number >> BigInt(end) !== 0n) return undefined
  const offset = value.offset + 8 * mask.bytes.length - end
  const bits = end - shift
  const found = fieldAt(packet, value, offset, field => field.bits === bits)
  if (found) return { value: { ...value, ...found, offset, bits }, shift }
  // A field of another message: nft keeps the name of what is masked.
  const other = packet.message !== undefined && fieldAt(packet, value, offset, field => field.bits === bits, null)
  if (other) return { value: { ...completed(packet, value), offset, bits }, shift }
  const several = expanded(packet, { ...value, offset, bits })
  const fit = several.every(part => part.field?.bits === part.bits)
  return fit ? { value: { ...value, offset, bits }, shift } : undefined
}

/** The piece that a mask leaves of one that is no field (payload_expr_trim_force). */
export function cut(value: PacketValue, mask: Constant): Trimmed | undefined {
  const number = asNumber(mask)
  if (number === 0n) return undefined
  const { shift, end } = extentOf(number)
  const before = 8 * mask.bytes.length - end
  const bits = [...number.toString(2)].filter(digit => digit === '1').length
  if (before <= 0 || bits > value.bits || (value.moved !== undefined && bits === value.bits)) return undefined
  const piece = { ...value, protocol: undefined, field: undefined, offset: value.offset + before, bits }
  return { value: piece, shift, piece: true }
}

/** The field that all bits of a mask are in, of those that two bytes of the packet consist of: of others nft does not find it. */
export function enclosing(packet: Packet, value: PacketValue, mask: bigint): Trimmed | undefined {
  if (mask === 0n || value.layer === 'link' || value.bits !== 16) return undefined
  const begin = value.offset + value.bits - mask.toString(2).length
  const end = value.offset + value.bits - extentOf(mask).shift
  const part = expanded(packet, value).find(part => part.offset <= begin && part.offset + part.bits >= end)
  if (part?.field?.bits !== part?.bits || part === undefined) return undefined
  return { value: part, shift: value.offset + value.bits - part.offset - part.bits }
}
