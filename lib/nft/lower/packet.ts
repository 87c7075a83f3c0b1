/** Which protocols a rule is about, as far as its matches have told (src/proto.c, proto_ctx; src/payload.c). */
import { BadValue } from '../../netlink/schema.js'
import type { Family } from '../types.js'
import type { Protocol } from '../vocabulary/protocol.js'
import { protocolNamed } from '../vocabulary/protocols.js'
import type { ProtocolKey } from './terms.js'

const known = (name: string): Protocol => protocolNamed(name) as Protocol
const ETHER = known('ether')
const VLAN = known('vlan')
const IP = known('ip')
const IP6 = known('ip6')
const ARP = known('arp')

/** What stands for a link layer that nothing is known of. */
const INET: Protocol = {
  name: 'inet',
  layer: 'link',
  fields: [],
  upper: [
    [2, 'ip'],
    [10, 'ip6'],
  ],
}
const NETDEV: Protocol = { name: 'netdev', layer: 'link', fields: [], upper: ETHER.upper }
/** What follows a network layer that nothing is known of. */
const SERVICE: Protocol = { name: 'inet-service', layer: 'network', fields: [], upper: [...IP6.upper] }

/** ARPHRD_ETHER */
const ARPHRD_ETHER = 1

/** The field that a dependency is a match on, and its value. */
export type Dependency =
  | { readonly meta: 'nfproto' | 'l4proto' | 'protocol' | 'iiftype'; readonly value: bigint }
  | { readonly protocol: Protocol; readonly offset: number; readonly value: bigint }
  | { readonly icmp: Protocol; readonly values: readonly bigint[] }

const numberFor = (below: Protocol, protocol: Protocol): bigint | undefined => {
  const found = below.upper.find(([, name]) => name === protocol.name)
  return found && BigInt(found[0])
}

export class Packet {
  readonly #family: Family
  readonly #inner: boolean
  #link: Protocol | undefined
  /** Headers of the link layer before `#link`. */
  readonly #stacked: Protocol[] = []
  #network: Protocol | undefined
  readonly #transports: Protocol[] = []
  #icmpType: bigint | undefined

  constructor(family: Family, inner = false) {
    this.#family = family
    this.#inner = inner
    if (family === 'ip') this.#network = IP
    else if (family === 'ip6') this.#network = IP6
    else if (family === 'arp') this.#network = ARP
    else this.#link = family === 'inet' ? INET : family === 'bridge' ? ETHER : NETDEV
  }

  get network(): Protocol | undefined {
    return this.#network
  }

  get transport(): Protocol | undefined {
    return this.#transports.at(-1)
  }

  /** What has to be matched before a field of `protocol` can be. `add` gets each, in order. */
  require(protocol: Protocol, field: string, add: (dependency: Dependency) => void): void {
    if (protocol.name === 'th') return
    if (protocol.layer === 'link') this.#requireLink(protocol, add)
    else if (protocol.layer === 'network') this.#requireNetwork(protocol, add)
    else if (protocol.layer === 'transport') this.#requireTransport(protocol, field, add)
    else this.#requireInner(protocol)
  }

  /** Bits before a header of the link layer. */
  offsetOf(protocol: Protocol): number {
    if (protocol.layer !== 'link') return 0
    const at = this.#link === protocol ? this.#stacked.length : this.#stacked.lastIndexOf(protocol)
    return this.#stacked.slice(0, Math.max(0, at)).reduce((sum, below) => sum + lengthOf(below), 0)
  }

  #requireLink(protocol: Protocol, add: (dependency: Dependency) => void): void {
    if (this.#link === undefined || this.#link === INET || this.#link === NETDEV) {
      if (!this.#inner) add({ meta: 'iiftype', value: BigInt(ARPHRD_ETHER) })
      this.#link = ETHER
    }
    if (this.#link === protocol || this.#stacked.includes(protocol)) return
    this.#below(this.#link, protocol, add)
  }

  /** A match on the field of `below` that says that `protocol` comes next. */
  #below(below: Protocol, protocol: Protocol, add: (dependency: Dependency) => void): void {
    const value = numberFor(below, protocol)
    if (value === undefined) throw conflict(below, protocol)
    add({ protocol: below, offset: this.offsetOf(below), value })
    this.#follow(below, value)
  }

  #requireNetwork(protocol: Protocol, add: (dependency: Dependency) => void): void {
    if (this.#network === protocol) return
    const below = this.#link
    if (this.#network !== undefined || below === undefined) throw conflict(this.#network ?? protocol, protocol)
    // Of bridges nft asks what is known beside the header, but for ARP.
    const isBeside = below !== VLAN && below !== ETHER ? true : below === ETHER && this.#family === 'bridge' && protocol !== ARP
    if (!isBeside) return this.#below(below, protocol, add)
    const value = numberFor(below, protocol)
    if (value === undefined) throw conflict(below, protocol)
    add({ meta: below === INET ? 'nfproto' : 'protocol', value })
    this.#network = protocol
  }

  #requireTransport(protocol: Protocol, field: string, add: (dependency: Dependency) => void): void {
    const other = this.#transports.find(transport => transport !== protocol)
    if (other !== undefined) throw conflict(other, protocol)
    if (this.#transports.length === 0) {
      const base = NETWORK_OF[protocol.name]
      if (this.#network === undefined && base !== undefined) this.requireBase(base, add)
      const value = numberFor(this.#network ?? SERVICE, protocol)
      if (value === undefined) throw conflict(this.#network ?? SERVICE, protocol)
      add({ meta: 'l4proto', value })
      this.#transports.push(protocol)
    }
    if (protocol.name === 'icmp' || protocol.name === 'icmpv6') this.#requireType(protocol, field, add)
  }

  /** What messages are of. Of bridges nft asks the header, not what is known beside it (payload_gen_special_dependency). */
  requireBase(base: Protocol, add: (dependency: Dependency) => void): void {
    if (this.#network === base) return
    if (this.#network !== undefined) throw conflict(this.#network, base)
    if (this.#link === ETHER) this.#below(ETHER, base, add)
    else this.#requireNetwork(base, add)
  }

  #requireType(protocol: Protocol, field: string, add: (dependency: Dependency) => void): void {
    const values = ICMP_TYPES[`${protocol.name} ${field}`]
    const [first] = values ?? []
    if (values === undefined || first === undefined) return
    const type = this.#icmpType
    if (type !== undefined && !values.includes(type))
      throw new BadValue(
        'type',
        `${protocol.name} ${field} is not in messages of type ${type}, which the rule is about: it is in ${values.join(', ')}`,
      )
    if (type !== undefined) return
    add({ icmp: protocol, values })
    this.#icmpType = first
  }

  #requireInner(protocol: Protocol): void {
    if (this.transport?.upper.some(([, name]) => name === protocol.name)) return
    throw new BadValue('type', `${protocol.name} needs a match before it that the packet is of udp`)
  }

  /** What a match tells: `key` is `value`. */
  told(key: ProtocolKey, value: bigint): void {
    if ('ct' in key) {
      if (key.ct === 'l3proto') this.#follow(INET, value)
    } else if ('protocol' in key) this.#follow(key.protocol, value)
    else if (key.meta === 'iiftype') {
      if (this.#family !== 'bridge' && value === BigInt(ARPHRD_ETHER)) this.#link = ETHER
    } else if (key.meta === 'nfproto') this.#follow(INET, value)
    else if (key.meta === 'protocol') {
      if (this.#family === 'netdev' || this.#family === 'bridge') this.#follow(NETDEV, value, true)
    } else this.#follow(SERVICE, value)
  }

  toldIcmpType(value: bigint): void {
    this.#icmpType = value
  }

  #follow(below: Protocol, value: bigint, beside = false): void {
    const name = below.upper.find(([number]) => BigInt(number) === value)?.[1]
    const protocol = name === undefined ? undefined : protocolNamed(name)
    if (protocol === undefined) return
    if (protocol.layer === 'link') {
      if (beside) return
      this.#stacked.push(below)
      this.#link = protocol
    } else if (protocol.layer === 'network') this.#network = protocol
    else if (!this.#transports.includes(protocol)) this.#transports.push(protocol)
  }
}

/** Bits. */
const lengthOf = ({ fields }: Protocol): number => Math.max(...fields.map(({ offset, bits }) => offset + bits))

/** Whose messages they are. */
const NETWORK_OF: Readonly<Record<string, Protocol>> = { icmp: IP, igmp: IP, icmpv6: IP6 }

/** The types of messages that have these fields (src/proto.c, icmp_dep). */
const ICMP_TYPES: Readonly<Record<string, readonly bigint[]>> = {
  'icmp id': [8n, 0n],
  'icmp sequence': [8n, 0n],
  'icmp gateway': [5n],
  'icmp mtu': [3n],
  'icmpv6 parameter-problem': [4n],
  'icmpv6 mtu': [2n],
  'icmpv6 id': [128n, 129n],
  'icmpv6 sequence': [128n, 129n],
  'icmpv6 max-delay': [130n],
  'icmpv6 taddr': [135n, 136n, 130n, 131n, 132n, 137n],
  'icmpv6 daddr': [137n],
}

function conflict(one: Protocol, another: Protocol): BadValue {
  return new BadValue('type', `the rule is about ${one.name} already, so it can not be about ${another.name} as well`)
}
