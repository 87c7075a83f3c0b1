/** What the kernel's expressions put into registers (src/netlink_delinearize.c, netlink_parse_*). */
import type { Expression } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { CT_KEYS } from '../vocabulary/ct.js'
import { type Key, keyOfKernel } from '../vocabulary/key.js'
import { FIB_RESULTS, IPSEC_KEYS, OSF_KEYS, RT_KEYS, SOCKET_KEYS, TUNNEL_KEYS } from '../vocabulary/keys.js'
import { META_KEYS } from '../vocabulary/meta.js'
import type { Layer } from '../vocabulary/protocol.js'
import { protocolNamed } from '../vocabulary/protocols.js'
import type { Shape } from '../vocabulary/value-type.js'
import { EXISTS, HOST_NUMBER } from './shape.js'
import { type OptionKind, type SelectorValue, unliftable, type Value } from './value.js'

type Kind<K extends Expression['kind']> = Extract<Expression, { readonly kind: K }>

/** Fails for a number that has no word here. */
export function word<W>(value: W | number | undefined): W {
  return value === undefined || typeof value === 'number' ? unliftable(`${value}`) : value
}

function keyIn(table: readonly Key[], kernel: string | number): Key {
  return keyOfKernel(table, word(kernel)) ?? unliftable(`key ${kernel}`)
}

const shapeOfKey = ({ type, bits, order }: Key): Shape => ({ type, bits, order })

const selector = (json: json.Selector, key: Key): SelectorValue => ({ kind: 'selector', json, shape: shapeOfKey(key) })

/** The two parts of `ip saddr`: keys that are told with their family. */
function familyAndKey(name: string): { readonly family?: 'ip' | 'ip6'; readonly key: string } {
  const parts = /^(ip6?) (.+)$/.exec(name)
  return parts ? { key: parts[2] as string, family: parts[1] as 'ip' | 'ip6' } : { key: name }
}

export function metaValue({ key }: Pick<Kind<'meta'>, 'key'>, tunnel?: string): SelectorValue {
  const found = keyIn(META_KEYS, key)
  return { ...selector({ meta: { key: found.name } }, found), tunnel }
}

/** Addresses have the length of their family; the rest that of the key. */
export function ctValue({ key, direction }: Pick<Kind<'ct'>, 'key' | 'direction'>, family: string): SelectorValue {
  const found = keyIn(CT_KEYS, key)
  const dir = direction === undefined ? {} : { dir: word<'original' | 'reply'>(direction) }
  const value = selector({ ct: { key: found.name, ...dir } }, found)
  return found.bits > 0 ? value : { ...value, shape: { ...value.shape, bits: family === 'ip6' ? 128 : 32 } }
}

/** Bytes of all registers. */
export const REGISTERS = 64

const LAYERS: Readonly<Record<string, Layer>> = { link: 'link', network: 'network', transport: 'transport', inner: 'inner' }

export function payloadValue(
  { base, offset, length }: Pick<Kind<'payload'>, 'base' | 'offset' | 'length'>,
  tunnel?: string,
): Value {
  // In a tunnel its own header stands where that of a transport protocol's content does.
  const layer = base === 'tunnel' && tunnel !== undefined ? 'inner' : (LAYERS[base] ?? unliftable(`base ${base}`))
  if (length === 0 || length > REGISTERS) return unliftable(`${length} bytes of the packet`)
  return { kind: 'packet', layer, offset: 8 * offset, bits: 8 * length, tunnel }
}

const OPTIONS: Readonly<Record<string, OptionKind>> = {
  ipv6: 'exthdr',
  tcpopt: 'tcp option',
  ipv4: 'ip option',
  sctp: 'sctp chunk',
  dccp: 'dccp option',
}

export function exthdrValue({ type, offset = 0, length = 0, flags, operation = 'ipv6' }: Omit<Kind<'exthdr'>, 'kind'>): Value {
  if (flags?.some(flag => flag !== 'present') || length > REGISTERS) return unliftable('flags')
  const present = flags?.includes('present') ?? false
  const of = OPTIONS[word(operation)] ?? unliftable(`${operation}`)
  return { kind: 'option', of, type, offset: 8 * offset, bits: 8 * length, present }
}

/** Which tunnel: NFTA_INNER_TYPE of nft. */
const TUNNELS: Readonly<Record<string, string>> = { vxlan: 'vxlan', geneve: 'geneve', 3: 'gre', 4: 'gretap' }

function innerValue({ number, type, flags, headerSize, expression }: Kind<'inner'>): Value {
  const tunnel = TUNNELS[type]
  const usual = tunnel === undefined ? undefined : protocolNamed(tunnel)?.tunnel
  if (tunnel === undefined || usual === undefined || number !== 0) return unliftable(`tunnel ${type}`)
  if (headerSize !== usual.headerSize || flags.join() !== usual.flags.join()) return unliftable('an unusual tunnel')
  if (expression.kind === 'meta') return metaValue(expression, tunnel)
  return expression.kind === 'payload' ? payloadValue(expression, tunnel) : unliftable('inner')
}

function fibValue({ result, flags }: Kind<'fib'>): SelectorValue {
  const given = flags.filter(flag => flag !== 'present').map(flag => word<json.FibFlag>(flag))
  const key = keyIn(FIB_RESULTS, result)
  const value = selector({ fib: { result: word(result), flags: given } }, key)
  return flags.includes('present') ? { ...value, shape: { ...EXISTS, order: 'host' } } : value
}

function rtValue({ key }: Kind<'rt'>): SelectorValue {
  const found = keyIn(RT_KEYS, key)
  return selector({ rt: familyAndKey(found.name) as json.RtExpression['rt'] }, found)
}

function xfrmValue({ key, direction, spnum = 0 }: Kind<'xfrm'>): SelectorValue {
  const found = keyIn(IPSEC_KEYS, key)
  const named = familyAndKey(found.name) as Pick<json.IpsecExpression['ipsec'], 'key' | 'family'>
  return selector({ ipsec: { ...named, dir: word(direction), spnum } }, found)
}

function osfValue({ ttl = 'strict', flags }: Kind<'osf'>): SelectorValue {
  if (flags?.some(flag => flag !== 'version')) return unliftable('flags')
  const key = flags?.includes('version') ? 'version' : 'name'
  const level = word(ttl)
  return selector({ osf: level === 'strict' ? { key } : { key, ttl: level } }, keyIn(OSF_KEYS, key))
}

function socketValue({ key, level }: Kind<'socket'>): SelectorValue {
  const found = keyIn(SOCKET_KEYS, key)
  const name = found.name as json.SocketExpression['socket']['key']
  return selector({ socket: level === undefined || name !== 'cgroupv2' ? { key: name } : { key: name, level } }, found)
}

function tunnelValue({ key, mode = 'none' }: Kind<'tunnel'>): SelectorValue {
  if (mode !== 'none') return unliftable(`mode ${mode}`)
  const found = keyIn(TUNNEL_KEYS, key)
  return selector({ tunnel: { key: found.name as 'path' | 'id' } }, found)
}

function numgenValue({ type, modulus, offset = 0 }: Kind<'numgen'>): SelectorValue {
  return { kind: 'selector', json: { numgen: { mode: word(type), mod: modulus, offset } }, shape: HOST_NUMBER }
}

/** What loads something that needs no other register. */
export function sourceOf(expression: Expression, family: string): Value | undefined {
  switch (expression.kind) {
    case 'meta':
      return metaValue(expression)
    case 'ct':
      return ctValue(expression, family)
    case 'payload':
      return payloadValue(expression)
    case 'exthdr':
      return exthdrValue(expression)
    case 'inner':
      return innerValue(expression)
    case 'fib':
      return fibValue(expression)
    case 'rt':
      return rtValue(expression)
    case 'xfrm':
      return xfrmValue(expression)
    case 'osf':
      return osfValue(expression)
    case 'socket':
      return socketValue(expression)
    case 'tunnel':
      return tunnelValue(expression)
    case 'numgen':
      return numgenValue(expression)
    default:
      return undefined
  }
}
