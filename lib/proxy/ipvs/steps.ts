/** What is known of virtual servers, and the steps from what the kernel has to what is wanted. */
import type { Operation, RealServer, VirtualServerKey } from '../../ipvs/index.js'
import type { Frontend } from '../../service/index.js'
import { type EndpointName, endpointName, endpointOf, type LedgerEntry, partsOf, type ServerName } from '../names.js'
import { knownWeight, type WantedServer, type Weighed } from './wanted.js'

/** Where is written which virtual servers are ours: before they are made, and until they are gone. */
export interface Ledger {
  enter(entry: LedgerEntry): void
  strike(entry: LedgerEntry): void
}

/** A virtual server, as long as it is wanted or there. */
export interface Server {
  readonly name: ServerName
  wanted: WantedServer | undefined
  /** What the kernel has of it, if it is ours. */
  known: Known | undefined
  entry: LedgerEntry | undefined
}

/** What the kernel has of ours. */
export interface Known {
  content: string
  /** Weights by endpoint. */
  readonly weights: Map<EndpointName, number>
  /** Whose it was last; unknown of what an earlier proxy left. */
  frontend: Frontend | undefined
}

/** An operation on a virtual server, or on one of its endpoints. */
export interface Step {
  readonly server: Server
  readonly operation: Operation
  /** What it brings the virtual server to. */
  readonly wanted: WantedServer | undefined
  readonly endpoint: EndpointName | undefined
}

/** What the kernel has of one that was not looked at. */
export const unread = (frontend: Frontend | undefined): Known => ({ content: '', weights: new Map(), frontend })

export const setting = (operation: 'addVirtualServer' | 'updateVirtualServer', server: Server, wanted: WantedServer): Step => ({
  server,
  operation: { operation, virtualServer: wanted.config },
  wanted,
  endpoint: undefined,
})

export function weighing(
  server: Server,
  virtualServer: VirtualServerKey,
  endpoint: EndpointName,
  realServer: Weighed['config'],
): Step {
  const operation = server.known?.weights.has(endpoint) ? ('updateRealServer' as const) : ('addRealServer' as const)
  return { server, operation: { operation, virtualServer, realServer }, wanted: undefined, endpoint }
}

export const dismissal = (server: Server, virtualServer: VirtualServerKey, endpoint: EndpointName): Step => ({
  server,
  operation: { operation: 'removeRealServer', virtualServer, realServer: endpointOf(endpoint) },
  wanted: undefined,
  endpoint,
})

export const removal = (server: Server): Step => ({
  server,
  operation: { operation: 'removeVirtualServer', virtualServer: partsOf(server.name) },
  wanted: undefined,
  endpoint: undefined,
})

export function leavingOf({ weights }: Known, wanted: WantedServer | undefined): readonly EndpointName[] {
  if (weights.size === 0) return []
  const staying = new Set(wanted?.realServers.map(({ name }) => name))
  return [...weights.keys()].filter(endpoint => !staying.has(endpoint))
}

export const weightsIn = (realServers: readonly RealServer[]): Map<EndpointName, number> =>
  new Map(realServers.map(server => [endpointName(server), knownWeight(server)]))

export function sameKnown(a: Known, b: Known): boolean {
  return (
    a.content === b.content &&
    a.weights.size === b.weights.size &&
    [...a.weights].every(([endpoint, weight]) => b.weights.get(endpoint) === weight)
  )
}
