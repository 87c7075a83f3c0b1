/**
 * Linux's in-kernel load balancer and its packet filter, from TypeScript.
 *
 * @example
 * import { ipvs, nft } from 'ts-ipvs'
 * const lvs = await ipvs.open()
 * const nf = await nft.open()
 *
 * @module
 */
export * as conntrack from './conntrack/index.js'
export * as ipvs from './ipvs/index.js'
export { type Applied, NetlinkError, type Problem } from './netlink/error.js'
export type { Netns } from './netlink/netns.js'
export * as nft from './nft/index.js'
export * as route from './route/index.js'
