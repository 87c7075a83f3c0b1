/** What is known of packets beside their bytes (src/meta.c, ct.c, rt.c, socket.c, fib.c, osf.c, xfrm.c, tunnel.c). */
import { nearest } from '../../../netlink/nearest.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Ct, Expression, Fib, Meta, Osf, Rt, Socket, Tunnel, Xfrm } from '../../expressions/index.js'
import { type Fields, fieldsOf, optionalNumber, optionalWord, textIn, wordsIn } from '../../json/fields.js'
import { CT_KEYS } from '../../vocabulary/ct.js'
import { type Key, keyNamed } from '../../vocabulary/key.js'
import { FIB_RESULTS, IPSEC_KEYS, OSF_KEYS, RT_KEYS, SOCKET_KEYS, TUNNEL_KEYS } from '../../vocabulary/keys.js'
import { META_ALIASES, META_KEYS } from '../../vocabulary/meta.js'
import { BOOLEAN } from '../../vocabulary/types.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import type { ProtocolKey, Source, Term } from '../terms.js'
import { wholeBytes } from '../terms.js'

export function keyCalled(table: readonly Key[], name: string, noun: string): Key {
  const key = keyNamed(table, name)
  if (key !== undefined) return key
  const names = table.map(known => known.name)
  throw new BadValue('type', `${shown(name)}: there is no such key of ${noun}${nearest(name, names)}`).within('key')
}

export const shapeOfKey = ({ type, bits, order }: Key): Shape => ({ type, bits, order })

function source(key: Key, load: (destination: number) => Expression, protocolKey?: ProtocolKey): Source {
  const shape = shapeOfKey(key)
  return { kind: 'source', shape, width: wholeBytes(key.bits), load: step => [load(register(step))], protocolKey }
}

const PROTOCOL_KEYS: Readonly<Record<string, ProtocolKey>> = {
  nfproto: { meta: 'nfproto' },
  l4proto: { meta: 'l4proto' },
  protocol: { meta: 'protocol' },
  iiftype: { meta: 'iiftype' },
}

export function metaKey(given: unknown): Key {
  const name = textIn(fieldsOf(given, ['key']), 'key')
  return keyCalled(META_KEYS, META_ALIASES[name] ?? name, 'meta')
}

export function meta(given: unknown, rule: Lowering): Term {
  const key = metaKey(given)
  if (key.name === 'nfproto' && rule.context.family !== 'inet')
    throw new BadValue('type', 'meta nfproto is only useful in the family inet: leave it out').within('key')
  const kernel = key.kernel as Meta['key']
  return source(key, destination => ({ kind: 'meta', key: kernel, destination }), PROTOCOL_KEYS[key.name])
}

const FAMILIES = ['ip', 'ip6'] as const
const ADDRESSES = ['saddr', 'daddr']
const DIRECTIONS = ['original', 'reply'] as const
/** Keys that need a direction, and those that may have one. */
const DIRECTED = ['saddr', 'daddr', 'proto-src', 'proto-dst', 'ip saddr', 'ip daddr', 'ip6 saddr', 'ip6 daddr']
const MAY_BE_DIRECTED = [...DIRECTED, 'l3proto', 'protocol', 'packets', 'bytes', 'avgpkt', 'zone']

export interface CtKey {
  readonly key: Key
  readonly direction?: 'original' | 'reply' | undefined
}

export function ctKey(given: unknown, rule: Lowering): CtKey {
  const fields = fieldsOf(given, ['key', 'family', 'dir'])
  const direction = optionalWord(fields, 'dir', DIRECTIONS)
  const name = addressKey(fields, rule, ADDRESSES, 'ct')
  const key = keyCalled(CT_KEYS, name, 'ct')
  if (direction === undefined && DIRECTED.includes(name))
    throw new BadValue('type', `is missing: ct ${name} needs "original" or "reply"`).within('dir')
  if (direction !== undefined && !MAY_BE_DIRECTED.includes(name))
    throw new BadValue('type', `${shown(direction)}: ct ${name} has no direction`).within('dir')
  return { key, direction }
}

/** `saddr` by the family that is given, or that of the rule. */
function addressKey(fields: Fields, rule: Lowering, words: readonly string[], noun: string): string {
  const name = textIn(fields, 'key')
  const family = optionalWord(fields, 'family', FAMILIES)
  if (!words.includes(name)) return name
  const known = family ?? familyOf(rule)
  if (known !== undefined) return `${known} ${name}`
  const remedy = `give { "key": "ip ${name}" } or { "key": "ip6 ${name}" }`
  throw new BadValue('type', `${noun} ${name} can be of ip or of ip6 here: ${remedy}`).within('key')
}

/** Of which family packets are, by the table or by what the rule has matched. */
export function familyOf(rule: Lowering): 'ip' | 'ip6' | undefined {
  const name = rule.packet.network?.name
  return name === 'ip' || name === 'ip6' ? name : undefined
}

export function ct(given: unknown, rule: Lowering): Term {
  const { key, direction } = ctKey(given, rule)
  const fields = fieldsOf(given, ['key', 'family', 'dir'])
  // Written without its family, it is told so as well, where packets are known to be of it.
  const written = textIn(fields, 'key')
  const isOld = ADDRESSES.includes(written) && key.name === `${familyOf(rule)} ${written}`
  const kernel = (isOld ? written : key.kernel) as Ct['key']
  const load = (destination: number): Expression => ({
    kind: 'ct',
    key: kernel,
    destination,
    ...(direction !== undefined && { direction }),
  })
  return source(key, load, key.name === 'l3proto' ? { ct: 'l3proto' } : undefined)
}

export function rt(given: unknown, rule: Lowering): Term {
  const fields = fieldsOf(given, ['key', 'family'])
  const key = keyCalled(RT_KEYS, addressKey(fields, rule, ['nexthop'], 'rt'), 'rt')
  const kernel = key.kernel as Rt['key']
  return source(key, destination => ({ kind: 'rt', key: kernel, destination }))
}

export function socket(given: unknown): Term {
  const fields = fieldsOf(given, ['key', 'level'])
  const key = keyCalled(SOCKET_KEYS, textIn(fields, 'key'), 'socket')
  const level = optionalNumber(fields, 'level', 0, 255)
  const kernel = key.kernel as Socket['key']
  const more = kernel === 'cgroupv2' ? { level: level ?? 0 } : {}
  return source(key, destination => ({ kind: 'socket', key: kernel, destination, ...more }))
}

const FIB_FLAGS = ['saddr', 'daddr', 'mark', 'iif', 'oif'] as const

export function fib(given: unknown): Term {
  const fields = fieldsOf(given, ['result', 'flags'])
  const name = textIn(fields, 'result')
  const key = keyNamed(FIB_RESULTS, name)
  if (key === undefined) {
    const names = FIB_RESULTS.map(known => known.name)
    throw new BadValue('type', `${shown(name)}: there is no such result${nearest(name, names)}`).within('result')
  }
  const flags = wordsIn(fields, 'flags', FIB_FLAGS) ?? []
  if (flags.includes('saddr') === flags.includes('daddr'))
    throw new BadValue('type', `${shown(flags)}: give one of saddr and daddr`).within('flags')
  return name === 'check' ? fibPresence(flags) : fibSource(key, flags)
}

function fibSource(key: Key, flags: Fib['flags']): Source {
  return source(key, destination => ({ kind: 'fib', result: key.kernel as Fib['result'], flags, destination }))
}

/** Whether there is a route: the kernel gives as many bytes as the index of a device has. */
export function fibPresence(flags: readonly (typeof FIB_FLAGS)[number][]): Source {
  const shape: Shape = { type: BOOLEAN, bits: 1, order: 'host' }
  const load = (step: number): Expression[] => [
    { kind: 'fib', result: 'oif', flags: [...flags, 'present'], destination: register(step) },
  ]
  return { kind: 'source', shape, width: 32, load }
}

export function osf(given: unknown): Term {
  const fields = fieldsOf(given, ['key', 'ttl'])
  const key = keyCalled(OSF_KEYS, textIn(fields, 'key'), 'osf')
  const ttl = optionalWord(fields, 'ttl', ['loose', 'skip'] as const)
  const load = (destination: number): Osf => ({
    kind: 'osf',
    destination,
    ttl: ttl ?? 'strict',
    ...(key.name === 'version' && { flags: ['version'] as const }),
  })
  return source(key, load)
}

export function ipsec(given: unknown, rule: Lowering): Term {
  const { family } = rule.context
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    throw new BadValue('type', `ipsec is known in the families ip, ip6 and inet, not in ${family}`)
  const fields = fieldsOf(given, ['key', 'family', 'dir', 'spnum'])
  const key = keyCalled(IPSEC_KEYS, addressKey(fields, rule, ADDRESSES, 'ipsec'), 'ipsec')
  const direction = optionalWord(fields, 'dir', ['in', 'out'] as const)
  if (direction === undefined) throw new BadValue('type', 'is missing: give "in" or "out"').within('dir')
  const spnum = optionalNumber(fields, 'spnum', 0, 255) ?? 0
  const kernel = key.kernel as Xfrm['key']
  return source(key, destination => ({ kind: 'xfrm', key: kernel, direction, spnum, destination }))
}

export function tunnel(given: unknown): Term {
  const key = keyCalled(TUNNEL_KEYS, textIn(fieldsOf(given, ['key']), 'key'), 'tunnel')
  const kernel = key.kernel as Tunnel['key']
  return source(key, destination => ({ kind: 'tunnel', key: kernel, destination }))
}
