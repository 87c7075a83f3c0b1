/** Attributes that are not known here and stand in a nest of an object: kept with those of the object itself. */
import { BadValue, shown } from '../../netlink/schema.js'
import type { Unknown } from '../types.js'

/** All in one list, those of the nest marked. */
export function joinUnknown(
  own: readonly Unknown[] | undefined,
  within: NonNullable<Unknown['within']>,
  nested: readonly Unknown[] | undefined,
): { readonly unknown?: readonly Unknown[] } {
  if (!nested) return own ? { unknown: own } : {}
  return { unknown: [...(own ?? []), ...nested.map(attribute => ({ ...attribute, within }))] }
}

/** Those of a nest; of the object itself without `within`. */
export function unknownOf(unknown: readonly Unknown[] | undefined, within?: Unknown['within']): readonly Unknown[] | undefined {
  if (unknown === undefined) return undefined
  if (!Array.isArray(unknown))
    throw new BadValue('type', `${shown(unknown)}: give a list of attributes as they were read`).within('unknown')
  const chosen = unknown.filter(attribute => attribute?.within === within)
  return chosen.length > 0 ? chosen : undefined
}
