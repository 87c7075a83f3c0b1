/** What the commands `list` and `reset` of documents answer: a part of what `nft -j list ruleset` prints. */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, type Fields, fieldsOf, optionalNumber, optionalText } from '../json/fields.js'
import type * as json from '../json/index.js'
import type { Entry } from './entries.js'
import { optionalFamily } from './identity.js'
import { METAINFO } from './lift.js'

type Item = json.Document['nftables'][number]
type Listed = Fields & { readonly family?: string; readonly table?: string; readonly name?: string; readonly handle?: number }

/** What is asked for. */
export interface Question {
  /** Kinds of objects that belong to the answer. */
  readonly kinds: ReadonlySet<string>
  readonly family?: string | undefined
  readonly table?: string | undefined
  /** Of the object, or of the chain that rules are in. */
  readonly name?: string | undefined
  readonly handle?: number | undefined
  /** One object, which has to be there. */
  readonly single: boolean
}

const FIELDS = ['family', 'table', 'name', 'chain', 'handle']
const ALL = ['table', 'chain', 'counter', 'quota', 'limit', 'ct helper', 'ct timeout', 'ct expectation', 'secmark', 'synproxy']
const RULESET: readonly string[] = [...ALL, 'set', 'map', 'flowtable', 'rule']

/** Kinds of objects where the name of what is listed is not the kind itself, or more belongs to it. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  ruleset: RULESET,
  table: RULESET,
  chain: ['chain', 'rule'],
  rules: ['rule'],
  meters: [],
  meter: ['set'],
}

/** What a command asks for. Throws a `BadValue`. */
export function questionOf({ kind, value }: Entry): Question {
  const fields = value === null ? {} : fieldsOf(value, FIELDS)
  const kinds = KINDS[kind] ?? [kind.endsWith('s') ? kind.slice(0, -1) : kind]
  const name = kind === 'table' ? undefined : (optionalText(fields, 'chain') ?? optionalText(fields, 'name'))
  return {
    kinds: new Set(kinds),
    family: optionalFamily(fields),
    table: optionalText(fields, kind === 'table' ? 'name' : 'table'),
    name,
    handle: optionalNumber(fields, 'handle'),
    single: name !== undefined && kind !== 'rules',
  }
}

/** The part of a ruleset that a question is about. Throws a `BadValue` where there is no such object. */
export function answerOf(entry: Entry, ruleset: json.Document): json.Document {
  const question = questionOf(entry)
  const found = ruleset.nftables.filter(item => belongs(item, question))
  if (question.single && found.length === 0)
    at(entry.path, () => {
      throw new BadValue('type', `${shown(question.name)}: there is no such ${entry.kind}`).within('name')
    })
  return { nftables: [METAINFO, ...found] }
}

function belongs(item: Item, { kinds, family, table, name, handle }: Question): boolean {
  const [kind = '', value] = Object.entries(item)[0] ?? []
  if (!kinds.has(kind)) return false
  const object = value as Listed & { readonly chain?: string }
  const tableName = kind === 'table' ? object.name : object.table
  if (family !== undefined && object.family !== family) return false
  if (table !== undefined && tableName !== table) return false
  if (handle !== undefined && object.handle !== handle) return false
  return name === undefined || (kind === 'rule' ? object.chain : object.name) === name
}
