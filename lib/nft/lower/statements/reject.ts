/** Refusals that are told to the sender (src/evaluate.c, stmt_evaluate_reject). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Expression } from '../../expressions/index.js'
import { at, fieldsOf, optionalWord } from '../../json/fields.js'
import { REJECT_CODES } from '../../vocabulary/types.js'
import type { Lowering } from '../lowering.js'
import { protocolCalled } from '../selectors/payload.js'

const TYPES = ['tcp reset', 'icmp', 'icmpv6', 'icmpx'] as const
type Type = (typeof TYPES)[number]
/** The code of "port unreachable". */
const PORT = { icmp: 3, icmpv6: 4, icmpx: 1 } as const

/** Families of one protocol have its messages only. */
const OF_FAMILY: Readonly<Record<string, readonly Type[]>> = { ip: ['tcp reset', 'icmp'], ip6: ['tcp reset', 'icmpv6'] }

export function reject(statement: unknown, rule: Lowering): void {
  const fields = statement === null ? {} : fieldsOf(statement, ['type', 'expr'])
  const { family } = rule.context
  if (family === 'arp') throw new BadValue('type', 'reject is not for the family arp: drop what is not wanted')
  const given = optionalWord(fields, 'type', TYPES)
  const type = given ?? naturalType(rule)
  const types = OF_FAMILY[family] ?? TYPES
  if (!types.includes(type))
    throw new BadValue('type', `${shown(type)}: is not for the family ${family}: give one of ${types.join(', ')}`).within('type')
  // Without a type nft has no use for the code.
  const code = given === undefined || fields.expr === undefined ? undefined : at('expr', () => codeOf(fields.expr, type))
  rule.atBeginning(() => require(type, rule))
  // A type without a code means its first one.
  rule.add(expressionOf(type, code ?? (given === undefined ? undefined : 0)))
}

/** What is answered where nothing is said. */
function naturalType(rule: Lowering): Type {
  const network = rule.packet.network?.name
  if (network === 'ip') return 'icmp'
  if (network === 'ip6') return 'icmpv6'
  return 'icmpx'
}

function codeOf(given: unknown, type: Type): number {
  if (type === 'tcp reset') throw new BadValue('type', `${shown(given)}: a reset has no code`)
  if (typeof given !== 'string' && typeof given !== 'number')
    throw new BadValue('type', `${shown(given)}: give the word of a code, as "port-unreachable"`)
  return Number(REJECT_CODES[type].parse(given, 8))
}

function expressionOf(type: Type, code: number | undefined): Expression {
  if (type === 'tcp reset') return { kind: 'reject', type }
  return { kind: 'reject', type: type === 'icmpx' ? 'icmpx' : 'icmp', code: code ?? PORT[type] }
}

/** Only packets of the protocol can be answered so. */
function require(type: Type, rule: Lowering): void {
  if (type === 'tcp reset') return rule.require(protocolCalled('tcp'), '')
  if (type === 'icmpx' || rule.context.family === 'ip' || rule.context.family === 'ip6') return
  rule.requireNetwork(protocolCalled(type === 'icmp' ? 'ip' : 'ip6'))
}
