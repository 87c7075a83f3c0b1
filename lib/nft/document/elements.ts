/** Commands for elements of sets. */
import { BadValue, shown } from '../../netlink/schema.js'
import { at } from '../json/fields.js'
import { SpanReader } from '../lift/elements.js'
import { shapesOfSet } from '../lift/set-type.js'
import { elementOf } from '../lower/elements.js'
import { type Item, itemsOf } from '../lower/items.js'
import { checkMapped } from '../lower/names.js'
import type { Command, Element, NftSet } from '../types.js'
import type { ElementShapes } from '../vocabulary/shapes.js'
import type { Devices } from '../vocabulary/value-type.js'
import type { Known } from './known.js'
import { cutOut, type Difference, leftOf, mergeInto, withoutOverlap } from './merging.js'

/** A command, and where in the document its elements stand. */
export interface Step {
  readonly command: Command
  readonly elements?: readonly string[] | undefined
}

export type ElementVerb = 'add' | 'create' | 'delete' | 'destroy'

/** Whether a set has intervals of one type: what is added to them depends on those that there are. */
export const hasIntervals = ({ flags, key }: NftSet): boolean =>
  flags?.includes('interval') === true && !(Array.isArray(key) && key.length > 1)

/** Whether the intervals of a set are merged by whoever writes them. */
const merges = (set: NftSet): boolean =>
  set.autoMerge === true && hasIntervals(set) && set.data === undefined && set.objects === undefined

/** The commands that add elements to a set, or remove them. Throws a `BadValue` with the place within `elem`. */
export function elementCommands(
  verb: ElementVerb,
  set: NftSet,
  elem: unknown,
  known: Known,
  devices: Devices | undefined,
  shapes: ElementShapes = shapesOfSet(set),
): Step[] {
  const items = unique(itemsOf(elem, shapes, devices), set)
  if (isAdding(verb)) {
    checkData(items, shapes)
    for (const item of items) at(item.path, () => checkMapped(item, set, kind => known.named(set, kind)))
  }
  const step = commandOf(verb, set, items, shapes)
  if (step === undefined || !hasIntervals(set)) return step === undefined ? [] : [step]
  const present = presentItems(set, known)
  if (!merges(set)) {
    const after = isAdding(verb) ? withoutOverlap(present, items) : leftOf(present, items)
    remember(known, set, after, shapes)
    return [step]
  }
  const difference = isAdding(verb) ? mergeInto(present, items) : cutOut(present, items)
  remember(known, set, difference.after, shapes)
  return commandsOf(verb, set, difference, shapes)
}

const isAdding = (verb: ElementVerb): boolean => verb === 'add' || verb === 'create'

function remember(known: Known, set: NftSet, items: readonly Item[], shapes: ElementShapes): void {
  known.setElements(
    set,
    items.map(item => elementOf(item, shapes, optionsOf(set))),
  )
}

function commandsOf(verb: ElementVerb, set: NftSet, { remove, add }: Difference, shapes: ElementShapes): Step[] {
  const removing = verb === 'destroy' ? 'destroy' : 'delete'
  const adding = verb === 'create' ? 'create' : 'add'
  return [commandOf(removing, set, remove, shapes), commandOf(adding, set, add, shapes)].filter(step => step !== undefined)
}

function commandOf(verb: ElementVerb, set: NftSet, items: readonly Item[], shapes: ElementShapes): Step | undefined {
  if (items.length === 0) return undefined
  const naming = verb === 'delete' || verb === 'destroy'
  const elements = items.map(item =>
    elementOf(naming ? { key: item.key, extras: {}, path: item.path } : completed(item, set), shapes, optionsOf(set)),
  )
  const command = { [verb]: { elements: { set, elements } } } as unknown as Command
  return { command, elements: items.map(({ path }) => path) }
}

/** Where a listing has only the first of an element's statements: the kernel wants as many as the set has. */
function completed(item: Item, { expressions = [] }: NftSet): Item {
  const { expressions: own = [] } = item.extras
  if (own.length === 0 || own.length >= expressions.length) return item
  return { ...item, extras: { ...item.extras, expressions: [...own, ...expressions.slice(own.length)] } }
}

const optionsOf = ({ flags, dataInterval }: NftSet) => ({ interval: flags?.includes('interval') === true, dataInterval })

function presentItems(set: NftSet, known: Known): Item[] {
  const reader = new SpanReader(set)
  return known.elements(set).map(element => ({ key: reader.key(element), extras: extrasOf(element), path: '' }))
}

const extrasOf = ({ key: _key, data: _data, object: _object, ...extras }: Element): Item['extras'] => extras

/** An interval that is given twice is one: the kernel takes its end only once. */
function unique(items: readonly Item[], { flags }: NftSet): readonly Item[] {
  if (!flags?.includes('interval')) return items
  const seen = new Set<string>()
  return items.filter(({ key, data, object }) => {
    const text = JSON.stringify([key, data, object], (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    if (seen.has(text)) return false
    seen.add(text)
    return true
  })
}

/** The elements of a map are pairs. */
function checkData(items: readonly Item[], { data }: ElementShapes): void {
  if (data === undefined) return
  for (const { data: value, object, path } of items)
    if (value === undefined && object === undefined)
      at(path, () => {
        throw new BadValue('type', `is missing: an element of a map is a pair: ${shown(['key', 'data'])}`)
      })
}
