/** What a document consists of: commands with the object that each is about, and where it stands (src/parser_json.c, json_parse_cmd). */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, fieldsOf, nearestWord, numberIn, objectOf, optionalText, singleOf } from '../json/fields.js'
import { OBJECT_KINDS } from './words.js'

export type DocumentVerb = 'add' | 'create' | 'insert' | 'replace' | 'delete' | 'destroy' | 'flush' | 'rename' | 'list' | 'reset'

export interface Entry {
  readonly verb: DocumentVerb
  /** Of the object: `rule`, `ct helper`. */
  readonly kind: string
  readonly value: unknown
  /** Place in the list of the document. */
  readonly index: number
  /** `nftables[3].add.rule`; without its verb where an object stands alone. */
  readonly path: string
}

const ADDED = ['table', 'chain', 'rule', 'set', 'map', 'element', 'flowtable', ...OBJECT_KINDS]
const LISTED = [
  ...['ruleset', 'tables', 'table', 'chains', 'chain', 'rules', 'rule', 'sets', 'set', 'maps', 'map', 'meters', 'meter'],
  ...['flowtables', 'flowtable', ...OBJECT_KINDS, ...OBJECT_KINDS.map(kind => `${kind}s`)],
]
const RESET = [
  ...['rules', 'rule', 'sets', 'set', 'maps', 'map', 'element', 'counters', 'counter', 'quotas', 'quota'],
  ...['chain', 'table', 'ruleset'],
]

/** Which objects each command is for. */
const KINDS: Readonly<Record<DocumentVerb, readonly string[]>> = {
  add: ADDED,
  create: ADDED.filter(kind => kind !== 'rule'),
  insert: ['rule'],
  replace: ['rule'],
  delete: ADDED,
  destroy: ADDED,
  flush: ['ruleset', 'table', 'chain', 'set', 'map', 'meter'],
  rename: ['chain'],
  list: LISTED,
  reset: RESET,
}
const VERBS = Object.keys(KINDS) as DocumentVerb[]
const SCHEMA = 1

/** The commands of a document. Throws a `BadValue` with the whole path. */
export function entriesOf(document: unknown): Entry[] {
  const { nftables } = fieldsOf(document, ['nftables'])
  if (!Array.isArray(nftables)) {
    const problem = nftables === undefined ? 'is missing' : shown(nftables)
    throw new BadValue('type', `${problem}: give the list of commands`).within('nftables')
  }
  return nftables.flatMap((given, index) => at(`nftables[${index}]`, () => entryOf(given, index)))
}

function entryOf(given: unknown, index: number): Entry[] {
  const [word, value] = singleOf(given, [...VERBS, ...ADDED, 'metainfo'])
  if (word === 'metainfo') {
    at(word, () => checkMetainfo(value))
    return []
  }
  const verb = VERBS.find(known => known === word)
  const path = `nftables[${index}].${word}`
  if (verb === undefined) return [{ verb: 'add', kind: word, value, index, path }]
  return at(verb, () => {
    const [kind, object] = singleOf(checkKind(verb, value), KINDS[verb])
    return [{ verb, kind, value: object, index, path: `${path}.${kind}` }]
  })
}

/** Says which objects a command is for, where it is none of them. */
function checkKind(verb: DocumentVerb, value: unknown): unknown {
  const names = Object.keys(objectOf(value))
  const strange = names.find(name => !KINDS[verb].includes(name))
  if (strange === undefined) return value
  const known = ADDED.includes(strange)
  const remedy = known ? `there is no ${verb} for it` : `there is no such object: ${nearestWord(strange, KINDS[verb])}`
  throw new BadValue('type', remedy).within(strange)
}

function checkMetainfo(value: unknown): void {
  const fields = fieldsOf(value, ['version', 'release_name', 'json_schema_version'])
  optionalText(fields, 'version')
  optionalText(fields, 'release_name')
  if (fields.json_schema_version === undefined) return
  const schema = numberIn(fields, 'json_schema_version')
  if (schema > SCHEMA)
    throw new BadValue('range', `${schema}: this is the schema of a newer nftables: give documents of ${SCHEMA}`).within(
      'json_schema_version',
    )
}
