/** Rules of routing (net/core/fib_rules.c). */
import { AF_INET, AF_INET6 } from '../../netlink/address.js'
import type { MessageReader } from '../../netlink/buffer.js'
import { group, message, NLM_F_EXCL, ruleAttributes, ruleHeader } from '../../route/wire.js'
import { EAFNOSUPPORT, EEXIST, EINVAL, ENOENT, Errno } from '../errno.js'
import type { Report } from '../policy.js'
import type { Put, Rule, RuleAttributes, RuleHeader, State } from './state.js'

const ACTION = { lookup: 1, goto: 2 }
const INVERT = 2
const ALL = 0xffff_ffff
const RTPROT_KERNEL = 2
const TABLES = { local: 255, main: 254, default: 253 }

/** Those of every namespace. */
export function startRules(state: State): void {
  const families = state.options.ipv6 ? [AF_INET, AF_INET6] : [AF_INET]
  for (const family of families) {
    const tables = [
      [0, TABLES.local],
      [32766, TABLES.main],
      ...(family === AF_INET ? [[32767, TABLES.default] as const] : []),
    ] as const
    for (const [priority, table] of tables) {
      const header = { family, toLength: 0, fromLength: 0, tos: 0, table, action: ACTION.lookup, flags: 0 }
      state.rules.push({ header, attributes: { table, protocol: RTPROT_KERNEL }, priority })
    }
  }
}

/** fib_nl_fill_rule */
export const putRule =
  ({ header, attributes, priority }: Rule): Put =>
  writer => {
    const { table = 0, mark, mask } = attributes
    ruleHeader.write(writer, { ...header, table: table > 255 ? 252 : table })
    ruleAttributes.encode(writer, {
      ...attributes,
      table,
      mark: mark || undefined,
      mask: mask || mark ? mask : undefined,
      priority: priority || undefined,
      suppressPrefixLength: header.action === ACTION.lookup ? (attributes.suppressPrefixLength ?? ALL) : undefined,
    })
  }

const groupOf = ({ header }: Rule): number => (header.family === AF_INET ? group.ipv4Rule : group.ipv6Rule)

interface Parsed {
  readonly header: RuleHeader
  readonly attributes: RuleAttributes
}

function parsed(state: State, reader: MessageReader, start: number, end: number): Parsed {
  const header = ruleHeader.read(reader, start)
  const { family } = header
  if (family !== AF_INET && !(family === AF_INET6 && state.options.ipv6)) throw new Errno(EAFNOSUPPORT)
  const attributes = ruleAttributes.decode(reader, start + ruleHeader.size, end) ?? {}
  const { mark, mask, table = header.table || undefined } = attributes
  return { header, attributes: { ...attributes, table, mask: mask ?? (mark ? ALL : undefined) } }
}

/** fib_nl_newrule */
export function newRule(state: State, reader: MessageReader, start: number, end: number, flags: number, report: Report): void {
  const { header, attributes } = parsed(state, reader, start, end)
  const own = state.rules.filter(({ header: { family } }) => family === header.family)
  const priority = attributes.priority ?? Math.max(0, (own[1]?.priority ?? 1) - 1)
  if (header.action === 0) throw new Errno(EINVAL)
  if (header.action === ACTION.goto && (attributes.goto ?? 0) <= priority) {
    report.message = 'Backward goto not supported'
    throw new Errno(EINVAL)
  }
  if (flags & NLM_F_EXCL && own.some(rule => rule.priority === priority && isSame(rule, header, attributes)))
    throw new Errno(EEXIST)
  const { priority: _, ...rest } = attributes
  const rule: Rule = { header, attributes: rest, priority }
  const at = state.rules.findIndex(other => other.header.family === header.family && other.priority > priority)
  const end_ = state.rules.findLastIndex(other => other.header.family === header.family) + 1
  state.rules.splice(at < 0 ? end_ : at, 0, rule)
  state.tell(groupOf(rule), message.newRule, 0, putRule(rule))
}

const FIELDS = [
  'to',
  'from',
  'inputDevice',
  'outputDevice',
  'goto',
  'mark',
  'mask',
  'table',
  'ipProtocol',
  'users',
  'sourcePorts',
  'destinationPorts',
  'suppressPrefixLength',
] as const

const text = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value ?? ''))

/** rule_exists */
function isSame(rule: Rule, header: RuleHeader, attributes: RuleAttributes): boolean {
  const { action, fromLength, toLength, tos, flags } = rule.header
  if (action !== header.action || fromLength !== header.fromLength || toLength !== header.toLength || tos !== header.tos)
    return false
  return (
    (flags & INVERT) === (header.flags & INVERT) &&
    FIELDS.every(field => text(rule.attributes[field]) === text(attributes[field]))
  )
}

/** fib_nl_delrule: the first that has what is given. */
export function deleteRule(state: State, reader: MessageReader, start: number, end: number): void {
  const { header, attributes } = parsed(state, reader, start, end)
  const found = state.rules.find(rule => rule.header.family === header.family && has(rule, header, attributes))
  if (!found) throw new Errno(ENOENT)
  state.rules = state.rules.filter(rule => rule !== found)
  state.tell(groupOf(found), message.deleteRule, 0, putRule(found))
}

function has(rule: Rule, header: RuleHeader, attributes: RuleAttributes): boolean {
  if (attributes.priority !== undefined && rule.priority !== attributes.priority) return false
  for (const field of ['action', 'fromLength', 'toLength', 'tos'] as const)
    if (header[field] !== 0 && header[field] !== rule.header[field]) return false
  if (attributes.protocol !== undefined && attributes.protocol !== rule.attributes.protocol) return false
  return FIELDS.every(field => attributes[field] === undefined || text(rule.attributes[field]) === text(attributes[field]))
}
