/** How places and endpoints are told apart: as text, in maps and in the ledger. */
import type { Protocol } from '../service/index.js'

/** `10.96.0.1 tcp 80`: where a frontend is served. Its virtual server has it, too, and is in the ledger by it. */
export type ServerName = string

export const serverName = (address: string, protocol: string | number, port: number): ServerName =>
  `${address} ${protocol} ${port}`

export interface ServerParts {
  readonly address: string
  readonly protocol: Protocol
  readonly port: number
}

export function partsOf(name: ServerName): ServerParts {
  const [address = '', protocol = '', port] = name.split(' ')
  return { address, protocol: protocol as Protocol, port: Number(port) }
}

/** A virtual server in the ledger. */
export interface LedgerEntry extends ServerParts {
  readonly name: ServerName
  /** Whose it is; unknown of what an earlier proxy left. */
  readonly comment: string | undefined
}

/** `10.244.1.7 8080` */
export type EndpointName = string

export const endpointName = ({ address, port }: { readonly address: string; readonly port: number }): EndpointName =>
  placeOf(address, port)

/** The same of a flow's addresses, whose protocol may have no ports. */
export const placeOf = (address: string, port: number | undefined): string => `${address} ${port}`

export function endpointOf(name: EndpointName): { readonly address: string; readonly port: number } {
  const [address = '', port] = name.split(' ')
  return { address, port: Number(port) }
}
