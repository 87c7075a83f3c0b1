/** How elements are told (nf_tables_api.c, nf_tables_fill_setelem, nf_tables_dump_set, nf_tables_getsetelem). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { NLM_F_MULTI } from '../../netlink/message.js'
import { message } from '../../nft/wire.js'
import { EINVAL, ENOENT, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import type { Dump } from '../netlink.js'
import { blaming, putBe32, putBe64, putBytes, putNest, putText } from './attributes.js'
import { putData } from './data.js'
import { elementAttribute, elementListAttribute, readKey } from './element-keys.js'
import { putExpression } from './expression.js'
import type { Kernel } from './kernel.js'
import { tableOf } from './lookup.js'
import { putMessage, reply } from './messages.js'
import type { Element } from './set-elements.js'
import type { NftSet } from './state.js'

const E = elementAttribute
const L = elementListAttribute
const NFTA_LIST_ELEM = 1
const NLM_F_DUMP_INTR = 0x10

export function putElements(writer: MessageWriter, set: NftSet, elements: Iterable<Element>, now: number, reset = false): void {
  putText(writer, L.table, set.table.name)
  putText(writer, L.set, set.name)
  putNest(writer, L.elements, () => {
    for (const element of elements) putElement(writer, set, element, now, reset)
  })
}

function putElement(writer: MessageWriter, set: NftSet, element: Element, now: number, reset: boolean): void {
  const { key, keyEnd, data, object, flags, userData } = element
  putNest(writer, NFTA_LIST_ELEM, () => {
    if (key.length > 0) putData(writer, E.key, key)
    if (keyEnd) putData(writer, E.keyEnd, keyEnd)
    if (data) putData(writer, E.data, data)
    putExpressions(writer, element, reset)
    if (object) putText(writer, E.object, object.name)
    if (flags) putBe32(writer, E.flags, flags)
    putTimes(writer, set, element, now)
    if (userData) putBytes(writer, E.userData, userData)
  })
}

function putExpressions(writer: MessageWriter, { expressions }: Element, reset: boolean): void {
  const [first] = expressions
  if (expressions.length === 1 && first) putExpression(writer, E.expression, first, reset)
  else if (first)
    putNest(writer, E.expressions, () => {
      for (const expression of expressions) putExpression(writer, NFTA_LIST_ELEM, expression, reset)
    })
}

function putTimes(writer: MessageWriter, set: NftSet, { timeout, expires }: Element, now: number): void {
  if (timeout === undefined) return
  if (timeout !== set.timeout) putBe64(writer, E.timeout, timeout)
  if (timeout > 0) putBe64(writer, E.expiration, Math.max(0, Math.floor(expires - now)))
}

/** The set that is asked about. */
function setOf(kernel: Kernel, request: NetfilterRequest): NftSet {
  const { attributes } = request
  const table = tableOf(request, kernel, L.table, true)
  const name = attributes.text(L.set)
  if (name === undefined) throw new Errno(EINVAL)
  const set = table.sets.get(name)
  if (!set) throw attributes.refuse(ENOENT, L.set)
  return set
}

/** Some elements: a message for each. */
export function getElements(kernel: Kernel, request: NetfilterRequest, reset: boolean): void {
  const { attributes, socket, family } = request
  if (!attributes.has(L.elements)) throw new Errno(EINVAL)
  const set = setOf(kernel, request)
  const { sequence } = request.message
  const number = message.newElements
  for (const payload of attributes.list(L.elements))
    blaming(payload, () => {
      const element = set.elements.get(readKey(set, attributes, payload))
      if (!element) throw new Errno(ENOENT)
      const header = { number, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
      reply(socket, header, writer => putElements(writer, set, [element], kernel.now(), reset))
    })
}

/** All elements: as many in each message as fit in a page, and the one that catches all with the last. */
export function dumpElements(kernel: Kernel, request: NetfilterRequest, reset: boolean): never {
  const set = setOf(kernel, request)
  request.socket.startDump(request.message.sequence, () => pagesOf(kernel, request, set, reset))
}

function pagesOf(kernel: Kernel, { socket, message: { sequence } }: NetfilterRequest, set: NftSet, reset: boolean): Dump {
  let done = 0
  let before: number | undefined
  return page => {
    const { generation } = kernel
    const now = kernel.now()
    const interrupted = before !== undefined && before !== generation ? NLM_F_DUMP_INTR : 0
    before = generation
    const header = { number: message.newElements, flags: NLM_F_MULTI | interrupted, family: set.table.family, sequence }
    let fitted = 0
    page.put(writer =>
      putMessage(writer, { ...header, portId: socket.portId, generation }, () => {
        putText(writer, L.table, set.table.name)
        putText(writer, L.set, set.name)
        putNest(writer, L.elements, () => {
          for (const element of [...set.elements.values()].slice(done)) {
            const start = writer.offset
            putElement(writer, set, element, now, reset)
            if (writer.offset > page.capacity) {
              writer.offset = start
              return
            }
            fitted++
          }
          if (fitted === 0 && set.elements.catchAll) putElement(writer, set, set.elements.catchAll, now, reset)
        })
      }),
    )
    done += fitted
    page.last = fitted === 0
  }
}
