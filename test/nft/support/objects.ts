/** Every kind of object: how it is read and written, and what of its attributes is not written again. */
import { align4, MessageReader, type MessageWriter } from '../../../lib/netlink/buffer.js'
import type { Pathfinder } from '../../../lib/netlink/schema.js'
import { quota } from '../../../lib/nft/expressions/quota.js'
import { readChain, writeChain } from '../../../lib/nft/objects/chain.js'
import { readFlowtable, writeFlowtable } from '../../../lib/nft/objects/flowtable.js'
import { readRule, writeRule } from '../../../lib/nft/objects/rule.js'
import { readSet, writeSet } from '../../../lib/nft/objects/set.js'
import { readObject, writeObject } from '../../../lib/nft/objects/stateful.js'
import { readTable, writeTable } from '../../../lib/nft/objects/table.js'
import type { Family, Unknown } from '../../../lib/nft/types.js'
import type { UserDatum } from '../../../lib/nft/user-data.js'
import { sameAttributes } from './attributes.js'
import { withoutTold } from './told.js'

type Read = (family: Family, reader: MessageReader, start: number, end: number) => unknown
type Fields = Readonly<Record<string, unknown>>

interface Kind {
  readonly read: Read
  write(writer: MessageWriter, object: never): void
  /** Names of the fields that the kernel only tells. */
  readonly told: readonly string[]
  /** A record without what the object has in another form. */
  readonly reduce?: (record: Fields, before: Fields) => Fields
}

/** By the end of the message's name: `newTable`, `deleteRule`. */
export const KINDS: Readonly<Record<string, Kind>> = {
  Table: { read: readTable, write: writeTable, told: ['use', 'handle', 'owner'] },
  Chain: {
    read: readChain,
    write: writeChain,
    told: ['handle', 'use'],
    // That it is a base chain its hook says; an unnamed one has no name; one device stands there twice, and a list of none says nothing.
    reduce({ flags, hook, name, ...chain }, before) {
      const unnamed = ((before.flags as number) & 4) !== 0
      return { ...chain, ...bits(flags, 1), ...(!unnamed && { name }), hook: hook && withoutDevices(hook as Fields) }
    },
  },
  Rule: {
    read: readRule,
    write: (writer, rule) => writeRule(writer, rule, false),
    told: ['handle', 'position'],
    // Instead of its chain's name, where there are both.
    reduce: ({ chain, ...rule }) => ({ ...rule, ...(rule.chainId === undefined && { chain }) }),
  },
  Set: {
    read: readSet,
    // An anonymous set has to have an id, which the kernel does not tell.
    write: (writer, set) => writeSet(writer, Object.assign({ id: 1 }, set)),
    told: ['id', 'handle', 'backend', 'count'],
    // The kernel tells the length of a verdict, an empty description or list, and one expression or several; that it is a map its data say.
    reduce: ({ description, dataType, dataLength, flags, expression, expressions, ...set }) => ({
      ...set,
      expressions: expression ? [expression] : isEmpty(expressions) ? undefined : expressions,
      dataType,
      ...bits(flags, 8 | 0x40 | 0x80 | 0x100),
      ...(dataType !== undefined && dataType !== 0xffff_ff00 && { dataLength }),
      description: describes(description as Fields | undefined, set, flags),
    }),
  },
  Object: {
    read: readObject,
    write: writeObject,
    told: ['use', 'handle'],
    reduce: ({ data, ...object }) => ({ ...object, data: object.type === QUOTA ? withoutDepleted(data) : data }),
  },
  Flowtable: {
    read: readFlowtable,
    write: writeFlowtable,
    told: ['use', 'handle'],
    reduce: ({ flags, hook, ...flowtable }) => ({
      ...flowtable,
      ...bits(flags, 0),
      hook: hook && withoutDevices(hook as Fields),
    }),
  },
}

/** NFT_OBJECT_QUOTA */
const QUOTA = 2

/** That it is used up the kernel finds out by itself. */
function withoutDepleted(data: unknown): unknown {
  const read = data instanceof Uint8Array && quota.table.decode(new MessageReader(data), 0, data.length)
  return read ? { ...read, flags: read.flags?.filter(flag => flag !== 'depleted') } : data
}

/** NFT_SET_INTERVAL, NFT_SET_CONCAT */
const RANGES = 0x84

/** Fields that are not those of the key, six bits of its type for each, make no sense: the kernel refuses them. */
function describes(
  { concatenation, unknown = [], ...description }: Fields = {},
  { keyType, keyLength }: Fields,
  flags: unknown,
): Fields {
  const lengths = ((concatenation ?? []) as readonly { length?: number }[]).map(({ length = 0 }) => length)
  const types = Math.ceil((32 - Math.clz32((keyType as number | undefined) ?? 0)) / 6)
  const ranges = ((flags as number) & RANGES) === RANGES && lengths.length > 1
  const fits = ranges && types === lengths.length && lengths.reduce((sum, length) => sum + align4(length), 0) === keyLength
  // Of several sizes or lists of fields only the first is the set's.
  const others = (unknown as readonly Unknown[]).filter(({ type }) => (type & 0x3fff) > 2)
  return {
    ...description,
    ...(others.length > 0 && { unknown: others }),
    ...(fits && { concatenation: lengths.map(length => ({ length })) }),
  }
}

const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0

function bits(flags: unknown, ignored: number): Fields {
  const rest = ((flags as number | undefined) ?? 0) & ~ignored
  return rest === 0 ? {} : { flags: rest }
}

function withoutDevices({ device, devices, unknown = [], ...hook }: Fields): Fields {
  const all = (devices as readonly string[] | undefined) ?? (device === undefined ? [] : [device])
  const others = (unknown as readonly Unknown[]).filter(({ type }) => !DEVICES.includes(type & 0x3fff))
  return { ...hook, ...(all.length > 0 && { devices: all }), ...(others.length > 0 && { unknown: others }) }
}

/** NFTA_FLOWTABLE_HOOK_DEVS, NFTA_HOOK_DEVS: what comes twice is only once the hook's. */
const DEVICES = [3, 4]

/** The fields of a record that another one lacks or has otherwise. */
export function lost(kind: Kind, table: Pathfinder, before: Fields, after: Fields): string[] {
  const [a, b] = [before, after].map(record => comparable(kind, table, before, record)) as [Fields, Fields]
  return Object.keys(a).filter(field => !holds(b[field], a[field]))
}

const names = new Map<Pathfinder, (string | undefined)[]>()

/** The name of an attribute by its number. */
function nameOf(table: Pathfinder, id: number): string {
  const known = names.get(table) ?? []
  names.set(table, known)
  const name = known[id] ?? table.path(new MessageReader(Uint8Array.of(4, 0, id & 0xff, id >> 8)), 0, 4, 0) ?? ''
  known[id] = name
  return name
}

function comparable(
  { told, reduce = record => record }: Kind,
  table: Pathfinder,
  before: Fields,
  { unknown = [], userData, ...record }: Fields,
): Fields {
  // Of several attributes with one number only the first is the object's.
  const kept = (unknown as readonly { type: number; data: Uint8Array }[])
    .map(({ type, data }) => ({ type: type & 0x3fff, data }))
    .filter(({ type }) => before[nameOf(table, type)] === undefined && !told.includes(nameOf(table, type)))
  const own = Object.fromEntries(Object.entries(reduce(record, before)).filter(([name]) => !told.includes(name)))
  const data = comparableUserData(userData as readonly UserDatum[] | undefined)
  const fields = { ...own, userData: data, ...(kept.length > 0 && { unknown: kept }) }
  return (withoutTold(fields) as Fields | undefined) ?? fields
}

/** By their types, for the comment among them goes to another place, and numbers that are 0 say nothing. */
function comparableUserData(data: readonly UserDatum[] = []): Fields {
  const byType: Record<string, Uint8Array[]> = {}
  for (const { type, data: value } of data)
    if (value.length !== 4 || value.some(byte => byte !== 0)) byType[type] = [...(byType[type] ?? []), value]
  return byType
}

/** Whether a value has all that another one has. Bytes may be attributes in another order. */
function holds(whole: unknown, part: unknown): boolean {
  if (part === undefined) return true
  if (part instanceof Uint8Array)
    return whole instanceof Uint8Array && sameAttributes(part, 0, part.length, whole, 0, whole.length)
  if (part === null || typeof part !== 'object') return Object.is(whole, part)
  if (whole === null || typeof whole !== 'object') return false
  if (Array.isArray(part) && (whole as readonly unknown[]).length !== part.length) return false
  return Object.keys(part).every(name => holds((whole as Fields)[name], (part as Fields)[name]))
}
