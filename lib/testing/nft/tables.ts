/** Tables (nf_tables_api.c, nf_tables_newtable, nf_tables_deltable, nf_tables_gettable). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { binary, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import { putBe32, putBe64, putBytes, putText } from './attributes.js'
import { deleteChain } from './chains.js'
import { deleteFlowtable } from './flowtables.js'
import { type Change, type Kernel, notify } from './kernel.js'
import { lookUpTable, owned, tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import { deleteObject } from './objects.js'
import { Registry } from './registry.js'
import { deleteRulesOf } from './rules.js'
import { deleteSet } from './sets.js'
import { chainFlag, setFlag, type Table, tableFlag } from './state.js'

const NAME = 1
const FLAGS = 2
const USE = 3
const HANDLE = 4
const USER_DATA = 6
const OWNER = 7

export const tablePolicy: Policy = { [NAME]: string(255), [FLAGS]: u32Rule, [HANDLE]: u64Rule, [USER_DATA]: binary(256) }

/** NFPROTO_INET, _IPV4, _ARP, _NETDEV, _BRIDGE, _IPV6 */
const FAMILIES = [1, 2, 3, 5, 7, 10]
const ALL_FLAGS = tableFlag.dormant | tableFlag.owner | tableFlag.persist
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_NONREC = 0x100

export function newTable(change: Change): void {
  const { kernel, family, attributes, transaction, message: request, socket } = change
  if (!FAMILIES.includes(family)) throw new Errno(EOPNOTSUPP)
  const name = attributes.text(NAME)
  const found = name === undefined ? undefined : kernel.tables.get(`${family}/${name}`)
  if (name === undefined || found) {
    const table = lookUpTable(kernel, family, attributes, NAME, socket.portId)
    if (request.flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, NAME)
    if (request.flags & NLM_F_REPLACE) throw new Errno(EOPNOTSUPP)
    return updateTable(change, table)
  }
  const flags = attributes.be32(FLAGS) ?? 0
  if (flags & ~ALL_FLAGS) throw new Errno(EOPNOTSUPP)
  const table: Table = {
    key: `${family}/${name}`,
    family,
    name,
    handle: ++kernel.lastTableHandle,
    flags,
    use: 0,
    owner: flags & tableFlag.owner ? socket.portId : 0,
    userData: attributes.bytes(USER_DATA),
    active: true,
    chains: new Registry(),
    sets: new Registry(),
    objects: new Registry(),
    flowtables: new Registry(),
    lastHandle: 0,
  }
  kernel.tables.add(transaction, table)
  step(change, table, message.newTable)
}

/** nf_tables_updtable */
function updateTable(change: Change, table: Table): void {
  const { attributes, transaction, socket } = change
  const flags = attributes.be32(FLAGS)
  if (flags === undefined) return
  if (flags & ~ALL_FLAGS) throw new Errno(EOPNOTSUPP)
  if (flags === table.flags) return
  const { owner, persist } = tableFlag
  const orphan = (table.flags & (owner | persist)) === persist
  const disowned = table.flags & owner && !(flags & owner)
  const taken = flags & owner && !orphan
  // Of an owned table that stays owned not even the other flags can be changed.
  if (disowned || taken || (flags ^ table.flags) & persist) throw new Errno(EOPNOTSUPP)
  // The kernel would have to register its hooks and to unregister them at the same time.
  if (transaction.rehooked.has(table) || transaction.dormancyChanged.has(table)) throw new Errno(EINVAL)
  transaction.add(transaction.dormancyChanged, table)
  transaction.set(table, { flags, owner: flags & owner ? socket.portId : table.owner })
  step(change, table, message.newTable)
}

export function deleteTable(change: Change): void {
  const { kernel, family, attributes, message: request, number, socket } = change
  if (family === 0 || (!attributes.has(NAME) && !attributes.has(HANDLE))) return flushRuleset(change)
  const id = attributes.has(HANDLE) ? HANDLE : NAME
  let table: Table
  try {
    table =
      id === NAME
        ? lookUpTable(kernel, family, attributes, NAME, socket.portId)
        : owned(tableByHandle(kernel, family, attributes.handle(HANDLE)), socket.portId)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.errno === ENOENT && number === message.destroyTable) return
    throw attributes.refuse(error.errno, id)
  }
  if (request.flags & NLM_F_NONREC && table.use > 0) throw new Errno(EBUSY)
  flushTable(change, table)
}

function tableByHandle(kernel: Kernel, family: number, handle: number | undefined): Table | undefined {
  const table = kernel.tables.byHandle(handle)
  return table?.family === family ? table : undefined
}

/** nft_flush: every table that may be removed. */
function flushRuleset(change: Change): void {
  const { kernel, family, attributes, socket } = change
  const name = attributes.text(NAME)
  for (const table of [...kernel.tables.values()]) {
    if (family !== 0 && table.family !== family) continue
    if (table.flags & tableFlag.owner && table.owner !== socket.portId) continue
    if (name !== undefined && table.name !== name) continue
    flushTable(change, table)
  }
}

/** nft_flush_table */
function flushTable(change: Change, table: Table): void {
  const { kernel, transaction } = change
  const within = { ...change, family: table.family }
  const chains = [...table.chains.values()].filter(({ flags }) => !(flags & chainFlag.binding))
  for (const chain of chains) deleteRulesOf(within, chain)
  for (const set of [...table.sets.values()]) if (!(set.flags & setFlag.anonymous)) deleteSet(within, set)
  for (const flowtable of [...table.flowtables.values()]) deleteFlowtable(within, flowtable)
  for (const object of [...table.objects.values()]) deleteObject(within, object)
  for (const chain of chains) deleteChain(within, chain)
  kernel.tables.remove(transaction, table)
  step(within, table, message.deleteTable)
}

function step(change: Change, table: Table, number: number): void {
  change.transaction.step(notices => {
    notify(change, notices, { number, family: table.family }, writer => putTable(writer, table, number))
  })
}

/** nf_tables_fill_table_info */
function putTable(writer: MessageWriter, table: Table, number: number): void {
  putText(writer, NAME, table.name)
  putBe32(writer, USE, table.use)
  putBe64(writer, HANDLE, table.handle)
  if (number !== message.newTable) return
  putBe32(writer, FLAGS, table.flags)
  if (table.flags & tableFlag.owner) putBe32(writer, OWNER, table.owner)
  if (table.userData) putBytes(writer, USER_DATA, table.userData)
}

export function getTable(kernel: Kernel, request: NetfilterRequest): void {
  const table = tableOf(request, kernel, NAME, true)
  const { sequence } = request.message
  const { socket, family } = request
  const header = { number: message.newTable, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putTable(writer, table, message.newTable))
}

export function* tableEntries(kernel: Kernel, { family }: NetfilterRequest): Generator<Entry> {
  for (const table of kernel.tables.values())
    if (family === 0 || family === table.family)
      yield { family: table.family, put: writer => putTable(writer, table, message.newTable) }
}

/** What goes when the socket of an owner is closed (nft_rcv_nl_event): nothing is told of it. */
export function releaseOwned(kernel: Kernel, portId: number): void {
  for (const table of [...kernel.tables.values()]) {
    if (!(table.flags & tableFlag.owner) || table.owner !== portId) continue
    if (table.flags & tableFlag.persist) Object.assign(table, { flags: table.flags & ~tableFlag.owner, owner: 0 })
    else kernel.tables.drop(table)
  }
}
