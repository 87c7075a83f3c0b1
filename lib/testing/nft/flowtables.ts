/** Flowtables (nf_tables_api.c, nf_tables_newflowtable, nf_tables_delflowtable, nf_tables_getflowtable). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { nestedRule, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import { type Nest, putBe32, putBe64, putNest, putText } from './attributes.js'
import { deviceList } from './hooks.js'
import { type Change, type Kernel, notify } from './kernel.js'
import { tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import { type Flowtable, nextHandle, type Table } from './state.js'

const TABLE = 1
const NAME = 2
const HOOK = 3
const USE = 4
const HANDLE = 5
const FLAGS = 7
const NUMBER = 1
const PRIORITY = 2
const DEVICES = 3
const DEVICE_NAME = 1

export const flowtablePolicy: Policy = {
  [TABLE]: string(255),
  [NAME]: string(255),
  [HOOK]: nestedRule,
  [HANDLE]: u64Rule,
  [FLAGS]: u32Rule,
}
const hookPolicy: Policy = { [NUMBER]: u32Rule, [PRIORITY]: u32Rule, [DEVICES]: nestedRule }

/** NFT_FLOWTABLE_MASK */
const ALL_FLAGS = 3
const OFFLOAD = 1
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_APPEND = 0x800
/** inet, ip, ip6 */
const FAMILIES = [1, 2, 10]
/** The expression that comes with them. */
const EXPRESSION = 'flow_offload'

/** The flowtable that an attribute names. Its errors do not point. */
export function flowtableOf(table: Table, name: string | undefined): Flowtable {
  if (name === undefined) throw new Errno(EINVAL)
  const flowtable = table.flowtables.get(name)
  if (!flowtable) throw new Errno(ENOENT)
  return flowtable
}

export function newFlowtable(change: Change): void {
  const { kernel, attributes, family, transaction, message: request } = change
  if (!attributes.has(TABLE) || !attributes.has(NAME) || !attributes.has(HOOK)) throw new Errno(EINVAL)
  const table = tableOf(change, kernel, TABLE)
  const name = attributes.text(NAME) as string
  const found = table.flowtables.get(name)
  if (found) {
    if (request.flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, NAME)
    if (request.flags & NLM_F_REPLACE) throw new Errno(EOPNOTSUPP)
    return update(change, found)
  }
  if (!FAMILIES.includes(family) || kernel.options.missing.includes(EXPRESSION)) throw new Errno(ENOENT)
  const flags = flagsOf(attributes) ?? 0
  const hook = attributes.nest(HOOK, hookPolicy)
  const number = hook.be32(NUMBER)
  const priority = hook.be32(PRIORITY)
  if (number === undefined || priority === undefined) throw attributes.refuse(ENOENT, NAME)
  if (number !== 0) throw new Errno(EOPNOTSUPP)
  const devices = deviceList(hook, DEVICES)
  const flowtable: Flowtable = {
    key: name,
    table,
    name,
    handle: nextHandle(table),
    number,
    priority: priority | 0,
    devices,
    flags,
    use: 0,
    active: true,
  }
  transaction.use(table, 1)
  table.flowtables.add(transaction, flowtable)
  tell(change, flowtable, message.newFlowtable)
}

function flagsOf(attributes: Nest): number | undefined {
  const flags = attributes.be32(FLAGS)
  if (flags !== undefined && flags & ~ALL_FLAGS) throw new Errno(EOPNOTSUPP)
  return flags
}

/** nft_flowtable_update: more devices. */
function update(change: Change, flowtable: Flowtable): void {
  const { attributes, transaction } = change
  const hook = attributes.nest(HOOK, hookPolicy)
  checkHook(hook, flowtable)
  const others = deviceList(hook, DEVICES).filter(device => !flowtable.devices.includes(device))
  const flags = flagsOf(attributes) ?? flowtable.flags
  if ((flags ^ flowtable.flags) & OFFLOAD) throw new Errno(EOPNOTSUPP)
  transaction.set(flowtable, { devices: [...flowtable.devices, ...others], flags })
  tell(change, { ...flowtable, devices: others }, message.newFlowtable)
}

function checkHook(hook: Nest, flowtable: Flowtable): void {
  if ((hook.be32(NUMBER) ?? flowtable.number) !== flowtable.number) throw new Errno(EOPNOTSUPP)
  if (((hook.be32(PRIORITY) ?? flowtable.priority) | 0) !== flowtable.priority) throw new Errno(EOPNOTSUPP)
}

export function deleteFlowtableMessage(change: Change): void {
  const { kernel, attributes, number, transaction } = change
  const key = attributes.has(HANDLE) ? HANDLE : NAME
  if (!attributes.has(TABLE) || !attributes.has(key)) throw new Errno(EINVAL)
  const table = tableOf(change, kernel, TABLE)
  const flowtable =
    key === NAME ? table.flowtables.get(attributes.text(NAME) as string) : table.flowtables.byHandle(attributes.handle(HANDLE))
  if (!flowtable) {
    if (number === message.destroyFlowtable) return
    throw attributes.refuse(ENOENT, key)
  }
  if (attributes.has(HOOK)) {
    const hook = attributes.nest(HOOK, hookPolicy)
    checkHook(hook, flowtable)
    const devices = deviceList(hook, DEVICES)
    if (devices.some(device => !flowtable.devices.includes(device))) throw new Errno(ENOENT)
    transaction.set(flowtable, { devices: flowtable.devices.filter(device => !devices.includes(device)) })
    return tell(change, { ...flowtable, devices }, message.deleteFlowtable)
  }
  if (flowtable.use > 0) throw attributes.refuse(EBUSY, key)
  deleteFlowtable(change, flowtable)
}

export function deleteFlowtable(change: Change, flowtable: Flowtable): void {
  const { transaction } = change
  transaction.use(flowtable.table, -1)
  flowtable.table.flowtables.remove(transaction, flowtable)
  tell(change, flowtable, message.deleteFlowtable)
}

function tell(change: Change, flowtable: Flowtable, number: number): void {
  const { family } = flowtable.table
  change.transaction.step(notices =>
    notify(change, notices, { number, family }, writer => putFlowtable(writer, flowtable, number)),
  )
}

/** nf_tables_fill_flowtable_info */
function putFlowtable(writer: MessageWriter, flowtable: Flowtable, number: number): void {
  const { table, name, handle, use, flags, priority, devices } = flowtable
  putText(writer, TABLE, table.name)
  putText(writer, NAME, name)
  putBe64(writer, HANDLE, handle)
  if (number !== message.newFlowtable) return
  putBe32(writer, USE, use)
  putBe32(writer, FLAGS, flags)
  putNest(writer, HOOK, () => {
    putBe32(writer, NUMBER, flowtable.number)
    putBe32(writer, PRIORITY, priority)
    putNest(writer, DEVICES, () => {
      for (const device of devices) putText(writer, DEVICE_NAME, device)
    })
  })
}

export function getFlowtable(kernel: Kernel, request: NetfilterRequest): void {
  const { attributes, socket, family } = request
  if (!attributes.has(NAME)) throw new Errno(EINVAL)
  const table = tableOf(request, kernel, TABLE, true)
  const flowtable = table.flowtables.get(attributes.text(NAME) as string)
  if (!flowtable) throw attributes.refuse(ENOENT, NAME)
  const { sequence } = request.message
  const number = message.newFlowtable
  const header = { number, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putFlowtable(writer, flowtable, number))
}

export function* flowtableEntries(kernel: Kernel, { family, attributes }: NetfilterRequest): Generator<Entry> {
  const name = attributes.text(TABLE)
  for (const table of kernel.tables.values()) {
    if ((family !== 0 && family !== table.family) || (name !== undefined && name !== table.name)) continue
    for (const flowtable of table.flowtables.values())
      yield {
        family: table.family,
        flags: NLM_F_APPEND,
        put: writer => putFlowtable(writer, flowtable, message.newFlowtable),
      }
  }
}
