import { BadValue } from '../../netlink/schema.js'

/** Refuses a field that is missing: the kernel takes what names nothing for all that there is. Throws a `BadValue`. */
export function needed(fields: Readonly<Record<string, unknown>>): void {
  for (const name in fields) if (fields[name] === undefined) throw new BadValue('type', 'is missing').within(name)
}

/** The same of what is made. To the kernel an empty name is one, to nft it is none: the ruleset could not be loaded again. */
export function named(fields: Readonly<Record<string, unknown>>): void {
  needed(fields)
  for (const name in fields) if (fields[name] === '') throw new BadValue('range', '"": give a name').within(name)
}
