/** Commands as text, a line each, as `nft -f` takes them. */
import type * as json from '../json/index.js'
import { renderChain, renderFlowtable, renderRule } from './chain.js'
import type { RenderOptions } from './expression.js'
import { renderObject } from './objects.js'
import { renderItems } from './set.js'
import { dataOf, renderSet, shapesOf } from './set-declaration.js'
import type { Shapes } from './types.js'
import { quote } from './words.js'

type Fields = Readonly<Record<string, unknown>> & Pick<json.Chain, 'family' | 'table' | 'name'>
type SetTypes = ReadonlyMap<string, { readonly key: Shapes; readonly data: Shapes }>

/**
 * The commands of a document as nft's text. Constants in elements are written by the types of their set where `ruleset` or the document itself
 * declares it.
 *
 * @example
 * const { document } = await nf.plan(wanted)
 * console.log(nft.renderCommands(document))
 */
export function renderCommands(document: json.Document, ruleset: json.Document = { nftables: [] }): string {
  const types = new Map([...setsOf(ruleset), ...setsOf(document)])
  return document.nftables
    .filter(entry => !('metainfo' in entry))
    .map(entry => {
      const [verb, target] = verbOf(entry)
      const [word, object] = Object.entries(target ?? {})[0] ?? ['ruleset', null]
      return `${renderCommand(verb, word, (object ?? {}) as Fields, types)}\n`
    })
    .join('')
}

const VERBS = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush', 'list', 'reset', 'rename'] as const

/** An object alone is added. */
function verbOf(entry: object): readonly [verb: string, target: object] {
  const verb = VERBS.find(verb => verb in entry)
  return verb ? [verb, (entry as Readonly<Record<string, object>>)[verb] as object] : ['add', entry]
}

function* setsOf(document: json.Document): Generator<readonly [string, { readonly key: Shapes; readonly data: Shapes }]> {
  for (const entry of document.nftables) {
    const [, target] = verbOf(entry)
    const set = (target as { readonly set?: json.Set }).set ?? (target as { readonly map?: json.Map }).map
    if (set?.type === undefined) continue
    const data = set.map === undefined ? [] : dataOf(set.map, set.family)
    yield [`${set.family} ${set.table} ${set.name}`, { key: shapesOf(set.type, set.family), data }]
  }
}

function renderCommand(verb: string, word: string, object: Fields, types: SetTypes): string {
  const { family, table, name } = object
  const options: RenderOptions = { family }
  const makes = verb === 'add' || verb === 'create'
  switch (word) {
    case 'ruleset':
      return [verb, 'ruleset', family].filter(part => part !== undefined).join(' ')
    case 'table':
      return `${verb} table ${family} ${name}${makes && object.comment !== undefined ? ` { comment ${quote(String(object.comment))}; }` : ''}`
    case 'rule':
      return renderRuleCommand(verb, object as unknown as json.Rule, options)
    case 'element': {
      const known = types.get(`${family} ${table} ${name}`)
      const items = renderItems(object.elem as readonly json.SetItem[], options, known?.key ?? [], known?.data)
      return `${verb} element ${family} ${table} ${name} { ${items.join(', ')} }`
    }
  }
  const head = `${verb} ${word} ${family} ${table} ${name ?? `handle ${object.handle}`}`
  if (verb === 'rename') return `${head} ${object.newname}`
  return makes ? `${head}${bodyOf(word, object, options)}` : head
}

function renderRuleCommand(verb: string, rule: json.Rule, options: RenderOptions): string {
  const { family, table, chain, handle } = rule
  // As in documents, a handle says nothing to `add`.
  const where = handle === undefined || verb === 'add' ? '' : verb === 'insert' ? ` position ${handle}` : ` handle ${handle}`
  const text = rule.expr === undefined ? '' : ` ${renderRule(rule, options)}`
  return `${verb} rule ${family} ${table} ${chain}${where}${text}`
}

/** What stands in the braces of an object's block, on one line. */
function bodyOf(word: string, object: Fields, options: RenderOptions): string {
  const text =
    word === 'chain'
      ? renderChain(object as unknown as json.Chain, [], options)
      : word === 'set' || word === 'map'
        ? renderSet(object as unknown as json.Set)
        : word === 'flowtable'
          ? renderFlowtable(object as unknown as json.Flowtable)
          : (renderObject(word, object as unknown as json.Counter) ?? '')
  const lines = text.split('\n').slice(1, -1)
  // The lines of a list of elements end with a comma, those of a chain's declaration with a semicolon.
  const body = lines.map(line => line.trim()).reduce((all, line) => `${all}${line}${/[,;{]$/.test(line) ? '' : ';'} `, '')
  return body === '' ? '' : ` { ${body}}`
}
