/** All headers that nft knows (nftables 1.1.3, src/proto.c). */
import type { HeaderField, Protocol } from './protocol.js'
import { LINK } from './protocols/link.js'
import { MESSAGES } from './protocols/messages.js'
import { NETWORK } from './protocols/network.js'
import { TRANSPORT } from './protocols/transport.js'
import { TUNNELS } from './protocols/tunnel.js'

export const PROTOCOLS: readonly Protocol[] = [...LINK, ...NETWORK, ...MESSAGES, ...TRANSPORT, ...TUNNELS]

const BY_NAME: ReadonlyMap<string, Protocol> = new Map(PROTOCOLS.map(protocol => [protocol.name, protocol]))

/** The protocol of nft's word; undefined where there is none. */
export const protocolNamed = (name: string): Protocol | undefined => BY_NAME.get(name)

/** `cfi` is what 802.1Q called `dei`. */
const ALIASES: Readonly<Record<string, string>> = { 'vlan cfi': 'dei' }

export function fieldNamed(protocol: Protocol, name: string): HeaderField | undefined {
  const known = ALIASES[`${protocol.name} ${name}`] ?? name
  return protocol.fields.find(field => field.name === known)
}
