import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import { callersNames } from '../field-of.js'
import type { DataTypes, Family, NftSet } from '../types.js'
import { setAttributes } from '../wire.js'
import { bitsOf, wordsOf } from './bits.js'
import { named, needed } from './needed.js'
import { objectTypeFromWire, objectTypeToWire } from './object-type.js'
import {
  checkListable,
  isListable,
  lengthOf,
  numberOf,
  orderNumber,
  resolveTypes,
  type TypeList,
  typesFromWire,
} from './set-types.js'
import { ordersIn, readSetUserData, setUserData } from './set-user-data.js'
import { attributeOf, joinUnknown, unknownOf } from './unknown.js'
import { within } from './within.js'

/** NFT_SET_* ; the others follow from other fields. */
export const FLAGS = { anonymous: 1, constant: 2, interval: 4, timeout: 0x10, dynamic: 0x20 } as const
const MAP = 8
const OBJECT = 0x40
export const CONCATENATION = 0x80
const EXPRESSIONS = 0x100
/** NFT_DATA_VERDICT, for which the kernel tells 16 bytes. */
const VERDICT = 0xffff_ff00
const POLICIES = ['performance', 'memory'] as const
/** NFTA_SET_POLICY */
const POLICY = 8
/** NFTA_SET_EXPRESSIONS */
const EXPRESSION_LIST = 18
/** The kernel wants one for every set, and looks for sets by it only when there is none of a name. */
const NO_ID = 0xffff_ffff

export function writeSet(writer: MessageWriter, set: NftSet): void {
  const { table, name, objects, timeout, gcInterval, policy, expressions, unknown, unlistable } = set
  const key = typesOf(set.key, 'key', unlistable)
  const flags = flagsOf(set, key)
  const data = set.data === undefined || set.data === 'verdict' ? undefined : typesOf(set.data, 'data', unlistable)
  check(set, flags)
  const concatenation = flags & CONCATENATION ? key.types.map(({ length }) => ({ length })) : undefined
  const record = {
    table,
    name,
    flags,
    keyType: numberOf(key),
    keyLength: lengthOf(key),
    ...dataAttributes(set, data),
    policy: policy === undefined ? undefined : policyNumber(policy),
    description: descriptionOf(set, concatenation),
    id: set.id === undefined ? NO_ID : set.id,
    timeout: milliseconds(timeout, 'timeout'),
    gcInterval: milliseconds(gcInterval, 'gcInterval', LONGEST_GC),
    userData: setUserData(set, orderNumber(set.key), orderOfData(set.data)),
    objectType: objects === undefined ? undefined : within('objects', () => objectTypeToWire(objects)),
    expression: expressions?.length === 1 ? expressions[0] : undefined,
    expressions: expressions && expressions.length > 1 ? expressions : undefined,
    unknown: unknownOf(unknown),
  }
  callersNames('add', 'set', set, () => setAttributes.encode(writer, record))
}

function descriptionOf({ size, unknown }: NftSet, concatenation: readonly { readonly length: number }[] | undefined) {
  const others = unknownOf(unknown, 'description')
  return size === undefined && !concatenation && !others ? undefined : { size, concatenation, unknown: others }
}

function typesOf(types: DataTypes, field: string, unlistable: boolean | undefined): TypeList {
  return within(field, () => {
    if (types === undefined) throw new BadValue('type', 'is missing: give the type of the keys')
    const list = resolveTypes(types)
    checkListable(list, unlistable)
    return list
  })
}

/** All bits: those that were given, and those that follow from other fields. */
function flagsOf({ flags = [], data, objects, expressions = [] }: NftSet, key: TypeList): number {
  if (!Array.isArray(expressions))
    throw new BadValue('type', `${shown(expressions)}: give a list of expressions`).within('expressions')
  const bits = bitsOf(flags, FLAGS, 'flags')
  const implied =
    (data === undefined ? 0 : MAP) |
    (objects === undefined ? 0 : OBJECT) |
    (bits & FLAGS.interval && key.concatenated ? CONCATENATION : 0) |
    (expressions.length > 1 ? EXPRESSIONS : 0)
  return (bits | implied) >>> 0
}

function check(set: NftSet, flags: number): void {
  const { table, name, data, objects, dataInterval, timeout, gcInterval, id } = set
  for (const field of ['autoMerge', 'dataInterval', 'unlistable'] as const)
    if (set[field] !== undefined && typeof set[field] !== 'boolean')
      throw new BadValue('type', `${shown(set[field])}: give true or false`).within(field)
  named({ table, name })
  if (data !== undefined && objects !== undefined)
    throw new BadValue('type', 'a map has data or objects, not both').within('objects')
  if (dataInterval && (data === undefined || data === 'verdict'))
    throw new BadValue('type', 'only data that are values can be ranges').within('dataInterval')
  if (timeout !== undefined && !(flags & FLAGS.timeout)) throw new BadValue('type', 'needs the flag "timeout"').within('timeout')
  if (gcInterval !== undefined && !(flags & FLAGS.timeout))
    throw new BadValue('type', 'needs the flag "timeout"').within('gcInterval')
  if (flags & FLAGS.anonymous && id === undefined)
    throw new BadValue('type', 'is missing: nothing else names an anonymous set').within('id')
}

function policyNumber(policy: 'performance' | 'memory'): number {
  const number = POLICIES.indexOf(policy)
  if (number < 0) throw new BadValue('type', `${shown(policy)}: give one of ${POLICIES.join(', ')}`).within('policy')
  return number
}

function dataAttributes({ data, dataInterval }: NftSet, types: TypeList | undefined): { dataType?: number; dataLength?: number } {
  if (data === 'verdict') return { dataType: VERDICT, dataLength: 0 }
  if (!types) return {}
  const length = lengthOf(types)
  return { dataType: numberOf(types), dataLength: dataInterval ? 2 * length : length }
}

/** Milliseconds that the kernel takes: 2^64 nanoseconds (nf_msecs_to_jiffies64), and 32 bits (NFTA_SET_GC_INTERVAL). */
const LONGEST = 18_446_744_073_708
const LONGEST_GC = 0xffff_ffff

/** Seconds as the kernel takes them. Throws a `BadValue` at `field`. */
export function milliseconds(seconds: number | undefined, field: string, longest = LONGEST): number | undefined {
  if (seconds === undefined) return undefined
  const given = typeof seconds === 'number' ? Math.round(seconds * 1000) : Number.NaN
  // A short time that is rounded to none would mean never.
  if (given >= 0 && given <= longest && (given > 0 || seconds === 0)) return given
  throw new BadValue(
    typeof seconds === 'number' ? 'range' : 'type',
    `${shown(seconds)}: give seconds, 0 or from 0.001 to ${longest / 1000}`,
  ).within(field)
}

export function writeSetKey(
  writer: MessageWriter,
  { table, name, handle }: { readonly table: string; readonly name?: string | undefined; readonly handle?: number | undefined },
): void {
  needed(handle === undefined ? { table, name } : { table })
  setAttributes.encode(writer, name === undefined ? { table, handle } : { table, name })
}

export function readSet(family: Family, reader: MessageReader, start: number, end: number): NftSet | undefined {
  const record = setAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { table = '', name = '', flags = 0, keyType, keyLength, dataType, dataLength, description, userData, ...rest } = record
  const { policy = 0, timeout, gcInterval, objectType, expression, expressions, unknown = [], ...others } = rest
  const orders = ordersIn(userData)
  const key = keyTypesOf(record, flags, orders.key)
  const data = dataTypesOf(record, orders)
  const words = wordsOf(flags & ~impliedBy(record, flags, Array.isArray(key)), FLAGS)
  const each = expression ? [expression] : expressions?.length === 0 ? undefined : expressions
  const known = POLICIES[policy]
  const own = [
    ...(known === undefined ? [attributeOf(reader, start, end, POLICY)] : []),
    // An empty list, or one beside a single expression, which no kernel tells.
    ...(expressions && expressions !== each ? [attributeOf(reader, start, end, EXPRESSION_LIST)] : []),
    ...unknown,
  ]
  return {
    family,
    table,
    name,
    key,
    ...(data !== undefined && { data }),
    ...(objectType !== undefined && { objects: objectTypeFromWire(objectType) }),
    ...(words.length > 0 && { flags: words }),
    ...(timeout !== undefined && { timeout: timeout / 1000 }),
    ...(gcInterval !== undefined && { gcInterval: gcInterval / 1000 }),
    ...(description?.size !== undefined && { size: description.size }),
    ...(rest.policy !== undefined && known && { policy: known }),
    ...(each && { expressions: each }),
    ...readSetUserData(userData, orderNumber(key), orderOfData(data)),
    ...((!isListable(key) || !isListable(data)) && { unlistable: true }),
    ...others,
    ...joinUnknown(own.length > 0 ? own : undefined, 'description', description?.unknown),
  }
}

type SetRecord = NonNullable<ReturnType<typeof setAttributes.decode>>

const orderOfData = (data: NftSet['data']): number | undefined =>
  data === undefined || data === 'verdict' ? undefined : orderNumber(data)

function keyTypesOf({ keyType = 0, keyLength = 0, description }: SetRecord, flags: number, order: number | undefined): DataTypes {
  const interval = (flags & FLAGS.interval) !== 0
  const fields = description?.concatenation?.map(field => field.length ?? 0)
  return typesFromWire(keyType, keyLength, { fields, order, interval, plain: interval && !(flags & CONCATENATION) })
}

function dataTypesOf(
  { dataType, dataLength = 0 }: SetRecord,
  { data, dataInterval }: ReturnType<typeof ordersIn>,
): DataTypes | 'verdict' | undefined {
  if (dataType === undefined) return undefined
  if (dataType === VERDICT) return 'verdict'
  return typesFromWire(dataType, dataInterval ? dataLength / 2 : dataLength, { order: data })
}

/** The bits that writing sets on its own. */
function impliedBy({ dataType, objectType, expressions = [] }: SetRecord, flags: number, concatenated: boolean): number {
  return (
    (dataType === undefined ? 0 : MAP) |
    (objectType === undefined ? 0 : OBJECT) |
    (flags & FLAGS.interval && concatenated ? CONCATENATION : 0) |
    (expressions.length > 1 ? EXPRESSIONS : 0)
  )
}
