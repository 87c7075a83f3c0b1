/** What a case of the conformance suites of routes and connection tracking is, and what it runs in. */
import { type ConntrackClient, open as openConntrack } from '../../../lib/conntrack/index.js'
import { open as openRoute, type RouteClient } from '../../../lib/route/index.js'
import type * as suite from '../support/suite.js'

export { type Options, Skip } from '../support/suite.js'

/** A namespace in which there is only lo, which is up, and nothing is tracked. */
export interface Clients {
  /** A client, closed after the case. */
  route(options?: suite.Options): Promise<RouteClient>
  conntrack(options?: suite.Options): Promise<ConntrackClient>
}

export const clientsOf: suite.ClientsOf<Clients> = (on, closed) => ({
  route: options => closed(openRoute(on(options))),
  conntrack: options => closed(openConntrack(on(options))),
})

export type Context = suite.Context & Clients
export type LinuxContext = suite.LinuxContext & Clients
export type MemoryContext = suite.MemoryContext & Clients
export type Case = suite.Case<Clients>
