/** Sets and maps that are looked up: those of the table, and those without a name (src/evaluate.c, implicit_set_declaration). */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, objectOf } from '../json/fields.js'
import type * as json from '../json/index.js'
import type { DataTypes, Element, NftSet } from '../types.js'
import { dataTypeOf, dataTypesOf, type ElementShapes, type Span, shapesOf } from '../vocabulary/shapes.js'
import { typeofToData, verdictData } from '../vocabulary/typeof-data.js'
import { INTEGER } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'
import { elementOf, opened } from './elements.js'
import { type Item, itemsOf } from './items.js'
import type { Lowering } from './lowering.js'
import { distinct, merged } from './merge.js'
import { loose, type Wanted } from './operand.js'
import { turnedHeader } from './selectors/bits.js'
import { inOrder, type Mapped, ordered, shapesOfTerm, type Term } from './terms.js'
import { asIs, transferred } from './transfer.js'

export interface SetReference {
  readonly name: string
  readonly id?: number | undefined
}

/** A set to look a key up in; the key as it has to be for it. */
export interface Looked {
  readonly key: Term
  readonly set: SetReference
  /** Whether the data are ranges. */
  readonly ranges: boolean
}

type Kind = Pick<NftSet, 'data' | 'objects'>

/** A key and the set that it is looked up in: `"@name"`, or a set without a name. */
export function setOf(rule: Lowering, key: Term, given: unknown, kind: Kind = {}, data?: readonly Shape[]): Looked {
  if (typeof given === 'string') return named(rule, key, given)
  const items = objectOf(given).set
  if (items === undefined) throw new BadValue('type', `${shown(given)}: give "@name", or { "set": … }`)
  return at('set', () => anonymous(rule, key, items, kind, data))
}

function named(rule: Lowering, key: Term, given: string): Looked {
  const set = rule.setNamed(given)
  checkKey(key, set)
  const isInterval = set.flags?.includes('interval') ?? false
  const turned = turnedHeader(key)
  return { key: isInterval ? inOrder(turned, 'network') : turned, set: referenceTo(set), ranges: set.dataInterval ?? false }
}

export const referenceTo = ({ name, id }: NftSet): SetReference => ({ name, ...(id !== undefined && { id }) })

function checkKey(key: Term, set: NftSet): void {
  const [own, wanted] = [shapesOfTerm(key), shapesOf(set.key)]
  if (own.length === wanted.length && own.every((shape, i) => isAlike(shape, wanted[i] as Shape))) return
  if (isMap(set) && areNumbers([...own, ...wanted])) return
  const names = (shapes: readonly Shape[]): string => shapes.map(({ type }) => type.name).join(' . ')
  throw new BadValue(
    'type',
    `${shown(`@${set.name}`)}: has keys of the type ${names(wanted)}, but what is looked up is ${names(own)}`,
  )
}

const isMap = ({ data, objects }: NftSet): boolean => data !== undefined || objects !== undefined

/** A key and that of a map may be numbers of different types (expr_evaluate_map): of sets nft takes only the same. */
function areNumbers(shapes: readonly Shape[]): boolean {
  const isNumber = ({ type, bits }: Shape): boolean =>
    type.bits > 0 && !type.flags && !type.text && type.name !== 'ether_addr' && bits === shapes[0]?.bits
  return shapes.length === 2 && shapes.every(isNumber)
}

/** Numbers may be of sets that have no better type for them. */
function isAlike(one: Shape, another: Shape): boolean {
  if (one.type.name === another.type.name) return true
  const isNumber = one.type.bits === 0 || another.type.bits === 0
  return isNumber && Math.ceil(one.bits / 32) === Math.ceil(another.bits / 32)
}

function anonymous(rule: Lowering, given: Term, items: unknown, kind: Kind, data: readonly Shape[] | undefined): Looked {
  const shapes = elementShapes(given, kind, data)
  const read = itemsOf(looseItems(items, shapes.key), shapes, rule.context.devices)
  if (read.length === 0) throw new BadValue('range', 'is empty: give an element at least')
  const isInterval = containsPrefix(items, 0) || read.some(({ key }) => key !== '*' && key.some(isRange))
  // Ends of ranges are not shifted, and what is compared with them is, as it stands. The same with an element for all others: nft ends with a
  // fault where it finds one behind a mask alone.
  const stands = isInterval || read.some(({ key }) => key === '*')
  const { term, change, order } = stands ? asIs(given) : transferred(given)
  const found = read.map(item => changed(item, change))
  const dataInterval = found.some(item => Array.isArray(item.data) && item.data.some(isRange)) || containsPrefix(items, 1)
  const key = isInterval ? inOrder(term, 'network') : term
  const keyShapes = shapesOfTerm(key)
  const isPlain = kind.data === undefined && kind.objects === undefined
  const joined = isInterval && keyShapes.length === 1 && isPlain
  // Ranges in maps are as long as their type is, even if the register is longer.
  const isShort = isInterval && keyShapes.length === 1 && !isPlain && isShifted(term) && term.shape.type.bits > 0
  const inKey =
    term.kind === 'concat' ? keyShapes : [{ ...given.shape, order, bits: isShort ? term.shape.type.bits : widthOf(given) }]
  // The set says that what was shifted is in the order of the machine, in which its elements are not.
  const inSet =
    isPlain && isAsked(given) && !(isInterval && given.width <= 8) ? inKey.map(shape => ordered(shape, 'host')) : inKey
  const set = {
    key: dataTypesOf(inSet),
    ...kind,
    ...(dataInterval && !isPlain && { dataInterval }),
    flags: ['anonymous' as const, 'constant' as const, ...(isInterval ? ['interval' as const] : [])],
    ...(joined && { autoMerge: true }),
    // Of what is turned round for ranges nft keeps nothing in sets: it lists them without it, though not as what they are.
    ...(isPlain && isTurned(key) ? {} : typeofKey(term, kind.data === 'verdict')),
  }
  const written = { ...shapes, key: inKey }
  const options = { interval: isInterval, dataInterval: dataInterval && !isPlain }
  // Of what is shifted in a set nft has lost how many bits it has.
  const isOpened = isInterval && keyShapes.length === 1 && !(isPlain && isShifted(term))
  const elements: Element[] = (joined ? merged(found) : isInterval ? distinct(found) : found).map(item =>
    elementOf(isOpened ? changedSpans(item, span => opened(span, term.shape.bits)) : item, written, options),
  )
  return { key, set: rule.anonymous(set, elements), ranges: dataInterval }
}

/** NFTNL_UDATA_SET_KEY_TYPEOF and NFTNL_UDATA_SET_DATA_TYPEOF */
const KEY_TYPEOF = 3
const DATA_TYPEOF = 4

/**
 * How long the numbers in a concatenation are: without it nft ends with a fault where it lists the set. Of maps it looks at both or none. And
 * what is asked for is to nft what is kept of it here.
 */
export function typeofKey(term: Term, toVerdicts = false): Pick<NftSet, 'userData'> {
  if (term.kind !== 'concat' || shapesOfTerm(term).every(isNamed)) return {}
  const data = typeofToData({ concat: term.given.concat.map(withoutHashed) })
  if (data === undefined) return {}
  return { userData: [{ type: KEY_TYPEOF, data }, ...(toVerdicts ? [{ type: DATA_TYPEOF, data: verdictData() }] : [])] }
}

function isNamed(shape: Shape): boolean {
  const type = dataTypeOf(shape)
  return typeof type === 'string' && type !== 'boolean'
}

/** Of what is hashed nft keeps nothing, and ends with a fault where it tells of that: the other hash is as long. */
function withoutHashed(part: json.Expression): json.Expression {
  if (part === null || typeof part !== 'object' || !('jhash' in part)) return part
  const { mod, offset } = part.jhash
  return { symhash: { mod, offset } }
}

const isRange = ({ from, to }: Span): boolean => from !== to

function looseItems(items: unknown, shapes: readonly Shape[]): unknown {
  const [shape, another] = shapes
  if (!Array.isArray(items) || shape === undefined || another !== undefined) return items
  return items.map(item => (Array.isArray(item) || typeof item === 'object' ? item : loose(item, shape)))
}

function elementShapes(term: Term, kind: Kind, data: readonly Shape[] | undefined): ElementShapes {
  const key = term.kind === 'concat' ? term.parts.map(({ shape }) => shape) : [term.shape]
  const own = kind.objects !== undefined ? 'object' : kind.data === 'verdict' ? 'verdict' : data
  return { key, ...(own !== undefined && { data: own }) }
}

const isShifted = (term: Term): boolean =>
  term.kind === 'swap'
    ? isShifted(term.term)
    : term.kind === 'binary' && (term.operator === '>>' || term.operator === '<<' || isShifted(term.left))

const isTurned = (key: Term): boolean => key.kind === 'concat' && key.parts.some(part => part.kind === 'swap')

/** A shift that the rule has. */
const isAsked = (term: Term): boolean =>
  term.kind === 'binary' && !term.isField && (term.operator === '>>' || term.operator === '<<')

/** Bits of what is calculated with: elements are no longer where a statement is. */
const widthOf = (term: Term): number =>
  term.kind === 'binary' ? widthOf(term.left) : term.kind === 'swap' ? widthOf(term.term) : term.width

const changed = (item: Item, change: (value: bigint) => bigint): Item =>
  changedSpans(item, ({ from, to }) => ({ from: change(from), to: change(to) }))

function changedSpans(item: Item, change: (span: Span) => Span): Item {
  const { key } = item
  return key === '*' || key.length !== 1 ? item : { ...item, key: key.map(change) }
}

/** Whether keys (0) or data (1) of the elements are written as prefixes, though it may be of one value: nft makes values of ranges of one. */
function containsPrefix(items: unknown, side: 0 | 1): boolean {
  const list = Array.isArray(items) ? items : [items]
  return list.some(item => {
    const isPair = Array.isArray(item) && item.length === 2
    return isPrefixWritten(isPair ? item[side] : side === 0 ? item : undefined)
  })
}

function isPrefixWritten(given: unknown): boolean {
  if (given === null || typeof given !== 'object') return false
  const { prefix, concat, elem, set } = given as Readonly<Record<string, unknown>>
  if (prefix !== undefined) return true
  if (elem !== undefined) return isPrefixWritten(objectOf(elem).val)
  if (set !== undefined) return containsPrefix(set, 0)
  return Array.isArray(concat) && concat.some(isPrefixWritten)
}

/** What a map has for a key, as values of the types that are wanted. */
export function mapOf(rule: Lowering, key: Term, given: unknown, wanted: Wanted): Mapped {
  if (typeof given === 'string') {
    const set = rule.setNamed(given)
    if (set.data === undefined || set.data === 'verdict')
      throw new BadValue('type', `${shown(given)}: maps its keys to nothing that can stand here`)
    return mappedTo(named(rule, key, given), shapesOf(set.data as DataTypes))
  }
  if (wanted === undefined || wanted.length === 0)
    throw new BadValue('type', 'it is not known of which type its data are: use a named map')
  const inRegister = wanted.map(shape => ({ ...shape, bits: (shape.bits + 7) & ~7 }))
  const looked = setOf(rule, key, given, { data: dataTypesOf(inRegister.map(asData)) }, inRegister)
  return mappedTo(looked, inRegister)
}

/** nft writes the order of data that are plain numbers only. */
const asData = (shape: Shape): Shape => (shape.type === INTEGER || shape.type.bits > 0 ? shape : { ...shape, order: 'none' })

function mappedTo({ key, set, ranges }: Looked, shapes: readonly Shape[]): Mapped {
  const [shape] = shapes as [Shape]
  const width = shapes.length === 1 ? (shape.bits + 7) & ~7 : shapes.reduce((sum, { bits }) => sum + 32 * Math.ceil(bits / 32), 0)
  return { kind: 'map', key, set, shapes, ranges, shape, width }
}

/** The value of a set of one element that is no range: it is compared instead of being looked up. */
export const singleOf = (given: unknown): unknown => {
  const items = objectOf(given).set
  const list = Array.isArray(items) ? items : [items]
  return list.length === 1 ? list[0] : undefined
}
