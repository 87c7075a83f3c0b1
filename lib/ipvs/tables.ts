/** The tables as they are handed over: all at once, or in groups. */
import type { CallOptions } from '../netlink/channel.js'
import { realServerFromWire } from './real-server.js'
import type { Entry } from './snapshot.js'
import type { Family, SyncDaemon, Timeouts, VirtualServerWithRealServers } from './types.js'
import { virtualServerFromWire } from './virtual-server.js'

export interface ListOptions extends CallOptions {
  /** Decode counters and rates. Default false. */
  readonly statistics?: boolean | undefined
}

export interface VisitOptions extends ListOptions {
  /** Virtual servers by mark, family, protocol, address and port. Default: the kernel's order, newest first. */
  readonly sorted?: boolean | undefined
  /** Only virtual servers of this family: the real servers of others are not read. Default: of both. */
  readonly family?: Family | undefined
}

/** Takes virtual servers with their real servers as they are read. */
export type Visitor = (group: VirtualServerWithRealServers[]) => unknown

/** How it went. */
export interface Visited {
  /** False when others kept changing the tables while they were read, so that something may be missing. */
  readonly consistent: boolean
}

/** Everything in one value. */
export interface Snapshot {
  readonly virtualServers: VirtualServerWithRealServers[]
  readonly timeouts: Timeouts
  readonly syncDaemons: SyncDaemon[]
  /** False when others kept changing the tables while they were read, so that something may be missing. */
  readonly consistent: boolean
}

export function withRealServers({ service, destinations }: Entry): VirtualServerWithRealServers {
  const realServers = destinations.map(record => realServerFromWire(record, service.addressFamily ?? 0))
  return { ...virtualServerFromWire(service), realServers }
}
