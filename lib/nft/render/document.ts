/** Whole rulesets, as `nft list ruleset` prints them. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { renderChain, renderFlowtable, renderRule } from './chain.js'
import type { RenderOptions } from './expression.js'
import { renderObject } from './objects.js'
import { dataOf, renderSet, shapesOf } from './set-declaration.js'
import type { Shapes } from './types.js'
import { list, quote } from './words.js'

interface Contents {
  readonly table: json.Table
  readonly objects: string[]
  readonly sets: string[]
  readonly flowtables: string[]
  readonly chains: json.Chain[]
  readonly rules: Map<string, json.Rule[]>
  /** The types of the keys of sets and maps. */
  readonly keys: Map<string, Shapes>
  /** The types of the data of maps. */
  readonly data: Map<string, Shapes>
}

interface Placed {
  readonly family: Family
  readonly table: string
  readonly name: string
}

const keyOf = (family: Family, table: string): string => `${family} ${table}`

/** Puts an object where nft's text has it, which is another order than that of the JSON. */
function place(contents: Contents, word: string, given: never): void {
  if (word === 'chain') contents.chains.push(given)
  else if (word === 'rule') placeRule(contents, given)
  else if (word === 'set' || word === 'map') placeSet(contents, given)
  else if (word === 'flowtable') contents.flowtables.push(renderFlowtable(given))
  else {
    const text = renderObject(word, given as Placed)
    if (text !== undefined) contents.objects.push(text)
  }
}

function placeRule({ rules }: Contents, rule: json.Rule): void {
  const before = rules.get(rule.chain)
  if (before === undefined) rules.set(rule.chain, [rule])
  else before.push(rule)
}

function placeSet({ sets, keys, data }: Contents, set: json.Set | json.Map): void {
  sets.push(renderSet(set))
  keys.set(set.name, shapesOf(set.type, set.family))
  if (set.map !== undefined) data.set(set.name, dataOf(set.map, set.family))
}

const FLAGS: readonly json.TableFlag[] = ['dormant', 'owner', 'persist']

/** The kernel's word for chains that belong to a rule (net/netfilter/nf_tables_api.c, nf_tables_addchain). */
const UNNAMED = /^__chain\d+$/

function renderTable({ table, objects, sets, flowtables, chains, rules, keys, data }: Contents): string {
  const options: RenderOptions = {
    family: table.family,
    keyOf: name => keys.get(name) ?? [],
    dataOf: name => data.get(name) ?? [],
    rulesOf: name => (UNNAMED.test(name) ? (rules.get(name) ?? []).map(rule => renderRule(rule, options)) : undefined),
  }
  const flags = FLAGS.filter(flag => list(table.flags).includes(flag))
  const head = [
    ...(flags.length === 0 ? [] : [`\tflags ${flags.join(',')}`]),
    ...(table.comment === undefined ? [] : [`\tcomment ${quote(table.comment)}`]),
  ]
  const blocks = [
    ...objects,
    ...sets,
    ...flowtables,
    ...chains.filter(chain => !UNNAMED.test(chain.name)).map(chain => renderChain(chain, rules.get(chain.name) ?? [], options)),
  ]
  const inside = [...(head.length === 0 ? [] : [head.join('\n')]), ...blocks].join('\n\n')
  return `table ${table.family} ${table.name} {\n${inside}${inside === '' ? '' : '\n'}}\n`
}

const empty = (table: json.Table): Contents => ({
  table,
  objects: [],
  sets: [],
  flowtables: [],
  chains: [],
  rules: new Map(),
  keys: new Map(),
  data: new Map(),
})

/** The objects of a document, also of those that commands add. */
function* objectsOf(document: json.Document): Generator<readonly [string, never]> {
  for (const entry of document.nftables) {
    const object = 'add' in entry ? entry.add : 'create' in entry ? entry.create : 'insert' in entry ? entry.insert : entry
    yield Object.entries(object)[0] as [string, never]
  }
}

/** A document of objects as the text that `nft list ruleset` prints, without handles: `nft -f` reads it again. */
export function renderDocument(document: json.Document): string {
  const tables = new Map<string, Contents>()
  for (const [word, given] of objectsOf(document)) {
    if (word === 'table') {
      const table: json.Table = given
      tables.set(keyOf(table.family, table.name), empty(table))
      continue
    }
    const { family, table } = given as Placed
    const contents = tables.get(keyOf(family, table))
    if (contents !== undefined) place(contents, word, given)
  }
  return Array.from(tables.values(), renderTable).join('')
}
