/** Statements as nft's text writes them (src/statement.c): one function for each word of the JSON. */
import type * as json from '../json/index.js'
import { typesOf } from '../vocabulary/type-of.js'
import { REJECT_CODES } from '../vocabulary/types.js'
import { type RenderOptions, renderData, renderExpression } from './expression.js'
import { renderMatch, withoutPlace } from './match.js'
import { NAT } from './nat.js'
import { renderKey } from './set.js'
import { OBJECTS, renderKind, renderObjectName, renderStateful } from './stateful.js'
import { renderSynproxy } from './synproxy.js'
import { dataTypes, type Shapes } from './types.js'
import { renderVerdict } from './verdict.js'
import { list, quote, words } from './words.js'

function mangle({ key, value }: json.MangleStatement['mangle'], options: RenderOptions): string {
  const mapped = typeof value === 'object' && value !== null && 'map' in value
  const shapes = (mapped ? dataTypes : typesOf)(key, options.family)
  return `${renderExpression(key, options)} set ${renderExpression(value, options, shapes)}`
}

const LOG_FLAGS = ['ip options', 'skuid', 'ether'] as const

function log(given: json.LogStatement['log']): string {
  const { prefix, group, snaplen, level, flags, 'queue-threshold': threshold } = given ?? {}
  const set = list(flags)
  const tcp = set.filter(flag => flag.startsWith('tcp ')).map(flag => flag.slice('tcp '.length))
  const parts = [...(tcp.length > 0 ? [`tcp ${tcp.join(',')}`] : []), ...LOG_FLAGS.filter(flag => set.includes(flag))]
  return words(
    'log',
    prefix === undefined ? undefined : `prefix ${quote(prefix)}`,
    group === undefined ? undefined : `group ${group}`,
    snaplen ? `snaplen ${snaplen}` : undefined,
    threshold ? `queue-threshold ${threshold}` : undefined,
    level === undefined || level === 'warn' ? undefined : `level ${level}`,
    ...(set.includes('all') ? ['flags all'] : parts.map(part => `flags ${part}`)),
  )
}

type Refusal = NonNullable<json.RejectStatement['reject']>

/** That the port can not be reached is what is said where nothing else is. */
function reject(given: Refusal | null, options: RenderOptions): string {
  const { type, expr } = given ?? {}
  if (type === 'tcp reset') return 'reject with tcp reset'
  if (type === undefined || expr === undefined) return 'reject'
  const code = REJECT_CODES[type]
  const text = renderExpression(expr, options, [{ type: code, bits: 8, order: 'none' }])
  const implied = text === 'port-unreachable' && (type === 'icmpx' || type === (options.family === 'ip6' ? 'icmpv6' : 'icmp'))
  const own = type === 'icmpx' || options.family === 'ip' || options.family === 'ip6'
  return implied && own ? 'reject' : `reject with ${type} ${text}`
}

function queue(given: json.QueueStatement['queue'], options: RenderOptions): string {
  const flags = list(given?.flags)
  return words(
    'queue',
    flags.length > 0 ? `flags ${flags.join(',')}` : undefined,
    given?.num === undefined ? undefined : `to ${renderExpression(given.num, options)}`,
  )
}

const states = (given: readonly json.Statement[] | undefined, options: RenderOptions): readonly string[] =>
  (given ?? []).map(statement => renderKind(statement, options) ?? renderStatement(statement, options))

const nameOf = (reference: string): string => reference.replace(/^@/, '')
const keysOf = (set: string, { keyOf }: RenderOptions): Shapes => keyOf?.(nameOf(set)) ?? []

function set({ op, elem, set, stmt }: json.SetStatement['set'], options: RenderOptions): string {
  return words(op, set, '{', renderKey(elem, options, keysOf(set, options)), ...states(stmt, options), '}')
}

function map({ op, elem, data, map, stmt }: json.MapStatement['map'], options: RenderOptions): string {
  const key = words(renderKey(elem, options, keysOf(map, options)), ...states(stmt, options))
  const shapes = options.dataOf?.(nameOf(map)) ?? []
  return words(op, map, '{', key, ':', renderExpression(data, options, shapes), '}')
}

function meter({ name, key, stmt, size }: json.MeterStatement['meter'], options: RenderOptions): string {
  const entry = words(renderKey(key, options, []), renderStatement(stmt, options))
  return words('meter', name, size === undefined ? undefined : `size ${size}`, `{ ${entry} }`)
}

type Answer = Exclude<json.SynproxyStatement['synproxy'], json.Expression | null>

function synproxy(given: json.SynproxyStatement['synproxy'], options: RenderOptions): string {
  if (given === null) return 'synproxy'
  if (typeof given === 'string' || 'map' in (given as object))
    return `synproxy name ${renderObjectName(given as json.Expression, options)}`
  return words('synproxy', ...renderSynproxy(given as Answer))
}

const object =
  (word: string) =>
  (given: json.Expression, options: RenderOptions): string =>
    `${word} set ${renderExpression(given, options, OBJECTS)}`

type Render = (given: never, options: RenderOptions) => string

const STATEMENTS: Readonly<Record<string, Render>> = {
  ...NAT,
  match: renderMatch,
  mangle,
  log,
  reject,
  queue,
  notrack: () => 'notrack',
  set,
  map,
  meter,
  synproxy,
  vmap: ({ key, data }: json.VmapStatement['vmap'], options) =>
    `${renderExpression(key, options)} vmap ${renderData(key, data, options)}`,
  'ct helper': object('ct helper'),
  'ct timeout': object('ct timeout'),
  'ct expectation': object('ct expectation'),
  secmark: object('meta secmark'),
  flow: ({ op, flowtable }: json.FlowStatement['flow']) => `flow ${op} ${flowtable}`,
  reset: (given: json.ResetStatement['reset'], options) => `reset ${renderExpression(withoutPlace(given), options)}`,
  xt: (given: json.XtStatement['xt']) => words('xt', given?.type, given === null ? undefined : quote(given.name)),
}

/** A chain without a name stands where it is jumped to. */
function renderJump(verdict: json.VerdictExpression, { rulesOf }: RenderOptions): string | undefined {
  const [word, given] = Object.entries(verdict)[0] as [string, { readonly target?: string } | null]
  const rules = given?.target === undefined ? undefined : rulesOf?.(given.target)
  return rules === undefined ? renderVerdict(verdict) : `${word} {\n${rules.map(rule => `\t\t\t${rule}\n`).join('')}\t\t}`
}

/** A statement as text. Jumps to chains without a name are text in nft's JSON, too. */
export function renderStatement(statement: json.Statement | string, options: RenderOptions): string {
  if (typeof statement === 'string') return statement
  const [word, given] = (Object.entries(statement)[0] ?? ['', null]) as [string, never]
  const render = Object.hasOwn(STATEMENTS, word) ? STATEMENTS[word] : undefined
  if (render !== undefined) return render(given, options)
  return renderStateful(statement, options) ?? renderJump(statement as json.VerdictExpression, options) ?? word
}

/** The statements of a rule as text. */
export function renderStatements(statements: readonly (json.Statement | string)[], options: RenderOptions): string {
  return statements.map(statement => renderStatement(statement, options)).join(' ')
}
