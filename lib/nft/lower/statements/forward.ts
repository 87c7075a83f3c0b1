/** Statements that send packets elsewhere (src/evaluate.c, stmt_evaluate_fwd, stmt_evaluate_dup, stmt_evaluate_tproxy). */
import { BadValue, shown } from '../../../netlink/schema.js'
import { at, fieldsOf, optionalWord, textIn } from '../../json/fields.js'
import { knownType } from '../../vocabulary/types.js'
import type { Shape } from '../../vocabulary/value-type.js'
import type { Lowering } from '../lowering.js'
import { familyOf } from '../selectors/keys.js'
import { placed, valueFor } from './value.js'

const shape = (type: string, bits: number, order: Shape['order']): Shape => ({ type: knownType(type), bits, order })
export const ADDRESS = { ip: shape('ipv4_addr', 32, 'network'), ip6: shape('ipv6_addr', 128, 'network') } as const
export const PORT: Shape = shape('inet_service', 16, 'network')
const DEVICE: Shape = shape('iface_index', 32, 'host')
const FAMILIES = ['ip', 'ip6'] as const

export function fwd(given: unknown, rule: Lowering): void {
  needFamily(rule, ['netdev'], 'fwd')
  const fields = fieldsOf(given, ['dev', 'family', 'addr'])
  if (fields.dev === undefined) throw new BadValue('type', 'is missing: give the name of a device').within('dev')
  const family = optionalWord(fields, 'family', FAMILIES)
  const device = at('dev', () => valueFor(fields.dev, DEVICE, rule))
  if (fields.addr === undefined) {
    const [register] = placed(rule, [device])
    return rule.add({ kind: 'fwd', device: register ?? 1 })
  }
  if (family === undefined) throw new BadValue('type', 'is missing: it says what addr is, "ip" or "ip6"').within('family')
  const address = at('addr', () => valueFor(fields.addr, ADDRESS[family], rule))
  const [first, second] = placed(rule, [device, address])
  rule.add({ kind: 'fwd', device: first ?? 1, address: second, family })
}

export function dup(given: unknown, rule: Lowering): void {
  needFamily(rule, ['ip', 'ip6', 'netdev'], 'dup')
  const fields = fieldsOf(given, ['addr', 'dev'])
  if (fields.addr === undefined) throw new BadValue('type', 'is missing: give where to').within('addr')
  const { family } = rule.context
  if (family === 'netdev') {
    const [device] = placed(rule, [at('addr', () => valueFor(fields.addr, DEVICE, rule))])
    return rule.add({ kind: 'dup', device })
  }
  const address = at('addr', () => valueFor(fields.addr, family === 'ip6' ? ADDRESS.ip6 : ADDRESS.ip, rule))
  const device = fields.dev === undefined ? undefined : at('dev', () => valueFor(fields.dev, DEVICE, rule))
  const [first, second] = placed(rule, [address, device])
  rule.add({ kind: 'dup', address: first, ...(second !== undefined && { device: second }) })
}

export function needFamily({ context }: Lowering, families: readonly string[], statement: string): void {
  if (!families.includes(context.family))
    throw new BadValue('type', `${statement} is not for the family ${context.family}: it is for ${families.join(', ')}`)
}

export function tproxy(given: unknown, rule: Lowering): void {
  needFamily(rule, ['ip', 'ip6', 'inet'], 'tproxy')
  const fields = fieldsOf(given, ['family', 'addr', 'port'])
  const transport = rule.packet.transport?.name
  if (transport !== 'tcp' && transport !== 'udp')
    throw new BadValue('type', 'needs a match before it that the packet is of tcp or udp: as { "meta": { "key": "l4proto" } }')
  const wanted = optionalWord(fields, 'family', FAMILIES)
  const known = wanted ?? familyOf(rule)
  const [addr, port] = [fields.addr, fields.port]
  if (addr === undefined && port === undefined) throw new BadValue('type', 'is missing: give addr, port, or both').within('addr')
  if (addr !== undefined && known === undefined)
    throw new BadValue('type', 'is missing: give "ip" or "ip6", what addr is').within('family')
  const address = addr === undefined ? undefined : at('addr', () => valueFor(addr, ADDRESS[known ?? 'ip'], rule))
  const number = port === undefined ? undefined : at('port', () => valueFor(port, PORT, rule))
  const [first, second] = placed(rule, [address, number])
  rule.add({
    kind: 'tproxy',
    family: known ?? 'unspecified',
    ...(first !== undefined && { address: first }),
    ...(second !== undefined && { port: second }),
  })
}

export function flow(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['op', 'flowtable'])
  optionalWord(fields, 'op', ['add'] as const)
  const name = textIn(fields, 'flowtable')
  if (!name.startsWith('@'))
    throw new BadValue('type', `${shown(name)}: give the name of a flowtable, as "@name"`).within('flowtable')
  const flowtable = name.slice(1)
  rule.add({ kind: 'flow_offload', flowtable })
  at('flowtable', () => rule.requireNamed('flowtable', flowtable))
}
