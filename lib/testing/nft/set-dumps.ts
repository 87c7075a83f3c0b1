/** How sets are told (nf_tables_api.c, nf_tables_fill_set, nf_tables_dump_sets, nf_tables_getset). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EAFNOSUPPORT, EINVAL, ENOENT, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { putBe32, putBe64, putBytes, putNest, putText } from './attributes.js'
import { putExpression } from './expression.js'
import type { Kernel } from './kernel.js'
import { tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import { setAttribute as A, descriptionAttribute } from './set-description.js'
import { type NftSet, setFlag } from './state.js'

const NFTA_LIST_ELEM = 1

export function putSet(writer: MessageWriter, set: NftSet, number: number): void {
  const { flags } = set
  putText(writer, A.table, set.table.name)
  putText(writer, A.name, set.name)
  putBe64(writer, A.handle, set.handle)
  if (number !== message.newSet) return
  if (flags) putBe32(writer, A.flags, flags)
  putBe32(writer, A.keyType, set.keyType)
  putBe32(writer, A.keyLength, set.keyLength)
  if (flags & setFlag.map) {
    putBe32(writer, A.dataType, set.dataType)
    putBe32(writer, A.dataLength, set.dataLength)
  }
  if (flags & setFlag.object) putBe32(writer, A.objectType, set.objectType)
  if (set.timeout) putBe64(writer, A.timeout, set.timeout)
  if (set.gcInterval) putBe32(writer, A.gcInterval, set.gcInterval)
  if (set.policy) putBe32(writer, A.policy, set.policy)
  if (set.userData) putBytes(writer, A.userData, set.userData)
  putDescription(writer, set)
  putText(writer, A.type, `nft_set_${set.backend}_type`)
  putBe32(writer, A.count, countOf(set))
  putExpressions(writer, set)
}

function putDescription(writer: MessageWriter, { size, fields }: NftSet): void {
  putNest(writer, A.description, () => {
    if (size) putBe32(writer, descriptionAttribute.size, size)
    if (fields.length < 2) return
    putNest(writer, descriptionAttribute.concatenation, () => {
      for (const length of fields)
        putNest(writer, NFTA_LIST_ELEM, () => putBe32(writer, descriptionAttribute.fieldLength, length))
    })
  })
}

/** An interval has two elements. */
function countOf({ backend, elements: { count } }: NftSet): number {
  return backend === 'rbtree' ? Math.floor(count / 2) : count
}

function putExpressions(writer: MessageWriter, { expressions }: NftSet): void {
  const [first] = expressions
  if (expressions.length === 1 && first) putExpression(writer, A.expression, first)
  else if (first)
    putNest(writer, A.expressions, () => {
      for (const expression of expressions) putExpression(writer, NFTA_LIST_ELEM, expression)
    })
}

export function getSet(kernel: Kernel, request: NetfilterRequest): void {
  const { attributes, socket, family } = request
  const table = attributes.has(A.table) ? tableOf(request, kernel, A.table, true) : undefined
  if (family === 0) throw new Errno(EAFNOSUPPORT)
  const name = attributes.text(A.name)
  if (!table || name === undefined) throw new Errno(EINVAL)
  const set = table.sets.get(name)
  if (!set) throw attributes.refuse(ENOENT, A.name)
  const { sequence } = request.message
  const header = { number: message.newSet, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putSet(writer, set, message.newSet))
}

/** A table that is named has to be there. */
export function setEntries(kernel: Kernel, request: NetfilterRequest): () => Iterable<Entry> {
  const only = request.attributes.has(A.table) ? tableOf(request, kernel, A.table, true) : undefined
  return () => entriesOf(kernel, request, only)
}

function* entriesOf(kernel: Kernel, { family }: NetfilterRequest, only: NftSet['table'] | undefined): Generator<Entry> {
  for (const table of kernel.tables.values()) {
    if ((family !== 0 && family !== table.family) || (only && only !== table)) continue
    for (const set of table.sets.values()) yield { family: table.family, put: writer => putSet(writer, set, message.newSet) }
  }
}
