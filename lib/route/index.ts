/**
 * Devices, addresses, routes and rules of the kernel (rtnetlink).
 *
 * @example
 * import * as route from 'ts-ipvs/route'
 * await using routes = await route.open()
 *
 * @module
 */

export type { CallOptions } from '../netlink/channel.js'
export type { Applied, Problem } from '../netlink/error.js'
export { NetlinkError } from '../netlink/error.js'
export type { Netns } from '../netlink/netns.js'
export type { Transport } from '../netlink/transport.js'
export type { RouteClient } from './client.js'
export type { WatchEvent } from './follower.js'
export type { Change } from './model.js'
export { type OpenOptions, open } from './open.js'
export type { LookupOptions } from './read.js'
export type { Operation, Result } from './run.js'
export type * from './types.js'
export type { WatchOptions } from './watch.js'
