/** Writes elements, straight into the messages. */
import { align4, type MessageWriter } from '../../netlink/buffer.js'
import { beginNest, endNest } from '../../netlink/message.js'
import { nearest } from '../../netlink/nearest.js'
import { BadValue, shown, writeAttribute } from '../../netlink/schema.js'
import { writeBe32 } from '../../netlink/values.js'
import { data as dataType, type Verdict } from '../data.js'
import { callersNames } from '../field-of.js'
import type { Element, Elements } from '../types.js'
import { joinComment, type UserDatum } from '../user-data.js'
import type { Tuple } from '../values/tuple.js'
import { elementAttributes, INTERVAL_END, setElementListAttributes } from '../wire.js'
import { type ElementCodec, elementCodec } from './element-codec.js'
import { Intervals } from './intervals.js'
import { needed } from './needed.js'
import { milliseconds } from './set.js'
import { within } from './within.js'

const NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff
/** NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_LIST_ELEM, NFTA_SET_ELEM_*, NFTA_DATA_VALUE */
const LIST = 3 | NESTED
const ELEMENT = 1 | NESTED
const KEY = 1 | NESTED
const DATA = 2 | NESTED
const FLAGS = 3
const OBJECT = 9
const KEY_END = 10 | NESTED
const VALUE = 1
/** NFT_SET_ELEM_CATCHALL */
const CATCH_ALL = 2
const FLAG_BITS = INTERVAL_END | CATCH_ALL
/** NFTNL_UDATA_SET_ELEM_COMMENT */
const COMMENT = 0
/** NFTNL_UDATA_SET_ELEM_FLAGS with NFTNL_SET_ELEM_F_INTERVAL_OPEN: nft notes it with an interval that goes to the last key. */
const OPEN: UserDatum = { type: 1, data: new Uint8Array(new Uint32Array([1]).buffer) }
const FIELDS: ReadonlySet<string> = new Set([
  'key',
  'data',
  'object',
  'timeout',
  'expires',
  'comment',
  'expressions',
  'flags',
  'userData',
  'unknown',
])
/** Bytes of an attribute: its length has 16 bits. */
const LONGEST = 0xffff
/** Elements written from one chance of an interruption to the next. */
const SLICE = 256
/** Bytes of an element's keys and data with all headers. */
const ROOM = 512

/** What elements are written for: all of them, or to say which. */
export type Purpose = 'add' | 'name'

/**
 * Writes the attributes of messages with these elements. Each message holds as many as fit; `next` ends one and starts another. Yields how
 * many elements it wrote since it did so before, so that others get a turn.
 *
 * @param next is called with the index of the first element that the next message holds; 0 for the first message
 */
export function* writeElements(
  writer: MessageWriter,
  { set, elements }: Elements,
  purpose: Purpose,
  next: (element: number) => void,
): Generator<number, void, void> {
  const list = within('set', () => new ElementWriter(writer, set, purpose, next))
  const start = writer.offset
  list.begin(0)
  for (let i = 0; i < elements.length; i += SLICE) {
    const end = Math.min(i + SLICE, elements.length)
    list.write(elements, i, end)
    if (i === 0) writer.foresee(start, end, elements.length)
    yield end - i
  }
  list.end()
  if (list.intervals) yield* list.intervals.check(elements)
}

class ElementWriter {
  readonly #writer: MessageWriter
  readonly #head: { readonly table: string; readonly set: string; readonly setId: number | undefined }
  readonly #codec: ElementCodec
  readonly #names: boolean
  readonly #next: (element: number) => void
  readonly intervals: Intervals | undefined
  /** Where the list of the message starts. */
  #list = 0

  constructor(writer: MessageWriter, set: Elements['set'], purpose: Purpose, next: (element: number) => void) {
    const { table, name, id } = set
    needed({ table, name })
    this.#writer = writer
    this.#head = { table, set: name, setId: id }
    this.#codec = elementCodec(set)
    this.#names = purpose === 'name'
    this.#next = next
    const { shape, key } = this.#codec
    if (shape === 'interval' && key.single) this.intervals = new Intervals(key.single)
  }

  /** Starts a message. */
  begin(element: number): void {
    this.#next(element)
    callersNames('add', 'elements', this.#head, () => setElementListAttributes.encode(this.#writer, this.#head))
    this.#list = beginNest(this.#writer, LIST)
  }

  end(): void {
    endNest(this.#writer, this.#list)
  }

  /** Writes the elements from `start` to `end`. */
  write(elements: readonly Element[], start: number, end: number): void {
    const writer = this.#writer
    let i = start
    try {
      for (; i < end; i++) {
        const at = writer.offset
        this.#element(elements[i] as Element, i)
        if (writer.offset - this.#list > LONGEST) this.#moveToNext(at, i)
      }
    } catch (error) {
      throw error instanceof BadValue ? error.within(i).within('elements') : error
    }
  }

  /** An element that makes the list too long is the first one of the next message. */
  #moveToNext(at: number, element: number): void {
    const writer = this.#writer
    const moved = writer.bytes.slice(at, writer.offset)
    if (moved.length + 4 > LONGEST)
      throw new BadValue('range', `${moved.length} bytes are too many for one element: ${LONGEST - 4} fit`)
    writer.offset = at
    this.end()
    this.begin(element)
    writer.append(moved)
  }

  #element(element: Element, index: number): void {
    if (element === null || typeof element !== 'object')
      throw new BadValue('type', `${shown(element)}: give an element, as { key: … }`)
    const writer = this.#writer
    const { key } = element
    writer.reserve(ROOM)
    const nest = beginNest(writer, ELEMENT)
    if (key === '*') {
      this.#rest(element, CATCH_ALL, undefined)
      endNest(writer, nest)
      return
    }
    // What could not be read as a key goes back from where it was kept.
    const interval = isUnread(element) && !this.#names ? undefined : this.#keyOf(key, index)
    const open = interval !== undefined && this.intervals?.isOpen(interval) === true
    this.#rest(element, 0, open ? OPEN : undefined)
    endNest(writer, nest)
    if (interval !== undefined && !open) this.#intervalEnd(interval)
  }

  /** Writes the key; of an interval its first one, and returns where the interval is. */
  #keyOf(key: unknown, index: number): number | undefined {
    const { shape, key: tuple } = this.#codec
    const writer = this.#writer
    try {
      if (key === undefined) throw new BadValue('type', 'is missing')
      if (shape === 'exact') tuple.write(writer.bytes, beginValue(writer, KEY, tuple.length), key)
      else if (shape === 'range')
        tuple.writeRange(writer.bytes, beginValue(writer, KEY, tuple.length), beginValue(writer, KEY_END, tuple.length), key)
      else return this.#intervalStart(this.intervals as Intervals, key, index)
    } catch (error) {
      throw error instanceof BadValue ? error.within('key') : error
    }
    return undefined
  }

  #intervalStart(intervals: Intervals, key: unknown, index: number): number {
    const from = intervals.add(key, index)
    const { length } = this.#codec.key
    copy(intervals.bytes, from, this.#writer.bytes, beginValue(this.#writer, KEY, length), length)
    return from
  }

  /** An element of its own with the key behind the last. */
  #intervalEnd(from: number): void {
    const writer = this.#writer
    const { bytes, step } = this.intervals as Intervals
    const { length } = this.#codec.key
    writer.reserve(ROOM)
    const nest = beginNest(writer, ELEMENT)
    const at = beginValue(writer, KEY, length)
    copy(bytes, from + step, writer.bytes, at, length)
    increment(writer.bytes, at, length)
    writeFlags(writer, INTERVAL_END)
    endNest(writer, nest)
  }

  /** Everything but the key. To name an element the key will do. */
  #rest(element: Element, flags: number, open: UserDatum | undefined): void {
    let others = flags !== 0 || open !== undefined
    for (const field in element) {
      if (field === 'key' || field === 'data') continue
      others = true
      if (!FIELDS.has(field)) throw new BadValue('type', `there is no such field${nearest(field, [...FIELDS])}`).within(field)
    }
    if (this.#names) {
      if (flags !== 0) writeFlags(this.#writer, flags)
      return
    }
    this.#data(element)
    if (others) writeOthers(this.#writer, element, flags, open)
  }

  #data(element: Element): void {
    const { data, object } = element
    const mapped = this.#codec.data
    if (data === undefined && object === undefined && keeps(element, mapped === 'object' ? OBJECT : DATA)) return
    if (mapped === 'object' ? object === undefined : mapped !== undefined && data === undefined)
      throw new BadValue('type', 'is missing: it is a map').within(mapped === 'object' ? 'object' : 'data')
    if (object !== undefined && mapped !== 'object') throw new BadValue('type', 'it is no map to objects').within('object')
    if (data === undefined) return
    if (mapped === undefined || mapped === 'object') throw new BadValue('type', 'it is no map to data').within('data')
    try {
      if (mapped === 'verdict') writeVerdict(this.#writer, data)
      else this.#values(mapped, data)
    } catch (error) {
      throw error instanceof BadValue ? error.within('data') : error
    }
  }

  #values(tuple: Tuple, data: unknown): void {
    const writer = this.#writer
    const { length } = tuple
    if (!this.#codec.dataInterval) return tuple.write(writer.bytes, beginValue(writer, DATA, length), data)
    const from = beginValue(writer, DATA, 2 * length)
    tuple.writeRange(writer.bytes, from, from + length, data)
  }
}

/** Whether an attribute of an element was kept as bytes. */
const keeps = ({ unknown }: Element, id: number): boolean =>
  Array.isArray(unknown) && unknown.some(({ type }) => (type & NLA_TYPE_MASK) === (id & NLA_TYPE_MASK))

/** Whether that is so of its key, which reads as no bytes then. */
const isUnread = (element: Element): boolean =>
  element.key instanceof Uint8Array && element.key.length === 0 && keeps(element, KEY)

/** Starts an attribute with a value of so many bytes, and returns where they go. */
function beginValue(writer: MessageWriter, type: number, length: number): number {
  const start = writer.offset
  const padded = align4(length)
  const { u16, u32 } = writer
  const at = start >> 1
  // The memory has been used before: padding is written.
  u32[(start + 4 + padded) >> 2] = 0
  u16[at] = 8 + padded
  u16[at + 1] = type
  u16[at + 2] = 4 + length
  u16[at + 3] = VALUE
  writer.offset = start + 8 + padded
  return start + 8
}

/** Few bytes: a view of them would take longer. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  for (let i = 0; i < length; i++) target[to + i] = source[from + i] as number
}

/** The next one in the order of the network. It is not the last one. */
function increment(bytes: Uint8Array, start: number, length: number): void {
  for (let i = start + length - 1; i >= start; i--) {
    bytes[i] = (bytes[i] as number) + 1
    if (bytes[i] !== 0) return
  }
}

function writeFlags(writer: MessageWriter, flags: number): void {
  writer.u16[writer.offset >> 1] = 8
  writer.u16[(writer.offset >> 1) + 1] = FLAGS
  writer.offset += 4
  writeBe32(writer, flags)
}

function writeVerdict(writer: MessageWriter, data: unknown): void {
  if (data === null || typeof data !== 'object' || !('verdict' in data))
    throw new BadValue('type', `${shown(data)}: give a verdict, as { verdict: 'accept' }`)
  writeAttribute(writer, DATA, dataType, data as Verdict)
}

function writeOthers(writer: MessageWriter, element: Element, flags: number, open: UserDatum | undefined): void {
  const { timeout, expires, expressions = [], object, unknown, flags: more = 0 } = element
  if (more & FLAG_BITS) throw new BadValue('range', `${shown(more)}: 1 and 2 have fields of their own`).within('flags')
  const userData = joinComment(element, COMMENT) ?? []
  const record = {
    flags: (flags | more) >>> 0 || undefined,
    timeout: milliseconds(timeout, 'timeout'),
    expires: milliseconds(expires, 'expires'),
    userData: userData.length > 0 || open ? withOpen(userData, open) : undefined,
    expression: expressions.length === 1 ? expressions[0] : undefined,
    object,
    expressions: expressions.length > 1 ? expressions : undefined,
    unknown,
  }
  callersNames('add', 'set', element, () => elementAttributes.encode(writer, record))
}

const withOpen = (userData: readonly UserDatum[], open: UserDatum | undefined): readonly UserDatum[] =>
  open && !userData.some(({ type }) => type === open.type) ? [...userData, open] : userData
