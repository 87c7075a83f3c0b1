/** Lists of addresses, routes and rules. The kernel filters where it can (Linux 4.20), and what it lets through is looked at again. */
import { AF_INET, AF_INET6, type Family } from '../netlink/address.js'
import type { Answer } from '../netlink/answer.js'
import type { MessageReader } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import { type Check, Fields, prefix, whole, within, word } from '../netlink/fields.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { Turns } from '../netlink/turns.js'
import { readAddress } from './addresses.js'
import { indexOf, type Names, namesOf } from './devices.js'
import { deviceCheck } from './links.js'
import { isRefusal } from './reasons.js'
import { readAnyRoute, readRoute } from './routes.js'
import { readRule } from './rules.js'
import type { Address, AddressFilter, Device, Nexthop, Route, RouteFilter, Rule, RuleFilter } from './types.js'
import { addressAttributes, addressHeader, message, routeAttributes, routeHeader, ruleAttributes, ruleHeader } from './wire.js'
import { protocolCheck, protocolOf, ROUTE_TYPES, tableCheck, tableOf, typeOf } from './words.js'

const FAMILIES: Readonly<Record<Family, number>> = { ipv4: AF_INET, ipv6: AF_INET6 }
const familyCheck: Check<number> = word(FAMILIES)
const MAIN = 254

/** Addresses, in the order of the kernel: by device, IPv4 first. Throws a `BadValue`. */
export async function readAddresses(kernel: Kernel, filter: AddressFilter, limit: Limit): Promise<Address[]> {
  const fields = new Fields(filter, ['family', 'device'], 'options')
  const family = fields.optional('family', familyCheck) ?? 0
  const device = fields.optional('device', deviceCheck)
  const index = device === undefined ? 0 : await indexOf(kernel, device, limit)
  const answer = await dump(kernel, addressAsk(family, index), limit)
  const found = await decode(
    answer,
    readAddress,
    address => matches(address.family, family) && (index === 0 || address.device === index),
  )
  return named(kernel, found, limit)
}

/** A question for addresses; 0 is any. */
export function addressAsk(family: number, index: number): Ask {
  return {
    type: message.getAddress,
    header: addressHeader.size,
    attributes: addressAttributes,
    body: writer => addressHeader.write(writer, { family, index }),
  }
}

/** Routes, in the order of the kernel. Throws a `BadValue`. */
export async function readRoutes(kernel: Kernel, filter: RouteFilter, limit: Limit): Promise<Route[]> {
  const fields = new Fields(filter, ['family', 'table', 'type', 'protocol', 'device', 'destination'], 'options')
  const destination = fields.optional('destination', prefix)
  const wanted = {
    family: fields.optional('family', familyCheck) ?? (destination ? FAMILIES[destination.family] : 0),
    table: fields.optional('table', value => (value === 'all' ? 0 : tableCheck(value))) ?? MAIN,
    type: fields.optional('type', word(ROUTE_TYPES)) ?? 0,
    protocol: fields.optional('protocol', protocolCheck) ?? 0,
  }
  const device = fields.optional('device', deviceCheck)
  const index = device === undefined ? 0 : await indexOf(kernel, device, limit)
  const network = destination && `${destination.address}/${destination.length}`
  const answer = await dump(kernel, routeAsk({ ...wanted, index }), limit)
  const found = await decode(
    answer,
    readRoute,
    route =>
      matches(route.family, wanted.family) &&
      (wanted.table === 0 || route.table === tableOf(wanted.table)) &&
      (wanted.type === 0 || route.type === typeOf(wanted.type)) &&
      (wanted.protocol === 0 || route.protocol === protocolOf(wanted.protocol)) &&
      (index === 0 || leadsTo(route, index)) &&
      (network === undefined || route.destination === network),
  )
  return named(kernel, found, limit)
}

const leadsTo = ({ device, nexthops = [] }: Route, index: number): boolean =>
  device === index || nexthops.some(nexthop => nexthop.device === index)

/** What is asked for; 0 is any. */
export interface WantedRoutes {
  readonly family: number
  readonly table: number
  readonly type: number
  readonly protocol: number
  readonly index: number
}

export function routeAsk({ family, table, type, protocol, index }: WantedRoutes): Ask {
  return {
    type: message.getRoute,
    header: routeHeader.size,
    attributes: routeAttributes,
    body: writer => {
      routeHeader.write(writer, { family, table: table > 255 ? 0 : table, type, protocol })
      routeAttributes.encode(writer, { device: index || undefined, table: table || undefined })
    },
  }
}

/** Rules, IPv4 first, in the order in which they are asked. Throws a `BadValue`. */
export async function readRules(kernel: Kernel, filter: RuleFilter, limit: Limit): Promise<Rule[]> {
  const fields = new Fields(filter, ['family', 'priority', 'table'], 'options')
  const family = fields.optional('family', familyCheck) ?? 0
  const priority = fields.optional('priority', whole(0, 0xffff_ffff))
  const table = fields.optional('table', tableCheck)
  const answer = await dump(kernel, ruleAsk(family), limit)
  return decode(
    answer,
    readRule,
    rule =>
      matches(rule.family, family) &&
      (priority === undefined || rule.priority === priority) &&
      (table === undefined || rule.table === tableOf(table)),
  )
}

export function ruleAsk(family: number): Ask {
  return {
    type: message.getRule,
    header: ruleHeader.size,
    attributes: ruleAttributes,
    body: writer => ruleHeader.write(writer, { family }),
  }
}

const matches = (family: Family, wanted: number): boolean => wanted === 0 || FAMILIES[family] === wanted

/** A list is empty where the device or the table that is asked for is not there. */
async function dump(kernel: Kernel, ask: Ask, limit: Limit): Promise<Answer | undefined> {
  try {
    return await kernel.dump(ask, limit)
  } catch (error) {
    if (isRefusal(error, 'ENODEV', 'ENOENT')) return undefined
    throw error
  }
}

/** What a message says. */
type Read<T> = (reader: MessageReader, start: number, end: number) => T | undefined

export async function decode<T>(answer: Answer | undefined, read: Read<T>, wanted: (object: T) => boolean): Promise<T[]> {
  const found: T[] = []
  if (!answer) return found
  const turns = new Turns()
  for (const { payload, end } of answer.messages()) {
    const object = read(answer.reader, payload, end)
    if (object && wanted(object)) found.push(object)
    if (turns.due(1)) await turns.give()
  }
  return found
}

interface OnDevices {
  readonly device?: Device | undefined
  readonly nexthops?: readonly Nexthop[] | undefined
}

/** The same objects, with the names of their devices. */
async function named<T extends OnDevices>(kernel: Kernel, objects: readonly T[], limit: Limit): Promise<T[]> {
  const indices = new Set<number>()
  for (const { device, nexthops = [] } of objects)
    for (const found of [device, ...nexthops.map(nexthop => nexthop.device)]) if (typeof found === 'number') indices.add(found)
  const names = await namesOf(kernel, indices, limit)
  const turns = new Turns()
  const withTheirs: T[] = []
  for (const object of objects) {
    withTheirs.push(withNames(object, names))
    if (turns.due(1)) await turns.give()
  }
  return withTheirs
}

export function withNames<T extends OnDevices>(object: T, names: Names): T {
  const { device, nexthops } = object
  return {
    ...object,
    ...(typeof device === 'number' && { device: names(device) }),
    ...(nexthops && { nexthops: nexthops.map(nexthop => withNames(nexthop, names)) }),
  }
}

/** What packets to an address would do. */
export interface LookupOptions {
  /** Their source. */
  readonly from?: string | undefined
  /** Device that they come in by. Default: they are of this host. */
  readonly inputDevice?: Device | undefined
  /** Device that they have to go out by. */
  readonly device?: Device | undefined
  readonly mark?: number | undefined
}

/** The route that the kernel would take. Throws a `BadValue`. */
export async function lookup(kernel: Kernel, to: string, given: LookupOptions, limit: Limit): Promise<Route | undefined> {
  const destination = within('destination', () => prefix(to))
  const fields = new Fields(given, ['from', 'inputDevice', 'device', 'mark'], 'options')
  const from = fields.optional('from', prefix)
  const devices = [fields.optional('inputDevice', deviceCheck), fields.optional('device', deviceCheck)]
  const mark = fields.optional('mark', whole(0, 0xffff_ffff))
  const [inputDevice, device] = await Promise.all(
    devices.map(name => (name === undefined ? undefined : indexOf(kernel, name, limit))),
  )
  const ask: Ask = {
    type: message.getRoute,
    header: routeHeader.size,
    attributes: routeAttributes,
    body: writer => {
      routeHeader.write(writer, {
        family: FAMILIES[destination.family],
        destinationLength: destination.length,
        sourceLength: from?.length ?? 0,
        flags: LOOKUP_TABLE,
      })
      routeAttributes.encode(writer, { destination: destination.address, source: from?.address, inputDevice, device, mark })
    },
  }
  const found = await decode(await kernel.request(ask, limit, 'no'), readAnyRoute, () => true)
  return (await named(kernel, found, limit))[0]
}

/** RTM_F_LOOKUP_TABLE: tell the table that the route is in. */
const LOOKUP_TABLE = 0x1000
