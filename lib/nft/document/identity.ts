/** What names objects in documents: `family`, `table`, `name`, `handle`. */
import { BadValue, shown } from '../../netlink/schema.js'
import { isFamily } from '../family.js'
import { type Fields, nearestWord, numberIn, optionalNumber, textIn } from '../json/fields.js'
import type { Family } from '../types.js'

const FAMILIES = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const

export function familyIn(fields: Fields): Family {
  const { family } = fields
  if (isFamily(family)) return family
  const remedy = typeof family === 'string' ? nearestWord(family, FAMILIES) : `give one of ${FAMILIES.join(', ')}`
  throw new BadValue('type', family === undefined ? `is missing: ${remedy}` : `${shown(family)}: ${remedy}`).within('family')
}

export const optionalFamily = (fields: Fields): Family | undefined => (fields.family === undefined ? undefined : familyIn(fields))

/** A table and the name of something in it. */
export function nameIn(fields: Fields): { readonly family: Family; readonly table: string; readonly name: string } {
  return { family: familyIn(fields), table: textIn(fields, 'table'), name: textIn(fields, 'name') }
}

/** By its name, or where there is none by its handle. */
export function nameOrHandle(fields: Fields): { readonly name: string } | { readonly handle: number } {
  if (fields.name === undefined && fields.handle !== undefined) return { handle: numberIn(fields, 'handle') }
  return { name: textIn(fields, 'name') }
}

/** The kernel numbers what is added: a handle is looked at, and not taken. */
export function checkHandle(fields: Fields): void {
  optionalNumber(fields, 'handle')
}
