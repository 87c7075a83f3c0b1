/** What the messages of a transaction change in a model. */
import type { MessageReader } from '../netlink/buffer.js'
import { type Message, MessageCursor } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { readText } from '../netlink/values.js'
import type { Change } from './change.js'
import { addedTo, removedFrom } from './elements-model.js'
import { familyFromWire } from './family.js'
import type { Model, ModelWord } from './model.js'
import type { Part } from './notifications.js'
import { ElementReader } from './objects/element-reader.js'
import { objectOf, type Scope } from './read-model.js'
import type { Element } from './types.js'
import { message, messageType } from './wire.js'

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
  [message.destroyTable, gone('table')],
  [message.destroyChain, gone('chain')],
  [message.destroyRule, gone('rule')],
  [message.destroySet, gone('set')],
  [message.destroyElements, gone('elements')],
  [message.destroyObject, gone('object')],
  [message.destroyFlowtable, gone('flowtable')],
])

/** What messages change. Not `sure`: only reading tells what some of them mean. */
export interface Outcome {
  readonly changes: readonly Change[]
  readonly sure: boolean
}

/** Carries the messages over into the model. */
export async function changesOf(model: Model, parts: readonly Part[], scope: Scope): Promise<Outcome> {
  const changes: Change[] = []
  let sure = true
  let run: ElementRun | undefined
  const turns = new Turns()
  for (const { reader, start, end } of parts) {
    const cursor = new MessageCursor(reader, start)
    while (cursor.end < end && cursor.next()) {
      if (turns.due(1)) await turns.give()
      if (run?.take(reader, cursor)) continue
      if (run) changes.push(...(await run.changes(turns)))
      run = undefined
      const kind = KINDS.get(cursor.type & 255)
      const change =
        kind &&
        (kind.word === 'elements'
          ? runOf(model, reader, cursor, kind, scope)
          : changeOf(model, reader, cursor, kind.word, kind.gone, scope))
      if (change === 'unclear') sure = false
      else if (change instanceof ElementRun) run = change
      else if (change) push(changes, change)
    }
  }
  if (run) changes.push(...(await run.changes(turns)))
  return { changes, sure }
}

/**
 * Carries over what the kernel tells by itself: an object that packets changed (nft_quota.c, nft_quota_obj_eval). The family that it tells is
 * the packet's, not the table's.
 */
export function ownChangesOf(model: Model, parts: readonly Part[], scope: Scope): Outcome {
  const changes: Change[] = []
  let sure = true
  for (const { reader, start } of parts) {
    const cursor = new MessageCursor(reader, start)
    const isObject = cursor.next() && cursor.type === messageType(message.newObject)
    const object = isObject ? objectOf('object', reader, cursor, { ...scope, family: undefined }) : undefined
    const [family, ...others] = object ? model.familiesOf(object) : []
    const clear = others.length === 0
    const change = object && family && clear ? model.add('object', { ...object, family }) : undefined
    if (change) changes.push(change)
    sure &&= clear
  }
  return { changes, sure }
}

function changeOf(
  model: Model,
  reader: MessageReader,
  read: Message,
  word: ModelWord,
  gone: boolean,
  scope: Scope,
): Change | 'unclear' | undefined {
  const object = objectOf(word, reader, read, scope)
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

/** NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS */
const TABLE = 1
const SET = 2
const ELEMENTS = 3

/** The first message of elements of a set. Undefined out of scope. */
function runOf(
  model: Model,
  reader: MessageReader,
  read: Message,
  { gone }: Kind,
  scope: Scope,
): ElementRun | 'unclear' | undefined {
  const family = familyFromWire(reader.bytes[read.payload] as number)
  const table = nameIn(reader, read, TABLE)
  const name = nameIn(reader, read, SET)
  if (family === undefined || table === undefined || name === undefined) return 'unclear'
  if ((scope.family ?? family) !== family || (scope.table ?? table) !== table) return undefined
  const known = model.set({ family, table, name })
  return known ? new ElementRun(known, gone, reader, read) : 'unclear'
}

function nameIn(reader: MessageReader, { payload, end }: Message, id: number): string | undefined {
  const at = findAttribute(reader, payload + NETFILTER_HEADER, end, id)
  return at < 0 ? undefined : readText(reader.bytes, at + 4, attributeEnd(reader, at) - 1)
}

/** Each element has a message of its own, and an interval two: those of one set that follow each other belong together. */
class ElementRun {
  readonly #known: NonNullable<ReturnType<Model['set']>>
  readonly #gone: boolean
  readonly #type: number
  /** What stands before the elements: family, table, set. */
  readonly #head: Uint8Array
  readonly #reader: ElementReader
  readonly #elements: Element[] = []

  constructor(known: NonNullable<ReturnType<Model['set']>>, gone: boolean, reader: MessageReader, first: Message) {
    this.#known = known
    this.#gone = gone
    this.#type = first.type
    this.#head = reader.bytes.slice(first.payload, headEnd(reader, first))
    this.#reader = new ElementReader(known.set)
    this.take(reader, first)
  }

  /** Reads a message. False when it does not belong to it. */
  take(reader: MessageReader, read: Message): boolean {
    if (read.type !== this.#type || !this.#isSame(reader, read)) return false
    this.#reader.read(reader, read.payload + NETFILTER_HEADER, read.end, this.#elements)
    return true
  }

  #isSame({ bytes }: MessageReader, { payload, end }: Message): boolean {
    const head = this.#head
    if (payload + head.length > end) return false
    for (let i = 0; i < head.length; i++) if (i !== RESOURCE && i !== RESOURCE + 1 && bytes[payload + i] !== head[i]) return false
    return true
  }

  async changes(turns: Turns): Promise<readonly Change[]> {
    const { set, elements } = this.#known
    const told = this.#elements
    this.#reader.end(told)
    if (elements) return this.#gone ? elements.remove(set, told, turns) : elements.add(set, told, turns)
    return this.#gone ? removedFrom(set, told) : addedTo(set, told)
  }
}

/** Where the generation stands in `struct nfgenmsg`. */
const RESOURCE = 2

function headEnd(reader: MessageReader, { payload, end }: Message): number {
  const list = findAttribute(reader, payload + NETFILTER_HEADER, end, ELEMENTS)
  return list < 0 ? end : list
}
