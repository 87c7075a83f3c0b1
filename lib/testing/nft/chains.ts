/** Chains (nf_tables_api.c, nf_tables_newchain, nf_tables_delchain, nf_tables_getchain). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { binary, nestedRule, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import { type Nest, putBe32, putBe64, putBytes, putNest, putText } from './attributes.js'
import { hasDevices, putHook, readHook, readHookOf } from './hooks.js'
import { type Change, type Kernel, notify } from './kernel.js'
import { chainOf, tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import { RuleList } from './rule-list.js'
import { deleteRule } from './rules.js'
import { type Chain, type Counters, chainFlag, type Hook, nextHandle, type Table } from './state.js'

const TABLE = 1
const HANDLE = 2
const NAME = 3
const HOOK = 4
const POLICY = 5
const USE = 6
const TYPE = 7
const COUNTERS = 8
const FLAGS = 10
const ID = 11
const USER_DATA = 12
const BYTES = 1
const PACKETS = 2

/** NFT_MODULE_AUTOLOAD_LIMIT */
const TYPE_LENGTH = 42

export const chainPolicy: Policy = {
  [TABLE]: string(255),
  [HANDLE]: u64Rule,
  [NAME]: string(255),
  [HOOK]: nestedRule,
  [POLICY]: u32Rule,
  [TYPE]: string(TYPE_LENGTH),
  [COUNTERS]: nestedRule,
  [FLAGS]: u32Rule,
  [ID]: u32Rule,
  [USER_DATA]: binary(256),
}
const countersPolicy: Policy = { [BYTES]: u64Rule, [PACKETS]: u64Rule }

const ACCEPT = 1
const ALL_FLAGS = chainFlag.base | chainFlag.offload | chainFlag.binding
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_NONREC = 0x100

export function newChain(change: Change): void {
  const { kernel, attributes, message: request } = change
  const table = tableOf(change, kernel, TABLE)
  const byHandle = attributes.has(HANDLE)
  const chain = byHandle ? table.chains.byHandle(attributes.handle(HANDLE)) : table.chains.get(attributes.text(NAME) ?? '')
  if (byHandle && !chain) throw attributes.refuse(ENOENT, HANDLE)
  if (!byHandle && !attributes.has(NAME) && !attributes.has(ID)) throw new Errno(EINVAL)
  if (attributes.has(POLICY) && !(chain ? chain.hook : attributes.has(HOOK))) throw attributes.refuse(EOPNOTSUPP, POLICY)
  const policy = attributes.be32(POLICY)
  if (policy !== undefined && policy > ACCEPT) throw new Errno(EINVAL)
  const flags = attributes.be32(FLAGS) ?? chain?.flags ?? 0
  if (flags & ~ALL_FLAGS) throw new Errno(EOPNOTSUPP)
  if (!chain) return addChain(change, table, policy, flags)
  if (chain.flags & chainFlag.binding) throw new Errno(EINVAL)
  const key = byHandle ? HANDLE : NAME
  if (request.flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, key)
  if (request.flags & NLM_F_REPLACE) throw new Errno(EOPNOTSUPP)
  updateChain(change, chain, policy, flags | (chain.flags & chainFlag.base), key)
}

/** nf_tables_addchain */
function addChain(change: Change, table: Table, policy: number | undefined, flags: number): void {
  const { attributes, transaction, kernel } = change
  const hook = attributes.has(HOOK) ? hookOfNew(change, table, flags) : undefined
  if (!hook && flags & chainFlag.base) throw new Errno(EINVAL)
  if (!hook && flags & chainFlag.offload) throw new Errno(EOPNOTSUPP)
  const handle = nextHandle(table)
  if (!attributes.has(NAME) && !(flags & chainFlag.binding)) throw new Errno(EINVAL)
  const name = attributes.text(NAME) ?? `__chain${++kernel.lastChain}`
  const chain: Chain = {
    key: name,
    table,
    name,
    handle,
    flags: hook ? flags | chainFlag.base : flags,
    use: 0,
    hook,
    policy: policy ?? ACCEPT,
    counters: hook && readCounters(attributes),
    userData: attributes.bytes(USER_DATA),
    rules: new RuleList(),
    bound: false,
    active: true,
  }
  transaction.use(table, 1)
  table.chains.add(transaction, chain)
  nameById(change, chain)
  if (flags & chainFlag.binding) transaction.add(transaction.unbound, chain)
  tell(change, chain, message.newChain)
}

function hookOfNew({ attributes, transaction, family, kernel }: Change, table: Table, flags: number): Hook {
  if (transaction.dormancyChanged.has(table)) throw new Errno(EINVAL)
  if (flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
  const hook = readHook(attributes, { name: NAME, hook: HOOK, type: TYPE }, family)
  // No device of this kernel takes rules.
  if (flags & chainFlag.offload && !hook.devices?.some(device => kernel.options.devices.includes(device))) throw new Errno(EINVAL)
  return hook
}

/** Later messages of the transaction name it by its id. */
function nameById({ attributes, transaction }: Change, chain: Chain): void {
  const id = attributes.be32(ID)
  if (id === undefined) return
  const before = transaction.chains.get(id)
  transaction.chains.set(id, chain)
  transaction.undo(() => (before ? transaction.chains.set(id, before) : transaction.chains.delete(id)))
}

function readCounters(attributes: Nest): Counters | undefined {
  if (!attributes.has(COUNTERS)) return undefined
  const nest = attributes.nest(COUNTERS, countersPolicy)
  const bytes = nest.be64(BYTES)
  const packets = nest.be64(PACKETS)
  if (bytes === undefined || packets === undefined) throw new Errno(EINVAL)
  return { bytes, packets }
}

/** nf_tables_updchain */
function updateChain(change: Change, chain: Chain, policy: number | undefined, flags: number, key: number): void {
  const { attributes, transaction, family } = change
  const { table, hook } = chain
  if (flags !== chain.flags) throw new Errno(EOPNOTSUPP)
  if (attributes.has(HOOK) && !hook) throw attributes.refuse(EEXIST, key)
  if (attributes.has(HOOK) && hook) addDevices(change, hook, family, key)
  const name = attributes.has(HANDLE) ? attributes.text(NAME) : undefined
  if (name !== undefined && table.chains.get(name)) throw attributes.refuse(EEXIST, NAME)
  if (attributes.has(COUNTERS) && !hook) throw new Errno(EOPNOTSUPP)
  const counters = readCounters(attributes)
  if (name !== undefined) {
    const renamed = `${table.key} ${name}`
    if (transaction.renamed.has(renamed)) throw attributes.refuse(EEXIST, NAME)
    transaction.add(transaction.renamed, renamed)
  }
  transaction.add(transaction.rehooked, table)
  transaction.step(() => {
    if (policy !== undefined) chain.policy = policy
    if (counters) chain.counters = counters
    if (name === undefined) return
    table.chains.rename(chain, name)
    chain.name = name
  })
  tell(change, chain, message.newChain)
}

/** Devices that the chain is not bound to yet. */
function addDevices({ attributes, transaction }: Change, hook: Hook, family: number, key: number): void {
  try {
    const devices = readHookOf(hook, attributes, { hook: HOOK, type: TYPE }, family)
    const others = devices?.filter(device => !hook.devices?.includes(device)) ?? []
    if (others.length > 0) transaction.set(hook, { devices: [...(hook.devices ?? []), ...others] })
  } catch (error) {
    throw error instanceof Errno && error.errno === EEXIST && error.offset === undefined ? attributes.refuse(EEXIST, key) : error
  }
}

export function deleteChainMessage(change: Change): void {
  const { kernel, attributes, number, message: request } = change
  const table = tableOf(change, kernel, TABLE)
  const key = attributes.has(HANDLE) ? HANDLE : NAME
  let chain: Chain
  try {
    chain = chainByKey(table, attributes, key)
  } catch (error) {
    if (error instanceof Errno && error.errno === ENOENT && number === message.destroyChain) return
    throw error
  }
  if (chain.flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
  if (attributes.has(HOOK)) {
    if (number === message.destroyChain || chain.flags & chainFlag.offload) throw new Errno(EOPNOTSUPP)
    if (chain.hook && hasDevices(table.family, chain.hook.number)) return removeDevices(change, chain, chain.hook)
  }
  if (request.flags & NLM_F_NONREC && chain.use > 0) throw new Errno(EBUSY)
  const rules = [...chain.rules.values()]
  // Jumps are left, from elsewhere or from a chain that belongs to one of these rules.
  const jumps = chain.use - rules.length
  for (const rule of rules) deleteRule(change, rule)
  if (jumps > 0) throw attributes.refuse(EBUSY, key)
  deleteChain(change, chain)
}

function chainByKey(table: Table, attributes: Nest, key: number): Chain {
  if (key === NAME) return chainOf(table, attributes, NAME)
  const chain = table.chains.byHandle(attributes.handle(HANDLE))
  if (!chain) throw attributes.refuse(ENOENT, HANDLE)
  return chain
}

/** nft_delchain_hook: the chain stays, without some of its devices. */
function removeDevices(change: Change, chain: Chain, hook: Hook): void {
  const { attributes, transaction, family } = change
  const devices = readHookOf(hook, attributes, { hook: HOOK, type: TYPE }, family) ?? []
  const unknown = devices.some(device => !hook.devices?.includes(device))
  if (unknown) throw new Errno(ENOENT)
  transaction.set(hook, { devices: hook.devices?.filter(device => !devices.includes(device)) })
  transaction.add(transaction.rehooked, chain.table)
  tell(change, { ...chain, hook: { ...hook, devices } }, message.deleteChain)
}

/** nft_delchain */
export function deleteChain(change: Change, chain: Chain): void {
  const { transaction } = change
  const { table } = chain
  transaction.use(table, -1)
  if (chain.hook) transaction.add(transaction.rehooked, table)
  table.chains.remove(transaction, chain)
  tell(change, chain, message.deleteChain)
}

function tell(change: Change, chain: Chain, number: number): void {
  const { family } = chain.table
  change.transaction.step(notices => notify(change, notices, { number, family }, writer => putChain(writer, chain, number)))
}

/** nf_tables_fill_chain_info */
function putChain(writer: MessageWriter, chain: Chain, number: number): void {
  const { table, name, handle, hook, policy, counters, flags, use, userData } = chain
  putText(writer, TABLE, table.name)
  putText(writer, NAME, name)
  putBe64(writer, HANDLE, handle)
  if (number !== message.newChain) return
  if (hook) {
    putHook(writer, HOOK, hook)
    putBe32(writer, POLICY, policy)
    putText(writer, TYPE, hook.type)
    if (counters) putCounters(writer, counters)
  }
  if (flags) putBe32(writer, FLAGS, flags)
  putBe32(writer, USE, use)
  if (userData) putBytes(writer, USER_DATA, userData)
}

function putCounters(writer: MessageWriter, { bytes, packets }: Counters): void {
  putNest(writer, COUNTERS, () => {
    putBe64(writer, PACKETS, packets)
    putBe64(writer, BYTES, bytes)
  })
}

export function getChain(kernel: Kernel, request: NetfilterRequest): void {
  const table = tableOf(request, kernel, TABLE, true)
  const chain = chainOf(table, request.attributes, NAME)
  const { socket, family } = request
  const { sequence } = request.message
  const header = { number: message.newChain, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putChain(writer, chain, message.newChain))
}

export function* chainEntries(kernel: Kernel, { family }: NetfilterRequest): Generator<Entry> {
  for (const table of kernel.tables.values()) {
    if (family !== 0 && family !== table.family) continue
    for (const chain of table.chains.values())
      yield { family: table.family, put: writer => putChain(writer, chain, message.newChain) }
  }
}
