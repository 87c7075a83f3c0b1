/** Attributes that are not known here and stand in a nest of an object: kept with those of the object itself. */
import type { MessageReader } from '../../netlink/buffer.js'
import { attributeEnd, BadValue, findAttribute, shown, type UnknownAttribute } from '../../netlink/schema.js'
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

/** The first attribute of a number as it stands between `start` and `end`, where there is one. */
export function attributeOf(reader: MessageReader, start: number, end: number, id: number): UnknownAttribute {
  const at = findAttribute(reader, start, end, id)
  return { type: reader.u16[(at >> 1) + 1] as number, data: reader.bytes.slice(at + 4, attributeEnd(reader, at)) }
}
