/** Rules: plain object to message and back. */
import { AF_INET, AF_INET6, type Family } from '../netlink/address.js'
import { MessageReader, type MessageWriter } from '../netlink/buffer.js'
import { boolean, type Check, Fields, type Prefix, prefix, whole, word } from '../netlink/fields.js'
import { BadValue } from '../netlink/schema.js'
import { nameCheck } from './links.js'
import type { PortRange, Rule, RuleConfig } from './types.js'
import { ruleAttributes, ruleHeader } from './wire.js'
import { ACTIONS, actionOf, protocolCheck, protocolOf, tableCheck, tableOf } from './words.js'

/** FIB_RULE_INVERT */
const INVERT = 2
const MAXIMUM = 0xffff_ffff
/** No prefix is suppressed. */
const NOT_SUPPRESSED = MAXIMUM
const RTPROT_BOOT = 3

/** What reading adds may be given: what was read can be written. */
const KNOWN = [
  'family',
  'priority',
  'action',
  'table',
  'goto',
  'from',
  'to',
  'mark',
  'mask',
  'inputDevice',
  'outputDevice',
  'invert',
  'tos',
  'ipProtocol',
  'sourcePorts',
  'destinationPorts',
  'users',
  'suppressPrefixLength',
  'protocol',
]

interface Range {
  readonly from: number
  readonly to: number
}

/** A rule that was checked. */
export interface CheckedRule extends Pick<RuleConfig, 'inputDevice' | 'outputDevice'> {
  readonly family: Family
  readonly priority: number | undefined
  readonly action: number
  readonly table: number | undefined
  readonly goto: number | undefined
  readonly from: Prefix | undefined
  readonly to: Prefix | undefined
  readonly mark: number | undefined
  readonly mask: number | undefined
  readonly invert: boolean
  readonly tos: number
  readonly ipProtocol: number | undefined
  readonly sourcePorts: Range | undefined
  readonly destinationPorts: Range | undefined
  readonly users: Range | undefined
  readonly suppressPrefixLength: number | undefined
  readonly protocol: number | undefined
}

const any32 = whole(0, MAXIMUM)
const ports = range(1, 0xffff)

function range(minimum: number, maximum: number): Check<Range> {
  return value => {
    const fields = new Fields(value, ['from', 'to'])
    const from = fields.required('from', whole(minimum, maximum))
    return { from, to: fields.required('to', whole(from, maximum)) }
  }
}

const familyCheck: Check<number> = word({ ipv4: AF_INET, ipv6: AF_INET6 })

/** Throws a `BadValue`. */
export function checkRule(given: RuleConfig): CheckedRule {
  const fields = new Fields(given, KNOWN)
  const from = fields.optional('from', prefix)
  const to = fields.optional('to', prefix)
  const family = ruleFamily(fields, from, to)
  const action = fields.optional('action', word(ACTIONS)) ?? ACTIONS.lookup
  const mark = fields.optional('mark', any32)
  if (mark === undefined && fields.has('mask'))
    throw new BadValue('type', 'is of no use without mark: give that as well').within('mask')
  const table = fields.optional('table', tableCheck)
  const goto = fields.optional('goto', whole(1, MAXIMUM))
  if (goto !== undefined && action !== ACTIONS.goto) throw new BadValue('type', "is for the action 'goto' alone").within('goto')
  return {
    family,
    priority: fields.optional('priority', any32),
    action,
    table,
    goto,
    from,
    to,
    mark,
    mask: fields.optional('mask', any32),
    inputDevice: fields.optional('inputDevice', nameCheck),
    outputDevice: fields.optional('outputDevice', nameCheck),
    invert: fields.optional('invert', boolean) ?? false,
    tos: fields.optional('tos', whole(0, 255)) ?? 0,
    ipProtocol: fields.optional('ipProtocol', whole(0, 255)),
    sourcePorts: fields.optional('sourcePorts', ports),
    destinationPorts: fields.optional('destinationPorts', ports),
    users: fields.optional('users', range(0, MAXIMUM)),
    suppressPrefixLength: fields.optional('suppressPrefixLength', whole(0, family === 'ipv6' ? 128 : 32)),
    protocol: fields.optional('protocol', protocolCheck),
  }
}

function ruleFamily(fields: Fields, from: Prefix | undefined, to: Prefix | undefined): Family {
  const given = fields.optional('family', familyCheck)
  const family = given === undefined ? (from ?? to)?.family : given === AF_INET6 ? 'ipv6' : 'ipv4'
  if (family === undefined) throw new BadValue('type', "is missing: give 'ipv4' or 'ipv6', or from or to").within('family')
  for (const [name, network] of Object.entries({ from, to }))
    if (network && network.family !== family)
      throw new BadValue('range', `${network.address} is of another family: the rule is for ${family}`).within(name)
  return family
}

/** A rule as it is to be added. Throws a `BadValue`. */
export function checkNewRule(given: RuleConfig): CheckedRule {
  const rule = checkRule(given)
  // For table 0 the kernel would make a new table that nobody knows (fib_empty_table).
  if (rule.action === ACTIONS.lookup && rule.table === undefined)
    throw new BadValue('type', 'is missing: the rule has to ask a table').within('table')
  if (rule.action === ACTIONS.goto && rule.goto === undefined)
    throw new BadValue('type', 'is missing: give the priority of the rule to go to').within('goto')
  return { ...rule, protocol: rule.protocol ?? RTPROT_BOOT }
}

/** A rule to be removed: without its priority the first of all would be meant. Throws a `BadValue`. */
export function checkRuleKey(given: RuleConfig): CheckedRule {
  const rule = checkRule(given)
  if (rule.priority === undefined) throw new BadValue('type', 'is missing: it says which rule').within('priority')
  const fields = new Fields(given, KNOWN)
  return fields.has('action') ? rule : { ...rule, action: 0 }
}

/** Writes a rule's message. */
export function writeRule(writer: MessageWriter, rule: CheckedRule): void {
  const { family, priority, action, table, goto, from, to, mark, mask, invert, tos, users, sourcePorts, destinationPorts } = rule
  ruleHeader.write(writer, {
    family: family === 'ipv6' ? AF_INET6 : AF_INET,
    fromLength: from?.length ?? 0,
    toLength: to?.length ?? 0,
    tos,
    table: table === undefined || table > 255 ? 0 : table,
    action,
    flags: invert ? INVERT : 0,
  })
  ruleAttributes.encode(writer, {
    from: from && from.length > 0 ? from.address : undefined,
    to: to && to.length > 0 ? to.address : undefined,
    inputDevice: rule.inputDevice,
    outputDevice: rule.outputDevice,
    goto,
    priority,
    mark,
    mask,
    suppressPrefixLength: rule.suppressPrefixLength,
    table,
    users: users && pair(users, 4),
    protocol: rule.protocol,
    ipProtocol: rule.ipProtocol,
    sourcePorts: sourcePorts && pair(sourcePorts, 2),
    destinationPorts: destinationPorts && pair(destinationPorts, 2),
  })
}

/** `struct fib_rule_uid_range` and `struct fib_rule_port_range`, in the machine's byte order. */
function pair({ from, to }: Range, size: 2 | 4): Uint8Array {
  return new Uint8Array((size === 2 ? Uint16Array : Uint32Array).of(from, to).buffer)
}

function pairOf(bytes: Uint8Array | undefined, size: 2 | 4): PortRange | undefined {
  if (bytes?.length !== 2 * size) return undefined
  const reader = new MessageReader(bytes)
  const [from = 0, to = 0] = size === 2 ? reader.u16 : reader.u32
  return { from, to }
}

/** A rule's message. Undefined where it is none of IPv4 and IPv6, or makes no sense. */
export function readRule(reader: MessageReader, start: number, end: number): Rule | undefined {
  if (end - start < ruleHeader.size) return undefined
  const header = ruleHeader.read(reader, start)
  const found = ruleAttributes.decode(reader, start + ruleHeader.size, end)
  const action = actionOf(header.action)
  if (!found || !action || (header.family !== AF_INET && header.family !== AF_INET6)) return undefined
  const family: Family = header.family === AF_INET6 ? 'ipv6' : 'ipv4'
  const {
    from,
    to,
    inputDevice,
    outputDevice,
    goto,
    priority = 0,
    mark,
    mask,
    suppressPrefixLength,
    ipProtocol,
    protocol,
  } = found
  const table = found.table ?? header.table
  const users = pairOf(found.users, 4)
  const sourcePorts = pairOf(found.sourcePorts, 2)
  const destinationPorts = pairOf(found.destinationPorts, 2)
  return {
    family,
    priority,
    action,
    ...(action === 'lookup' && table !== 0 && { table: tableOf(table) }),
    ...(goto !== undefined && { goto }),
    ...(from !== undefined && { from: `${from}/${header.fromLength}` }),
    ...(to !== undefined && { to: `${to}/${header.toLength}` }),
    // The kernel leaves out a mark of 0, whatever bits of it count (fib_nl_fill_rule).
    ...((mark !== undefined || mask !== undefined) && { mark: mark ?? 0 }),
    ...(mask !== undefined && mask !== MAXIMUM && { mask }),
    ...(inputDevice !== undefined && { inputDevice }),
    ...(outputDevice !== undefined && { outputDevice }),
    ...(header.flags & INVERT && { invert: true }),
    ...(header.tos !== 0 && { tos: header.tos }),
    ...(ipProtocol !== undefined && { ipProtocol }),
    ...(sourcePorts && { sourcePorts }),
    ...(destinationPorts && { destinationPorts }),
    ...(users && { users }),
    ...(suppressPrefixLength !== undefined && suppressPrefixLength !== NOT_SUPPRESSED && { suppressPrefixLength }),
    ...(protocol !== undefined && { protocol: protocolOf(protocol) }),
  }
}
