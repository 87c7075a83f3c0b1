/** A document's objects, by table. */
import type { Document, Rule, RulesetObject, SetItem } from '../json/index.js'
import { isObject, without } from './canonical.js'

type Fields = Readonly<Record<string, unknown>>

/** An object and its word: `chain`, `map`, `ct helper`. */
export interface Part {
  readonly word: string
  readonly object: Fields
}

export interface TableParts {
  readonly family: string
  readonly name: string
  /** Undefined: the table itself is not there. */
  table: Fields | undefined
  /** By `word name`; sets and maps without their elements. In the order of the document. */
  readonly objects: Map<string, Part>
  /** By the name of the chain. */
  readonly rules: Map<string, Rule[]>
  /** By the name of the set or map. */
  readonly elements: Map<string, SetItem[]>
}

export const keyOf = ({ family, name }: { readonly family: string; readonly name: string }): string => `${family} ${name}`

/** Sets and maps share their names, and so do all kinds of objects each among themselves. */
export const nameOf = (word: string, name: unknown): string => (word === 'map' ? `set ${name}` : `${word} ${name}`)

/** @param document of objects alone, or of `add` and `create` of such */
export function tablesOf(document: Document): ReadonlyMap<string, TableParts> {
  const tables = new Map<string, TableParts>()
  for (const entry of document.nftables) {
    if ('metainfo' in entry) continue
    const object = ('add' in entry ? entry.add : 'create' in entry ? entry.create : entry) as RulesetObject
    const [word, fields] = Object.entries(object)[0] as [string, Fields]
    place(tables, word, fields)
  }
  return tables
}

function place(tables: Map<string, TableParts>, word: string, fields: Fields): void {
  const family = String(fields.family)
  const name = String(word === 'table' ? fields.name : fields.table)
  const key = keyOf({ family, name })
  const parts: TableParts = tables.get(key) ?? {
    family,
    name,
    table: undefined,
    objects: new Map(),
    rules: new Map(),
    elements: new Map(),
  }
  tables.set(key, parts)
  if (word === 'table') parts.table = fields
  else if (word === 'rule') append(parts.rules, String(fields.chain), [fields as unknown as Rule])
  else if (word === 'element') append(parts.elements, String(fields.name), itemsOf(fields.elem))
  else {
    parts.objects.set(nameOf(word, fields.name), { word, object: without(fields, 'elem') })
    if (fields.elem !== undefined) append(parts.elements, String(fields.name), itemsOf(fields.elem))
  }
}

function append<T>(map: Map<string, T[]>, name: string, items: readonly T[]): void {
  const known = map.get(name)
  if (known) for (const item of items) known.push(item)
  else map.set(name, [...items])
}

/** Elements are a list, one alone, or a set of them. */
function itemsOf(elem: unknown): readonly SetItem[] {
  if (Array.isArray(elem)) return elem as readonly SetItem[]
  if (isObject(elem) && 'set' in elem) return itemsOf(elem.set)
  return [elem as SetItem]
}
