/**
 * Attribute tables whose records are what callers give and get: a record has only the fields that are there, what can not be written is
 * refused with its path, and what can not be read is kept as it is.
 */
import { align4, type MessageReader, type MessageWriter } from './buffer.js'
import { nearest } from './nearest.js'
import {
  type Attributes,
  type AttributeType,
  attributes,
  BadValue,
  type Definition,
  joinPath,
  type Pathfinder,
  type RecordOf,
  raw,
  shown,
  type UnknownAttribute,
  writeAttribute,
} from './schema.js'

const NLA_TYPE_MASK = 0x3fff
const NLA_F_NESTED = 0x8000

/** The table of a nest. */
export interface RecordTable<D extends Definition> extends Pathfinder {
  /** Writes the fields in the order of the table, then the unknown ones. Throws a `BadValue`. */
  encode(writer: MessageWriter, record: RecordOf<D>): void
  /** Undefined when the bytes are no attributes, or one that it must have is missing: what is read can be written. */
  decode(reader: MessageReader, start: number, end: number): RecordOf<D> | undefined
}

/**
 * Declares a nest: `record({ base: [2, required(be32)], … })`.
 *
 * @param kind what the field `kind` of every record is, which no attribute carries; default: there is none
 */
export function record<const D extends Definition>(definition: D, kind?: string): RecordTable<D> {
  return new StrictTable(
    definition,
    kind,
    attributes(definition) as unknown as Attributes<Definition>,
  ) as unknown as RecordTable<D>
}

interface Field {
  readonly name: string
  /** Its number, with the flag of a nest. */
  readonly id: number
  /** One of 32, for sets of fields. */
  readonly bit: number
  readonly required: boolean
  readonly type: AttributeType<unknown>
}

function bitOf(id: number): number {
  if (id > 31) throw new RangeError(`${id}: strict tables have attributes up to 31`)
  return 1 << id
}

class StrictTable implements RecordTable<Definition> {
  readonly #fields: readonly Field[]
  readonly #byId: readonly (Field | undefined)[]
  readonly #kind: string | undefined
  readonly #required: number
  readonly #names: ReadonlySet<string>
  readonly #paths: Pathfinder

  constructor(definition: Definition, kind: string | undefined, paths: Pathfinder) {
    this.#fields = Object.entries(definition).map(([name, [id, type]]) => ({
      name,
      id: id | (type.nested ? NLA_F_NESTED : 0),
      bit: bitOf(id),
      required: type.required === true,
      type,
    }))
    this.#required = this.#fields.reduce((bits, field) => (field.required ? bits | field.bit : bits), 0)
    this.#names = new Set(['unknown', ...Object.keys(definition), ...(kind === undefined ? [] : ['kind'])])
    const byId: (Field | undefined)[] = []
    for (const field of this.#fields) byId[field.id & NLA_TYPE_MASK] = field
    this.#byId = Array.from(byId)
    this.#kind = kind
    this.#paths = paths
  }

  encode(writer: MessageWriter, record: RecordOf<Definition>): void {
    if (record === null || typeof record !== 'object') throw new BadValue('type', `${shown(record)}: give an object`)
    let written = this.#kind === undefined || record.kind === undefined ? 0 : 1
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i] as Field
      const value = record[field.name]
      if (value === undefined) {
        if (field.required) {
          this.#refuseOthers(record) // first: a name that is misspelt is missing, too
          throw new BadValue('type', 'is missing').within(field.name)
        }
        continue
      }
      written++
      try {
        writeAttribute(writer, field.id, field.type, value)
      } catch (error) {
        throw error instanceof BadValue ? error.within(field.name) : error
      }
    }
    if (record.unknown !== undefined) writeUnknown(writer, record.unknown)
    let given = 0
    for (const name in record) if (record[name] !== undefined) given++
    if (given !== written) this.#refuseOthers(record)
  }

  /** Names the field that is none of this table's. */
  #refuseOthers(record: Readonly<Record<string, unknown>>): void {
    for (const name in record) {
      if (this.#names.has(name) || record[name] === undefined) continue
      const known = this.#fields.map(field => field.name)
      throw new BadValue('type', `there is no such field${nearest(name, known)}`).within(name)
    }
  }

  decode(reader: MessageReader, start: number, end: number): RecordOf<Definition> | undefined {
    // Not spread from an object: V8 is slow at that where many tables come through the same place.
    const record: Record<string, unknown> = {}
    if (this.#kind !== undefined) record.kind = this.#kind
    const { u16 } = reader
    let unknown: UnknownAttribute[] | undefined
    let seen = 0
    let read = 0
    for (let offset = start; offset < end; ) {
      const length = offset + 4 <= end ? (u16[offset >> 1] as number) : 0
      if (length < 4 || offset + length > end) return undefined
      const type = u16[(offset >> 1) + 1] as number
      const field = this.#byId[type & NLA_TYPE_MASK]
      // Of several with one number the first is the field, unless it can not be read: they are written in the same order again.
      const value = field && !(seen & field.bit) ? field.type.read(reader, offset + 4, length - 4) : undefined
      if (field) seen |= field.bit
      if (field && value !== undefined) {
        read |= field.bit
        record[field.name] = value
      } else {
        unknown ??= []
        unknown.push({ type, data: reader.bytes.slice(offset + 4, offset + length) })
      }
      offset += align4(length)
    }
    if ((read & this.#required) !== this.#required) return undefined
    if (unknown) record.unknown = unknown
    return record as RecordOf<Definition>
  }

  path(reader: MessageReader, start: number, end: number, offset: number): string | undefined {
    return this.#paths.path(reader, start, end, offset)
  }
}

function writeUnknown(writer: MessageWriter, unknown: readonly UnknownAttribute[]): void {
  if (!Array.isArray(unknown)) throw new BadValue('type', `${shown(unknown)}: give a list of attributes`).within('unknown')
  for (const [i, attribute] of unknown.entries()) {
    const { type, data } = (attribute ?? {}) as Partial<UnknownAttribute>
    if (!(data instanceof Uint8Array) || typeof type !== 'number' || (type & 0xffff) !== type)
      throw new BadValue('type', `${shown(attribute)}: give an attribute as it was read, { type, data }`)
        .within(i)
        .within('unknown')
    writeAttribute(writer, type, raw, data)
  }
}

/** A record within an attribute. */
export function nest<const D extends Definition>(table: RecordTable<D>): AttributeType<RecordOf<D>> {
  return {
    write: (writer, value) => table.encode(writer, value),
    read: (reader, offset, length) => table.decode(reader, offset, offset + length),
    nested: table,
  }
}

/** A list within an attribute: each element is an attribute of the number `id`. */
export function list<T>(element: AttributeType<T>, id = 1): AttributeType<readonly T[]> {
  const type = element.nested ? id | NLA_F_NESTED : id
  return {
    write(writer, values) {
      if (!Array.isArray(values)) throw new BadValue('type', `${shown(values)}: give a list`)
      for (let i = 0; i < values.length; i++) {
        try {
          writeAttribute(writer, type, element, values[i])
        } catch (error) {
          throw error instanceof BadValue ? error.within(i) : error
        }
      }
    },
    read(reader, start, length) {
      const values: T[] = []
      const end = start + length
      for (let offset = start; offset < end; ) {
        const size = offset + 4 <= end ? (reader.u16[offset >> 1] as number) : 0
        if (size < 4 || offset + size > end) return undefined
        if (((reader.u16[(offset >> 1) + 1] as number) & NLA_TYPE_MASK) !== id) return undefined
        const value = element.read(reader, offset + 4, size - 4)
        if (value === undefined) return undefined
        values.push(value)
        offset += align4(size)
      }
      return values
    },
    nested: {
      path(reader, start, end, target) {
        for (let offset = start, i = 0; offset + 4 <= end; i++) {
          const size = reader.u16[offset >> 1] as number
          if (size < 4 || offset + size > end) return undefined
          if (target >= offset && target < offset + size)
            return joinPath(`[${i}]`, element.nested?.path(reader, offset + 4, offset + size, target))
          offset += align4(size)
        }
        return undefined
      },
    },
  }
}
