import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { beginNest, endNest } from '../../netlink/message.js'
import type { RecordTable } from '../../netlink/record.js'
import {
  attributeEnd,
  BadValue,
  type Definition,
  findAttribute,
  type RecordOf,
  raw,
  shown,
  writeAttribute,
} from '../../netlink/schema.js'
import { connlimit } from '../expressions/connlimit.js'
import { counter } from '../expressions/counter.js'
import { limit } from '../expressions/limit.js'
import { quota } from '../expressions/quota.js'
import { synproxy } from '../expressions/synproxy.js'
import type { Family, ObjectType, OtherObject, StatefulObject } from '../types.js'
import { joinComment, splitComment } from '../user-data.js'
import { objectAttributes } from '../wire.js'
import { named, needed } from './needed.js'
import { objectTypeFromWire, objectTypeToWire } from './object-type.js'
import { expectationData } from './stateful/expectation.js'
import { helperData } from './stateful/helper.js'
import { secmarkData } from './stateful/secmark.js'
import { timeoutData } from './stateful/timeout.js'
import { joinUnknown, unknownOf } from './unknown.js'

/** NFTNL_UDATA_OBJ_COMMENT */
const COMMENT = 0
/** NFTA_OBJ_DATA with NLA_F_NESTED. */
const DATA = 4
const NESTED = 0x8000

/** What the data of each type consists of: often that of the expression of this name. That of any other type is bytes. */
const TABLES = {
  counter: counter.table,
  quota: quota.table,
  'ct helper': helperData,
  limit: limit.table,
  connlimit: connlimit.table,
  'ct timeout': timeoutData,
  secmark: secmarkData,
  'ct expectation': expectationData,
  synproxy: synproxy.table,
} as unknown as Readonly<Record<ObjectType | number, RecordTable<Definition> | undefined>>

const tableOf = (type: ObjectType | number): RecordTable<Definition> | undefined =>
  Object.hasOwn(TABLES, type) ? TABLES[type] : undefined

export function writeObject(writer: MessageWriter, object: StatefulObject): void {
  const { family: _family, table, name, type, comment, userData, unknown, handle: _handle, use: _use, ...fields } = object
  named({ table, name })
  objectAttributes.encode(writer, { table, name, type: typeToWire(type) })
  // What could not be read was kept as bytes, also where the type is known.
  const known = (fields as Partial<OtherObject>).data === undefined ? tableOf(type) : undefined
  if (known) writeFields(writer, known, { ...fields, unknown: unknownOf(unknown, 'data') })
  else writeBytes(writer, fields as Partial<OtherObject>)
  objectAttributes.encode(writer, { userData: joinComment({ comment, userData }, COMMENT), unknown: unknownOf(unknown) })
}

function typeToWire(type: ObjectType | number): number {
  try {
    return objectTypeToWire(type)
  } catch (error) {
    throw error instanceof BadValue ? error.within('type') : error
  }
}

function writeFields(writer: MessageWriter, table: RecordTable<Definition>, fields: RecordOf<Definition>): void {
  const data = beginNest(writer, DATA | NESTED)
  table.encode(writer, fields)
  endNest(writer, data)
}

function writeBytes(writer: MessageWriter, { data }: Partial<OtherObject>): void {
  if (!(data instanceof Uint8Array))
    throw new BadValue('type', `${shown(data)}: give its attributes as a Uint8Array`).within('data')
  writeAttribute(writer, DATA | NESTED, raw, data)
}

/** The type is needed beside a handle, too. */
export function writeObjectKey(
  writer: MessageWriter,
  {
    table,
    type,
    name,
    handle,
  }: {
    readonly table: string
    readonly type: ObjectType | number
    readonly name?: string | undefined
    readonly handle?: number | undefined
  },
): void {
  needed(handle === undefined ? { table, name } : { table })
  objectAttributes.encode(writer, { table, type: typeToWire(type), ...(name === undefined ? { handle } : { name }) })
}

export function readObject(family: Family, reader: MessageReader, start: number, end: number): StatefulObject | undefined {
  const record = objectAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { table = '', name = '', type: number = 0, data, userData, unknown, ...others } = record
  const type = objectTypeFromWire(number)
  const common = { family, table, name, type, ...others }
  const decoded = tableOf(type) && decodeData(type, reader, start, end)
  const comment = splitComment(userData, COMMENT)
  if (!decoded) return { ...common, ...(data && { data }), ...comment, ...(unknown && { unknown }) } as unknown as OtherObject
  const { kind: _kind, unknown: within, ...fields } = decoded
  return { ...common, ...fields, ...comment, ...joinUnknown(unknown, 'data', within) } as unknown as StatefulObject
}

function decodeData(
  type: ObjectType | number,
  reader: MessageReader,
  start: number,
  end: number,
): RecordOf<Definition> | undefined {
  const at = findAttribute(reader, start, end, DATA)
  return at < 0 ? undefined : tableOf(type)?.decode(reader, at + 4, attributeEnd(reader, at))
}
