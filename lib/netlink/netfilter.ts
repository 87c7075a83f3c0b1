/** What the subsystems of netfilter share (net/netfilter/nfnetlink.c): `struct nfgenmsg` behind the netlink header. */
import type { MessageReader, MessageWriter } from './buffer.js'
import { beginMessage, type Message } from './message.js'

/** Bytes of `struct nfgenmsg`: family, version, resource id. */
export const NETFILTER_HEADER = 4

/** Starts a message of a subsystem; `endMessage` ends it. Returns where it starts. */
export function beginNetfilter(
  writer: MessageWriter,
  type: number,
  flags: number,
  sequence: number,
  family: number,
  resource = 0,
): number {
  const start = beginMessage(writer, type, flags, sequence)
  const { bytes, offset } = writer
  bytes[offset] = family
  bytes[offset + 1] = 0
  bytes[offset + 2] = resource >> 8
  bytes[offset + 3] = resource & 255
  writer.offset = offset + NETFILTER_HEADER
  return start
}

/** The family of a message. */
export const familyNumber = (reader: MessageReader, message: Message): number => reader.bytes[message.payload] as number

/** The resource id of a message: for nftables the low 16 bits of the generation. */
export function resourceId({ bytes }: MessageReader, { payload }: Message): number {
  return ((bytes[payload + 2] as number) << 8) | (bytes[payload + 3] as number)
}
