/** Sets and maps as they are declared. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { typesOf } from '../vocabulary/type-of.js'
import { typeNamed } from '../vocabulary/types.js'
import { block } from './block.js'
import { renderDuration } from './duration.js'
import { type RenderOptions, renderExpression } from './expression.js'
import { renderItems } from './set.js'
import { OBJECTS, renderKind } from './stateful.js'
import type { Shapes } from './types.js'
import { list, quote } from './words.js'

const isTypeof = (type: json.SetType): type is { readonly typeof: json.Expression } =>
  typeof type === 'object' && type !== null && 'typeof' in type
const isWords = (type: json.SetType): type is string | readonly string[] => typeof type === 'string' || Array.isArray(type)

/** An expression whose type is meant; undefined where types are named. */
const expressionOf = (type: json.SetType): json.Expression | undefined =>
  isTypeof(type) ? type.typeof : isWords(type) ? undefined : type

/** The types of keys or data. */
export function shapesOf(type: json.SetType, family: Family): Shapes {
  const expression = expressionOf(type)
  if (expression !== undefined) return typesOf(expression, family)
  return list(type as string | readonly string[]).map(name => {
    const known = typeNamed(name)
    return known && { type: known, bits: known.bits, order: known.order }
  })
}

function typeText(type: json.SetType, options: RenderOptions): string {
  const expression = expressionOf(type)
  return expression === undefined ? list(type as string | readonly string[]).join(' . ') : renderExpression(expression, options)
}

const isIntervalMap = (set: json.Set | json.Map): boolean => 'interval' in set && set.interval === true

/** Data are ranges where an element's are: nothing else in nft's own JSON says so. */
function intervalData(items: readonly json.SetItem[]): boolean {
  return items.some(item => Array.isArray(item) && isInterval((item as readonly json.Expression[])[1]))
}
function isInterval(data: json.Expression | undefined): boolean {
  if (typeof data !== 'object' || data === null) return false
  return 'range' in data || 'prefix' in data || ('concat' in data && (data.concat as readonly json.Expression[]).some(isInterval))
}

/** nft's order. */
const FLAGS: readonly json.SetFlag[] = ['constant', 'dynamic', 'interval', 'timeout']

/** `timeout` alone says nothing beside a timeout. */
function flagsOf({ flags, timeout }: json.SetCommon): readonly string[] {
  const set = FLAGS.filter(flag => list(flags).includes(flag))
  return set.every(flag => flag === 'timeout' && timeout) ? [] : [`flags ${set.join(',')}`]
}

/** How many elements stand in a line, by their type (nftables 1.1.3, src/expression.c); the others have a line each. */
const FIVE: ReadonlySet<string> = new Set(
  'nf_proto arp_op inet_proto inet_service tcp_flag dccp_pkttype mark iface_index classid uid gid ct_dir integer'.split(' '),
)
const TWO: ReadonlySet<string> = new Set(['ipv4_addr', 'ct_state', 'ct_status', 'pkt_type'])

const carries = (item: json.SetItem): boolean =>
  typeof item === 'object' && item !== null && (Array.isArray(item) || 'elem' in item)

function perLine(items: readonly json.SetItem[], shapes: Shapes): number {
  const name = shapes.length === 1 ? (shapes[0]?.type.name ?? '') : ''
  if (items.some(carries)) return 1
  return FIVE.has(name) ? 5 : TWO.has(name) ? 2 : 1
}

function elements(items: readonly json.SetItem[], options: RenderOptions, key: Shapes, data: Shapes): readonly string[] {
  if (items.length === 0) return []
  const size = perLine(items, key)
  const texts = renderItems(items, options, key, data)
  const lines = Array.from({ length: Math.ceil(texts.length / size) }, (_, i) => texts.slice(size * i, size * (i + 1)).join(', '))
  return [`elements = { ${lines.join(',\n\t\t\t     ')} }`]
}

const OBJECT_WORDS: ReadonlySet<string> = new Set('counter quota limit secmark synproxy'.split(' '))

/** What a map maps to: types, verdicts, or objects of a kind. */
export function dataOf(map: json.SetType, family: Family): Shapes {
  return typeof map === 'string' && (OBJECT_WORDS.has(map) || map.startsWith('ct ')) ? OBJECTS : shapesOf(map, family)
}

const itemsOf = (elem: json.SetCommon['elem']): readonly json.SetItem[] =>
  elem === undefined ? [] : Array.isArray(elem) ? (elem as readonly json.SetItem[]) : [elem as json.Expression]

/** A set or a map with its elements. */
export function renderSet(set: json.Set | json.Map): string {
  const options: RenderOptions = { family: set.family }
  const items = itemsOf(set.elem)
  const map = set.map === undefined ? undefined : typeText(set.map, options)
  const data = map === undefined ? '' : ` : ${isIntervalMap(set) || intervalData(items) ? 'interval ' : ''}${map}`
  const states = (set.stmt ?? []).map(state => renderKind(state, options))
  return block(`${map === undefined ? 'set' : 'map'} ${set.name}`, [
    `${expressionOf(set.type) === undefined ? 'type' : 'typeof'} ${typeText(set.type, options)}${data}`,
    ...(set.policy === 'memory' ? ['policy memory'] : []),
    ...(set.size ? [`size ${set.size}`] : []),
    ...flagsOf(set),
    ...(states.length === 0 ? [] : [states.join(' ')]),
    ...(set['auto-merge'] ? ['auto-merge'] : []),
    ...(set.timeout ? [`timeout ${renderDuration(set.timeout)}`] : []),
    ...(set['gc-interval'] ? [`gc-interval ${renderDuration(set['gc-interval'])}`] : []),
    ...(set.comment === undefined ? [] : [`comment ${quote(set.comment)}`]),
    ...elements(items, options, shapesOf(set.type, set.family), set.map === undefined ? [] : dataOf(set.map, set.family)),
  ])
}
