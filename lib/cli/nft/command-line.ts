/** Commands of documents as lines of nft's own language, as `nft monitor` prints them. */
import type * as json from '../../nft/json/index.js'
import { renderDocument, renderStatements } from '../../nft/render/index.js'
import type { Family } from '../../nft/types.js'

interface Named {
  readonly family: Family
  readonly table?: string | undefined
  readonly name?: string | undefined
  readonly handle?: number | undefined
}

type Item = json.Document['nftables'][number]

/** `add rule inet web in tcp dport 80 accept`, `delete table inet web`. */
export function commandLine(command: Item): string {
  const [verb, value] = Object.entries(command)[0] as [string, object]
  const [kind, object] = Object.entries(value)[0] as [string, Named | null]
  return [verb, ...objectLine(kind, object, ['add', 'create', 'insert', 'replace'].includes(verb))].join(' ')
}

/** An object by its name; `whole`: with what it consists of. */
export function objectLine(kind: string, object: Named | null, whole: boolean): string[] {
  if (object === null) return [kind]
  if (kind === 'table') return [kind, object.family, object.name ?? `handle ${object.handle}`]
  if (kind === 'rule') return ruleLine(object as unknown as json.Rule, whole)
  if (kind === 'element') return elementLine(object as unknown as json.Element)
  const name = object.name ?? `handle ${object.handle}`
  return [kind, object.family, object.table ?? '', name, ...(whole ? [bodyOf(kind, object)].filter(Boolean) : [])]
}

function ruleLine({ family, table, chain, handle, expr, comment }: json.Rule, whole: boolean): string[] {
  const place = ['rule', family, table, chain]
  if (!whole) return [...place, 'handle', String(handle)]
  const text = renderStatements(expr, { family })
  return [
    ...place,
    ...(handle === undefined ? [] : ['handle', String(handle)]),
    text,
    ...(comment ? [`comment "${comment}"`] : []),
  ]
}

/** The elements stand in a listing as they do in a set that has nothing else. */
function elementLine({ family, table, name, elem }: json.Element): string[] {
  const items = Array.isArray(elem) ? elem : [elem]
  const isMap = items.some(item => Array.isArray(item) && item.length === 2)
  const set = { family, table, name, type: 'integer', ...(isMap && { map: 'verdict' }), elem: items }
  const body = bodyOf(isMap ? 'map' : 'set', set as Named)
  return ['element', family, table, name, /elements = (\{.*\}) \}$/.exec(body)?.[1] ?? '{ }']
}

/** What stands between the braces of an object, on one line. */
function bodyOf(kind: string, object: Named): string {
  const table = { family: object.family, name: object.table }
  const text = renderDocument({ nftables: [{ table }, { [kind]: object }] } as unknown as json.Document)
  const inner = text.split('\n').slice(2, -3)
  const parts = inner.map(line => line.trim()).filter(line => line !== '')
  if (parts.length === 0) return ''
  return `{ ${parts.join('; ').replaceAll(',; ', ', ').replaceAll(';;', ';')} }`
}
