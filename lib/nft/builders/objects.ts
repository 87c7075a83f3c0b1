/** Tables, chains, sets and maps as values, which make documents. */
import type {
  Command,
  Document,
  ElementExpression,
  Expression,
  Chain as JsonChain,
  Map as JsonMap,
  Rule as JsonRule,
  Set as JsonSet,
  SetFlag,
  SetItem,
  Statement,
  TableFlag,
  VerdictExpression,
} from '../json/index.js'
import type { Family, PriorityName } from '../types.js'
import type { Place, Placed } from './place.js'
import { constant, type KeyTypes, type MapReference, type SetReference } from './selector.js'
import type { ElementOf } from './values.js'

type FilterHook<F extends Family> = F extends 'netdev'
  ? 'ingress' | 'egress'
  : F extends 'arp'
    ? 'input' | 'output'
    : F extends 'inet'
      ? 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
      : 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

type NatHook = 'prerouting' | 'input' | 'output' | 'postrouting'

/** The names of priorities that a family has (nft(8), CHAINS). */
type NameFor<F extends Family> = F extends 'bridge'
  ? 'dstnat' | 'filter' | 'out' | 'srcnat'
  : F extends 'arp' | 'netdev'
    ? 'filter'
    : Exclude<PriorityName, 'out'>
type PriorityFor<F extends Family> = number | NameFor<F> | `${NameFor<F>} ${'+' | '-'} ${number}`

type Devices<H> = H extends 'ingress' | 'egress'
  ? { readonly device: string | readonly string[] }
  : { readonly device?: undefined }

type Hooked<T extends 'filter' | 'nat' | 'route', H extends string, F extends Family> = H extends unknown
  ? Devices<H> & {
      readonly type: T
      readonly hook: H
      readonly priority: PriorityFor<F>
      readonly policy?: 'accept' | 'drop' | undefined
      readonly comment?: string | undefined
    }
  : never

/** A base chain that the kernel has in this family. */
export type BaseChainOf<F extends Family> =
  | Hooked<'filter', FilterHook<F>, F>
  | (F extends 'ip' | 'ip6' | 'inet' ? Hooked<'nat', NatHook, F> | Hooked<'route', 'output', F> : never)

export interface RegularChainOptions {
  readonly comment?: string | undefined
  readonly type?: undefined
  readonly hook?: undefined
}

type PlaceOf<O> = O extends { readonly type: infer T extends string; readonly hook: infer H extends string }
  ? `${T} ${H}` & Place
  : 'regular'

/** Why a rule is there: anywhere among its statements. */
export interface Comment {
  readonly comment: string
}
/** At most 127 bytes of UTF-8. */
export const comment = (text: string): Comment => ({ comment: text })

export interface ChainBuilder<F extends Family, P extends Place> {
  readonly chain: JsonChain
  /** A rule at its end. */
  rule(...statements: readonly (Placed<F, P> | Comment)[]): { readonly rule: JsonRule }
}

interface SetOptions<K extends KeyTypes> {
  readonly key: K
  readonly flags?: readonly SetFlag[] | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
  /** Seconds. */
  readonly gcInterval?: number | undefined
  readonly size?: number | undefined
  readonly policy?: 'performance' | 'memory' | undefined
  readonly autoMerge?: boolean | undefined
  readonly comment?: string | undefined
}

/** An element with more than its key: `element('10.0.0.1', { timeout: 60 })`. */
export interface ElementBuilder<K> {
  readonly key: K
  readonly options: Omit<ElementExpression['elem'], 'val'>
}
export const element = <const K>(key: K, options: Omit<ElementExpression['elem'], 'val'>): ElementBuilder<K> => ({ key, options })

type Item<K> = K | '*' | ElementBuilder<K | '*'>
type Entry<K, D> = readonly [key: Item<K>, data: D]

export interface SetBuilder<K extends KeyTypes> extends SetReference<K> {
  readonly set: JsonSet
  /** Elements to add, or, as `remove` of a document, to delete. */
  elements(...elements: readonly Item<ElementOf<K>>[]): { readonly element: JsonElement }
}
export interface MapBuilder<K extends KeyTypes, D extends KeyTypes | 'verdict'> extends MapReference<K, D> {
  readonly map: JsonMap
  elements(...entries: readonly Entry<ElementOf<K>, D extends KeyTypes ? ElementOf<D> : VerdictExpression>[]): {
    readonly element: JsonElement
  }
}
type JsonElement = { readonly family: Family; readonly table: string; readonly name: string; readonly elem: readonly SetItem[] }

export interface TableBuilder<F extends Family> {
  readonly table: { readonly family: F; readonly name: string; readonly flags?: readonly TableFlag[]; readonly comment?: string }
  chain<const O extends BaseChainOf<F>>(name: string, options: O): ChainBuilder<F, PlaceOf<O>>
  chain(name: string, options?: RegularChainOptions): ChainBuilder<F, 'regular'>
  set<const K extends KeyTypes>(name: string, options: SetOptions<K>): SetBuilder<K>
  map<const K extends KeyTypes, const D extends KeyTypes | 'verdict'>(
    name: string,
    options: SetOptions<K> & { readonly data: D },
  ): MapBuilder<K, D>
}

const isElement = (item: unknown): item is ElementBuilder<unknown> =>
  typeof item === 'object' && item !== null && 'key' in item && 'options' in item

function itemOf(item: unknown): Expression {
  return isElement(item) ? { elem: { val: constant(item.key), ...item.options } } : constant(item)
}

const isVerdict = (data: unknown): data is VerdictExpression =>
  typeof data === 'object' && data !== null && !Array.isArray(data) && !('from' in data)

/** A table: what is made with it belongs to it. */
export function table<const F extends Family>(
  family: F,
  name: string,
  options: { readonly flags?: readonly TableFlag[]; readonly comment?: string } = {},
): TableBuilder<F> {
  const of = { family, table: name }
  return {
    table: { family, name, ...options },
    chain: ((chain: string, options: object = {}) => chainOf(of, chain, options)) as TableBuilder<F>['chain'],
    set: <K extends KeyTypes>(set: string, options: SetOptions<K>): SetBuilder<K> => ({
      kind: 'set',
      name: set,
      set: { ...of, name: set, ...setFields(options) },
      elements: (...items) => ({ element: { ...of, name: set, elem: items.map(itemOf) } }),
    }),
    map: <K extends KeyTypes, D extends KeyTypes | 'verdict'>(
      map: string,
      { data, ...options }: SetOptions<K> & { readonly data: D },
    ): MapBuilder<K, D> => ({
      kind: 'map',
      name: map,
      map: { ...of, name: map, ...setFields(options), map: data as string | readonly string[] },
      elements: (...entries) => ({
        element: {
          ...of,
          name: map,
          elem: entries.map(([key, value]): SetItem => [itemOf(key), isVerdict(value) ? value : constant(value)]),
        },
      }),
    }),
  }
}

function setFields<K extends KeyTypes>({ key, gcInterval, autoMerge, ...others }: SetOptions<K>): Pick<JsonSet, 'type'> {
  return {
    type: key as string | readonly string[],
    ...others,
    ...(gcInterval === undefined ? {} : { 'gc-interval': gcInterval }),
    ...(autoMerge === undefined ? {} : { 'auto-merge': autoMerge }),
  }
}

function chainOf(
  of: { readonly family: Family; readonly table: string },
  name: string,
  options: { readonly priority?: number | string; readonly device?: string | readonly string[] },
): ChainBuilder<Family, Place> {
  const { priority, device, ...others } = options
  const base = priority === undefined ? {} : { prio: priority }
  return {
    chain: { ...of, name, ...others, ...base, ...(device === undefined ? {} : { dev: device }) },
    rule: (...parts) => {
      const comments = parts.filter(part => 'comment' in part)
      const statements = parts.filter(part => !('comment' in part)) as readonly Statement[]
      return { rule: { ...of, chain: name, expr: statements, ...comments[0] } }
    },
  }
}

/** What a document takes: what the builders make, and commands. */
export type DocumentPart =
  | { readonly table: object }
  | { readonly chain: object }
  | { readonly rule: object }
  | { readonly set: object }
  | { readonly map: object }
  | { readonly element: object }
  | Command

const OBJECTS = ['table', 'chain', 'rule', 'set', 'map', 'element'] as const

/** What a builder stands for, without the rest of it. */
function objectOf(part: object): Readonly<Record<string, unknown>> | undefined {
  const word = OBJECTS.find(word => typeof (part as Readonly<Record<string, unknown>>)[word] === 'object')
  return word && { [word]: (part as Readonly<Record<string, unknown>>)[word] }
}

/** A document for `apply` and `check`: adds what it is given, in this order; commands stand as they are. */
export const document = (...parts: readonly (DocumentPart | readonly DocumentPart[])[]): Document => ({
  nftables: parts.flat().map(part => {
    const object = objectOf(part)
    return (object ? { add: object } : part) as Command
  }),
})

const command =
  <V extends 'delete' | 'destroy' | 'flush' | 'create'>(verb: V) =>
  (part: Exclude<DocumentPart, Command>): Command =>
    ({ [verb]: objectOf(part) }) as unknown as Command

/** Commands for a document: `document(flush(chain), chain.rule(accept))`. */
export const create = command('create')
export const remove = command('delete')
export const destroy = command('destroy')
export const flush = command('flush')
