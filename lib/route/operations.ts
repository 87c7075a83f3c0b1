/** Changes of addresses, routes and rules, checked, before the indices of their devices are known. */
import type { Body } from '../netlink/generic.js'
import type { Ask } from '../netlink/kernel.js'
import type { Pathfinder } from '../netlink/schema.js'
import { type CheckedAddress, checkAddress, writeAddress } from './addresses.js'
import type { Asked } from './reasons.js'
import { type CheckedRoute, checkNewRoute, checkRoute, devicesOf, writeRoute } from './routes.js'
import { type CheckedRule, checkNewRule, checkRuleKey, writeRule } from './rules.js'
import type { AddressConfig, AddressKey, Device, RouteConfig, RouteKey, RuleConfig, RuleKey } from './types.js'
import * as wire from './wire.js'

const { message, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } = wire

/** What each operation is given. */
export interface Given {
  readonly addAddress: AddressConfig
  readonly ensureAddress: AddressConfig
  readonly removeAddress: AddressKey
  readonly addRoute: RouteConfig
  readonly replaceRoute: RouteConfig
  readonly removeRoute: RouteKey
  readonly addRule: RuleConfig
  readonly removeRule: RuleKey
}
export type Word = keyof Given

/** An operation that was checked. */
export interface Prepared {
  readonly asked: Asked
  /** Those that have to be there. */
  readonly devices: readonly Device[]
  /** Codes by which the kernel says that there was nothing to remove; undefined for what removes nothing. */
  readonly absent?: readonly string[]
  /** The kernel does not look at the type of IPv6 routes that it removes (ip6_route_del): whether there is one has to be asked. */
  readonly only?: CheckedRoute
  /** What it adds. */
  readonly adds?: CheckedRoute
  ask(indexOf: (device: Device) => number): Ask
}

/** Makes messages of one kind of objects. */
const asks =
  (header: { readonly size: number }, attributes: Pathfinder) =>
  (type: number, body: Body, flags = 0): Ask => ({ type, flags, header: header.size, attributes, body })

const addressAsk = asks(wire.addressHeader, wire.addressAttributes)
const routeAsk = asks(wire.routeHeader, wire.routeAttributes)
const ruleAsk = asks(wire.ruleHeader, wire.ruleAttributes)

const ADD = NLM_F_CREATE | NLM_F_EXCL
const REPLACE = NLM_F_CREATE | NLM_F_REPLACE

/** What checks and prepares each. They throw a `BadValue`. */
const PREPARE: { readonly [W in Word]: (given: Given[W], asked: Asked) => Prepared } = {
  addAddress: (given, asked) => addressAdded(checkAddress(given), ADD, asked),
  ensureAddress: (given, asked) => addressAdded(checkAddress(given), REPLACE, asked),
  removeAddress: (given, asked) => addressRemoved(checkAddress(given), asked),
  addRoute: (given, asked) => routeAdded(checkNewRoute(given), ADD, asked),
  replaceRoute: (given, asked) => routeAdded(checkNewRoute(given), REPLACE, asked),
  removeRoute: (given, asked) => routeRemoved(checkRoute(given), asked),
  addRule: (given, asked) => ruleAdded(checkNewRule(given), asked),
  removeRule: (given, asked) => ruleRemoved(checkRuleKey(given), asked),
}

export const WORDS = Object.keys(PREPARE) as Word[]

/** Checks an operation. Throws a `BadValue`. */
export function prepare<W extends Word>(word: W, given: Given[W]): Prepared {
  return PREPARE[word](given, askedOf(word, given))
}

function addressAdded(address: CheckedAddress, flags: number, asked: Asked): Prepared {
  const { device } = address
  const ask: Prepared['ask'] = indexOf =>
    addressAsk(message.newAddress, writer => writeAddress(writer, address, indexOf(device), true), flags)
  return { asked, devices: [device], ask }
}

function addressRemoved(address: CheckedAddress, asked: Asked): Prepared {
  const { device } = address
  const ask: Prepared['ask'] = indexOf =>
    addressAsk(message.deleteAddress, writer => writeAddress(writer, address, indexOf(device), false))
  return { asked, devices: [device], absent: ['EADDRNOTAVAIL', 'ENODEV'], ask }
}

function routeAdded(route: CheckedRoute, flags: number, asked: Asked): Prepared {
  const ask: Prepared['ask'] = indexOf => routeAsk(message.newRoute, writer => writeRoute(writer, route, indexOf), flags)
  return { asked, devices: devicesOf(route), adds: route, ask }
}

function routeRemoved(route: CheckedRoute, asked: Asked): Prepared {
  const only = route.destination.family === 'ipv6' && route.type !== undefined ? { only: route } : {}
  const ask: Prepared['ask'] = indexOf => routeAsk(message.deleteRoute, writer => writeRoute(writer, route, indexOf))
  // ENOENT: there is no such table.
  return { asked, devices: devicesOf(route), absent: ['ESRCH', 'ENOENT'], ...only, ask }
}

function ruleAdded(rule: CheckedRule, asked: Asked): Prepared {
  return { asked, devices: [], ask: () => ruleAsk(message.newRule, writer => writeRule(writer, rule), ADD) }
}

function ruleRemoved(rule: CheckedRule, asked: Asked): Prepared {
  return { asked, devices: [], absent: ['ENOENT'], ask: () => ruleAsk(message.deleteRule, writer => writeRule(writer, rule)) }
}

/** An operation in words, for errors. Callers of JavaScript may give anything. */
export function askedOf(word: Word, given: Given[Word]): Asked {
  const object = word.endsWith('Address') ? 'address' : word.endsWith('Route') ? 'route' : 'rule'
  const parts = (given ?? {}) as Partial<AddressKey & RouteKey & RuleKey>
  return { operation: word, object, target: targetOf(object, parts) }
}

function targetOf(object: Asked['object'], parts: Partial<AddressKey & RouteKey & RuleKey>): string | undefined {
  const { device, address, prefixLength, type, destination, table, priority } = parts
  if (object === 'address') return `${address}${prefixLength === undefined ? '' : `/${prefixLength}`} of ${device}`
  if (object === 'rule') return priority === undefined ? undefined : String(priority)
  return [type, destination, table === undefined ? undefined : `of table ${table}`].filter(Boolean).join(' ')
}
