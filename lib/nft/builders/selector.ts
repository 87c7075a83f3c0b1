/** What is matched and changed: fields of headers, and what belongs to a packet; alone, or several one after the other. */
import type {
  BinaryExpression,
  Expression,
  Immediate,
  Selector as JsonSelector,
  MapExpression,
  Operator,
  SetItem,
  VerdictExpression,
} from '../json/index.js'
import type { Family } from '../types.js'
import { type Place, type Placed, placed } from './place.js'
import type { Bounds, ConstantOf, ElementOf, FlagType, KeyTypes, TypeWord } from './values.js'

declare const type: unique symbol
declare const at: unique symbol

/** An expression of a type, for tables of these families. */
export interface Typed<K extends KeyTypes, F extends Family = Family> {
  readonly json: Expression
  readonly [type]?: K
  readonly [at]?: ((family: F) => void) | undefined
}

/** A set with a name. */
export interface SetReference<K extends KeyTypes> {
  readonly kind: 'set'
  readonly name: string
  readonly [type]?: (key: K) => K
}

/** A map with a name. */
export interface MapReference<K extends KeyTypes, D extends KeyTypes | 'verdict'> {
  readonly kind: 'map'
  readonly name: string
  readonly [type]?: (key: K, data: D) => readonly [K, D]
}

/** What a map without a name has: for each key, what it is mapped to. */
export type Entries<K extends KeyTypes, D extends KeyTypes | 'verdict'> = readonly (readonly [
  key: ElementOf<K> | '*',
  data: D extends KeyTypes ? ElementOf<D> : VerdictExpression,
])[]

/** What is looked up in sets and maps. */
export interface Lookable<K extends KeyTypes, F extends Family = Family> extends Typed<K, F> {
  /** Whether it is in a set. */
  in(set: SetReference<K>): Placed<F>
  notIn(set: SetReference<K>): Placed<F>
  /** Goes on by the verdict that it is mapped to. */
  vmap(verdicts: MapReference<K, 'verdict'> | Entries<K, 'verdict'>): Placed<F>
  /** The value that it is mapped to. Without a name the type of the data has to be given: `map('ipv4_addr', [[80, '10.0.0.1']])`. */
  map<D extends KeyTypes>(map: MapReference<K, D>): Typed<D, F>
  map<const D extends KeyTypes>(data: D, entries: Entries<K, D>): Typed<D, F>
}

/** Whether it is one of these. */
interface Among<T extends TypeWord, F extends Family> {
  /** Of flags: whether any of them is set. Of others: whether it is one of these, values, prefixes or ranges. */
  in(...values: readonly [ElementOf<T>, ...ElementOf<T>[]]): Placed<F>
  in(set: SetReference<T>): Placed<F>
  notIn(...values: readonly [ElementOf<T>, ...ElementOf<T>[]]): Placed<F>
  notIn(set: SetReference<T>): Placed<F>
}

export interface Comparable<T extends TypeWord, F extends Family = Family>
  extends Omit<Lookable<T, F>, 'in' | 'notIn'>,
    Among<T, F> {
  /** A constant, a prefix (`'10.0.0.0/8'`), or a range. */
  eq(value: ElementOf<T>): Placed<F>
  ne(value: ElementOf<T>): Placed<F>
  lt(value: ConstantOf<T>): Placed<F>
  le(value: ConstantOf<T>): Placed<F>
  gt(value: ConstantOf<T>): Placed<F>
  ge(value: ConstantOf<T>): Placed<F>
  /** Of its bits only these: flags by their names. */
  and(...mask: readonly [ConstantOf<T>, ...ConstantOf<T>[]]): Comparable<T, F>
  or(...bits: readonly [ConstantOf<T>, ...ConstantOf<T>[]]): Comparable<T, F>
  xor(...bits: readonly [ConstantOf<T>, ...ConstantOf<T>[]]): Comparable<T, F>
  /** Moved by so many bits, 1 to 31. */
  lshift(bits: number): Comparable<T, F>
  rshift(bits: number): Comparable<T, F>
}

/** Something that rules can change as well. */
export interface Settable<T extends TypeWord, F extends Family = Family> extends Comparable<T, F> {
  /** Changes it: to a constant, flags, or what an expression gives. */
  set(...value: readonly [ConstantOf<T>, ...ConstantOf<T>[]] | readonly [Typed<T, F>]): Placed<F>
}

/** A number from 0 on, less than what it was made for. */
export interface Numbers extends Typed<'integer'> {
  /** Chooses by the number: as many verdicts as there are numbers. */
  vmap(verdicts: readonly VerdictExpression[] | MapReference<'integer', 'verdict'>): Placed
  /** Chooses a value by the number. */
  map<D extends KeyTypes>(map: MapReference<'integer', D>): Typed<D>
  map<const D extends KeyTypes>(data: D, values: readonly ElementOf<D>[]): Typed<D>
}

const FLAGS: ReadonlySet<string> = new Set<FlagType>(['tcp_flag', 'ct_state', 'ct_status', 'ct_event', 'ct_label', 'bitmask'])

const isRange = (value: unknown): value is Bounds<Immediate> => typeof value === 'object' && value !== null && 'from' in value

/** A constant in JSON: a prefix of an address stands as text until here. */
export function constant(value: unknown): Expression {
  if (Array.isArray(value)) return { concat: value.map(constant) }
  if (isRange(value)) return { range: [value.from, value.to] }
  const prefix = typeof value === 'string' ? /^([0-9a-f.:]+)\/(\d+)$/i.exec(value) : null
  return prefix ? { prefix: { addr: prefix[1] as string, len: Number(prefix[2]) } } : (value as Immediate)
}

const isReference = (value: unknown): value is SetReference<KeyTypes> | MapReference<KeyTypes, KeyTypes> =>
  typeof value === 'object' && value !== null && 'kind' in value && 'name' in value

const reference = ({ name }: { readonly name: string }): string => `@${name}`

function entriesOf(entries: Entries<KeyTypes, KeyTypes | 'verdict'>): Expression {
  const verdict = (data: unknown): data is VerdictExpression =>
    typeof data === 'object' && data !== null && !Array.isArray(data) && !isRange(data)
  return { set: entries.map(([key, data]): SetItem => [constant(key), verdict(data) ? data : constant(data)]) }
}

const match = <F extends Family>(op: Operator, left: Expression, right: Expression): Placed<F> =>
  placed<F, Place>({ match: { op, left, right } })

function mapOf(
  key: Expression,
  map: unknown,
  entries: Entries<KeyTypes, KeyTypes> | undefined,
): { readonly json: MapExpression } {
  return { json: { map: { key, data: entries ? entriesOf(entries) : reference(map as { name: string }) } } }
}

function vmapOf<F extends Family>(key: Expression, verdicts: unknown): Placed<F> {
  const data = isReference(verdicts) ? reference(verdicts) : entriesOf(verdicts as Entries<KeyTypes, 'verdict'>)
  return placed<F, Place>({ vmap: { key, data } })
}

/** Several one after the other: `concat(ip.daddr, meta.l4proto, th.dport)`. At least two. */
export function concat<const T extends readonly [Any, Any, ...Any[]]>(
  ...parts: T
): Lookable<{ readonly [I in keyof T]: TypeOf<T[I]> }, FamilyOf<T[number]>> {
  const json: Expression = { concat: parts.map(({ json }) => json) }
  return {
    json,
    in: set => match('==', json, reference(set)),
    notIn: set => match('!=', json, reference(set)),
    vmap: verdicts => vmapOf(json, verdicts),
    map: ((map: unknown, entries?: Entries<KeyTypes, KeyTypes>) => mapOf(json, map, entries)) as never,
  }
}

type TypeOf<T> = T extends { readonly [type]?: infer K } ? Exclude<K, undefined> & TypeWord : never
/** Families that all of them are for. */
type FamilyOf<T> = [T] extends [{ readonly [at]?: ((family: infer F) => void) | undefined }] ? F & Family : never
type Any = Typed<TypeWord, never>

/** A value that is compared, and may be changed. `word` is nft's word for its type. */
export function selector<T extends TypeWord, F extends Family = Family>(
  word: T,
  json: JsonSelector | BinaryExpression,
): Settable<T, F> {
  const flags = FLAGS.has(word)
  const compare = (op: Operator) => (value: unknown) => match<F>(op, json, constant(value))
  const among = (op: '==' | '!=', values: readonly unknown[]): Placed<F> => {
    const [first] = values
    if (isReference(first)) return match(op, json, reference(first))
    if (!flags) return match(op, json, { set: values.map(constant) })
    return match(op === '==' ? 'in' : '!=', json, values.length === 1 ? (first as Immediate) : values.map(constant))
  }
  const calculate =
    (operator: '&' | '|' | '^') =>
    (...bits: readonly unknown[]) =>
      selector<T, F>(word, { [operator]: [json, joined(bits)] } as unknown as BinaryExpression)
  const shift = (operator: '<<' | '>>') => (bits: number) =>
    selector<T, F>(word, { [operator]: [json, bits] } as unknown as BinaryExpression)
  return {
    json,
    eq: compare('=='),
    ne: compare('!='),
    lt: compare('<'),
    le: compare('<='),
    gt: compare('>'),
    ge: compare('>='),
    in: (...values: readonly unknown[]) => among('==', values),
    notIn: (...values: readonly unknown[]) => among('!=', values),
    and: calculate('&'),
    or: calculate('|'),
    xor: calculate('^'),
    lshift: shift('<<'),
    rshift: shift('>>'),
    vmap: verdicts => vmapOf(json, verdicts),
    map: ((map: unknown, entries?: Entries<KeyTypes, KeyTypes>) => mapOf(json, map, entries)) as never,
    set: (...value) => placed<F, Place>({ mangle: { key: json, value: assigned(value) } }),
  }
}

/** One constant, or several flags as a list. */
const joined = (values: readonly unknown[]): Expression => (values.length === 1 ? constant(values[0]) : values.map(constant))

function assigned(values: readonly unknown[]): Expression {
  const [first] = values
  return typeof first === 'object' && first !== null && 'json' in first ? (first as Typed<KeyTypes>).json : joined(values)
}

/** A number that is made up for each packet. */
export function numbers(json: JsonSelector): Numbers {
  const numbered = (values: readonly unknown[]): Entries<'integer', KeyTypes> => values.map((value, i) => [i, value] as never)
  return {
    json,
    vmap: verdicts => (isReference(verdicts) ? vmapOf(json, verdicts) : vmapOf(json, numbered(verdicts as readonly unknown[]))),
    map: ((map: unknown, values?: readonly unknown[]) =>
      mapOf(json, map, values && (numbered(values) as Entries<KeyTypes, KeyTypes>))) as Numbers['map'],
  }
}

export type { KeyTypes }
