/** Stateful objects (nf_tables_api.c, nf_tables_newobj, nf_tables_delobj, nf_tables_getobj). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { binary, nestedRule, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import { type Nest, putBe32, putBe64, putBytes, putNest, putText } from './attributes.js'
import type { Made } from './expression.js'
import { type Change, type Kernel, notify } from './kernel.js'
import { tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import { type ObjectType, objectTypes } from './object-types.js'
import { Registers } from './registers.js'
import { nextHandle, type StatefulObject, type Table } from './state.js'

const TABLE = 1
const NAME = 2
const TYPE = 3
const DATA = 4
const USE = 5
const HANDLE = 6
const USER_DATA = 8

export const objectPolicy: Policy = {
  [TABLE]: string(255),
  [NAME]: string(255),
  [TYPE]: u32Rule,
  [DATA]: nestedRule,
  [HANDLE]: u64Rule,
  [USER_DATA]: binary(256),
}

const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_APPEND = 0x800

/** What an object is looked up by. */
const keyOf = (type: number, name: string): string => `${type} ${name}`

/** The object that an attribute names. Its errors do not point. */
export function objectOf(table: Table, type: number, name: string | undefined): StatefulObject {
  if (name === undefined) throw new Errno(EINVAL)
  const object = table.objects.get(keyOf(type, name))
  if (!object) throw new Errno(ENOENT)
  return object
}

export function newObject(change: Change): void {
  const { kernel, attributes, transaction, message: request } = change
  if (!attributes.has(TYPE) || !attributes.has(NAME) || !attributes.has(DATA)) throw new Errno(EINVAL)
  const table = tableOf(change, kernel, TABLE)
  const number = attributes.be32(TYPE) as number
  const name = attributes.text(NAME) as string
  const found = table.objects.get(keyOf(number, name))
  if (found) {
    if (request.flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, NAME)
    if (request.flags & NLM_F_REPLACE) throw new Errno(EOPNOTSUPP)
    return update(change, found)
  }
  const state = makeState(change, table, number)
  const object: StatefulObject = {
    key: keyOf(number, name),
    table,
    name,
    type: number,
    handle: nextHandle(table),
    use: 0,
    userData: attributes.bytes(USER_DATA),
    state,
    active: true,
  }
  transaction.use(table, 1)
  table.objects.add(transaction, object)
  tell(change, object, message.newObject)
}

/** nf_tables_updobj. Most types do not even look at what they are given. */
function update(change: Change, object: StatefulObject): void {
  if (!object.state.update) return
  const state = makeState(change, object.table, object.type)
  change.transaction.step(() => {
    object.state = state.update?.(object.state) ?? state
  })
  tell(change, object, message.newObject)
}

/** nft_obj_init */
function makeState({ kernel, attributes, transaction, family }: Change, table: Table, number: number): Made {
  const type = typeOf(kernel, number, family)
  const context = { kernel, table, transaction, family, chain: undefined, registers: new Registers() }
  const data = attributes.nest(DATA, type.policy)
  type.select?.(context, data)
  return type.init(context, data)
}

function typeOf({ options }: Kernel, number: number, family: number): ObjectType {
  const type = objectTypes[number]
  if (!type || options.missing.includes(type.name)) throw new Errno(ENOENT)
  if (type.families && !type.families.includes(family)) throw new Errno(ENOENT)
  return type
}

export function deleteObjectMessage(change: Change): void {
  const { kernel, attributes, number } = change
  const key = attributes.has(HANDLE) ? HANDLE : NAME
  if (!attributes.has(TYPE) || !attributes.has(key)) throw new Errno(EINVAL)
  const table = tableOf(change, kernel, TABLE)
  const object = find(table, attributes, key)
  if (!object) {
    if (number === message.destroyObject) return
    throw attributes.refuse(ENOENT, key)
  }
  if (object.use > 0) throw attributes.refuse(EBUSY, key)
  deleteObject(change, object)
}

function find(table: Table, attributes: Nest, key: number): StatefulObject | undefined {
  const type = attributes.be32(TYPE) as number
  if (key === NAME) return table.objects.get(keyOf(type, attributes.text(NAME) as string))
  const object = table.objects.byHandle(attributes.handle(HANDLE))
  return object?.type === type ? object : undefined
}

/** nft_delobj */
export function deleteObject(change: Change, object: StatefulObject): void {
  const { transaction } = change
  transaction.use(object.table, -1)
  object.table.objects.remove(transaction, object)
  tell(change, object, message.deleteObject)
}

function tell(change: Change, object: StatefulObject, number: number): void {
  const { family } = object.table
  change.transaction.step(notices => notify(change, notices, { number, family }, writer => putObject(writer, object, number)))
}

/** nf_tables_fill_obj_info */
function putObject(writer: MessageWriter, object: StatefulObject, number: number, reset = false): void {
  const { table, name, type, handle, use, state, userData } = object
  putText(writer, TABLE, table.name)
  putText(writer, NAME, name)
  putBe32(writer, TYPE, type)
  putBe64(writer, HANDLE, handle)
  if (number !== message.newObject) return
  putBe32(writer, USE, use)
  putNest(writer, DATA, () => state.dump?.(writer))
  if (userData) putBytes(writer, USER_DATA, userData)
  if (reset && state.reset) object.state = { ...state, dump: state.reset, used: 0n }
}

export function getObject(kernel: Kernel, request: NetfilterRequest, reset: boolean): void {
  const { attributes, socket, family } = request
  if (!attributes.has(NAME) || !attributes.has(TYPE)) throw new Errno(EINVAL)
  const table = tableOf(request, kernel, TABLE, true)
  const object = find(table, attributes, NAME)
  if (!object) throw attributes.refuse(ENOENT, NAME)
  const { sequence } = request.message
  const header = { number: message.newObject, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putObject(writer, object, message.newObject, reset))
}

export function* objectEntries(kernel: Kernel, { family, attributes }: NetfilterRequest, reset: boolean): Generator<Entry> {
  const name = attributes.text(TABLE)
  const type = attributes.be32(TYPE) ?? 0
  for (const table of kernel.tables.values()) {
    if ((family !== 0 && family !== table.family) || (name !== undefined && name !== table.name)) continue
    for (const object of table.objects.values()) {
      if (type !== 0 && type !== object.type) continue
      const put = (writer: MessageWriter): void => putObject(writer, object, message.newObject, reset)
      yield { family: table.family, flags: NLM_F_APPEND, put }
    }
  }
}
