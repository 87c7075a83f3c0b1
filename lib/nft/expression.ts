/** How expressions are declared, and how lists of them are written and read (NFTA_EXPR_*). */
import { align4, type MessageReader, type MessageWriter } from '../netlink/buffer.js'
import { beginNest, endNest } from '../netlink/message.js'
import { nearest } from '../netlink/nearest.js'
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

/** What the table of an expression can not say. */
export interface Rules<D extends Definition> {
  /** Throws a `BadValue` for fields that do not go together. */
  readonly check?: ((expression: RecordOf<D>) => void) | undefined
  /** What is sent for it: without what the kernel only tells, and does not take back. */
  readonly sent?: ((expression: RecordOf<D>) => RecordOf<D>) | undefined
}

/** One of the kernel's expressions: its name, which is also `kind`, and its attributes. */
export interface ExpressionCodec<K extends string, D extends Definition> extends Rules<D> {
  readonly kind: K
  readonly table: RecordTable<D>
  /** It has no attributes, and then no nest for them either (notrack). */
  readonly empty: boolean
}

/** Declares an expression. `kind` is its name in the kernel (`struct nft_expr_type`). */
export function expressionCodec<const K extends string, const D extends Definition>(
  kind: K,
  definition: D,
  rules: Rules<D> = {},
): ExpressionCodec<K, D> {
  const empty = Object.keys(definition).length === 0
  return { kind, table: record(definition, kind), empty, check: rules.check, sent: rules.sent }
}

type AnyCodec = ExpressionCodec<string, Definition>

/** The public type of an expression that was declared. */
export type ExpressionOf<C> = C extends ExpressionCodec<infer K, infer D> ? { readonly kind: K } & RecordOf<D> : never

const NFTA_EXPR_NAME = 1
const NFTA_EXPR_DATA = 2
const NLA_F_NESTED = 0x8000
const name = text(127)

type AnyExpression = RecordOf<Definition> & { readonly kind: string }

/** The attribute of one expression that is one of `codecs`; any other is opaque. */
export function expressionOf<E>(
  codecs: readonly { readonly kind: string; readonly table: Pathfinder }[],
): AttributeType<E | Opaque> {
  const byKind: ReadonlyMap<string, AnyCodec> = new Map((codecs as readonly AnyCodec[]).map(codec => [codec.kind, codec]))
  const type: AttributeType<AnyExpression> = {
    write: (writer, value) => writeExpression(writer, byKind, value),
    read: (reader, offset, length) => readExpression(reader, byKind, offset, length),
    nested: { path: (reader, start, end, target) => pathOf(reader, byKind, start, end, target) },
  }
  return type as unknown as AttributeType<E | Opaque>
}

function writeExpression(writer: MessageWriter, codecs: ReadonlyMap<string, AnyCodec>, value: AnyExpression): void {
  if (value === null || typeof value !== 'object') throw new BadValue('type', `${shown(value)}: give an expression`)
  const codec = codecs.get(value.kind)
  if (!codec) {
    if (value.kind === 'opaque') return writeOpaque(writer, value as unknown as Opaque)
    const known =
      typeof value.kind === 'string' ? nearest(value.kind, [...codecs.keys()]).replace('the fields are', 'there are') : ''
    throw new BadValue('type', `${shown(value.kind)}: there is no such expression here${known}`).within('kind')
  }
  writeAttribute(writer, NFTA_EXPR_NAME, name, codec.kind)
  const start = codec.empty ? undefined : beginNest(writer, NFTA_EXPR_DATA | NLA_F_NESTED)
  codec.table.encode(writer, codec.sent ? codec.sent(value) : value)
  if (start !== undefined) endNest(writer, start)
  // Behind the writing: a field that is misspelt is not only missing.
  codec.check?.(value)
}

function readExpression(
  reader: MessageReader,
  codecs: ReadonlyMap<string, AnyCodec>,
  offset: number,
  length: number,
): AnyExpression | undefined {
  const end = offset + length
  const at = findAttribute(reader, offset, end, NFTA_EXPR_NAME)
  const kind = at < 0 ? undefined : name.read(reader, at + 4, attributeEnd(reader, at) - at - 4)
  if (kind === undefined) return undefined
  const data = findAttribute(reader, offset, end, NFTA_EXPR_DATA)
  // Nothing else stands beside the two, else it would be lost.
  const size = align4(attributeEnd(reader, at) - at) + (data < 0 ? 0 : align4(attributeEnd(reader, data) - data))
  if (size !== align4(length)) return undefined
  const read = readKnown(codecs.get(kind), reader, data)
  if (read) return read as AnyExpression
  const opaque: Opaque =
    data < 0
      ? { kind: 'opaque', name: kind }
      : { kind: 'opaque', name: kind, data: reader.bytes.slice(data + 4, attributeEnd(reader, data)) }
  return opaque as unknown as AnyExpression
}

/** What the table can read, unless it would be refused when it is written again. */
function readKnown(codec: AnyCodec | undefined, reader: MessageReader, data: number): RecordOf<Definition> | undefined {
  if (!codec || data < 0 !== codec.empty) return undefined
  const read = data < 0 ? codec.table.decode(reader, 0, 0) : codec.table.decode(reader, data + 4, attributeEnd(reader, data))
  try {
    if (read) codec.check?.(read)
    return read
  } catch {
    return undefined
  }
}

function pathOf(
  reader: MessageReader,
  codecs: ReadonlyMap<string, AnyCodec>,
  start: number,
  end: number,
  target: number,
): string | undefined {
  const at = findAttribute(reader, start, end, NFTA_EXPR_NAME)
  if (at < 0) return undefined
  const kind = name.read(reader, at + 4, attributeEnd(reader, at) - at - 4)
  const data = findAttribute(reader, start, end, NFTA_EXPR_DATA)
  if (data < 0 || target < data + 4 || target >= attributeEnd(reader, data)) return undefined
  return joinPath('', codecs.get(kind ?? '')?.table.path(reader, data + 4, attributeEnd(reader, data), target))
}

function writeOpaque(writer: MessageWriter, value: Opaque): void {
  if (typeof value.name !== 'string')
    throw new BadValue('type', `${shown(value.name)}: give the kernel's name of it`).within('name')
  writeAttribute(writer, NFTA_EXPR_NAME, name, value.name)
  if (value.data === undefined) return
  if (!(value.data instanceof Uint8Array)) throw new BadValue('type', `${shown(value.data)}: give a Uint8Array`).within('data')
  writeAttribute(writer, NFTA_EXPR_DATA | NLA_F_NESTED, raw, value.data)
}
