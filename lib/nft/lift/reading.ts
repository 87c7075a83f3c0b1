/** A rule while it is read: what its registers hold, what is known of the packet, and the statements so far. */
import type * as json from '../json/index.js'
import type { LiftContext } from './context.js'
import { type Packet, packetOf } from './packet.js'
import { Registers } from './registers.js'

/** A statement, or where one was that said nothing of its own. */
export interface Entry {
  statement: json.Statement | undefined
  /** What it says to be at least something: more about it may follow. */
  low?: { readonly left: json.Expression; readonly bound: json.Immediate } | undefined
}

export interface Reading {
  readonly context: LiftContext
  readonly registers: Registers
  readonly packet: Packet
  /** What is known of the packet within a tunnel. */
  readonly inner: Packet
  readonly entries: Entry[]
}

export const readingOf = (context: LiftContext): Reading => ({
  context,
  registers: new Registers(),
  packet: packetOf(context.family),
  // Whatever the tunnel, nft reads what stands in it as a frame.
  inner: packetOf('bridge'),
  entries: [],
})

/** The packet that something is of. */
export const packetFor = (reading: Reading, value: { readonly tunnel?: string | undefined }): Packet =>
  value.tunnel === undefined ? reading.packet : reading.inner

export function add(reading: Reading, statement: json.Statement): Entry {
  const entry: Entry = { statement }
  reading.entries.push(entry)
  return entry
}
