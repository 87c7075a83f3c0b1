/** The fixed headers of protocols, as data: one table of a `struct` gives what writes and reads it. */
import type { MessageReader, MessageWriter } from './buffer.js'

type Kind = 'u8' | 'u16' | 'u32' | 's32'

/** Name of a field to where it stands, in bytes, and what it is. */
export type StructDefinition = { readonly [name: string]: readonly [offset: number, kind: Kind] }

/** A struct: its size is a multiple of 4, and it starts where 4 divides. */
export interface Struct<D extends StructDefinition> {
  /** Bytes. */
  readonly size: number
  /** Writes it; fields that are not given are 0, and so is what no field has. */
  write(writer: MessageWriter, values: { readonly [K in keyof D]?: number | undefined }): void
  read(reader: MessageReader, offset: number): { readonly [K in keyof D]: number }
}

/** Declares a struct of so many bytes: `struct(8, { family: [0, 'u8'], … })`. */
export function struct<const D extends StructDefinition>(size: number, definition: D): Struct<D> {
  const fields = Object.entries(definition)
  return {
    size,
    write(writer, values) {
      writer.reserve(size)
      const start = writer.offset
      writer.bytes.fill(0, start, start + size)
      for (const [name, [offset, kind]] of fields) {
        const value = values[name] ?? 0
        if (kind === 'u8') writer.bytes[start + offset] = value
        else if (kind === 'u16') writer.u16[(start + offset) >> 1] = value
        else writer.u32[(start + offset) >> 2] = value
      }
      writer.offset = start + size
    },
    read(reader, start) {
      const values: Record<string, number> = {}
      for (const [name, [offset, kind]] of fields) {
        if (kind === 'u8') values[name] = reader.bytes[start + offset] as number
        else if (kind === 'u16') values[name] = reader.u16[(start + offset) >> 1] as number
        else
          values[name] =
            kind === 's32' ? (reader.u32[(start + offset) >> 2] as number) | 0 : (reader.u32[(start + offset) >> 2] as number)
      }
      return values as { readonly [K in keyof D]: number }
    },
  }
}
