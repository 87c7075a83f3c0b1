/** Which route a packet would take (net/core/fib_rules.c, net/ipv4/route.c, inet_rtm_getroute). */
import { AF_INET, AF_INET6, familyOf, writeAddress } from '../../netlink/address.js'
import { masked } from '../../netlink/fields.js'
import { EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, Errno } from '../errno.js'
import type { Route, RouteAttributes, State } from './state.js'

const ACTION_LOOKUP = 1
const TYPE = { blackhole: 6, unreachable: 7, prohibit: 8, throw: 9 }
const CLONED = 0x200

function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  writeAddress(address, familyOf(address), bytes, 0)
  return bytes
}

/** Whether a network has an address. */
export function holds(network: string | undefined, length: number, address: string): boolean {
  return network === undefined || Buffer.compare(masked(bytesOf(address), length), bytesOf(network)) === 0
}

/** The route by all rules; undefined where there is none. `index` is the device that it has to lead to, 0 is any. */
export function lookUp(state: State, family: number, address: string, index: number, mark = 0): Route | undefined {
  for (const { header, attributes } of state.rules) {
    const { mark: wanted = 0, mask = 0 } = attributes
    if (header.family !== family || header.action !== ACTION_LOOKUP || (mark & mask) >>> 0 !== wanted) continue
    if (attributes.inputDevice !== undefined || !holds(attributes.to, header.toLength, address)) continue
    const found = longest(state, family, attributes.table ?? 0, address, index)
    if (found && found.header.type !== TYPE.throw) return found
  }
  return undefined
}

function longest(state: State, family: number, table: number, address: string, index: number): Route | undefined {
  let best: Route | undefined
  for (const route of state.routes) {
    const { header, attributes, nexthops } = route
    if (
      header.family !== family ||
      attributes.table !== table ||
      !holds(attributes.destination, header.destinationLength, address)
    )
      continue
    if (index !== 0 && nexthops.length > 0 && !nexthops.some(nexthop => nexthop.index === index)) continue
    if (!best || header.destinationLength > best.header.destinationLength) best = route
  }
  return best
}

/** The answer to a lookup. Throws the errno that a packet would meet. */
export function answerLookup(state: State, family: number, attributes: RouteAttributes): Route {
  const { destination = family === AF_INET6 ? '::' : '0.0.0.0', device = 0, mark } = attributes
  const found = lookUp(state, family, destination, device, mark)
  if (!found) throw new Errno(ENETUNREACH)
  const { type } = found.header
  if (type === TYPE.blackhole) throw new Errno(EINVAL)
  if (type === TYPE.unreachable) throw new Errno(EHOSTUNREACH)
  if (type === TYPE.prohibit) throw new Errno(EACCES)
  const [way] = found.nexthops
  const { table, preferredSource, gateway, via, metric } = found.attributes
  const source =
    preferredSource ?? state.addresses.find(one => one.index === way?.index && one.family === family && one.scope === 0)?.local
  return {
    header: { ...found.header, destinationLength: family === AF_INET ? 32 : 128, flags: CLONED, scope: 0, protocol: 0 },
    attributes: {
      destination,
      table,
      device: way?.index,
      gateway: gateway ?? (via ? undefined : way?.gateway),
      via,
      preferredSource: source,
      ...(family === AF_INET6 && { metric }),
    },
    nexthops: found.nexthops,
  }
}
