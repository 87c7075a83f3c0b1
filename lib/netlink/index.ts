/**
 * Netlink for those who bring their own family: attribute tables, messages, generic netlink, transports.
 *
 * @module
 */
export * from './address.js'
export { MessageReader, MessageWriter } from './buffer.js'
export { Calls } from './calls.js'
export { type CallOptions, Channel, type ChannelOptions, Limit, readerOf } from './channel.js'
export { type Applied, errnoName, NetlinkError, type NetlinkErrorFields, type Problem } from './error.js'
export { type Body, type Family as GenericFamilyTable, type FamilyMessage, GenericFamily, type Page, Refusal } from './generic.js'
export * from './message.js'
export { nativeTransport } from './native.js'
export * from './netfilter.js'
export type { Netns } from './netns.js'
export { list, nest, type RecordTable, record } from './record.js'
export * from './schema.js'
export { type Describe, type Trace, trace } from './trace.js'
export * from './transport.js'
