/** Numbers of the kernel that have names, as iproute2 calls them (/etc/iproute2). */
import { type Check, whole, wordOrNumber } from '../netlink/fields.js'
import type { RouteProtocol, RouteTable, RouteType, RuleAction, Scope } from './types.js'

/** RTN_* */
export const ROUTE_TYPES: Readonly<Record<RouteType, number>> = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
}

/** RT_TABLE_* */
const TABLES: Readonly<Record<Extract<RouteTable, string>, number>> = { default: 253, main: 254, local: 255 }

/** RTPROT_* */
const PROTOCOLS: Readonly<Record<RouteProtocol, number>> = {
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  zebra: 11,
  bird: 12,
  dhcp: 16,
  keepalived: 18,
  bgp: 186,
  ospf: 188,
}

/** RT_SCOPE_* */
export const SCOPES: Readonly<Record<Scope, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 }

/** FR_ACT_* */
export const ACTIONS: Readonly<Record<RuleAction, number>> = {
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
}

/** The word of a number. */
function reversed<W extends string>(words: Readonly<Record<W, number>>): ReadonlyMap<number, W> {
  return new Map((Object.entries(words) as [W, number][]).map(([word, number]) => [number, word]))
}

const TYPE_WORDS = reversed(ROUTE_TYPES)
const TABLE_WORDS = reversed(TABLES)
const PROTOCOL_WORDS = reversed(PROTOCOLS)
const SCOPE_WORDS = reversed(SCOPES)
const ACTION_WORDS = reversed(ACTIONS)

/** Undefined for types that no route has. */
export const typeOf = (number: number): RouteType | undefined => TYPE_WORDS.get(number)
export const tableOf = (number: number): RouteTable => TABLE_WORDS.get(number) ?? number
export const protocolOf = (number: number): RouteProtocol | number => PROTOCOL_WORDS.get(number) ?? number
export const scopeOf = (number: number): Scope | number => SCOPE_WORDS.get(number) ?? number
/** Undefined for actions that no rule has. */
export const actionOf = (number: number): RuleAction | undefined => ACTION_WORDS.get(number)

export const tableCheck: Check<number> = value =>
  typeof value === 'number' ? whole(1, 0xffff_ffff)(value) : wordOrNumber(TABLES, 0xffff_ffff)(value)
export const protocolCheck: Check<number> = wordOrNumber(PROTOCOLS, 255)
export const scopeCheck: Check<number> = wordOrNumber(SCOPES, 255)
