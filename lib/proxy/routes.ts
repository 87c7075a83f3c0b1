/** Local routes, so that the addresses of Services come to this machine: without them connections fail where there is no default route. */
import type { Operation, Route, RouteClient, RouteConfig, RouteKey } from '../route/index.js'
import type { Cidr, Family } from '../service/index.js'
import type { LocalAddresses } from './cluster.js'

/** Number of our routes' protocol (rtnetlink(7), RTPROT_*): nobody else's that is known, and what tells them from others. */
export const PROTOCOL = 114

export interface RoutesWanted {
  readonly family: Family
  /** Ranges of addresses, of which everyone has a route. */
  readonly ranges: readonly Cidr[]
  /** Addresses of Services: those outside of the ranges, that no node has, have a route each. */
  readonly addresses: Iterable<string>
  /** The machine's own addresses, and those of other nodes. */
  readonly nodes: ReadonlySet<string>
}

/** What is to be done. */
export interface RouteChanges {
  readonly added: readonly RouteConfig[]
  readonly removed: readonly Route[]
}

/** Destinations that are wanted: as prefixes. */
export function destinations(
  { family, ranges, addresses, nodes }: RoutesWanted,
  contains: (cidr: Cidr, address: string) => boolean,
): ReadonlySet<string> {
  const own = ranges.filter(cidr => cidr.family === family)
  const bits = family === 'ipv4' ? 32 : 128
  const wanted = new Set(own.map(({ text }) => text))
  for (const address of addresses)
    if (address.includes(':') === (family === 'ipv6') && !nodes.has(address) && !own.some(cidr => contains(cidr, address)))
      wanted.add(`${address}/${bits}`)
  return wanted
}

/** From the routes that are there to those that are wanted. */
export function planRoutes(wanted: ReadonlySet<string>, there: readonly Route[], source: string | undefined): RouteChanges {
  const known = new Map(there.map(route => [prefixOf(route), route]))
  const added = [...wanted]
    .filter(destination => {
      const route = known.get(destination)
      return !route || (source !== undefined && route.source !== source)
    })
    .map(
      (destination): RouteConfig => ({
        destination,
        type: 'local',
        table: 'local',
        device: 'lo',
        protocol: PROTOCOL,
        ...(source === undefined ? {} : { source }),
      }),
    )
  return { added, removed: there.filter(route => !wanted.has(prefixOf(route))) }
}

/** Our routes of a family. */
export async function ownRoutes(client: RouteClient, family: Family, signal?: AbortSignal): Promise<readonly Route[]> {
  return client.routes({ family, table: 'local', type: 'local', protocol: PROTOCOL, signal })
}

/** Those that are missing: before it, what they lead to has to be there. Rejects with what is wrong with the first one that is refused. */
export async function addRoutes(client: RouteClient, { added }: RouteChanges, signal?: AbortSignal): Promise<void> {
  await carryOut(
    client,
    added.map(route => ({ replaceRoute: route })),
    signal,
  )
}

export async function removeRoutes(client: RouteClient, { removed }: RouteChanges, signal?: AbortSignal): Promise<void> {
  const keyOf = ({ destination, table, type, device, protocol }: Route): RouteKey => ({
    destination,
    table,
    type,
    device,
    protocol,
  })
  await carryOut(
    client,
    removed.map(route => ({ removeRoute: keyOf(route) })),
    signal,
  )
}

async function carryOut(client: RouteClient, operations: readonly Operation[], signal: AbortSignal | undefined): Promise<void> {
  if (operations.length === 0) return
  for (const result of await client.run(operations, { signal })) if (!result.ok) throw result.error
}

const prefixOf = ({ family, destination }: Route): string =>
  destination.includes('/') ? destination : `${destination}/${family === 'ipv4' ? 32 : 128}`

export const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** Usable ones, in the order of the devices: loopback and link-local addresses last. */
export async function localAddresses(routes: RouteClient): Promise<LocalAddresses> {
  const all = (await routes.addresses()).map(({ address, scope }) => ({
    address,
    far: isLoopback(address) || scope === 'link' || scope === 'host',
  }))
  return [...all.filter(({ far }) => !far), ...all.filter(({ far }) => far)].map(({ address }) => address)
}

/** Addresses that came, or went. */
export function changed(before: Iterable<string>, now: Iterable<string>): readonly string[] {
  const gone = new Set(before)
  return [...[...now].filter(address => !gone.delete(address)), ...gone]
}
