/** `host[:port]`, as ipvsadm reads it. */

import type { Protocol } from '../../ipvs/index.js'
import { canonicalAddress } from '../../netlink/address.js'
import { addressOf, portOf } from './names.js'
import { dottedQuad, wholeNumber } from './numbers.js'

export interface Endpoint {
  readonly address: string
  /** Undefined where none was given. */
  readonly port: number | undefined
}

/** The text that an address may be in, and the word of the port; undefined when a bracket is not closed or no port follows it. */
function unwrap(text: string): { inside: string; port: string | undefined } | undefined {
  if (!text.startsWith('[')) return { inside: text, port: undefined }
  const end = text.indexOf(']')
  return end < 0 || text[end + 1] !== ':' ? undefined : { inside: text.slice(1, end), port: text.slice(end + 2) }
}

/**
 * An IPv6 address may stand alone or in brackets, which need a port behind them. Anything else is an IPv4 address or the name of a host, with
 * a number or the name of a service behind the last colon. (In brackets, too; a port behind them does not count then, as with ipvsadm.)
 * Undefined when it is none of these. Only a name takes a promise: there may be many addresses.
 */
export function parseEndpoint(
  text: string,
  protocol: Protocol | undefined,
): Endpoint | undefined | Promise<Endpoint | undefined> {
  const parts = /^\d*$/.test(text) ? undefined : unwrap(text)
  if (!parts) return undefined
  const v6 = parts.inside.includes(':') ? canonicalAddress(parts.inside) : undefined
  if (v6 !== undefined) return withPort(v6, parts.port, protocol)
  const colon = parts.inside.lastIndexOf(':')
  const host = colon < 0 ? parts.inside : parts.inside.slice(0, colon)
  const port = colon < 0 ? undefined : parts.inside.slice(colon + 1)
  const address = dottedQuad(host)
  if (address !== undefined) return withPort(address, port, protocol)
  return addressOf(host).then(found => (found === undefined ? undefined : withPort(found, port, protocol)))
}

function withPort(address: string, word: string | undefined, protocol: Protocol | undefined): Endpoint | undefined {
  if (word === undefined) return { address, port: undefined }
  const port = wholeNumber(word, 0, 65535) ?? portOf(word, protocol)
  return port === undefined ? undefined : { address, port }
}
