/**
 * Linux's in-kernel load balancer, from TypeScript.
 *
 * @example
 * import { ipvs } from 'ts-ipvs'
 * const lvs = await ipvs.open()
 *
 * @module
 */
export * as ipvs from './ipvs/index.js'
export { type Applied, NetlinkError, type Problem } from './netlink/error.js'
export type { Netns } from './netlink/netns.js'
