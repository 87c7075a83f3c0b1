/**
 * Connection tracking: the flows that the kernel knows, and what it does with them (ctnetlink).
 *
 * @example
 * import * as conntrack from 'ts-ipvs/conntrack'
 * await using tracked = await conntrack.open()
 *
 * @module
 */

export type { CallOptions } from '../netlink/channel.js'
export type { Applied, Problem } from '../netlink/error.js'
export { NetlinkError } from '../netlink/error.js'
export type { Netns } from '../netlink/netns.js'
export type { Transport } from '../netlink/transport.js'
export type { ConntrackClient } from './client.js'
export type { FlowList } from './flow-list.js'
export { type OpenOptions, open } from './open.js'
export type * from './types.js'
export type { FlowEvent, WatchOptions } from './watch.js'
