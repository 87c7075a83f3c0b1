/** What the messages of a transaction change in a model. */

import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { readText } from '../netlink/values.js'
import type { Change } from './change.js'
import { addedTo, removedFrom } from './elements-model.js'
import { familyFromWire } from './family.js'
import type { Model, ModelWord } from './model.js'
import type { NotifiedMessage } from './notifications.js'
import { ElementReader } from './objects/element-reader.js'
import { objectOf, type Scope } from './read-model.js'
import type { Element, SetKey } from './types.js'
import { message } from './wire.js'

type Kind = { readonly word: 'elements' | ModelWord; readonly gone: boolean }

const there = (word: Kind['word']): Kind => ({ word, gone: false })
const gone = (word: Kind['word']): Kind => ({ word, gone: true })

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

/** What messages change. Not `sure`: only reading tells what some of them mean. */
export interface Outcome {
  readonly changes: readonly Change[]
  readonly sure: boolean
}

/** Carries the messages over into the model. */
export async function changesOf(model: Model, messages: readonly NotifiedMessage[], scope: Scope): Promise<Outcome> {
  const changes: Change[] = []
  let sure = true
  const turns = new Turns()
  for (let i = 0; i < messages.length; i++) {
    if (turns.due(1)) await turns.give()
    const first = messages[i] as NotifiedMessage
    const kind = KINDS.get(first.type & 255)
    if (kind?.word === 'elements') {
      const told = await elementsFrom(model, messages, i, scope, turns)
      changes.push(...(await elementChanges(told, kind.gone, turns)))
      sure &&= told.known !== undefined || !told.inScope
      i += told.count - 1
    } else if (kind) {
      const change = changeOf(model, first, kind.word, kind.gone, scope)
      if (change === 'unclear') sure = false
      else if (change) push(changes, change)
    }
  }
  return { changes, sure }
}

function changeOf(
  model: Model,
  read: NotifiedMessage,
  word: ModelWord,
  gone: boolean,
  scope: Scope,
): Change | 'unclear' | undefined {
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

/** What messages in a row tell of the elements of one set. */
interface ToldElements {
  /** How many messages. */
  readonly count: number
  readonly inScope: boolean
  readonly known: ReturnType<Model['set']>
  readonly elements: readonly Element[]
}

/** Each element has a message of its own, and an interval two: those of one set that follow each other belong together. */
async function elementsFrom(
  model: Model,
  messages: readonly NotifiedMessage[],
  start: number,
  scope: Scope,
  turns: Turns,
): Promise<ToldElements> {
  const first = messages[start] as NotifiedMessage
  const key = setKeyOf(first)
  const inScope = key !== undefined && (scope.family ?? key.family) === key.family && (scope.table ?? key.table) === key.table
  const known = inScope ? model.set(key) : undefined
  const reader = known && new ElementReader(known.set)
  const elements: Element[] = []
  let i = start
  for (; i < messages.length; i++) {
    const next = messages[i] as NotifiedMessage
    if (next.type !== first.type || !isSameKey(setKeyOf(next), key)) break
    reader?.read(next.reader, next.payload + NETFILTER_HEADER, next.end, elements)
    if (turns.due(1)) await turns.give()
  }
  reader?.end(elements)
  return { count: i - start, inScope, known, elements }
}

async function elementChanges({ known, elements }: ToldElements, gone: boolean, turns: Turns): Promise<readonly Change[]> {
  if (!known) return []
  const { set } = known
  if (known.elements) return gone ? known.elements.remove(set, elements, turns) : known.elements.add(set, elements, turns)
  return gone ? removedFrom(set, elements) : addedTo(set, elements)
}

/** NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET */
const TABLE = 1
const SET = 2

function setKeyOf(read: NotifiedMessage): SetKey | undefined {
  const family = familyFromWire(read.reader.bytes[read.payload] as number)
  const table = nameIn(read, TABLE)
  const name = nameIn(read, SET)
  return family && table !== undefined && name !== undefined ? { family, table, name } : undefined
}

const isSameKey = (a: SetKey | undefined, b: SetKey | undefined): boolean =>
  a?.name === b?.name && a?.table === b?.table && a?.family === b?.family

function nameIn({ reader, payload, end }: NotifiedMessage, id: number): string | undefined {
  const at = findAttribute(reader, payload + NETFILTER_HEADER, end, id)
  return at < 0 ? undefined : readText(reader.bytes, at + 4, attributeEnd(reader, at) - 1)
}
