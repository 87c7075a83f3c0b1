/** Writes an object into bytes, and reads bytes as an object. */
import { MessageReader, MessageWriter } from '../../../lib/netlink/buffer.js'
import { BadValue } from '../../../lib/netlink/schema.js'

/** The attributes that `write` writes, into memory that was used before and is too small. */
export function written(write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter(16)
  writer.bytes.fill(0xee)
  write(writer)
  return writer.written().slice()
}

export function readBack<T>(bytes: Uint8Array, read: (reader: MessageReader, start: number, end: number) => T): T {
  return read(new MessageReader(bytes), 0, bytes.length)
}

/** Bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** One attribute with a payload in hexadecimal. */
export function attribute(type: number, payload: string): string {
  const data = fromHex(payload)
  const header = Buffer.alloc(4)
  header.writeUInt16LE(data.length + 4, 0)
  header.writeUInt16LE(type, 2)
  return header.toString('hex') + hex(data) + '00'.repeat(-data.length & 3)
}

/** Why `write` refuses what it was given; undefined when it does not. */
export function refusal(write: (writer: MessageWriter) => void): BadValue | undefined {
  try {
    written(write)
  } catch (error) {
    if (error instanceof BadValue) return error
    throw error
  }
}
