/**
 * nftables.
 *
 * @example
 * import * as nft from 'ts-ipvs/nft'
 * await using nf = await nft.open()
 *
 * @module
 */

export type { CallOptions } from '../netlink/channel.js'
export type { Applied, Problem } from '../netlink/error.js'
export { NetlinkError } from '../netlink/error.js'
export type { Netns } from '../netlink/netns.js'
export type { Transport } from '../netlink/transport.js'
export * from './builders/index.js'
export type { Availability, Capabilities, CapabilityOptions, Missing } from './capabilities.js'
export type { Change } from './change.js'
export type { NftClient } from './client.js'
export type { CommandBuilder } from './commit.js'
export type { Data, Register, Verdict } from './data.js'
export type { AppliedDocument, ApplyOptions, Plan, RulesetFilter } from './document/client.js'
export type { ElementList, SetLike } from './element-list.js'
export { type Failure, TransactionError } from './error.js'
export type * from './expressions/index.js'
export { rejectCodes } from './expressions/reject.js'
export type * as json from './json/index.js'
export { documentOfText, documentToText } from './json/number.js'
export type { Generation } from './kernel.js'
export { type OpenOptions, open } from './open.js'
export type { CommitOptions, FlushOptions, ListFilter, ObjectFilter, RuleFilter } from './options.js'
export { recreate } from './recreate.js'
export { type RenderOptions, renderCommands, renderDocument, renderExpression, renderStatements } from './render/index.js'
export type { Snapshot, SnapshotFilter } from './snapshot.js'
export type { Committed } from './transaction.js'
export type * from './types.js'
export type { UserDatum } from './user-data.js'
export type { WatchEvent, WatchOptions } from './watch.js'
