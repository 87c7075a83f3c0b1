/**
 * Attribute tables as data. One table of a nest gives its encoder, its decoder, the type of its record, the path that a byte offset in
 * an error means, and the trace.
 */
import { align4, type MessageReader, type MessageWriter } from './buffer.js'

/** How the payload of one attribute is written and read. Offsets are absolute, lengths in bytes. */
export interface AttributeType<T> {
  /** Throws a `BadValue` for what can not be one. */
  write(writer: MessageWriter, value: T): void
  /** Undefined when the payload is no such value. */
  read(reader: MessageReader, offset: number, length: number): T | undefined
  /** What is below it, where attributes are. */
  readonly nested?: Pathfinder
  /** Whether a record must have it. */
  readonly required?: boolean
}

/** Finds attributes by where they stand. */
export interface Pathfinder {
  /** The path of the attribute that holds `offset`, as `destination.weight`; undefined when there is none. */
  path(reader: MessageReader, start: number, end: number, offset: number): string | undefined
}

/** An attribute that a record must have. */
export function required<T>(type: AttributeType<T>): AttributeType<T> & { readonly required: true } {
  return { ...type, required: true }
}

/** A value that can not be written. `path` is where it stands in what was given: `expressions[2].base`. */
export class BadValue extends Error {
  readonly kind: 'range' | 'type'
  path = ''

  constructor(kind: 'range' | 'type', text: string) {
    super(text)
    this.kind = kind
  }

  /** Says that the value is below a field, or an element of a list. */
  within(name: string | number): this {
    if (typeof name === 'number') this.path = joinPath(`[${name}]`, this.path)
    else this.path = joinPath(name, this.path)
    return this
  }

  /** As it is thrown at a caller. */
  toError(): RangeError | TypeError {
    const text = this.path ? `${this.path}: ${this.message}` : this.message
    return this.kind === 'range' ? new RangeError(text) : new TypeError(text)
  }
}

/** `a` and `b` as `a.b`, `a` and `[1]` as `a[1]`. */
export function joinPath(above: string, below: string | undefined): string {
  if (!below) return above
  return above && !below.startsWith('[') ? `${above}.${below}` : above + below
}

/** A value for a message: cut, and on one line. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (['number', 'function', 'symbol', 'undefined'].includes(typeof value)) return String(value)
  const text = json(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) ?? String(value)
  } catch {
    return 'an object' // in a circle, or it does not want to be seen
  }
}

/** The entry of a word that may be anything; undefined where there is none. */
export function entryOf<T>(entries: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === 'string' && Object.hasOwn(entries, word) ? entries[word] : undefined
}

/** Name of an attribute to its number and type. */
export type Definition = { readonly [name: string]: readonly [id: number, type: AttributeType<unknown>] }

type ValueOf<T> = T extends AttributeType<infer V> ? V : never

/** An attribute that the table does not know. It is kept, and written back as it was. */
export interface UnknownAttribute {
  readonly type: number
  readonly data: Uint8Array
}

/** What a table describes. Absent attributes are undefined. */
export type RecordOf<D extends Definition> = {
  readonly [K in keyof D as D[K][1] extends { readonly required: true } ? never : K]?: ValueOf<D[K][1]> | undefined
} & {
  readonly [K in keyof D as D[K][1] extends { readonly required: true } ? K : never]: ValueOf<D[K][1]>
} & { readonly unknown?: readonly UnknownAttribute[] | undefined }

const NLA_TYPE_MASK = 0x3fff
const NLA_F_NESTED = 0x8000

/** One nest's table. */
export interface Attributes<D extends Definition> extends Pathfinder {
  /** Writes the record's attributes in the order of the table. */
  encode(writer: MessageWriter, record: RecordOf<D>): void
  /** Reads the attributes from `start` to `end`. */
  decode(reader: MessageReader, start: number, end: number): RecordOf<D>
  /** The same table without some attributes: they are neither decoded nor kept. */
  without<K extends keyof D>(...names: K[]): Attributes<Omit<D, K>>
  /** Path of an attribute by number, for errors that name a missing one. */
  nameOf(id: number): string | undefined
}

interface Field {
  readonly name: string
  readonly id: number
  readonly type: AttributeType<unknown>
}

/** Declares a nest: `attributes({ weight: [4, s32], … })`. */
export function attributes<const D extends Definition>(definition: D): Attributes<D> {
  return new Table(
    Object.entries(definition).map(([name, [id, type]]) => ({ name, id, type })),
    new Set(),
  ) as unknown as Attributes<D>
}

class Table implements Attributes<Definition> {
  readonly #fields: readonly Field[]
  readonly #byId: readonly (Field | undefined)[]
  readonly #ignored: ReadonlySet<number>
  /** Every record starts as a copy of this, so that all of a table have one shape. */
  readonly #empty: Record<string, undefined>

  constructor(fields: readonly Field[], ignored: ReadonlySet<number>) {
    const byId: (Field | undefined)[] = []
    for (const field of fields) byId[field.id] = field
    this.#fields = fields
    this.#byId = Array.from(byId)
    this.#ignored = ignored
    this.#empty = Object.fromEntries([...fields.map(field => [field.name, undefined] as const), ['unknown', undefined]])
  }

  encode(writer: MessageWriter, record: RecordOf<Definition>): void {
    // By index: code that runs once is not optimised, and would make an object for every step of an iteration.
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i] as Field
      const value = record[field.name]
      if (value !== undefined) writeAttribute(writer, field.id | (field.type.nested ? NLA_F_NESTED : 0), field.type, value)
    }
    if (record.unknown) for (const attribute of record.unknown) writeAttribute(writer, attribute.type, raw, attribute.data)
  }

  decode(reader: MessageReader, start: number, end: number): RecordOf<Definition> {
    const record: Record<string, unknown> = { ...this.#empty }
    const { u16 } = reader
    let offset = start
    while (offset + 4 <= end) {
      const length = u16[offset >> 1] as number
      if (length < 4 || offset + length > end) break
      const type = u16[(offset >> 1) + 1] as number
      const field = this.#byId[type & NLA_TYPE_MASK]
      if (field) record[field.name] = field.type.read(reader, offset + 4, length - 4)
      else if (!this.#ignored.has(type & NLA_TYPE_MASK)) keep(record, type, reader.bytes.slice(offset + 4, offset + length))
      offset += align4(length)
    }
    return record as RecordOf<Definition>
  }

  without(...names: (string | number)[]): Attributes<Definition> {
    const dropped = this.#fields.filter(field => names.includes(field.name))
    return new Table(
      this.#fields.filter(field => !dropped.includes(field)),
      new Set([...this.#ignored, ...dropped.map(field => field.id)]),
    )
  }

  path(reader: MessageReader, start: number, end: number, target: number): string | undefined {
    let offset = start
    while (offset + 4 <= end) {
      const length = reader.u16[offset >> 1] as number
      if (length < 4 || offset + length > end) return undefined
      if (target >= offset && target < offset + length) {
        const id = (reader.u16[(offset >> 1) + 1] as number) & NLA_TYPE_MASK
        const field = this.#byId[id]
        const below = field?.type.nested?.path(reader, offset + 4, offset + length, target)
        return joinPath(field?.name ?? `attribute ${id}`, below)
      }
      offset += align4(length)
    }
    return undefined
  }

  nameOf(id: number): string | undefined {
    return this.#byId[id]?.name
  }
}

/** Where the first attribute of a number starts between `start` and `end`; -1 when there is none. */
export function findAttribute(reader: MessageReader, start: number, end: number, id: number): number {
  for (let offset = start; offset + 4 <= end; offset = align4(attributeEnd(reader, offset))) {
    const length = reader.u16[offset >> 1] as number
    if (length < 4 || offset + length > end) break
    if (((reader.u16[(offset >> 1) + 1] as number) & NLA_TYPE_MASK) === id) return offset
  }
  return -1
}

/** Where the attribute that starts at `offset` ends. */
export function attributeEnd({ u16 }: MessageReader, offset: number): number {
  return offset + (u16[offset >> 1] as number)
}

function keep(record: Record<string, unknown>, type: number, data: Uint8Array): void {
  const unknown = (record.unknown as UnknownAttribute[] | undefined) ?? []
  unknown.push({ type, data })
  record.unknown = unknown
}

/** The length of an attribute has 16 bits, and would wrap silently. */
const MAXIMUM = 0xffff

/** The length of an attribute with its header, as it is. Throws a `BadValue` when it is too long. */
export function attributeLength(length: number): number {
  if (length > MAXIMUM) throw new BadValue('range', `has ${length - 4} bytes: an attribute holds at most ${MAXIMUM - 4}`)
  return length
}

/** Writes one attribute, with its padding. */
export function writeAttribute(writer: MessageWriter, type: number, kind: AttributeType<unknown>, value: unknown): void {
  const start = writer.offset
  writer.reserve(4 + 64)
  writer.offset += 4
  kind.write(writer, value)
  writer.u16[start >> 1] = attributeLength(writer.offset - start)
  writer.u16[(start >> 1) + 1] = type
  // The memory has been used before: padding is written, not assumed.
  while (writer.offset & 3) writer.bytes[writer.offset++] = 0
}

/** Bytes of any length. What is read is a view, which keeps the whole answer alive. */
export const raw: AttributeType<Uint8Array> = {
  write: (writer, value) => writer.append(value),
  read: (reader, offset, length) => reader.bytes.subarray(offset, offset + length),
}

export const u8: AttributeType<number> = {
  write(writer, value) {
    writer.bytes[writer.offset++] = value
  },
  read: (reader, offset, length) => (length < 1 ? undefined : reader.bytes[offset]),
}

export const u16: AttributeType<number> = {
  write(writer, value) {
    writer.u16[writer.offset >> 1] = value
    writer.offset += 2
  },
  read: (reader, offset, length) => (length < 2 ? undefined : reader.u16[offset >> 1]),
}

/** 16 bits in network byte order: ports. */
export const be16: AttributeType<number> = {
  write(writer, value) {
    writer.bytes[writer.offset++] = value >> 8
    writer.bytes[writer.offset++] = value & 255
  },
  read: (reader, offset, length) =>
    length < 2 ? undefined : ((reader.bytes[offset] as number) << 8) | (reader.bytes[offset + 1] as number),
}

export const u32: AttributeType<number> = {
  write(writer, value) {
    writer.u32[writer.offset >> 2] = value
    writer.offset += 4
  },
  read: (reader, offset, length) => (length < 4 ? undefined : reader.u32[offset >> 2]),
}

export const s32: AttributeType<number> = {
  write: u32.write,
  read: (reader, offset, length) => (length < 4 ? undefined : (reader.u32[offset >> 2] as number) | 0),
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** 64 bits; the kernel aligns them to 4 bytes only. */
export const u64: AttributeType<bigint> = {
  write(writer, value) {
    const low = Number(BigInt.asUintN(32, value))
    const high = Number(BigInt.asUintN(32, value >> 32n))
    writer.u32[writer.offset >> 2] = LITTLE_ENDIAN ? low : high
    writer.u32[(writer.offset >> 2) + 1] = LITTLE_ENDIAN ? high : low
    writer.offset += 8
  },
  read(reader, offset, length) {
    if (length < 8) return undefined
    const first = reader.u32[offset >> 2] as number
    const second = reader.u32[(offset >> 2) + 1] as number
    const high = LITTLE_ENDIAN ? second : first
    const low = LITTLE_ENDIAN ? first : second
    if (high === 0) return low === 0 ? 0n : BigInt(low) // one shared zero: idle counters cost no memory
    return (BigInt(high) << 32n) | BigInt(low)
  },
}

/** Latin-1 text with its NUL; reading stops at the first NUL. */
export const cstring: AttributeType<string> = {
  write(writer, value) {
    writer.reserve(value.length + 5)
    const { bytes } = writer
    let at = writer.offset
    for (let i = 0; i < value.length; i++) bytes[at++] = value.charCodeAt(i)
    bytes[at++] = 0
    writer.offset = at
  },
  read({ bytes }, offset, length) {
    let text = ''
    for (let i = offset; i < offset + length; i++) {
      const code = bytes[i] as number
      if (code === 0) break
      text += String.fromCharCode(code)
    }
    return intern(text)
  },
}

/** Names repeat in every record of a dump: one string for each, not one a record. */
const interned = new Map<string, string>()
function intern(text: string): string {
  const known = interned.get(text)
  if (known !== undefined) return known
  if (interned.size > 256) interned.clear()
  interned.set(text, text)
  return text
}

/** Present or not. */
export const flag: AttributeType<true> = { write() {}, read: () => true }

/** Attributes within an attribute. */
export function nested<const D extends Definition>(table: Attributes<D>): AttributeType<RecordOf<D>> {
  return {
    write: (writer, value) => table.encode(writer, value),
    read: (reader, offset, length) => table.decode(reader, offset, offset + length),
    nested: table as unknown as Attributes<Definition>,
  }
}
