/** Reads elements of dumps, of answers and of events. */
import { align4, type MessageReader } from '../../netlink/buffer.js'
import { attributeEnd, findAttribute } from '../../netlink/schema.js'
import { readBe32 } from '../../netlink/values.js'
import { type Data, data as dataType } from '../data.js'
import type { Element, ElementKey, Elements } from '../types.js'
import { splitComment, type UserDatum } from '../user-data.js'
import type { Tuple } from '../values/tuple.js'
import { elementAttributes, INTERVAL_END } from '../wire.js'
import { type ElementCodec, elementCodec } from './element-codec.js'
import type { Repeats } from './repeats.js'
import { attributeOf } from './unknown.js'

const NLA_TYPE_MASK = 0x3fff
/** NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_*, NFTA_DATA_VALUE */
const LIST = 3
const KEY = 1
const DATA = 2
const FLAGS = 3
const KEY_END = 10
const VALUE = 1
const CATCH_ALL = 2
const COMMENT = 0
const ELEMENT_FLAGS = 1
const OPEN = 1

/** An element whose key comes later. */
type ElementRecord = NonNullable<ReturnType<typeof elementAttributes.decode>>
type Fields = { -readonly [F in keyof Element]: Element[F] }

/**
 * Reads the elements of one set, message by message. An interval is two elements, which need not come in one message, nor the beginning
 * first: the kernel tells the highest first. So an element may be complete only with a later message, or with `end`.
 */
export class ElementReader {
  readonly #codec: ElementCodec
  /** Bytes of a value of data; 0 when data are none. */
  readonly #dataLength: number
  /** Whether the beginning or the end of an interval waits for the other; what was told with the beginning. */
  #waiting: 'start' | 'end' | undefined
  #element: Fields = NONE
  /** The key that waits, the one that came, the last that there is, and that of the interval before. */
  readonly #keys: Uint8Array
  readonly #came: number
  readonly #last: number
  readonly #before: number
  #hasBefore = false
  readonly #repeats: Repeats | undefined

  /**
   * Throws a `BadValue` for types that there are not.
   *
   * @param repeats is told the keys of a listing; not those of intervals, which the kernel keeps in order
   */
  constructor(set: Elements['set'], repeats?: Repeats) {
    this.#codec = elementCodec(set)
    this.#repeats = repeats
    const { key, data, dataInterval } = this.#codec
    this.#dataLength = typeof data === 'object' ? (dataInterval ? 2 : 1) * data.length : 0
    this.#came = align4(key.length)
    this.#last = 2 * this.#came
    this.#before = 3 * this.#came
    this.#keys = new Uint8Array(4 * this.#came)
    key.single?.writeLast(this.#keys, this.#last)
  }

  /** Reads the attributes of a message, and adds the elements that are complete to `into`. */
  read(reader: MessageReader, start: number, end: number, into: Element[]): void {
    const list = findAttribute(reader, start, end, LIST)
    if (list < 0) return
    const stop = attributeEnd(reader, list)
    for (let at = list + 4; at + 4 <= stop; at = align4(attributeEnd(reader, at))) {
      const next = attributeEnd(reader, at)
      if (next < at + 4 || next > stop) return
      if (!this.#plain(reader, at + 4, next, into)) this.#any(reader, at + 4, next, into)
    }
  }

  /** Adds what waits for another half that did not come. */
  end(into: Element[]): void {
    if (this.#waiting === 'start') {
      // In a map nft writes no end where the next interval begins.
      const adjoins = this.#hasBefore && this.#compare(0, this.#before) < 0
      this.#complete(0, adjoins ? this.#before : this.#last, into, adjoins)
    }
    this.#waiting = undefined
  }

  /** Reads an element that has nothing but key, data and flags. False for any other. */
  #plain(reader: MessageReader, start: number, end: number, into: Element[]): boolean {
    const { u16 } = reader
    const { key: tuple, shape } = this.#codec
    let key = -1
    let keyEnd = -1
    let data: Element['data']
    let flags = 0
    for (let at = start; at < end; ) {
      const next = at + 4 <= end ? attributeEnd(reader, at) : 0
      if (next < at + 4 || next > end) return false
      const type = (u16[(at >> 1) + 1] as number) & NLA_TYPE_MASK
      if (type === KEY && key < 0) key = valueAt(reader, at, next, tuple.length)
      else if (type === DATA && data === undefined) data = this.#dataIn(reader, at, next)
      else if (type === KEY_END && keyEnd < 0 && shape === 'range') keyEnd = valueAt(reader, at, next, tuple.length)
      else if (type === FLAGS && next === at + 8 && shape === 'interval') flags = readBe32(reader, at + 4)
      else return false
      if (type === DATA && data === undefined) return false
      at = align4(next)
    }
    if (key < 0) return false
    if (shape === 'exact') {
      this.#repeats?.add(reader, key, tuple.length)
      into.push(element(tuple.read(reader.bytes, key), data))
    } else if (shape === 'interval') return this.#bound(reader.bytes, key, data, flags, into)
    else if (keyEnd < 0) return false
    else into.push(element(tuple.readRange(reader.bytes, key, keyEnd), data))
    return true
  }

  /** An element that is the beginning or the end of an interval. */
  #bound(bytes: Uint8Array, key: number, data: Element['data'], flags: number, into: Element[]): boolean {
    if (flags === 0) this.#starts(bytes, key, element(LATER, data), into)
    else if (flags === INTERVAL_END && data === undefined) this.#ends(bytes, key, into)
    else return false
    return true
  }

  /** The data of an attribute; undefined for any but the set's. */
  #dataIn(reader: MessageReader, at: number, end: number): Element['data'] {
    if (this.#dataLength > 0) {
      const value = valueAt(reader, at, end, this.#dataLength)
      return value < 0 ? undefined : this.#dataAt(reader.bytes, value)
    }
    const verdict = this.#codec.data === 'verdict' ? dataType.read(reader, at + 4, end - at - 4) : undefined
    return verdict instanceof Uint8Array ? undefined : verdict
  }

  #dataAt(bytes: Uint8Array, at: number): Element['data'] {
    const { data, dataInterval } = this.#codec
    if (typeof data !== 'object') return undefined
    return dataInterval ? data.readRange(bytes, at, at + data.length) : data.read(bytes, at)
  }

  /** The beginning of an interval. */
  #starts(bytes: Uint8Array, key: number, fields: Fields, into: Element[]): void {
    this.#arrives(bytes, key)
    if (this.#waiting === 'end' && this.#compare(0, this.#came) > 0) {
      this.#element = fields
      this.#complete(this.#came, 0, into, true)
      this.#waiting = undefined
      return
    }
    if (this.#waiting === 'start' && this.#compare(0, this.#came) < 0) {
      this.#complete(0, this.#came, into, true)
      this.#arrives(bytes, key)
    } else this.end(into)
    this.#element = fields
    this.#waits('start')
  }

  /** The key behind the last of an interval; one that ends none is nft's, in front of all others. */
  #ends(bytes: Uint8Array, key: number, into: Element[]): void {
    this.#arrives(bytes, key)
    if (this.#waiting === 'start' && this.#compare(0, this.#came) < 0) {
      this.#complete(0, this.#came, into, true)
      this.#waiting = undefined
      return
    }
    this.end(into)
    this.#waits('end')
  }

  #arrives(bytes: Uint8Array, key: number): void {
    const { length } = this.#codec.key
    for (let i = 0; i < length; i++) this.#keys[this.#came + i] = bytes[key + i] as number
  }

  #waits(half: 'start' | 'end'): void {
    this.#keys.copyWithin(0, this.#came, this.#last)
    this.#waiting = half
  }

  #compare(a: number, b: number): number {
    return this.#codec.key.single?.compare(this.#keys, a, b) ?? 0
  }

  /** @param behind whether `to` is the key behind the last */
  #complete(from: number, to: number, into: Element[], behind = false): void {
    const { length } = this.#codec.key
    if (behind) decrement(this.#keys, to, length)
    this.#element.key = this.#codec.key.readRange(this.#keys, from, to)
    this.#keys.copyWithin(this.#before, from, from + length)
    this.#hasBefore = true
    into.push(this.#element)
    this.#element = NONE
  }

  /** Reads an element by its table. */
  #any(reader: MessageReader, start: number, end: number, into: Element[]): void {
    const record = elementAttributes.decode(reader, start, end)
    if (!record) return
    const { shape, key: tuple } = this.#codec
    const { flags = 0 } = record
    const misfits: number[] = []
    const fields = element(LATER, this.#dataOf(record.data, misfits))
    const key = record.key instanceof Uint8Array && record.key.length === tuple.length ? record.key : undefined
    const open = addOthers(fields, record, shape === 'interval' && key !== undefined)
    const keyEnd = record.keyEnd instanceof Uint8Array && record.keyEnd.length === tuple.length ? record.keyEnd : undefined
    if (record.key !== undefined && !key) misfits.push(KEY)
    if (record.keyEnd !== undefined && (!key || !keyEnd || shape !== 'range')) misfits.push(KEY_END)
    if (!key && flags & INTERVAL_END) {
      misfits.push(FLAGS) // without a key it is not known what ends here
      delete fields.flags
    }
    if (misfits.length > 0)
      fields.unknown = [...misfits.map(type => attributeOf(reader, start, end, type)), ...(fields.unknown ?? [])]
    if (key && shape === 'exact') this.#told(reader, start, end)
    if (key && shape === 'interval') return this.#half(key, fields, flags, open, into)
    if (!key) fields.key = flags & CATCH_ALL ? '*' : new Uint8Array(0)
    else fields.key = shape === 'range' ? rangeOf(tuple, key, keyEnd ?? key) : tuple.read(key, 0)
    into.push(fields)
  }

  #told(reader: MessageReader, start: number, end: number): void {
    const at = findAttribute(reader, start, end, KEY)
    const { length } = this.#codec.key
    const key = valueAt(reader, at, attributeEnd(reader, at), length)
    if (key >= 0) this.#repeats?.add(reader, key, length)
  }

  #half(key: Uint8Array, fields: Fields, flags: number, open: boolean, into: Element[]): void {
    if (flags & INTERVAL_END) return this.#ends(key, 0, into)
    this.#starts(key, 0, fields, into)
    if (open) this.end(into)
  }

  /** What stands in the table of data; what is none of the set's is told as it is, or left. */
  #dataOf(data: Data | undefined, misfits: number[]): Element['data'] {
    if (data === undefined) return undefined
    const bytes = data instanceof Uint8Array
    if (!bytes && this.#codec.data === 'verdict') return data
    if (bytes && this.#dataLength > 0 && data.length === this.#dataLength) return this.#dataAt(data, 0)
    misfits.push(DATA)
    return undefined
  }
}

/** Stands in for a key that comes later. */
const LATER = ''
const NONE: Fields = { key: LATER }

/** No field that it has not: there may be hundreds of thousands. */
const element = (key: ElementKey, data: Element['data']): Fields => (data === undefined ? { key } : { key, data })

/** Where the value of an attribute starts that has nothing but a value of this length; -1 for any other. */
function valueAt({ u16 }: MessageReader, at: number, end: number, length: number): number {
  const header = (at + 4) >> 1
  const fits = u16[header] === 4 + length && u16[header + 1] === VALUE && end - at - 8 >= length && end - at - 8 <= align4(length)
  return fits ? at + 8 : -1
}

/** The one before, in the order of the network. It is not the first one. */
function decrement(bytes: Uint8Array, start: number, length: number): void {
  for (let i = start + length - 1; i >= start; i--) {
    bytes[i] = (bytes[i] as number) - 1
    if (bytes[i] !== 0xff) return
  }
}

function rangeOf(tuple: Tuple, from: Uint8Array, to: Uint8Array): ElementKey {
  const both = new Uint8Array(2 * align4(from.length))
  both.set(from)
  both.set(to, both.length / 2)
  return tuple.readRange(both, 0, both.length / 2)
}

/** Everything but key and data. Returns whether user data say that the interval has no end. */
function addOthers(fields: Fields, record: ElementRecord, interval: boolean): boolean {
  const { flags = 0, timeout, expires, userData, expression, expressions, object, unknown } = record
  const open = interval && userData?.some(isOpen) === true
  const more = flags & ~(INTERVAL_END | CATCH_ALL)
  if (object !== undefined) fields.object = object
  if (timeout !== undefined) fields.timeout = timeout / 1000
  if (expires !== undefined) fields.expires = expires / 1000
  if (expression) fields.expressions = [expression]
  else if (expressions && expressions.length > 0) fields.expressions = expressions
  if (more !== 0) fields.flags = more >>> 0
  if (userData && userData.length > 0) {
    const { comment, userData: rest } = splitComment(open ? withoutOpen(userData) : userData, COMMENT)
    if (comment !== undefined) fields.comment = comment
    if (rest) fields.userData = rest
  }
  if (unknown) fields.unknown = unknown
  return open
}

const isOpen = ({ type, data }: UserDatum): boolean =>
  type === ELEMENT_FLAGS && data.length === 4 && new Uint32Array(data.slice().buffer)[0] === OPEN

function withoutOpen(userData: readonly UserDatum[]): readonly UserDatum[] | undefined {
  const rest = userData.filter(datum => !isOpen(datum))
  return rest.length > 0 ? rest : undefined
}
