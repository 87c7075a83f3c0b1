/**
 * Linux's in-kernel load balancer.
 *
 * @example
 * import * as ipvs from 'ts-ipvs/ipvs'
 * const lvs = await ipvs.open()
 *
 * @module
 */
export type { CallOptions } from '../netlink/channel.js'
export type { Applied, Problem } from '../netlink/error.js'
export { NetlinkError } from '../netlink/error.js'
export type { Netns } from '../netlink/netns.js'
export type { Transport } from '../netlink/transport.js'
export type { Operation, Result } from './batch.js'
export type { Capabilities } from './capabilities.js'
export { type Configuration, checkConfiguration, type Mistake } from './check.js'
export type { IpvsClient } from './client.js'
export { describeChange } from './describe.js'
export type { DesiredVirtualServer } from './desired.js'
export type { DrainOptions, DrainProgress, DrainResult } from './drain.js'
export { SCHEDULERS } from './explain.js'
export type { Listing } from './listing.js'
export { type OpenOptions, open } from './open.js'
export { ApplyError, type ApplyResult, type Plan, type PlanOptions } from './plan.js'
export type { Connection, ConnectionOptions, Endpoint } from './proc.js'
export { describeRealServer } from './real-server.js'
export { formatRealServerRule, formatRules, type Rules, type RulesOptions } from './rules.js'
export { sameSyncDaemon } from './sync-daemon.js'
export { SYSCTLS, type SysctlName, type Sysctls } from './sysctl.js'
export type { ListOptions, Snapshot, Visited, VisitOptions, Visitor } from './tables.js'
export {
  formatHeading,
  formatRows,
  formatTable,
  type Names,
  namedEndpoint,
  sortVirtualServers,
  type TableOptions,
  type TableView,
} from './text.js'
export type * from './types.js'
export { describeVirtualServer } from './virtual-server.js'
export { type Change, isTransient, type WatchOptions } from './watch.js'
