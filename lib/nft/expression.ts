/** How expressions are declared, and how lists of them are written and read (NFTA_EXPR_*). */
import type { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { type RecordTable, record } from '../netlink/record.js'
import {
  type AttributeType,
  attributeEnd,
  BadValue,
  type Definition,
  findAttribute,
  joinPath,
  type Pathfinder,
  type RecordOf,
  raw,
  shown,
  writeAttribute,
} from '../netlink/schema.js'
import { text } from '../netlink/values.js'

/** An expression that is not known here. What is read is kept, and written back byte for byte. */
export interface Opaque {
  readonly kind: 'opaque'
  /** The kernel's name of it. */
  readonly name: string
  /** Its attributes as they stand in the message; absent where it has none. */
  readonly data?: Uint8Array | undefined
}

/** One of the kernel's expressions: its name, which is also `kind`, and its attributes. */
export interface ExpressionCodec<K extends string, D extends Definition> {
  readonly kind: K
  readonly table: RecordTable<D>
  /** What the table can not say. Throws a `BadValue`. */
  readonly check?: ((expression: RecordOf<D>) => void) | undefined
}

/** Declares an expression. `kind` is its name in the kernel (`struct nft_expr_type`). */
export function expressionCodec<const K extends string, const D extends Definition>(
  kind: K,
  definition: D,
  check?: (expression: RecordOf<D>) => void,
): ExpressionCodec<K, D> {
  return { kind, table: record(definition, { kind }), check }
}

type AnyCodec = ExpressionCodec<string, Definition>

/** The public type of an expression that was declared. */
export type ExpressionOf<C> = C extends ExpressionCodec<infer K, infer D> ? { readonly kind: K } & RecordOf<D> : never

const NFTA_EXPR_NAME = 1
const NFTA_EXPR_DATA = 2
const NLA_F_NESTED = 0x8000
const name = text(127)

/** The attribute of one expression that is one of `codecs`; any other is opaque. */
export function expressionOf<E>(
  codecs: readonly { readonly kind: string; readonly table: Pathfinder }[],
): AttributeType<E | Opaque> {
  return new Union(new Map((codecs as readonly AnyCodec[]).map(codec => [codec.kind, codec]))) as unknown as AttributeType<
    E | Opaque
  >
}

class Union implements AttributeType<RecordOf<Definition> & { readonly kind: string }> {
  readonly #codecs: ReadonlyMap<string, AnyCodec>
  readonly nested = this

  constructor(codecs: ReadonlyMap<string, AnyCodec>) {
    this.#codecs = codecs
  }

  write(writer: MessageWriter, value: RecordOf<Definition> & { readonly kind: string }): void {
    if (value === null || typeof value !== 'object') throw new BadValue('type', `${shown(value)}: give an expression`)
    const codec = this.#codecs.get(value.kind)
    if (codec) this.#write(writer, codec, value)
    else if (value.kind === 'opaque') writeOpaque(writer, value as unknown as Opaque)
    else
      throw new BadValue(
        'type',
        `${shown(value.kind)}: there is no such expression here: there are ${[...this.#codecs.keys()].join(', ')}`,
      ).within('kind')
  }

  #write(writer: MessageWriter, codec: AnyCodec, value: RecordOf<Definition>): void {
    writeAttribute(writer, NFTA_EXPR_NAME, name, codec.kind)
    codec.check?.(value)
    const start = writer.offset
    writer.reserve(8)
    writer.offset += 4
    codec.table.encode(writer, value)
    writer.u16[start >> 1] = writer.offset - start
    writer.u16[(start >> 1) + 1] = NFTA_EXPR_DATA | NLA_F_NESTED
  }

  read(reader: MessageReader, offset: number, length: number): (RecordOf<Definition> & { kind: string }) | undefined {
    const end = offset + length
    const at = findAttribute(reader, offset, end, NFTA_EXPR_NAME)
    const kind = at < 0 ? undefined : name.read(reader, at + 4, attributeEnd(reader, at) - at - 4)
    if (kind === undefined) return undefined
    const data = findAttribute(reader, offset, end, NFTA_EXPR_DATA)
    // Nothing else stands beside the two, else it would be lost.
    const size = align(attributeEnd(reader, at) - at) + (data < 0 ? 0 : align(attributeEnd(reader, data) - data))
    if (size !== align(length)) return undefined
    const table = this.#codecs.get(kind)?.table
    // An expression without attributes has no data either (notrack).
    const read = table && (data < 0 ? table.decode(reader, end, end) : table.decode(reader, data + 4, attributeEnd(reader, data)))
    if (read) return read as RecordOf<Definition> & { kind: string }
    const opaque: Opaque =
      data < 0
        ? { kind: 'opaque', name: kind }
        : { kind: 'opaque', name: kind, data: reader.bytes.slice(data + 4, attributeEnd(reader, data)) }
    return opaque as unknown as RecordOf<Definition> & { kind: string }
  }

  path(reader: MessageReader, start: number, end: number, target: number): string | undefined {
    const at = findAttribute(reader, start, end, NFTA_EXPR_NAME)
    if (at < 0) return undefined
    const kind = name.read(reader, at + 4, attributeEnd(reader, at) - at - 4)
    const data = findAttribute(reader, start, end, NFTA_EXPR_DATA)
    if (data < 0 || target < data + 4 || target >= attributeEnd(reader, data)) return undefined
    return joinPath('', this.#codecs.get(kind ?? '')?.table.path(reader, data + 4, attributeEnd(reader, data), target))
  }
}

const align = (length: number): number => (length + 3) & ~3

function writeOpaque(writer: MessageWriter, value: Opaque): void {
  if (typeof value.name !== 'string')
    throw new BadValue('type', `${shown(value.name)}: give the kernel's name of it`).within('name')
  writeAttribute(writer, NFTA_EXPR_NAME, name, value.name)
  if (value.data === undefined) return
  if (!(value.data instanceof Uint8Array)) throw new BadValue('type', `${shown(value.data)}: give a Uint8Array`).within('data')
  writeAttribute(writer, NFTA_EXPR_DATA | NLA_F_NESTED, raw, value.data)
}
