/** Which fields the objects of commands and the options of calls have: one that is misspelt would be left out, and nobody would notice. */
import { nearest } from '../netlink/nearest.js'
import { BadValue, shown } from '../netlink/schema.js'
import type { ObjectWord } from './commands.js'
import type { Chain, Elements, Flowtable, NftSet, Rule, StatefulObject, Table } from './types.js'

type FieldsOf<T> = T extends unknown ? keyof T : never
/** Each field of any of the types: the compiler sees to it that none is forgotten. */
type Fields<T> = Readonly<Record<FieldsOf<T>, true>>

const KEPT = { comment: true, userData: true, unknown: true } as const
const NAMED = { family: true, name: true, handle: true, use: true } as const

const table: Fields<Table> = { ...NAMED, ...KEPT, flags: true, owner: true }

const chain: Fields<Chain> & { readonly newName: true } = {
  ...NAMED,
  ...KEPT,
  table: true,
  type: true,
  hook: true,
  priority: true,
  policy: true,
  devices: true,
  counters: true,
  flags: true,
  id: true,
  newName: true,
}

const rule: Fields<Rule> = {
  ...KEPT,
  family: true,
  table: true,
  chain: true,
  handle: true,
  expressions: true,
  position: true,
  positionId: true,
  id: true,
  chainId: true,
  compat: true,
  after: true,
}

const set: Fields<NftSet> = {
  ...NAMED,
  ...KEPT,
  table: true,
  key: true,
  data: true,
  dataInterval: true,
  objects: true,
  flags: true,
  timeout: true,
  gcInterval: true,
  size: true,
  policy: true,
  autoMerge: true,
  expressions: true,
  id: true,
  unlistable: true,
  backend: true,
  count: true,
}

const elements: Fields<Elements> = { set: true, elements: true }

const object: Fields<StatefulObject> = {
  ...NAMED,
  ...KEPT,
  table: true,
  type: true,
  packets: true,
  bytes: true,
  used: true,
  flags: true,
  rate: true,
  unit: true,
  burst: true,
  of: true,
  count: true,
  helper: true,
  layer3: true,
  protocol: true,
  policy: true,
  port: true,
  timeout: true,
  size: true,
  context: true,
  mss: true,
  windowScale: true,
  data: true,
}

/** `onlyDevices` is for `delete`. */
const flowtable: Fields<Flowtable & { readonly onlyDevices: unknown }> = {
  ...NAMED,
  userData: true,
  unknown: true,
  table: true,
  hook: true,
  priority: true,
  devices: true,
  onlyDevices: true,
  flags: true,
}

const KNOWN: Readonly<Record<ObjectWord, Readonly<Record<string, true>>>> = {
  table,
  chain,
  rule,
  set,
  elements,
  object,
  flowtable,
}

/** Refuses fields that no object of this word has. Throws a `BadValue`. */
export function checkFields(word: ObjectWord, given: object): void {
  const known = KNOWN[word]
  for (const name in given) {
    if (Object.hasOwn(known, name)) continue
    throw new BadValue('type', `there is no such field${nearest(name, Object.keys(known))}`).within(name)
  }
}

const CALL = ['signal', 'deadline']

/** Fields of objects may stand beside those that a filter looks at: objects are given as they are. */
const OF_OBJECTS = [...new Set(Object.values(KNOWN).flatMap(Object.keys))]

/** Refuses fields that neither a filter nor any object has. Throws a TypeError. */
export function checkFilter(options: object, filter: object): void {
  checkOptions(options, [...Object.keys(filter), ...OF_OBJECTS])
  // A chain would be taken for its table otherwise.
  if ('name' in options && 'chain' in filter && filter.chain === undefined)
    throw new TypeError('options.chain: is missing: the name of a chain is given as `chain` here')
}

/**
 * Refuses options that there are not: a misspelt filter would list everything, a misspelt guard would be none. Throws a TypeError.
 *
 * @param names those that there are besides those of every call
 */
export function checkOptions(options: object, names: readonly string[] = []): void {
  checkNames(options, [...names, ...CALL], 'options')
}

/** The same of options that stand at `path`. */
export function checkNames(options: object, known: readonly string[], path: string): void {
  if (options === null || typeof options !== 'object') throw new TypeError(`${path}: ${shown(options)}: give an object`)
  for (const name in options)
    if (!known.includes(name))
      throw new TypeError(`${path}.${name}: there is no such option${nearest(name, known).replace('fields', 'options')}`)
}

/** Refuses options that are neither true nor false. Throws a TypeError. */
export function checkFlags(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (options as Readonly<Record<string, unknown>>)[name]
    if (value !== undefined && typeof value !== 'boolean')
      throw new TypeError(`options.${name}: ${shown(value)}: give true or false`)
  }
}
