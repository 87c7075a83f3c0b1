/** Sets (nf_tables_api.c, nf_tables_newset, nf_tables_delset, nf_tables_bind_set). */
import { message } from '../../nft/wire.js'
import { E2BIG, EAFNOSUPPORT, EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import type { Payload } from '../policy.js'
import type { Nest } from './attributes.js'
import { releaseData, retainData } from './element-data.js'
import { type Context, type Expression, type Reference, statefulExpression } from './expression.js'
import { IntervalStore } from './intervals.js'
import { type Change, type Kernel, notify } from './kernel.js'
import { tableOf } from './lookup.js'
import type { Notices } from './notices.js'
import { setAttribute as A, type Backend, backendOf, type Description, readDescription } from './set-description.js'
import { putSet } from './set-dumps.js'
import { HashStore, RangeStore, SetElements, type Store } from './set-elements.js'
import { type NftSet, nextHandle, setFlag, type Table } from './state.js'
import type { Transaction } from './transaction.js'

const NFTA_LIST_ELEM = 1
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const NLM_F_NONREC = 0x100
/** NFT_SET_MAX_ANONLEN */
const TEMPLATE_LENGTH = 16
/** NFT_SET_EXPR_MAX */
const MOST_EXPRESSIONS = 2

export function newSet(change: Change): void {
  const { kernel, attributes, message: request } = change
  const description = readDescription(attributes, kernel.options.tick)
  const table = tableOf(change, kernel, A.table)
  const found = table.sets.get(attributes.text(A.name) as string)
  if (found) {
    if (request.flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, A.name)
    if (request.flags & NLM_F_REPLACE || found.flags & setFlag.anonymous) throw new Errno(EOPNOTSUPP)
    return updateSet(change, found, description)
  }
  if (!(request.flags & NLM_F_CREATE)) throw new Errno(ENOENT)
  addSet(change, table, description)
}

function addSet(change: Change, table: Table, { hasExpressions, ...description }: Description): void {
  const { kernel, attributes, transaction } = change
  const backend = backendOf({ ...description, hasExpressions })
  const name = nameOf(table, attributes.text(A.name) as string)
  const expressions = readExpressions(change, table, description.flags, backend)
  const userData = attributes.bytes(A.userData)
  const set: NftSet = {
    ...description,
    key: name,
    table,
    name,
    handle: nextHandle(table),
    userData: userData?.length ? userData : undefined,
    expressions,
    backend,
    elements: new SetElements(storeOf(backend, description), () => kernel.now()),
    use: 0,
    bindings: 0,
    active: true,
  }
  transaction.use(table, 1)
  table.sets.add(transaction, set)
  nameById(change, set)
  if (set.flags & setFlag.anonymous) transaction.add(transaction.unbound, set)
  transaction.step(notices => {
    // Those without a name go with their rule, and do not count as users of their table.
    if (set.flags & setFlag.anonymous && set.bindings > 0) table.use--
    tell(change, notices, set, message.newSet)
  })
}

function storeOf(backend: Backend, { fields, flags }: Pick<NftSet, 'fields' | 'flags'>): Store {
  if (backend === 'rbtree') return new IntervalStore((flags & setFlag.anonymous) !== 0)
  return backend === 'pipapo' ? new RangeStore(fields) : new HashStore()
}

/** nf_tables_set_alloc_name: %d becomes the first number that is free. */
function nameOf(table: Table, template: string): string {
  const percent = template.indexOf('%')
  if (percent < 0) return template
  if (template[percent + 1] !== 'd' || template.indexOf('%', percent + 2) >= 0) throw new Errno(EINVAL)
  if (template.length >= TEMPLATE_LENGTH) throw new Errno(EINVAL)
  for (let number = 0; ; number++) {
    const name = template.replace('%d', `${number}`)
    if (!table.sets.get(name)) return name
  }
}

/** Later messages of the transaction name it by its id. */
function nameById({ attributes, transaction }: Change, set: NftSet): void {
  const id = attributes.be32(A.id) as number
  const before = transaction.sets.get(id)
  transaction.sets.set(id, set)
  transaction.undo(() => (before ? transaction.sets.set(id, before) : transaction.sets.delete(id)))
}

/** nft_set_expr_alloc: what every element gets. */
function readExpressions(change: Change, table: Table, flags: number, backend: Backend): readonly Expression[] {
  const { attributes } = change
  const context = { kernel: change.kernel, table, transaction: change.transaction, family: change.family }
  const single = attributes.at(A.expression)
  if (single) return [setExpression(context, attributes, single, flags, backend)]
  if (attributes.has(A.expressions) && !(flags & setFlag.expression)) throw new Errno(EINVAL)
  return attributes.list(A.expressions).map((payload, i) => {
    if (i === MOST_EXPRESSIONS) throw new Errno(E2BIG)
    if (payload.type !== NFTA_LIST_ELEM) throw new Errno(EINVAL)
    return setExpression(context, attributes, payload, flags, backend)
  })
}

/** nft_set_elem_expr_alloc: not everything can collect what expressions keep. */
export function setExpression(
  context: Omit<Context, 'registers' | 'chain'>,
  attributes: Nest,
  payload: Payload,
  flags: number,
  backend: Backend,
): Expression {
  const expression = statefulExpression(context, attributes, payload)
  const collects = backend === 'rhash' || backend === 'rbtree' || backend === 'pipapo'
  if (expression.type.collected && (flags & setFlag.timeout || !collects)) throw new Errno(EOPNOTSUPP)
  return expression
}

/** nft_set_is_same: what may differ is the time-out, the interval of collections, and the size. */
function updateSet(change: Change, set: NftSet, description: Description): void {
  const { attributes, transaction } = change
  const expressions = readExpressions(change, set.table, description.flags, set.backend)
  const same =
    (['flags', 'keyType', 'keyLength', 'dataType', 'dataLength'] as const).every(field => set[field] === description[field]) &&
    set.fields.join() === description.fields.join() &&
    set.expressions.map(({ type }) => type.name).join() === expressions.map(({ type }) => type.name).join()
  if (!same) throw attributes.refuse(EEXIST, A.name)
  const { timeout, gcInterval, size } = description
  transaction.step(notices => {
    Object.assign(set, { timeout, gcInterval, size: size || set.size })
    tell(change, notices, set, message.newSet)
  })
}

export function deleteSetMessage(change: Change): void {
  const { kernel, attributes, family, number, message: request } = change
  if (family === 0) throw new Errno(EAFNOSUPPORT)
  const table = tableOf(change, kernel, A.table)
  const key = attributes.has(A.handle) ? A.handle : A.name
  if (!attributes.has(key)) throw new Errno(EINVAL)
  const set = key === A.name ? table.sets.get(attributes.text(key) as string) : table.sets.byHandle(attributes.handle(key))
  if (!set) {
    if (number === message.destroySet) return
    throw attributes.refuse(ENOENT, key)
  }
  if (set.use > 0 || (request.flags & NLM_F_NONREC && set.elements.count > 0)) throw attributes.refuse(EBUSY, key)
  deleteSet(change, set)
}

/** nft_delset */
export function deleteSet(change: Change, set: NftSet): void {
  const { transaction } = change
  removeSet(transaction, set)
  transaction.use(set.table, -1)
  transaction.step(notices => tell(change, notices, set, message.deleteSet))
}

/** What its elements refer to loses a user. */
function removeSet(transaction: Transaction, set: NftSet): void {
  const elements = [...set.elements.values(), ...(set.elements.catchAll ? [set.elements.catchAll] : [])]
  for (const element of elements) releaseData(element)
  transaction.undo(() => elements.forEach(retainData))
  set.table.sets.remove(transaction, set)
}

/** The set that attributes name, by its name or, when the same transaction has added it, by its id (nft_set_lookup_global). */
export function setOf(table: Table, transaction: Transaction, attributes: Nest, nameId: number, idId: number): NftSet {
  const name = attributes.text(nameId)
  const byName = name === undefined ? undefined : table.sets.get(name)
  if (byName) return byName
  const id = attributes.be32(idId)
  if (id === undefined) throw new Errno(name === undefined ? EINVAL : ENOENT)
  const set = transaction.sets.get(id)
  if (!set?.active || set.table !== table) throw new Errno(ENOENT)
  return set
}

/** nf_tables_bind_set: a rule uses it. One without a name belongs to the rule, and goes with it. */
export function bindSet({ transaction }: Context, set: NftSet): Reference {
  const anonymous = (set.flags & setFlag.anonymous) !== 0
  if (anonymous && set.bindings > 0) throw new Errno(EBUSY)
  transaction.use(set, 1)
  transaction.set(set, { bindings: set.bindings + 1 })
  transaction.remove(transaction.unbound, set)
  return {
    release(running) {
      running.use(set, -1)
      if (anonymous) removeSet(running, set)
    },
    gone(change, notices) {
      set.bindings--
      if (anonymous) tell(change, notices, set, message.deleteSet)
    },
  }
}

function tell(change: Change, notices: Notices, set: NftSet, number: number): void {
  notify(change, notices, { number, family: set.table.family }, writer => putSet(writer, set, number))
}

/** Garbage collection: what is expired goes, and nobody is told of it. */
export function collect(kernel: Kernel): void {
  for (const table of kernel.tables.values())
    for (const set of table.sets.values())
      if (set.flags & setFlag.timeout) for (const element of set.elements.takeExpired()) releaseData(element)
}
