/** Elements of sets and maps as JSON has them, with the values that they mean (src/parser_json.c, json_parse_set_expr). */
import { BadValue, shown } from '../../netlink/schema.js'
import type { Verdict } from '../data.js'
import { at, type Fields, fieldsOf, numberIn, objectOf, optionalText } from '../json/fields.js'
import type { Element } from '../types.js'
import type { ElementShapes, Span } from '../vocabulary/shapes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'
import { spanOf } from './constant.js'
import { lowerStateful, STATEFUL } from './stateful.js'
import { lowerVerdict } from './verdict.js'

/** What an element has besides its key and its data. */
export type Extras = Pick<Element, 'timeout' | 'expires' | 'comment' | 'expressions' | 'flags' | 'userData' | 'unknown'>

/** An element: each field of its key from one value to another. */
export interface Item {
  readonly key: readonly Span[] | '*'
  readonly data?: readonly Span[] | Verdict | undefined
  readonly object?: string | undefined
  readonly extras: Extras
  /** Where it stands in what was given. */
  readonly path: string
}

/** All items; sets within sets are taken apart. Throws a `BadValue`. */
export function itemsOf(given: unknown, shapes: ElementShapes, devices?: Devices): Item[] {
  const reader = new ItemReader(shapes, devices)
  if (!Array.isArray(given)) return reader.read(given, '')
  return given.flatMap((item, i) => at(i, () => reader.read(item, `[${i}]`)))
}

class ItemReader {
  readonly #shapes: ElementShapes
  readonly #devices: Devices | undefined

  constructor(shapes: ElementShapes, devices: Devices | undefined) {
    this.#shapes = shapes
    this.#devices = devices
  }

  read(given: unknown, path: string): Item[] {
    const nested = within(given, 'set')
    if (nested !== undefined) return eachOf(nested, (item, i) => this.read(item, `${path}.set[${i}]`))
    if (this.#shapes.data === undefined) return [this.#item(given, {}, path)]
    // The parser of nft takes a list of two for a pair. One key alone says which element is meant.
    if (!Array.isArray(given) || given.length !== 2) return [this.#item(given, {}, path)]
    const mapped = at(1, () => this.#mapped(given[1]))
    return at(0, () => this.#keys(given[0], mapped, path))
  }

  /** All keys of a set go to the same. */
  #keys(given: unknown, mapped: Pick<Item, 'data' | 'object'>, path: string): Item[] {
    const several = within(given, 'set')
    if (several === undefined) return [this.#item(given, mapped, path)]
    return eachOf(several, key => this.#keys(key, mapped, path))
  }

  #item(given: unknown, mapped: Pick<Item, 'data' | 'object'>, path: string): Item {
    const element = within(given, 'elem')
    if (element === undefined) return { key: this.#key(given), ...mapped, extras: {}, path }
    return at('elem', () => {
      const fields = fieldsOf(element, ['val', 'timeout', 'expires', 'comment', 'stmt', ...STATEFUL])
      return { key: at('val', () => this.#key(fields.val)), ...mapped, extras: extrasOf(fields), path }
    })
  }

  #key(given: unknown): readonly Span[] | '*' {
    return given === '*' ? '*' : this.#values(given, this.#shapes.key)
  }

  #values(given: unknown, shapes: readonly Shape[]): readonly Span[] {
    const [single] = shapes
    const fields = within(given, 'concat')
    if (single !== undefined && shapes.length === 1 && fields === undefined) return [spanOf(given, single, this.#devices)]
    if (!Array.isArray(fields))
      throw new BadValue('type', `${shown(given)}: give { "concat": … } of ${shapes.length}: ${shapes.map(nameOf).join(' . ')}`)
    return at('concat', () => {
      if (fields.length !== shapes.length)
        throw new BadValue(
          'range',
          `has ${fields.length} values: give ${shapes.length}, for the type is ${shapes.map(nameOf).join(' . ')}`,
        )
      return fields.map((field, i) => at(i, () => spanOf(field, shapes[i] as Shape, this.#devices)))
    })
  }

  #mapped(given: unknown): Pick<Item, 'data' | 'object'> {
    const { data } = this.#shapes
    const value = within(given, 'elem') === undefined ? given : objectOf(within(given, 'elem')).val
    if (data === 'verdict') return { data: lowerVerdict(value) }
    if (data === 'object') {
      if (typeof value !== 'string') throw new BadValue('type', `${shown(value)}: give the name of an object`)
      return { object: value }
    }
    return { data: this.#values(value, data ?? []) }
  }
}

/** What a set holds: one thing, or a list. */
function eachOf(set: unknown, read: (item: unknown, index: number) => Item[]): Item[] {
  return at('set', () => (Array.isArray(set) ? set : [set]).flatMap((item, i) => at(i, () => read(item, i))))
}

const nameOf = ({ type }: Shape): string => type.name

/** What stands in the only field of an object. */
function within(given: unknown, name: string): unknown {
  return given !== null && typeof given === 'object' && Object.keys(given).length === 1 && Object.hasOwn(given, name)
    ? (given as Fields)[name]
    : undefined
}

function extrasOf(fields: Fields): Extras {
  const timeout = seconds(fields, 'timeout')
  const expires = seconds(fields, 'expires')
  const comment = optionalText(fields, 'comment')
  const expressions = [
    ...STATEFUL.filter(name => fields[name] !== undefined).map(name => lowerStateful({ [name]: fields[name] })),
    ...at('stmt', () => statementsOf(fields.stmt)),
  ]
  return {
    ...(timeout !== undefined && { timeout }),
    ...(expires !== undefined && { expires }),
    ...(comment !== undefined && { comment }),
    ...(expressions.length > 0 && { expressions }),
  }
}

/** `stmt` of elements and sets: a list, or one. */
export function statementsOf(given: unknown): NonNullable<Element['expressions']> {
  if (given === undefined) return []
  return Array.isArray(given) ? given.map((statement, i) => at(i, () => lowerStateful(statement))) : [lowerStateful(given)]
}

/** To the millisecond, as nft's text has it. */
export function seconds(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && !Number.isInteger(value)) return Math.round(value * 1000) / 1000
  return numberIn(fields, name)
}
