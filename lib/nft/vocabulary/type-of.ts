/** What an expression gives: its type, from which constants that it is compared with get theirs. */
import type * as json from '../json/index.js'
import type { Family } from '../types.js'
import { CT_KEYS } from './ct.js'
import { EXTENSION_HEADERS } from './exthdr.js'
import { IP_OPTIONS } from './ip-option.js'
import { type Key, keyNamed } from './key.js'
import { FIB_RESULTS, IPSEC_KEYS, OSF_KEYS, RT_KEYS, SOCKET_KEYS, TUNNEL_KEYS } from './keys.js'
import { META_ALIASES, META_KEYS } from './meta.js'
import { type Option, optionField, optionNamed } from './option.js'
import type { HeaderField } from './protocol.js'
import { fieldNamed, protocolNamed } from './protocols.js'
import { SCTP_CHUNKS } from './sctp-chunk.js'
import { TCP_OPTIONS } from './tcp-option.js'
import { BOOLEAN, INTEGER, RAW_INTEGER } from './types.js'
import type { Shape } from './value-type.js'

type Given = Readonly<Record<string, never>>

/** The type of an expression; undefined of constants that have none of their own, and of what nft does not know. */
export function typeOf(expression: json.Expression, family: Family): Shape | undefined {
  const shapes = typesOf(expression, family)
  return shapes.length === 1 ? shapes[0] : undefined
}

/** The types of the components of a concatenation; one of everything else; none where there is none to know. */
export function typesOf(expression: json.Expression, family: Family): readonly (Shape | undefined)[] {
  if (typeof expression === 'boolean') return [EXISTS]
  if (typeof expression !== 'object' || expression === null) return []
  if (Array.isArray(expression)) return []
  const [word, given] = Object.entries(expression)[0] ?? []
  if (word === undefined) return []
  if (word === 'concat') return (given as readonly json.Expression[]).map(part => typeOf(part, family))
  const find = SHAPES[word]
  const shape = find?.(given as never, family)
  return shape === undefined ? [] : Array.isArray(shape) ? shape : [shape as Shape]
}

const EXISTS: Shape = { type: BOOLEAN, bits: 1, order: 'host' }
const NUMBER: Shape = { type: INTEGER, bits: 32, order: 'host' }

const ofField = (field: HeaderField | undefined): Shape | undefined =>
  field && { type: field.type, bits: field.bits, order: field.order ?? (field.type.text ? 'host' : 'network') }
const ofKey = (key: Key | undefined): Shape | undefined => key && { type: key.type, bits: key.bits, order: key.order }

const named = (value: unknown): string => (typeof value === 'string' ? value : '')

function ofOption(table: readonly Option[], given: Given): Shape | undefined {
  const option = optionNamed(table, named(given.name))
  if (option === undefined) return undefined
  return given.field === undefined ? EXISTS : ofField(optionField(option, named(given.field)))
}

function ofRaw(bits: unknown): Shape | undefined {
  return typeof bits === 'number' ? { type: RAW_INTEGER, bits, order: 'network' } : undefined
}

/** An option that nft knows by its number only. */
function ofNumber(bits: unknown): Shape | undefined {
  return typeof bits === 'number' ? { type: INTEGER, bits, order: 'network' } : undefined
}

function ofPayload(given: Given): Shape | undefined {
  if (given.protocol === undefined) return ofRaw(given.len)
  const protocol = protocolNamed(named(given.protocol))
  return protocol && ofField(fieldNamed(protocol, named(given.field)))
}

/** The address family that an expression names, or that of the table. */
function addressFamily(given: Given, family: Family): 'ip' | 'ip6' | undefined {
  const own = named(given.family)
  if (own === 'ip' || own === 'ip6') return own
  return family === 'ip' || family === 'ip6' ? family : undefined
}

function ofAddressKey(table: readonly Key[], given: Given, family: Family, words: readonly string[]): Shape | undefined {
  const key = named(given.key)
  if (!words.includes(key)) return ofKey(keyNamed(table, key))
  const address = addressFamily(given, family)
  return address && ofKey(keyNamed(table, `${address} ${key}`))
}

function ofSet(given: unknown, family: Family): readonly (Shape | undefined)[] {
  const item = Array.isArray(given) ? (given as readonly unknown[])[0] : given
  const key = Array.isArray(item) ? (item as readonly unknown[])[0] : item
  return typesOf(key as json.Expression, family)
}

const ADDRESSES = ['saddr', 'daddr']
const ofFirst = (given: readonly json.Expression[], family: Family): Shape | undefined =>
  given[0] === undefined ? undefined : typeOf(given[0], family)

/** What is shifted means nothing any more: a number, as if of bytes that nft knows nothing of. */
function ofShift(given: readonly json.Expression[], family: Family): Shape | undefined {
  const shape = ofFirst(given, family)
  return shape && { ...shape, type: RAW_INTEGER }
}

const SHAPES: Readonly<Record<string, (given: never, family: Family) => Shape | readonly (Shape | undefined)[] | undefined>> = {
  payload: ofPayload,
  exthdr: (given: Given) => ofOption(EXTENSION_HEADERS, given),
  'tcp option': (given: Given) => (given.base === undefined ? ofOption(TCP_OPTIONS, given) : ofNumber(given.len)),
  'ip option': (given: Given) => ofOption(IP_OPTIONS, given),
  'sctp chunk': (given: Given) => ofOption(SCTP_CHUNKS, given),
  'dccp option': () => EXISTS,
  meta: (given: Given) => ofKey(keyNamed(META_KEYS, META_ALIASES[named(given.key)] ?? named(given.key))),
  rt: (given: Given, family: Family) => ofAddressKey(RT_KEYS, given, family, ['nexthop']),
  ct: (given: Given, family: Family) => ofAddressKey(CT_KEYS, given, family, ADDRESSES),
  numgen: () => NUMBER,
  jhash: () => NUMBER,
  symhash: () => NUMBER,
  fib: (given: Given) => ofKey(keyNamed(FIB_RESULTS, named(given.result))),
  socket: (given: Given) => ofKey(keyNamed(SOCKET_KEYS, named(given.key))),
  osf: (given: Given) => ofKey(keyNamed(OSF_KEYS, named(given.key))),
  ipsec: (given: Given, family: Family) => ofAddressKey(IPSEC_KEYS, given, family, ADDRESSES),
  tunnel: (given: Given) => ofKey(keyNamed(TUNNEL_KEYS, named(given.key))),
  '|': ofFirst,
  '&': ofFirst,
  '^': ofFirst,
  '<<': ofShift,
  '>>': ofShift,
  prefix: (given: { readonly addr: json.Expression }, family: Family) => typesOf(given.addr, family),
  range: ofFirst,
  elem: (given: { readonly val: json.Expression }, family: Family) => typesOf(given.val, family),
  set: ofSet,
}
