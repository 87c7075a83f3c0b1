/** What the routing half of the memory kernel has: devices, addresses, routes and rules, and who is told of them. */
import { MessageWriter } from '../../netlink/buffer.js'
import { endMessage } from '../../netlink/message.js'
import type { Struct } from '../../netlink/struct.js'
import type * as wire from '../../route/wire.js'
import { beginReply, type KernelSocket } from '../netlink.js'

type Values<S> = S extends Struct<infer D> ? { -readonly [K in keyof D]: number } : never
type Decoded<T extends { decode(...args: never[]): unknown }> = NonNullable<ReturnType<T['decode']>>

export type LinkAttributes = Decoded<typeof wire.linkAttributes>
export type AddressAttributes = Decoded<typeof wire.addressAttributes>
export type RouteHeader = Values<typeof wire.routeHeader>
export type RouteAttributes = Decoded<typeof wire.routeAttributes>
export type RuleHeader = Values<typeof wire.ruleHeader>
export type RuleAttributes = Decoded<typeof wire.ruleAttributes>

export interface Link {
  readonly index: number
  name: string
  readonly kind: string | undefined
  /** Of those that are set: IFF_UP. */
  up: boolean
  mtu: number
  address: string
  master: number | undefined
  /** The other end of a veth. */
  readonly peer: number | undefined
}

export interface Address {
  readonly family: number
  readonly index: number
  readonly length: number
  readonly scope: number
  readonly local: string
  /** The other end, or the address itself. */
  readonly address: string
  readonly broadcast: string | undefined
  readonly label: string | undefined
  flags: number
  metric: number | undefined
  /** Seconds from `made` on; undefined for ever. */
  valid: number
  preferred: number
  /** By the kernel's clock, in milliseconds. */
  made: number
}

export interface Route {
  readonly header: RouteHeader
  readonly attributes: RouteAttributes
  /** Where it leads to. */
  readonly nexthops: readonly Nexthop[]
}

export interface Nexthop {
  readonly index: number
  readonly gateway: string | undefined
}

export interface Rule {
  readonly header: RuleHeader
  readonly attributes: RuleAttributes
  readonly priority: number
}

export interface RouteOptions {
  readonly interfaces: Readonly<Record<string, number>>
  readonly loopbackUp: boolean
  readonly ipv6: boolean
  readonly clock: () => number
}

/** Writes a message behind its netlink header. */
export type Put = (writer: MessageWriter) => void

/** All of it, and the sockets that are told of changes. */
export class State {
  readonly options: RouteOptions
  readonly links = new Map<number, Link>()
  addresses: Address[] = []
  routes: Route[] = []
  rules: Rule[] = []
  readonly #sockets: ReadonlySet<KernelSocket>

  constructor(options: RouteOptions, sockets: ReadonlySet<KernelSocket>) {
    this.options = options
    this.#sockets = sockets
  }

  linkByName(name: string): Link | undefined {
    return [...this.links.values()].find(link => link.name === name)
  }

  /** Tells those who have joined a group. */
  tell(group: number, type: number, flags: number, put: Put): void {
    for (const socket of this.#sockets) if (socket.groups.has(group)) socket.deliver(messageOf(0, type, flags, 0, put))
  }
}

/** A message to a socket. */
export function messageOf(portId: number, type: number, flags: number, sequence: number, put: Put): Uint8Array {
  const writer = new MessageWriter(512)
  const start = beginReply(writer, portId, type, flags, sequence)
  put(writer)
  endMessage(writer, start)
  return writer.written()
}
