/** What rules and elements name has to be there before them: the kernel says only that there is no such thing. */
import { closest } from '../../netlink/nearest.js'
import { BadValue } from '../../netlink/schema.js'
import type { Verdict } from '../data.js'
import type { Family, NftSet, ObjectType } from '../types.js'

export type NamedKind = 'table' | 'chain' | 'set' | 'flowtable' | ObjectType

/** Whose names are meant. */
interface Owned {
  readonly family: Family
  readonly table: string
}

/** What there is by its name. */
export type Names = ReadonlyMap<string, unknown>

/** Throws a `BadValue` where there is no such thing. Nothing is said where it is not known what there is. */
export function checkName(kind: NamedKind, name: string, of: Owned, names: Names | undefined): void {
  if (names !== undefined && !names.has(name)) throw missing(kind, name, of, names.keys())
}

/** Throws a `BadValue` for a chain or an object that an element is mapped to, and which there is not. */
export function checkMapped(
  { data, object }: { readonly data?: unknown; readonly object?: string | undefined },
  { objects, ...of }: Pick<NftSet, 'family' | 'table' | 'objects'>,
  namesOf: (kind: NamedKind) => Names | undefined,
): void {
  const { chain } = (data ?? {}) as Partial<Verdict>
  if (chain !== undefined) checkName('chain', chain, of, namesOf('chain'))
  if (object !== undefined && typeof objects === 'string') checkName(objects, object, of, namesOf(objects))
}

/** That there is none, and which name may have been meant of those that there are. */
export function missing(kind: NamedKind, name: string, { family, table }: Owned, names: Iterable<string>): BadValue {
  const mark = MARKED.has(kind) ? '@' : ''
  // Sets without a name of their own are of one rule each.
  const close = closest(
    name,
    [...names].filter(known => !known.startsWith('__')),
  )
  const remedy = close === undefined ? 'add it before' : `did you mean ${mark}${close}?`
  const place = kind === 'table' ? family : `in table ${family} ${table}`
  return new BadValue(
    'type',
    `there is no ${kind} ${kind === 'table' ? `${family} ${name}` : `${mark}${name} ${place}`}: ${remedy}`,
  )
}

const MARKED: ReadonlySet<NamedKind> = new Set(['set', 'flowtable'])
