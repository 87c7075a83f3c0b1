/** Tables, chains, sets and flowtables as `nft -j` prints them (src/json.c). */
import type * as json from '../json/index.js'
import { type LiftElementsOptions, liftElements } from '../lift/elements.js'
import { liftKeyType, liftMapType } from '../lift/set-type.js'
import { liftStateful } from '../lift/stateful.js'
import type { BaseChain, Chain, Element, Flowtable, NftSet, Table } from '../types.js'

/** A field that is there, or none. */
const optional = <K extends string, T>(name: K, value: T | undefined): { readonly [N in K]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [N in K]?: T }

/** One alone stands without a list. */
const oneOrList = <T>(list: readonly T[]): T | readonly T[] | undefined => (list.length > 1 ? list : list[0])

const words = <W extends string>(list: readonly (W | number)[] | undefined, known: readonly W[]): readonly W[] =>
  known.filter(word => list?.includes(word))

/** As strcmp. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const TABLE_FLAGS = ['dormant', 'owner', 'persist'] as const
const SET_FLAGS = ['constant', 'interval', 'timeout', 'dynamic'] as const

export function liftTable({ family, name, handle, flags, comment }: Table): json.Table {
  return {
    family,
    name,
    ...optional('handle', handle),
    ...optional('flags', oneOrList(words(flags, TABLE_FLAGS))),
    ...optional('comment', comment),
  }
}

export function liftChain(chain: Chain): json.Chain {
  const { family, table, name, handle, comment } = chain
  const named = { family, table, name, ...optional('handle', handle), ...optional('comment', comment) }
  return chain.hook === undefined ? named : { ...named, ...baseFields(chain) }
}

function baseFields({ devices = [], type = 'filter', hook, priority = 0, policy = 'accept' }: BaseChain) {
  return { ...optional('dev', oneOrList(devices.toSorted(byBytes))), type, hook, prio: priority, policy }
}

export function liftFlowtable({ family, name, table, handle, hook = 'ingress', priority = 0, devices = [] }: Flowtable) {
  return {
    family,
    name,
    table,
    ...optional('handle', handle),
    hook: String(hook) as 'ingress',
    prio: priority,
    ...optional('dev', oneOrList(devices.toSorted(byBytes))),
  } satisfies json.Flowtable
}

/** A set or a map. `whole`: with what `nft -j` leaves out of it and nft's text shows. */
export function liftSet(
  set: NftSet,
  elements: readonly Element[] | undefined,
  options: LiftElementsOptions,
): { readonly set: json.Set } | { readonly map: json.Map } {
  const { family, name, table, handle, comment } = set
  const map = liftMapType(set, options.whole)
  const lifted = {
    family,
    name,
    table,
    type: liftKeyType(set),
    ...optional('handle', handle),
    ...optional('comment', comment),
    ...optional('map', map),
    ...(options.whole && set.dataInterval && { interval: true }),
    ...settings(set, options.whole === true),
    ...(elements && elements.length > 0 && { elem: liftElements(set, elements, options) }),
    ...statements(set),
  }
  return (map === undefined ? { set: lifted } : { map: lifted }) as { readonly set: json.Set } | { readonly map: json.Map }
}

function settings({ flags = [], policy, size, timeout, gcInterval, autoMerge }: NftSet, whole: boolean) {
  const known = words(flags, SET_FLAGS)
  const seconds = (value: number | undefined): number | undefined => (value && !whole ? Math.trunc(value) : value)
  return {
    ...(!known.includes('constant') && {
      ...optional('policy', policy === 'memory' ? policy : undefined),
      ...optional('size', size || undefined),
    }),
    ...(known.length > 0 && { flags: known }),
    ...optional('timeout', seconds(timeout || undefined)),
    ...optional('gc-interval', seconds(gcInterval || undefined)),
    ...optional('auto-merge', autoMerge || undefined),
  }
}

/** What each element gets, without any counts. */
function statements({ expressions = [] }: NftSet): { readonly stmt?: readonly json.ElementStatement[] } {
  const list = expressions.map(expression => liftStateful(expression, true)).filter(lifted => lifted !== undefined)
  return list.length > 0 ? { stmt: list } : {}
}
