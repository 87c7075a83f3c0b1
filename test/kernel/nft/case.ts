/** What a case of nftables' conformance suite is, and what it runs in. */
import { type NftClient, open } from '../../../lib/nft/index.js'
import type * as suite from '../support/suite.js'

export { Skip } from '../support/suite.js'

/** A kernel without tables. */
export interface Clients {
  /** A client, closed after the case. */
  open(options?: suite.Options): Promise<NftClient>
}

export const clientsOf: suite.ClientsOf<Clients> = (on, closed) => ({ open: options => closed(open(on(options))) })

export type Context = suite.Context & Clients
export type LinuxContext = suite.LinuxContext & Clients
export type MemoryContext = suite.MemoryContext & Clients
export type Case = suite.Case<Clients>
