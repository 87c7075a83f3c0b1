/** Virtual servers as they shall be, checked: what is malformed, twice, or can not work together. */
import { checkFamily, checkPort, describeRealServer, realServerToWire } from './real-server.js'
import { destinationKey, serviceKey } from './snapshot.js'
import type { RealServerConfig, VirtualServerConfig } from './types.js'
import { list } from './validate.js'
import { describeVirtualServer, virtualServerToWire } from './virtual-server.js'
import type { DestinationRecord, ServiceRecord } from './wire.js'

/** A virtual server as it shall be. Without `realServers` its real servers are left alone; with a list they become just that. */
export type DesiredVirtualServer = VirtualServerConfig & { readonly realServers?: readonly RealServerConfig[] | undefined }

export interface Wish {
  readonly config: DesiredVirtualServer
  readonly record: ServiceRecord
  readonly field: string
}

export interface WishedRealServer {
  readonly config: RealServerConfig
  readonly record: DestinationRecord
  /** The kernel has it. */
  found: boolean
}

/** Something that is there twice. */
export class TwiceError extends RangeError {
  constructor(
    field: string,
    what: string,
    /** Field of the first. */
    readonly first: string,
  ) {
    super(`${field}: ${what} is there twice, ${first} is the first: keep one`)
  }
}

/** Adds a virtual server to the others, by its key. Its real servers are not looked at, but that they are a list. */
export function addWish(wishes: Map<string, Wish>, config: DesiredVirtualServer, field: string): Wish {
  const record = virtualServerToWire(config, field)
  const key = serviceKey(record)
  const other = wishes.get(key)
  if (other) throw new TwiceError(field, describeVirtualServer(config), other.field)
  if (config.realServers !== undefined) list(config.realServers, `${field}.realServers`)
  const wish = { config, record, field }
  wishes.set(key, wish)
  return wish
}

/** Adds real server number `i` of a virtual server to the others, by its key. */
export function addWishedRealServer(wished: Map<string | number, WishedRealServer>, wish: Wish, i: number): void {
  const { realServers = [] } = wish.config
  const config = realServers[i] as RealServerConfig
  const field = `${wish.field}.realServers[${i}]`
  const record = realServerToWire(config, field)
  checkFamily(record, wish.record, field)
  checkPort(record, wish.record, field)
  const key = destinationKey(record)
  const other = wished.get(key)
  if (other)
    throw new TwiceError(field, describeRealServer(config), `${wish.field}.realServers[${realServers.indexOf(other.config)}]`)
  wished.set(key, { config, record, found: false })
}

export function wishedRealServers(wish: Wish): Map<string | number, WishedRealServer> {
  const wished = new Map<string | number, WishedRealServer>()
  for (let i = 0; i < (wish.config.realServers?.length ?? 0); i++) addWishedRealServer(wished, wish, i)
  return wished
}
