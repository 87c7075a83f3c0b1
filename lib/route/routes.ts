/** Routes: plain object to message and back. */
import { AF_INET, AF_INET6, type Family } from '../netlink/address.js'
import type { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { address, Fields, listOf, type Prefix, prefix, whole, word } from '../netlink/fields.js'
import { BadValue } from '../netlink/schema.js'
import { sameFamily } from './addresses.js'
import { deviceCheck } from './links.js'
import {
  type CheckedNexthop,
  flagBits,
  flagWords,
  gatewayAttributes,
  gatewayOf,
  nexthopCheck,
  nexthopsFromWire,
  nexthopsToWire,
} from './nexthops.js'
import type { Device, Route, RouteConfig, RouteKey } from './types.js'
import { routeAttributes, routeHeader } from './wire.js'
import { protocolCheck, protocolOf, ROUTE_TYPES, SCOPES, scopeCheck, scopeOf, tableCheck, tableOf, typeOf } from './words.js'

/** RTPROT_BOOT */
const BOOT = 3
const MAIN = 254
const LOCAL = 255

/** A route that was checked. Devices are still to be looked up. */
export interface CheckedRoute {
  readonly destination: Prefix
  readonly type: number | undefined
  readonly table: number
  readonly device: Device | undefined
  readonly gateway: string | undefined
  readonly flags: number
  readonly source: string | undefined
  readonly metric: number | undefined
  readonly protocol: number | undefined
  readonly scope: number | undefined
  readonly tos: number
  readonly nexthops: readonly CheckedNexthop[] | undefined
  readonly mtu: number | undefined
}

const KNOWN = [
  'destination',
  'type',
  'table',
  'device',
  'gateway',
  'flags',
  'source',
  'metric',
  'protocol',
  'scope',
  'tos',
  'nexthops',
  'mtu',
  'family',
]

/** Throws a `BadValue`. */
export function checkRoute(given: RouteConfig | RouteKey): CheckedRoute {
  const fields = new Fields(given, KNOWN)
  const destination = fields.required('destination', prefix)
  const type = fields.optional('type', word(ROUTE_TYPES))
  const nexthops = fields.optional('nexthops', listOf(nexthopCheck))
  if (nexthops)
    for (const field of ['device', 'gateway'])
      if (fields.has(field)) throw new BadValue('type', 'give it or nexthops, not both').within(field)
  if (nexthops?.length === 0) throw new BadValue('range', 'there are none: give one at least').within('nexthops')
  const gateways = [fields.optional('gateway', address), ...(nexthops ?? []).map(({ gateway }) => gateway)]
  if (destination.family === 'ipv6' && gateways.some(gateway => gateway?.includes('.') && !gateway.includes(':')))
    throw new BadValue('range', 'an IPv6 route has IPv6 gateways').within(nexthops ? 'nexthops' : 'gateway')
  return {
    destination,
    type,
    table: fields.optional('table', tableCheck) ?? (isLocal(type) ? LOCAL : MAIN),
    device: fields.optional('device', deviceCheck),
    gateway: gateways[0],
    flags: fields.optional('flags', flagBits) ?? 0,
    source: fields.optional('source', sameFamily(destination.address)),
    metric: fields.optional('metric', whole(0, 0xffff_ffff)),
    protocol: fields.optional('protocol', protocolCheck),
    scope: fields.optional('scope', scopeCheck),
    tos: fields.optional('tos', whole(0, 255)) ?? 0,
    nexthops,
    mtu: fields.optional('mtu', whole(1, 0xffff_ffff)),
  }
}

/** Routes that `ip` puts into the table local when nothing else is said. */
const isLocal = (type: number | undefined): boolean =>
  type === ROUTE_TYPES.local || type === ROUTE_TYPES.broadcast || type === ROUTE_TYPES.anycast

/** A route as it is to be added. Throws a `BadValue`. */
export function checkNewRoute(given: RouteConfig): CheckedRoute {
  const route = checkRoute(given)
  const { type = ROUTE_TYPES.unicast, device, gateway, nexthops } = route
  if (type === ROUTE_TYPES.unicast && device === undefined && gateway === undefined && nexthops === undefined)
    throw new BadValue('type', 'it leads nowhere: give a device, a gateway or nexthops, or another type')
  return { ...route, type, protocol: route.protocol ?? BOOT, scope: route.scope ?? defaultScope(type, route) }
}

/** As `ip route` has it. The kernel refuses IPv4 routes whose scope does not fit. */
function defaultScope(type: number, { destination, gateway, nexthops }: CheckedRoute): number {
  if (destination.family === 'ipv6') return SCOPES.global
  if (type === ROUTE_TYPES.local) return SCOPES.host
  if (type === ROUTE_TYPES.broadcast || type === ROUTE_TYPES.multicast || type === ROUTE_TYPES.anycast) return SCOPES.link
  return type === ROUTE_TYPES.unicast && gateway === undefined && nexthops === undefined ? SCOPES.link : SCOPES.global
}

/** The devices that a route names. */
export function devicesOf({ device, nexthops = [] }: CheckedRoute): Device[] {
  return [device, ...nexthops.map(nexthop => nexthop.device)].filter(found => found !== undefined)
}

/** Writes a route's message. What is undefined is any, for the message that removes it. */
export function writeRoute(writer: MessageWriter, route: CheckedRoute, indexOf: (device: Device) => number): void {
  const { destination, type = 0, table, device, gateway, flags, source, metric, protocol = 0, tos, nexthops, mtu } = route
  const ipv6 = destination.family === 'ipv6'
  routeHeader.write(writer, {
    family: ipv6 ? AF_INET6 : AF_INET,
    destinationLength: destination.length,
    tos,
    table: table > 255 ? 0 : table,
    protocol,
    scope: route.scope ?? SCOPES.nowhere,
    type,
    flags,
  })
  routeAttributes.encode(writer, {
    destination: destination.length === 0 ? undefined : destination.address,
    ...gatewayAttributes(gateway, ipv6),
    device: device === undefined ? undefined : indexOf(device),
    metric,
    preferredSource: source,
    metrics: mtu === undefined ? undefined : { mtu },
    nexthops: nexthops && nexthopsToWire(nexthops, ipv6, indexOf),
    table,
  })
}

/** RTM_F_CLONED: made for one destination by a redirect or for its MTU. */
const CLONED = 0x200

/** A route's message; its devices are indices. Undefined for one that is none of the tables', or makes no sense. */
export function readRoute(reader: MessageReader, start: number, end: number): Route | undefined {
  if (end - start < routeHeader.size || routeHeader.read(reader, start).flags & CLONED) return undefined
  return readAnyRoute(reader, start, end)
}

/** The same, also for the answer to a lookup. */
export function readAnyRoute(reader: MessageReader, start: number, end: number): Route | undefined {
  const header = routeHeader.read(reader, start)
  const found = routeAttributes.decode(reader, start + routeHeader.size, end)
  const type = typeOf(header.type)
  if (!found || !type || (header.family !== AF_INET && header.family !== AF_INET6)) return undefined
  const family: Family = header.family === AF_INET6 ? 'ipv6' : 'ipv4'
  const { destination = family === 'ipv6' ? '::' : '0.0.0.0', device, metric, preferredSource, metrics, nexthops, table } = found
  const gateway = gatewayOf(found)
  const flags = flagWords(header.flags)
  return {
    family,
    destination: `${destination}/${header.destinationLength}`,
    type,
    table: tableOf(table ?? header.table),
    ...(device !== undefined && { device }),
    ...(gateway !== undefined && { gateway }),
    ...(flags.length > 0 && { flags }),
    ...(preferredSource !== undefined && { source: preferredSource }),
    ...(metric !== undefined && { metric }),
    protocol: protocolOf(header.protocol),
    scope: scopeOf(header.scope),
    ...(header.tos !== 0 && { tos: header.tos }),
    ...(nexthops && { nexthops: nexthopsFromWire(nexthops) }),
    ...(metrics?.mtu !== undefined && { mtu: metrics.mtu }),
  }
}
