/** Elements of sets (nf_tables_api.c, nf_tables_newsetelem, nf_tables_delsetelem). */
import { message } from '../../nft/wire.js'
import { E2BIG, EBUSY, EEXIST, EINVAL, ENFILE, ENOENT, EOPNOTSUPP, ERANGE, Errno } from '../errno.js'
import type { Payload } from '../policy.js'
import { blaming, type Nest } from './attributes.js'
import { type Data, isVerdict, KEY_LENGTH, readValue, readVerdict } from './data.js'
import { releaseData, retainData } from './element-data.js'
import { putElements } from './element-dumps.js'
import {
  checkKeyEnd,
  elementAttribute as E,
  elementPolicy,
  elementListAttribute as L,
  readFlags,
  readKey,
  readKeys,
} from './element-keys.js'
import type { Expression } from './expression.js'
import { type Change, notify } from './kernel.js'
import { tableOf } from './lookup.js'
import { objectOf } from './objects.js'
import type { Clash, Element } from './set-elements.js'
import { elementFlag } from './set-elements.js'
import { setExpression, setOf } from './sets.js'
import { type NftSet, type StatefulObject, setFlag } from './state.js'
import { readMilliseconds } from './time.js'

const VERDICT = 0xffff_ff00
const NFTA_LIST_ELEM = 1
const NLM_F_EXCL = 0x200
/** NFT_SET_EXPR_MAX */
const MOST_EXPRESSIONS = 2

export function newElements(change: Change): void {
  const { kernel, attributes, transaction } = change
  if (!attributes.has(L.elements)) throw new Errno(EINVAL)
  const table = tableOf(change, kernel, L.table)
  const set = blaming(attributes.at(L.set), () => setOf(table, transaction, attributes, L.set, L.setId))
  if (set.bindings > 0 && set.flags & (setFlag.constant | setFlag.anonymous)) throw new Errno(EBUSY)
  for (const payload of attributes.list(L.elements))
    blaming(payload, () => transaction.attempt(() => addElement(change, set, payload)))
}

/** nft_add_set_elem */
function addElement(change: Change, set: NftSet, payload: Payload): void {
  const { attributes, transaction, message: request } = change
  const nest = attributes.within(payload, elementPolicy)
  const element = readElement(change, set, nest)
  const clash = set.elements.clash(element)
  if (clash) {
    if (!clash.same || !isAlike(element, clash.element)) throw new Errno(EEXIST)
    if (request.flags & NLM_F_EXCL && !clash.tolerated) throw new Errno(EEXIST)
    forget(change, element)
    return updateTimes(change, set, nest, element, clash)
  }
  if (!set.elements.isOrdered(element)) throw new Errno(EINVAL)
  const most = mostOf(set)
  if (!(element.flags & elementFlag.catchAll) && set.elements.count >= most) throw new Errno(ENFILE)
  if (element.data && isVerdict(element.data) && element.data.chain) transaction.needsValidation = true
  set.elements.add(element)
  transaction.undo(() => set.elements.remove(element))
  tell(change, set, element, message.newElements)
}

/** What was read of an element that is there already is not used. */
function forget({ transaction }: Change, element: Element): void {
  releaseData(element)
  transaction.undo(() => retainData(element))
}

/** How many elements the kernel lets in: an interval has two. */
function mostOf({ size, backend }: NftSet): number {
  if (size === 0) return Number.POSITIVE_INFINITY
  return backend === 'rbtree' ? 2 * size : size
}

/** Whether both are mapped to the same. */
function isAlike(a: Element, b: Element): boolean {
  if (a.object !== b.object || (a.data === undefined) !== (b.data === undefined)) return false
  if (a.data === undefined || b.data === undefined) return true
  if (isVerdict(a.data) && isVerdict(b.data)) return a.data.code === b.data.code && a.data.chain === b.data.chain
  return !isVerdict(a.data) && !isVerdict(b.data) && Buffer.compare(a.data, b.data) === 0
}

/** An element that is there gets another time-out, or its time anew (Linux 6.12). */
function updateTimes(change: Change, set: NftSet, nest: Nest, element: Element, { element: found }: Clash): void {
  if (found.timeout === undefined) return
  const other = element.timeout !== found.timeout
  if (!other && !nest.has(E.expiration)) return
  change.transaction.step(notices => {
    Object.assign(found, { timeout: element.timeout, expires: element.expires })
    tellNow(change, notices, set, found, message.newElements)
  })
}

function readElement(change: Change, set: NftSet, nest: Nest): Element {
  const flags = readFlags(set, nest)
  const end = (flags & elementFlag.intervalEnd) !== 0
  if (nest.has(E.key) === ((flags & elementFlag.catchAll) !== 0)) throw new Errno(EINVAL)
  checkMapped(nest, E.data, set.flags & setFlag.map, end)
  checkMapped(nest, E.object, set.flags & setFlag.object, end)
  checkKeyEnd(set, nest, flags)
  const ofIntervals = [E.data, E.object, E.timeout, E.expiration, E.userData, E.expression, E.keyEnd, E.expressions]
  if (end && ofIntervals.some(id => nest.has(id))) throw new Errno(EINVAL)
  const times = readTimes(change, set, nest, end)
  const expressions = readExpressions(change, set, nest, end)
  const { key, keyEnd } = readKeys(set, nest)
  const object = readObject(change, set, nest)
  const data = nest.has(E.data) ? readData(change, set, nest) : undefined
  const userData = nest.bytes(E.userData)
  return { key, keyEnd, flags, data, object, expressions, userData: userData?.length ? userData : undefined, ...times }
}

function checkMapped(nest: Nest, id: number, mapped: number, end: boolean): void {
  if (mapped ? !nest.has(id) && !end : nest.has(id)) throw new Errno(EINVAL)
}

function readTimes({ kernel }: Change, set: NftSet, nest: Nest, end: boolean): Pick<Element, 'timeout' | 'expires'> {
  const { tick } = kernel.options
  const expires = Number.POSITIVE_INFINITY
  if (!(set.flags & setFlag.timeout)) {
    if (nest.has(E.timeout) || nest.has(E.expiration)) throw new Errno(EINVAL)
    return { timeout: undefined, expires }
  }
  const timeout = readMilliseconds(nest, E.timeout, tick) ?? (end ? 0 : set.timeout)
  if (nest.has(E.expiration) && timeout === 0) throw new Errno(EOPNOTSUPP)
  const left = readMilliseconds(nest, E.expiration, tick) ?? 0
  if (left > timeout) throw new Errno(ERANGE)
  return { timeout, expires: timeout === 0 ? expires : kernel.now() + (left || timeout) }
}

function readExpressions(change: Change, set: NftSet, nest: Nest, end: boolean): readonly Expression[] {
  const { kernel, transaction, family } = change
  const context = { kernel, transaction, family, table: set.table }
  const read = (payload: Payload): Expression => setExpression(context, nest, payload, set.flags, set.backend)
  const own = set.expressions
  const single = nest.at(E.expression)
  if (single) {
    if (own.length > 1) throw new Errno(EOPNOTSUPP)
    return [checkType(read(single), own[0])]
  }
  if (!nest.has(E.expressions)) return end ? [] : own.map(expression => ({ ...expression }))
  const expressions = nest.list(E.expressions).map((payload, i) => {
    if (i === MOST_EXPRESSIONS || (own.length > 0 && own.length === i)) throw new Errno(E2BIG)
    if (payload.type !== NFTA_LIST_ELEM) throw new Errno(EINVAL)
    return checkType(read(payload), own[i])
  })
  if (own.length > 0 && own.length !== expressions.length) throw new Errno(EOPNOTSUPP)
  return expressions
}

/** Elements have what their set has. */
function checkType(expression: Expression, own: Expression | undefined): Expression {
  if (own && own.type !== expression.type) throw new Errno(EOPNOTSUPP)
  return expression
}

function readObject({ transaction }: Change, set: NftSet, nest: Nest): StatefulObject | undefined {
  const name = nest.text(E.object)
  if (name === undefined) return undefined
  const object = objectOf(set.table, set.objectType, name)
  transaction.use(object, 1)
  return object
}

function readData({ transaction }: Change, set: NftSet, nest: Nest): Data {
  if (set.dataType === VERDICT) return readVerdict(nest, E.data, { table: set.table, transaction }, true)
  return readValue(nest, E.data, KEY_LENGTH, set.dataLength)
}

export function deleteElements(change: Change): void {
  const { kernel, attributes, number } = change
  const table = tableOf(change, kernel, L.table)
  const name = attributes.text(L.set)
  if (name === undefined) throw new Errno(EINVAL)
  const set = table.sets.get(name)
  if (!set) throw attributes.refuse(ENOENT, L.set)
  if (set.flags & setFlag.anonymous) throw new Errno(EOPNOTSUPP)
  if (set.bindings > 0 && set.flags & setFlag.constant) throw new Errno(EBUSY)
  if (!attributes.has(L.elements)) return flush(change, set)
  for (const payload of attributes.list(L.elements))
    blaming(payload, () => {
      const element = set.elements.find(readKey(set, attributes, payload))
      if (element) remove(change, set, element)
      else if (number !== message.destroyElements) throw new Errno(ENOENT)
    })
}

/** nft_set_flush */
function flush(change: Change, set: NftSet): void {
  for (const element of [...set.elements.values()]) remove(change, set, element)
  if (set.elements.catchAll) remove(change, set, set.elements.catchAll)
}

function remove(change: Change, set: NftSet, element: Element): void {
  const { transaction } = change
  set.elements.remove(element)
  releaseData(element)
  transaction.undo(() => {
    set.elements.add(element)
    retainData(element)
  })
  tell(change, set, element, message.deleteElements)
}

function tell(change: Change, set: NftSet, element: Element, number: number): void {
  change.transaction.step(notices => tellNow(change, notices, set, element, number))
}

/** Each element is told by itself, and who changed it can not be seen. */
function tellNow(change: Change, notices: Parameters<typeof notify>[1], set: NftSet, element: Element, number: number): void {
  notify(change, notices, { number, family: set.table.family, sequence: 0 }, writer =>
    putElements(writer, set, [element], change.kernel.now()),
  )
}
