/** Routes (net/ipv4/fib_frontend.c, fib_semantics.c, fib_trie.c, net/ipv6/route.c). */
import { AF_INET, AF_INET6, familyOf } from '../../netlink/address.js'
import type { MessageReader } from '../../netlink/buffer.js'
import { gatewayOf, nexthopsFromWire, nexthopsToWire } from '../../route/nexthops.js'
import { group, message, NLM_F_EXCL, NLM_F_REPLACE, routeAttributes, routeHeader } from '../../route/wire.js'
import { EAFNOSUPPORT, EEXIST, EHOSTUNREACH, EINVAL, ENETDOWN, ENETUNREACH, ENODEV, Errno, ESRCH } from '../errno.js'
import type { Report } from '../policy.js'
import { lookUp } from './lookup.js'
import type { Nexthop, Put, Route, RouteAttributes, RouteHeader, State } from './state.js'

const TYPE = { unicast: 1, local: 2, broadcast: 3, blackhole: 6, throw: 9 }
const SCOPE = { nowhere: 255 }
const TABLE = { main: 254 }
const ONLINK = 4
const RTPROT_KERNEL = 2
/** IP6_RT_PRIO_USER */
const METRIC6 = 1024

/** Parts of a route of the kernel's own. */
export interface KernelRoute {
  readonly family: number
  readonly type: number
  readonly destination: string
  readonly length: number
  readonly table: number
  readonly scope: number
  readonly metric: number | undefined
  readonly source: string | undefined
  readonly index: number
}

/** fib_magic */
export function addKernelRoute(
  state: State,
  { family, type, destination, length, table, scope, metric, source, index }: KernelRoute,
): void {
  const route: Route = {
    header: { ...NO_HEADER, family, type, destinationLength: length, table: table & 255, scope, protocol: RTPROT_KERNEL },
    attributes: { destination: length === 0 ? undefined : destination, table, device: index, preferredSource: source, metric },
    nexthops: [{ index, gateway: undefined }],
  }
  if (!state.routes.some(other => sameKey(other, route) && other.attributes.device === index)) insert(state, route, 0)
}

const NO_HEADER: RouteHeader = {
  family: 0,
  destinationLength: 0,
  sourceLength: 0,
  tos: 0,
  table: 0,
  protocol: 0,
  scope: 0,
  type: 0,
  flags: 0,
}

export function removeKernelRoute(state: State, { family, type, destination, length, table, index }: KernelRoute): void {
  const found = state.routes.find(
    ({ header, attributes }) =>
      header.family === family &&
      header.type === type &&
      header.destinationLength === length &&
      (attributes.destination === destination || length === 0) &&
      attributes.table === table &&
      attributes.device === index,
  )
  if (found) remove(state, found, true)
}

/** fib_dump_info, rt6_fill_node */
export const putRoute =
  ({ header, attributes }: Route): Put =>
  writer => {
    routeHeader.write(writer, { ...header, table: (attributes.table ?? 0) > 255 ? 252 : header.table })
    routeAttributes.encode(writer, attributes)
  }

const groupOf = ({ header }: Route): number => (header.family === AF_INET ? group.ipv4Route : group.ipv6Route)

function insert(state: State, route: Route, flags: number): void {
  // The kernel keeps those of one network by their metric (fib_insert_alias).
  const at = state.routes.findIndex(other => sameNetwork(other, route) && metricOf(other) > metricOf(route))
  if (at < 0) state.routes.push(route)
  else state.routes.splice(at, 0, route)
  state.tell(groupOf(route), message.newRoute, flags, putRoute(route))
}

function remove(state: State, route: Route, tell: boolean): void {
  state.routes = state.routes.filter(other => other !== route)
  if (tell) state.tell(groupOf(route), message.deleteRoute, 0, putRoute(route))
}

const metricOf = ({ attributes }: Route): number => attributes.metric ?? 0

const sameNetwork = (a: Route, b: Route): boolean =>
  a.header.family === b.header.family &&
  a.attributes.table === b.attributes.table &&
  a.header.destinationLength === b.header.destinationLength &&
  a.attributes.destination === b.attributes.destination

const sameKey = (a: Route, b: Route): boolean => sameNetwork(a, b) && a.header.tos === b.header.tos && metricOf(a) === metricOf(b)

interface Parsed {
  readonly header: RouteHeader
  readonly attributes: RouteAttributes
  readonly nexthops: readonly Nexthop[]
}

function parsed(state: State, reader: MessageReader, start: number, end: number): Parsed {
  const header = routeHeader.read(reader, start)
  const attributes = routeAttributes.decode(reader, start + routeHeader.size, end) ?? {}
  const { family, destinationLength } = header
  if (family !== AF_INET && !(family === AF_INET6 && state.options.ipv6)) throw new Errno(EAFNOSUPPORT)
  if (destinationLength > (family === AF_INET ? 32 : 128)) throw new Errno(EINVAL)
  const table = attributes.table ?? (header.table || TABLE.main)
  const nexthops = attributes.nexthops
    ? nexthopsFromWire(attributes.nexthops).map(({ device, gateway }) => ({ index: Number(device ?? 0), gateway }))
    : [{ index: attributes.device ?? 0, gateway: gatewayOf(attributes) }]
  return { header: { ...header, table: table & 255 }, attributes: { ...attributes, table }, nexthops }
}

/** inet_rtm_newroute, inet6_rtm_newroute */
export function newRoute(state: State, reader: MessageReader, start: number, end: number, flags: number, report: Report): void {
  const wanted = parsed(state, reader, start, end)
  const route = completed(state, wanted, report)
  const found = state.routes.find(other => sameKey(other, route))
  if (found && flags & NLM_F_EXCL) throw new Errno(EEXIST)
  if (found && flags & NLM_F_REPLACE) {
    state.routes[state.routes.indexOf(found)] = route
    state.tell(groupOf(route), message.newRoute, NLM_F_REPLACE, putRoute(route))
  } else insert(state, route, flags & ~(NLM_F_EXCL | NLM_F_REPLACE))
}

/** fib_create_info, ip6_route_info_create: what is missing is filled in, what does not fit is refused. */
function completed(state: State, { header, attributes, nexthops }: Parsed, report: Report): Route {
  const ipv6 = header.family === AF_INET6
  const metric = ipv6 ? attributes.metric || METRIC6 : attributes.metric || undefined
  const { preferredSource } = attributes
  if (preferredSource !== undefined && !state.addresses.some(({ local }) => local === preferredSource))
    throw refuse(report, EINVAL, 'Invalid prefsrc address')
  if (header.type >= TYPE.blackhole && header.type <= TYPE.throw) {
    const lo = ipv6 ? state.linkByName('lo')?.index : undefined
    return {
      header: { ...header, flags: 0, scope: 0 },
      attributes: { ...attributes, metric, device: lo, nexthops: undefined },
      nexthops: lo === undefined ? [] : [{ index: lo, gateway: undefined }],
    }
  }
  const ways = nexthops.map(nexthop => completeNexthop(state, header, nexthop, report))
  const [way] = ways
  const told = attributes.nexthops ? { nexthops: withIndices(attributes.nexthops, ways, ipv6) } : { device: way?.index }
  return { header: { ...header, scope: ipv6 ? 0 : header.scope }, attributes: { ...attributes, ...told, metric }, nexthops: ways }
}

function withIndices(bytes: Uint8Array, ways: readonly Nexthop[], ipv6: boolean): Uint8Array {
  const nexthops = nexthopsFromWire(bytes).map(({ gateway, weight = 1 }, i) => ({
    gateway,
    device: ways[i]?.index,
    weight,
    flags: 0,
  }))
  return nexthopsToWire(nexthops, ipv6, Number)
}

/** fib_check_nh, ip6_route_check_nh */
function completeNexthop(
  state: State,
  { family, flags, type }: RouteHeader,
  { index, gateway }: Nexthop,
  report: Report,
): Nexthop {
  const link = index === 0 ? undefined : state.links.get(index)
  if (index !== 0 && !link) throw new Errno(ENODEV)
  if (gateway === undefined) {
    if (!link) throw new Errno(ENODEV)
    if (!link.up && type !== TYPE.local) throw refuse(report, ENETDOWN, 'Device for nexthop is not up')
    return { index, gateway }
  }
  if (link && (flags & ONLINK || familyOf(gateway) === 'ipv6')) {
    const reachable = family === AF_INET || flags & ONLINK || /^fe[89ab]/.test(gateway) || connected(state, gateway, index)
    if (!reachable) throw refuse(report, EHOSTUNREACH, undefined)
    if (!link.up) throw refuse(report, ENETDOWN, 'Nexthop device is not up')
    return { index, gateway }
  }
  const way = connected(state, gateway, index)
  if (!way) throw refuse(report, family === AF_INET ? ENETUNREACH : EHOSTUNREACH, 'Nexthop has invalid gateway')
  return { index: way.index, gateway }
}

/** The way to a gateway, which has to be on the network of a device. */
function connected(state: State, gateway: string, index: number): Nexthop | undefined {
  const family = familyOf(gateway) === 'ipv6' ? AF_INET6 : AF_INET
  const found = lookUp(state, family, gateway, index)
  const [way] = found?.nexthops ?? []
  return way && way.gateway === undefined && found?.header.type === TYPE.unicast ? way : undefined
}

function refuse(report: Report, errno: number, text: string | undefined): Errno {
  if (text !== undefined) report.message = text
  return new Errno(errno)
}

/** fib_table_delete, ip6_route_del: the first that has what is given. */
export function deleteRoute(state: State, reader: MessageReader, start: number, end: number): void {
  const wanted = parsed(state, reader, start, end)
  const key: Route = { ...wanted, attributes: { ...wanted.attributes, metric: undefined } }
  const found = state.routes.find(route => sameNetwork(route, key) && matches(route, wanted))
  if (!found) throw new Errno(ESRCH)
  remove(state, found, true)
}

function matches(route: Route, { header, attributes, nexthops }: Parsed): boolean {
  const ipv6 = header.family === AF_INET6
  const { type, scope, protocol, tos } = route.header
  if (attributes.metric && attributes.metric !== metricOf(route)) return false
  if (header.protocol !== 0 && header.protocol !== protocol) return false
  if (!ipv6) {
    if (header.tos !== tos || (header.type !== 0 && header.type !== type)) return false
    if (header.scope !== SCOPE.nowhere && header.scope !== scope) return false
    if (attributes.preferredSource !== undefined && attributes.preferredSource !== route.attributes.preferredSource) return false
  }
  return nexthops.every(
    ({ index, gateway }, i) =>
      (index === 0 || index === route.nexthops[i]?.index) && (gateway === undefined || gateway === route.nexthops[i]?.gateway),
  )
}

/** A device goes down: those of IPv4 that lead there go without a word, but for its own addresses (fib_sync_down_dev). */
export function routesDown(state: State, index: number): void {
  for (const route of leadingTo(state, index)) {
    const ipv4 = route.header.family === AF_INET
    if (!ipv4 || route.header.type !== TYPE.local) remove(state, route, !ipv4)
  }
}

export function routesGone(state: State, index: number): void {
  for (const route of leadingTo(state, index)) remove(state, route, route.header.family !== AF_INET)
}

const leadingTo = (state: State, index: number): Route[] =>
  state.routes.filter(({ nexthops }) => nexthops.some(nexthop => nexthop.index === index))
