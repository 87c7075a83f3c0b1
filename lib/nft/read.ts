/** How objects of each kind are asked for and read. */
import type { MessageReader } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import type { Body } from '../netlink/generic.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { BadValue, shown } from '../netlink/schema.js'
import { objectsIn, Turns } from '../netlink/turns.js'
import type { Answer } from './answer.js'
import { everChanging, isMissing } from './asking.js'
import { familyFromWire, familyToWire } from './family.js'
import type { Kernel } from './kernel.js'
import { readChain } from './objects/chain.js'
import { readFlowtable } from './objects/flowtable.js'
import { objectTypeToWire } from './objects/object-type.js'
import { readRule } from './objects/rule.js'
import { readSet } from './objects/set.js'
import { readObject } from './objects/stateful.js'
import { readTable } from './objects/table.js'
import type { Family, ObjectType } from './types.js'
import * as wire from './wire.js'

/** Which objects. What is undefined is any. */
export interface Filter {
  readonly family?: Family | undefined
  readonly table?: string | undefined
  readonly chain?: string | undefined
  readonly name?: string | undefined
  readonly type?: ObjectType | number | undefined
  readonly handle?: number | undefined
}

/** A kind of objects. */
export interface Kind<T> {
  /** NFT_MSG_GET… */
  readonly get: number
  /** What names one. */
  readonly key: readonly (keyof Filter)[]
  /** What is asked for, as attributes. */
  body(filter: Filter): Body
  read(family: Family, reader: MessageReader, start: number, end: number): T | undefined
}

const { message } = wire
const NAMED = ['family', 'table', 'name', 'handle'] as const

const named =
  (table: typeof wire.setAttributes | typeof wire.chainAttributes | typeof wire.flowtableAttributes) =>
  ({ table: of, name }: Filter): Body =>
  writer =>
    table.encode(writer, { table: of, name })

export const tables: Kind<NonNullable<ReturnType<typeof readTable>>> = {
  get: message.getTable,
  key: ['family', 'name', 'handle'],
  body:
    ({ name }) =>
    writer =>
      wire.tableAttributes.encode(writer, { name }),
  read: readTable,
}
export const chains: Kind<NonNullable<ReturnType<typeof readChain>>> = {
  get: message.getChain,
  key: NAMED,
  body: named(wire.chainAttributes),
  read: readChain,
}
export const rules: Kind<NonNullable<ReturnType<typeof readRule>>> = {
  get: message.getRule,
  key: ['family', 'table', 'chain', 'handle'],
  // With a table, but without its family, the kernel tells the rules of the first table of this name only (nf_tables_dump_rules).
  body:
    ({ family, table, chain, handle }) =>
    writer =>
      wire.ruleAttributes.encode(writer, family === undefined ? {} : { table, chain, handle }),
  read: readRule,
}
export const sets: Kind<NonNullable<ReturnType<typeof readSet>>> = {
  get: message.getSet,
  key: NAMED,
  // With a table, but without its family, the kernel finds none (nf_tables_getset).
  body: filter => named(wire.setAttributes)(filter.family === undefined ? { ...filter, table: undefined } : filter),
  read: readSet,
}
export const objects: Kind<NonNullable<ReturnType<typeof readObject>>> = {
  get: message.getObject,
  key: [...NAMED, 'type'],
  body:
    ({ table, name, type }) =>
    writer =>
      wire.objectAttributes.encode(writer, { table, name, type: type === undefined ? undefined : objectTypeToWire(type) }),
  read: readObject,
}
export const flowtables: Kind<NonNullable<ReturnType<typeof readFlowtable>>> = {
  get: message.getFlowtable,
  key: NAMED,
  body: named(wire.flowtableAttributes),
  read: readFlowtable,
}

/** What names an object, without the rest of it: what was read may be asked for again. Throws a `BadValue` where something is missing. */
export function keyOf<T>({ key }: Kind<T>, object: Filter): Filter {
  if (object === null || typeof object !== 'object')
    throw new BadValue('type', `${shown(object)}: give an object with ${key.join(', ')}`)
  const named = key.includes('name')
  for (const field of key)
    if (object[field] === undefined && !(named && field === 'handle') && !(field === 'name' && object.handle !== undefined))
      throw new BadValue('type', 'is missing').within(field)
  return Object.fromEntries(key.map(field => [field, object[field]]))
}

/** The filter for an error: `inet web in`. */
export function describe({ family, table, chain, type, name, handle }: Filter): string {
  return [family, table, chain, type, name, handle === undefined ? undefined : `handle ${handle}`].filter(Boolean).join(' ')
}

/** The number of a family in requests; 0 is any. */
export const familyNumber = (family: Family | undefined): number => (family === undefined ? 0 : familyToWire(family))

/** The objects in an answer that the filter lets through: not every kernel filters by every field. */
export async function decode<T>(answer: Answer, kind: Kind<T>, filter: Filter): Promise<T[]> {
  const found: T[] = []
  const turns = new Turns()
  const fields = (['family', 'table', 'chain', 'name', 'type', 'handle'] as const).filter(field => filter[field] !== undefined)
  for (const { payload, end } of answer.messages()) {
    const family = familyFromWire(answer.reader.bytes[payload] as number)
    const object = family && kind.read(family, answer.reader, payload + NETFILTER_HEADER, end)
    if (object && fields.every(field => (object as Filter)[field] === filter[field])) found.push(object)
    if (turns.due(objectsIn(end - payload))) await turns.give()
  }
  return found
}

/** How often what others keep changing is read. */
export const TRIES = 10

/** All objects of a kind, of one generation. None where the table or chain is not there. */
export async function list<T>(kernel: Kernel, kind: Kind<T>, filter: Filter, limit: Limit): Promise<T[]> {
  const body = kind.body({ ...filter, name: undefined, handle: undefined })
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const answer = await kernel.dump(kind.get, familyNumber(filter.family), body, limit)
      if (!answer.interrupted) return await decode(answer, kind, filter)
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }
  throw everChanging('list', TRIES)
}

/** One object; undefined when it is not there. The kernel looks only rules up by their handle: for any other it is looked for here. */
export async function find<T>(kernel: Kernel, kind: Kind<T>, filter: Filter, limit: Limit): Promise<T | undefined> {
  if (filter.name === undefined && filter.chain === undefined) return (await list(kernel, kind, filter, limit))[0]
  try {
    const answer = await kernel.request(kind.get, familyNumber(filter.family), kind.body(filter), limit)
    return (await decode(answer, kind, filter))[0]
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
