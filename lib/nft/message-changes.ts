/** What the messages of a transaction change in a model. */

import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { readText } from '../netlink/values.js'
import type { Change } from './change.js'
import type { ObjectWord } from './commands.js'
import { addedTo, removedFrom } from './elements-model.js'
import { familyFromWire } from './family.js'
import type { Model } from './model.js'
import type { NotifiedMessage } from './notifications.js'
import { readElements } from './objects/elements.js'
import { objectOf, type Scope } from './read-model.js'
import type { Element, NftSet, SetKey } from './types.js'
import { message } from './wire.js'

interface Kind {
  readonly word: ObjectWord
  readonly gone: boolean
}

const there = (word: ObjectWord): Kind => ({ word, gone: false })
const gone = (word: ObjectWord): Kind => ({ word, gone: true })

const KINDS: ReadonlyMap<number, Kind> = new Map([
  [message.newTable, there('table')],
  [message.newChain, there('chain')],
  [message.newRule, there('rule')],
  [message.newSet, there('set')],
  [message.newElements, there('elements')],
  [message.newObject, there('object')],
  [message.newFlowtable, there('flowtable')],
  [message.deleteTable, gone('table')],
  [message.deleteChain, gone('chain')],
  [message.deleteRule, gone('rule')],
  [message.deleteSet, gone('set')],
  [message.deleteElements, gone('elements')],
  [message.deleteObject, gone('object')],
  [message.deleteFlowtable, gone('flowtable')],
])

/** Carries the messages over into the model. Not `sure`: reading has to tell what some of them mean. */
export async function changesOf(
  model: Model,
  messages: readonly NotifiedMessage[],
  scope: Scope,
): Promise<{ readonly changes: readonly Change[]; readonly sure: boolean }> {
  const changes: Change[] = []
  let sure = true
  const turns = new Turns()
  for (let i = 0; i < messages.length; ) {
    if (turns.due(1)) await turns.give()
    const first = messages[i] as NotifiedMessage
    const kind = KINDS.get(first.type & 255)
    const end = kind?.word === 'elements' ? endOfElements(messages, i) : i + 1
    const change =
      kind?.word === 'elements'
        ? elementChanges(model, messages.slice(i, end), kind, scope)
        : kind && changeOf(model, first, kind, scope)
    if (change === 'unclear') sure = false
    else if (Array.isArray(change)) changes.push(...change)
    else if (change) push(changes, change)
    i = end
  }
  return { changes, sure }
}

function changeOf(model: Model, read: NotifiedMessage, { word, gone }: Kind, scope: Scope): Change | 'unclear' | undefined {
  if (word === 'elements') return undefined
  const object = objectOf(word, read, scope)
  if (!object) return undefined
  return gone ? model.remove(word, object) : model.add(word, object)
}

/** A rule that is replaced is told as removed and, from Linux 6.18 on with the same handle, as added. */
function push(changes: Change[], change: Change): void {
  const last = changes.at(-1)
  if (change.object === 'rule' && change.type === 'added' && last?.object === 'rule' && last.type === 'removed') {
    const { before } = last
    const { after } = change
    if (before && after && before.table === after.table && before.chain === after.chain && before.handle === after.handle) {
      changes[changes.length - 1] = { type: 'changed', object: 'rule', before, after }
      return
    }
  }
  changes.push(change)
}

/** Each element has a message of its own, and an interval two: those of one set that follow each other belong together. */
function endOfElements(messages: readonly NotifiedMessage[], start: number): number {
  const { type } = messages[start] as NotifiedMessage
  const set = setNameOf(messages[start] as NotifiedMessage)
  let end = start + 1
  for (; end < messages.length; end++) {
    const next = messages[end] as NotifiedMessage
    if (next.type !== type || setNameOf(next) !== set) break
  }
  return end
}

function elementChanges(model: Model, messages: readonly NotifiedMessage[], { gone }: Kind, scope: Scope): Change[] | 'unclear' {
  const key = setKeyOf(messages[0] as NotifiedMessage)
  if (!key || (scope.family ?? key.family) !== key.family || (scope.table ?? key.table) !== key.table) return []
  const known = model.set(key)
  if (!known) return 'unclear'
  const { set } = known
  const elements = elementsOf(set, messages)
  if (known.elements) return gone ? known.elements.remove(set, elements) : known.elements.add(set, elements)
  return gone ? removedFrom(set, elements) : addedTo(set, elements)
}

function setKeyOf(read: NotifiedMessage): SetKey | undefined {
  const family = familyFromWire(read.reader.bytes[read.payload] as number)
  const table = nameIn(read, NFTA_SET_ELEM_LIST_TABLE)
  const name = nameIn(read, NFTA_SET_ELEM_LIST_SET)
  return family && table !== undefined && name !== undefined ? { family, table, name } : undefined
}

const setNameOf = (read: NotifiedMessage): string =>
  `${read.reader.bytes[read.payload]} ${nameIn(read, NFTA_SET_ELEM_LIST_TABLE)} ${nameIn(read, NFTA_SET_ELEM_LIST_SET)}`

const NFTA_SET_ELEM_LIST_TABLE = 1
const NFTA_SET_ELEM_LIST_SET = 2

function nameIn({ reader, payload, end }: NotifiedMessage, id: number): string | undefined {
  const at = findAttribute(reader, payload + NETFILTER_HEADER, end, id)
  return at < 0 ? undefined : readText(reader.bytes, at + 4, attributeEnd(reader, at) - 1)
}

/** The elements that some messages in a row tell of. */
function elementsOf(set: NftSet, messages: readonly NotifiedMessage[]): Element[] {
  return messages.flatMap(({ reader, payload, end }) => readElements(set, reader, payload + NETFILTER_HEADER, end))
}
