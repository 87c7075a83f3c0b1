/** Comparisons (src/evaluate.c, expr_evaluate_relational; src/netlink_linearize.c, netlink_gen_relational). */
import { BadValue, shown } from '../../netlink/schema.js'
import type { Cmp, Expression } from '../expressions/index.js'
import { at, fieldsOf, optionalWord } from '../json/fields.js'
import type { Span } from '../vocabulary/shapes.js'
import { BOOLEAN } from '../vocabulary/types.js'
import { setOf, singleOf } from './anonymous.js'
import { spanOf } from './constant.js'
import { bitwise, bytesOf, emit, lookup, register } from './emit.js'
import type { Lowering } from './lowering.js'
import { behind, loose, operand, wordOf } from './operand.js'
import { loadPlace } from './place.js'
import { fibPresence } from './selectors/keys.js'
import { ordered, type Source, type Term } from './terms.js'
import { inNetworkOrder, type Transferred, transferred } from './transfer.js'

const OPERATORS = ['==', '!=', '<', '>', '<=', '>=', 'in', '!'] as const
type Operator = (typeof OPERATORS)[number]
const ORDERED = { '<': 'lt', '>': 'gt', '<=': 'lte', '>=': 'gte' } as const

export function match(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['op', 'left', 'right'])
  for (const name of ['left', 'right'])
    if (fields[name] === undefined) throw new BadValue('type', 'is missing: give an expression').within(name)
  const operator = optionalWord(fields, 'op', OPERATORS)
  if (operator === undefined) throw new BadValue('type', 'is missing: give "==", or another operator').within('op')
  const { right } = fields
  const left = at('left', () => leftOf(rule, fields.left, right))
  if (left.kind === 'constant')
    throw new BadValue('type', 'is a constant: give what it is compared with on this side').within('left')
  at('right', () => new Comparing(rule, left, operator).with(right))
}

/** What is asked for with true and false is whether there is a route at all. */
function leftOf(rule: Lowering, given: unknown, right: unknown): Term {
  const fib = behind(given, 'fib')
  if (fib !== undefined && typeof right === 'boolean') {
    const { result, flags } = fieldsOf(fib, ['result', 'flags'])
    if (result === 'oif' || result === 'oifname') {
      operand(rule, given)
      return fibPresence(Array.isArray(flags) ? flags : [flags])
    }
  }
  return operand(rule, given)
}

class Comparing {
  readonly #rule: Lowering
  readonly #left: Term
  readonly #operator: Operator

  constructor(rule: Lowering, left: Term, operator: Operator) {
    this.#rule = rule
    this.#left = left
    this.#operator = operator
  }

  with(right: unknown): void {
    this.#checkFlags(right)
    if (typeof right === 'string' && right.startsWith('@')) return this.#withSet(right)
    const found = wordOf(right)
    if (found?.[0] === 'set') return this.#withAnonymous(right)
    if (found?.[0] === 'elem') return at('elem', () => at('val', () => this.with((found[1] as { readonly val?: unknown }).val)))
    if (this.#left.kind === 'concat')
      throw new BadValue('type', `${shown(right)}: concatenations are looked up in sets: give { "set": … }`)
    if (found?.[0] === 'range') return this.#withRange(right)
    if (found?.[0] === 'prefix') return this.#withPrefix(found[1])
    if (typeof right === 'string' && this.#left.shape.type.text && right.endsWith('*') && !right.endsWith('\\*'))
      return this.#withBeginning(right)
    this.#withValue(this.#valueOf(right), right)
  }

  /** Several at once, and none of them, are told of flags only (expr_evaluate_list, expr_evaluate_relational). */
  #checkFlags(right: unknown): void {
    const { kind, shape } = this.#left
    if (kind === 'binary' && this.#operator === '!')
      throw new BadValue('type', '"!": asks for the flags of a field: give "&" and "==" for what is calculated from it')
    if (kind === 'concat' || shape.type.flags) return
    const { name } = shape.type
    if (Array.isArray(right))
      throw new BadValue(
        'type',
        `${shown(right)}: lists are of flags, which ${name} is not: give { "set": … } for one of several`,
      )
    if (this.#operator === '!') throw new BadValue('type', `"!": asks for flags, which ${name} is not: give "!="`)
  }

  #valueOf(given: unknown): bigint {
    const { shape } = this.#left
    // Whether something is there may be asked with any number.
    if (shape.type === BOOLEAN && typeof given === 'number') return given === 0 ? 0n : 1n
    const { from, to } = spanOf(loose(given, shape), shape, this.#rule.context.devices)
    if (from !== to) throw new BadValue('type', `${shown(given)}: give a single value`)
    return from
  }

  #withSet(right: unknown): void {
    const { key, set } = setOf(this.#rule, this.#left, right)
    this.#lookup(key, set)
  }

  #equality(): 'eq' | 'neq' | undefined {
    if (this.#operator === '!=') return 'neq'
    return this.#operator === '==' || this.#operator === 'in' ? 'eq' : undefined
  }

  #lookup(key: Term, set: { readonly name: string; readonly id?: number | undefined }): void {
    const equality = this.#equality()
    if (equality === undefined) throw new BadValue('type', `${shown(this.#operator)}: sets are looked up with "==" and "!=" only`)
    const flags = equality === 'neq' ? { flags: ['invert'] as const } : {}
    this.#rule.match(...emit(key), lookup(set, register(0), flags))
  }

  #withAnonymous(right: unknown): void {
    const single = singleOf(right)
    const word = single === undefined ? undefined : wordOf(single)?.[0]
    if (single !== undefined && single !== '*' && !Array.isArray(single) && word !== 'concat' && this.#left.kind !== 'concat') {
      const operator = this.#operator === 'in' && this.#left.shape.type.flags ? '==' : this.#operator
      return at('set', () => new Comparing(this.#rule, this.#left, operator).with(single))
    }
    const { key, set } = setOf(this.#rule, this.#left, right)
    this.#lookup(key, set)
    if (this.#operator !== '!=') this.#tellAll(right)
  }

  /** What the elements of a set tell of the packet. */
  #tellAll(right: unknown): void {
    const items = (right as { readonly set: unknown }).set
    for (const item of Array.isArray(items) ? items : [items]) {
      if (typeof item === 'object' && item !== null && !('elem' in item)) continue
      const value = 'object' === typeof item ? behind(item, 'elem') : item
      if (isProtocolKey(this.#left))
        this.#tell(this.#valueOf(typeof value === 'object' ? (value as { val: unknown }).val : value))
    }
  }

  #tell(value: bigint): void {
    const { packet } = this.#rule
    if (this.#left.kind !== 'source') return
    const { protocolKey, place } = this.#left
    const known = place?.tunnel === undefined || place.base === 'tunnel' ? packet : this.#rule.innerOf(place.tunnel)
    if (protocolKey !== undefined) known.told(protocolKey, value)
    else if (isMessageType(this.#left)) known.toldIcmpType(value)
  }

  #withRange(right: unknown): void {
    const isHour = this.#left.shape.type.name === 'hour'
    const span = isHour ? this.#hours(right) : spanOf(looseRange(right, this.#left), this.#left.shape, this.#rule.context.devices)
    if (span.from === span.to) return this.#withValue(span.from, right)
    const operator = this.#equality()
    if (operator === undefined)
      throw new BadValue('type', `${shown(this.#operator)}: ranges are compared with "==" and "!=" only`)
    const turned = span.from > span.to
    const [from, to] = turned ? [span.to, span.from] : [span.from, span.to]
    const transferred = inNetworkOrder(this.#left)
    const bytes = (value: bigint): Uint8Array => constantOf(transferred, value)
    const opposite = operator === 'eq' ? 'neq' : 'eq'
    this.#rule.match(...emit(transferred.term), {
      kind: 'range',
      source: register(0),
      operator: turned ? opposite : operator,
      from: bytes(from),
      to: bytes(to),
    })
  }

  /** Those over midnight are all but the others. */
  #hours(right: unknown): Span {
    const ends = behind(right, 'range')
    if (!Array.isArray(ends) || ends.length !== 2) throw new BadValue('type', `${shown(right)}: give a first and a last value`)
    const [from, to] = ends.map((end, i) => at('range', () => at(i, () => this.#valueOf(end)))) as [bigint, bigint]
    return { from, to }
  }

  #withPrefix(given: unknown): void {
    const { from, to } = spanOf({ prefix: given }, this.#left.shape)
    const { bits } = this.#left.shape
    const length = bits - (to - from + 1n).toString(2).length + 1
    if (length === bits) return this.#withValue(from, given)
    this.#withFirstBits(from, length)
  }

  #withBeginning(text: string): void {
    const { shape } = this.#left
    const { from } = spanOf(text, shape)
    const length = 8 * Buffer.byteLength(text.slice(0, -1))
    const data = bytesOf(from, shape, shape.bits).subarray(0, length >> 3)
    this.#rule.match(...emit(this.#left), this.#cmp(data))
  }

  /** The first bits of a value: fewer bytes are loaded, or the rest is masked. */
  #withFirstBits(value: bigint, length: number): void {
    const { shape, width } = this.#left
    const place = this.#left.kind === 'source' ? this.#left.place : undefined
    if (this.#left.kind === 'source' && shape.order === 'network' && length > 0 && length % 8 === 0) {
      const data = bytesOf(value, shape, width).subarray(0, length >> 3)
      const load = place === undefined ? emit(this.#left) : [loadPlace({ ...place, bits: length }, register(0))]
      this.#rule.match(...load, this.#cmp(data))
      return
    }
    const mask = ((1n << BigInt(length)) - 1n) << BigInt(shape.bits - length)
    // The mask of a field that is no whole bytes stays one of its own.
    const masked = bitwise(0, width, { operator: 'mask-xor', mask: bytesOf(mask, shape, width), xor: bytesOf(0n, shape, width) })
    this.#rule.match(...emit(this.#left), masked, this.#cmp(bytesOf(value, shape, width)))
  }

  #cmp(data: Uint8Array): Expression {
    const operator = this.#equality()
    if (operator === undefined)
      throw new BadValue('type', `${shown(this.#operator)}: prefixes are compared with "==" and "!=" only`)
    return { kind: 'cmp', source: register(0), operator, data }
  }

  #withValue(value: bigint, right: unknown): void {
    const operator = this.#operator
    if (operator === '!' || (operator === 'in' && this.#isFlags(right))) return this.#withFlags(value, operator)
    if (operator in ORDERED) {
      const ordered = inNetworkOrder(this.#left)
      const data = constantOf(ordered, value)
      const cmp: Cmp = { kind: 'cmp', source: register(0), operator: ORDERED[operator as keyof typeof ORDERED], data }
      this.#rule.match(...emit(ordered.term), cmp)
      return
    }
    const equality = operator === '!=' ? 'neq' : 'eq'
    this.#equal(transferred(this.#left), value, equality)
    if (equality === 'eq') this.#tell(value)
  }

  #equal(left: Transferred, value: bigint, operator: 'eq' | 'neq'): void {
    const { term } = left
    if (term.kind === 'source' && term.place !== undefined && term.place.bits === term.width && !term.shape.type.text) {
      const isProtocol = isProtocolKey(term)
      return this.#rule.compare({ place: term.place, operator, value: left.change(value), isProtocol })
    }
    const data = constantOf(left, value)
    this.#rule.match(...emit(term), { kind: 'cmp', source: register(0), operator, data })
  }

  /** What flags are masked with is compared with all of them (expr_evaluate_relational). */
  #isFlags(right: unknown): boolean {
    return this.#left.kind !== 'binary' && (this.#left.shape.type.flags || Array.isArray(right))
  }

  /** Whether one of the flags is set, or none of them. */
  #withFlags(value: bigint, operator: 'in' | '!'): void {
    const { shape, width } = this.#left
    const right = { kind: 'constant', value, shape, width } as const
    const masked: Term = { kind: 'binary', operator: '&', left: this.#left, right, shape, width }
    const data = new Uint8Array(width >> 3)
    this.#rule.match(...emit(masked), { kind: 'cmp', source: register(0), operator: operator === 'in' ? 'neq' : 'eq', data })
  }
}

/** What a value is compared as. */
const constantOf = ({ term, order, width, change }: Transferred, value: bigint): Uint8Array =>
  bytesOf(change(value), ordered(term.shape, order), width)

const isMessageType = ({ place }: Source): boolean =>
  place?.field?.name === 'type' && (place.protocol?.name === 'icmp' || place.protocol?.name === 'icmpv6')

const isProtocolKey = (term: Term): boolean => term.kind === 'source' && (term.protocolKey !== undefined || isMessageType(term))

function looseRange(right: unknown, left: Term): unknown {
  const ends = behind(right, 'range')
  return Array.isArray(ends) ? { range: ends.map(end => loose(end, left.shape)) } : right
}
