/** What the client takes and gives: plain data. */
import type { Family } from '../netlink/address.js'

export type { Family } from '../netlink/address.js'

/** A network device, by its name or by its index. What is read has its name; the index where it has gone meanwhile. */
export type Device = string | number

export type LinkFlag =
  | 'up'
  | 'broadcast'
  | 'debug'
  | 'loopback'
  | 'point-to-point'
  | 'no-trailers'
  | 'running'
  | 'no-arp'
  | 'promiscuous'
  | 'all-multicast'
  | 'master'
  | 'slave'
  | 'multicast'
  | 'port-select'
  | 'auto-media'
  | 'dynamic'
  | 'lower-up'
  | 'dormant'
  | 'echo'

/** RFC 2863's operational state. The loopback device and many virtual ones never leave `unknown`. */
export type LinkState = 'unknown' | 'not-present' | 'down' | 'lower-layer-down' | 'testing' | 'dormant' | 'up'

/** A network device. */
export interface Link {
  readonly index: number
  readonly name: string
  /** What made it: `veth`, `bridge`, `dummy`, `vlan`, … Absent for hardware, and for lo. */
  readonly kind?: string
  /** What frames look like (ARPHRD_*): `ethernet`, `loopback`, … Others are numbers. */
  readonly type: LinkType | number
  readonly flags: readonly LinkFlag[]
  /** Whether it is set up: `flags` has `up`. */
  readonly up: boolean
  readonly state: LinkState
  /** Bytes. */
  readonly mtu: number
  /** Its hardware address, `02:42:ac:11:00:02`. Absent where there is none. */
  readonly address?: string
  readonly broadcast?: string
  /** Index of the device that it is a port of. */
  readonly master?: number
  /** Index of the device that it stands on, or of its peer, which may be in another namespace. */
  readonly link?: number
  readonly group?: number
}

export type LinkType = 'ethernet' | 'loopback' | 'none' | 'ppp' | 'tunnel' | 'tunnel6' | 'sit' | 'gre' | 'gre6'

/** A device to be made. */
export interface LinkConfig {
  /** 1 to 15 bytes, without `/` and spaces. */
  readonly name: string
  /** `veth`, `bridge`, `dummy`, or another one that needs nothing else. */
  readonly kind: string
  /** The other end, for `veth` alone. */
  readonly peer?: { readonly name: string; readonly address?: string | undefined; readonly mtu?: number | undefined } | undefined
  /** Bytes. Default: that of its kind. */
  readonly mtu?: number | undefined
  /** Hardware address. Default: a random one. */
  readonly address?: string | undefined
  /** Whether it is set up at once. Default false. */
  readonly up?: boolean | undefined
  /** The device that it becomes a port of. */
  readonly master?: Device | undefined
}

/** What is changed of a device; what is left out stays. */
export interface LinkChange {
  readonly name?: string | undefined
  readonly up?: boolean | undefined
  readonly mtu?: number | undefined
  readonly address?: string | undefined
  /** The device that it becomes a port of; null: of none. */
  readonly master?: Device | null | undefined
}

export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere'

export type AddressFlag =
  | 'secondary'
  | 'no-duplicate-detection'
  | 'optimistic'
  | 'duplicate'
  | 'home'
  | 'deprecated'
  | 'tentative'
  | 'permanent'
  | 'manage-temporary'
  | 'no-prefix-route'
  | 'multicast-join'
  | 'stable-privacy'

/** Which address. */
export interface AddressKey {
  readonly device: Device
  /** The address itself, without its prefix length. */
  readonly address: string
  /** Bits of the network: 0 to 32, or to 128. Default: all of them. */
  readonly prefixLength?: number | undefined
}

/** An address to be added. */
export interface AddressConfig extends AddressKey {
  /** The other end, of a point-to-point device: the prefix length is of it then. */
  readonly peer?: string | undefined
  /** IPv4. Default: none. */
  readonly broadcast?: string | undefined
  /** IPv4: the name that old programs show, which begins with that of the device. Default: that of the device. */
  readonly label?: string | undefined
  /** Default `global`; IPv6 addresses have the one that follows from them. */
  readonly scope?: Scope | number | undefined
  /** `no-prefix-route`, `no-duplicate-detection`, `optimistic`, `home`, `manage-temporary`, `multicast-join`; the kernel sets the others. Default: none. */
  readonly flags?: readonly AddressFlag[] | undefined
  /** Seconds until it goes, from 1 to 4294967294. Default: it stays. */
  readonly validLifetime?: number | undefined
  /** Seconds until it is used no more for new connections, at most `validLifetime`. Default: `validLifetime`. */
  readonly preferredLifetime?: number | undefined
  /** Metric of the network's route. Linux 4.18. */
  readonly metric?: number | undefined
}

/** An address of a device. */
export interface Address extends AddressConfig {
  readonly family: Family
  readonly prefixLength: number
  readonly scope: Scope | number
  readonly flags: readonly AddressFlag[]
}

/** Which addresses. */
export interface AddressFilter {
  /** Default: both. */
  readonly family?: Family | undefined
  /** Default: all. */
  readonly device?: Device | undefined
}

export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw'

/** A routing table: of the three that have names, by its name; others by their number, from 1 to 4294967295. */
export type RouteTable = 'main' | 'local' | 'default' | number

/** Who made a route. Others are numbers from 0 to 255. */
export type RouteProtocol =
  | 'redirect'
  | 'kernel'
  | 'boot'
  | 'static'
  | 'ra'
  | 'dhcp'
  | 'bird'
  | 'zebra'
  | 'bgp'
  | 'ospf'
  | 'keepalived'

export type NexthopFlag = 'dead' | 'pervasive' | 'onlink' | 'offload' | 'linkdown' | 'unresolved' | 'trap'

/** One of several ways. */
export interface Nexthop {
  /** Of either family for IPv4 routes (IPv6 since Linux 5.2). */
  readonly gateway?: string | undefined
  readonly device?: Device | undefined
  /** Its part of the traffic, 1 to 256. Default 1. */
  readonly weight?: number | undefined
  /** `onlink` may be given: the gateway is on the device, whatever its addresses say. */
  readonly flags?: readonly NexthopFlag[] | undefined
}

/** A route to be added. */
export interface RouteConfig {
  /** A network, `10.96.0.0/12`; an address alone is one. `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: string
  /** Default `unicast`. */
  readonly type?: RouteType | undefined
  /** Default `main`; `local` for routes of type local, broadcast and anycast. */
  readonly table?: RouteTable | undefined
  readonly device?: Device | undefined
  /** Of either family for IPv4 routes (IPv6 since Linux 5.2). */
  readonly gateway?: string | undefined
  /** `onlink` may be given: the gateway is on the device, whatever its addresses say. Default: none. */
  readonly flags?: readonly NexthopFlag[] | undefined
  /** Address that packets of this host get as their source. */
  readonly source?: string | undefined
  /** The smallest one counts. Default: 0 for IPv4, 1024 for IPv6. */
  readonly metric?: number | undefined
  /** Default `boot`, as with `ip route`. A number of one's own tells whose routes they are. */
  readonly protocol?: RouteProtocol | number | undefined
  /** IPv4. Default: `host` for local routes, `link` for those without gateway, else `global`. */
  readonly scope?: Scope | number | undefined
  /** IPv4: type of service. Default 0, any. */
  readonly tos?: number | undefined
  /** Several ways, instead of `gateway` and `device`. */
  readonly nexthops?: readonly Nexthop[] | undefined
  /** Bytes. Default: that of the device. */
  readonly mtu?: number | undefined
}

/** A route. */
export interface Route extends RouteConfig {
  readonly family: Family
  readonly type: RouteType
  readonly table: RouteTable
  readonly protocol: RouteProtocol | number
  readonly scope: Scope | number
}

/** Which route: of those with the same destination the first one that has what is given. */
export type RouteKey = Pick<RouteConfig, 'destination'> & Partial<RouteConfig>

/** Which routes. */
export interface RouteFilter {
  /** Default: both. */
  readonly family?: Family | undefined
  /** Default: `main`. */
  readonly table?: RouteTable | 'all' | undefined
  readonly type?: RouteType | undefined
  readonly protocol?: RouteProtocol | number | undefined
  readonly device?: Device | undefined
  /** Routes to this very network. */
  readonly destination?: string | undefined
}

/** What a rule does with the packets that it is for. */
export type RuleAction = 'lookup' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit'

/** A rule to be added. */
export interface RuleConfig {
  /** Needed where neither `from` nor `to` tells it. */
  readonly family?: Family | undefined
  /** Rules are asked in the order of their priorities, from 0 on. Default: one less than the first one behind that of priority 0. */
  readonly priority?: number | undefined
  /** Default `lookup`. */
  readonly action?: RuleAction | undefined
  /** The table that `lookup` asks. */
  readonly table?: RouteTable | undefined
  /** Priority of the rule that `goto` goes to. */
  readonly goto?: number | undefined
  /** A network, `10.0.0.0/8`. Default: any. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Mark of the packet, 0 to 4294967295. */
  readonly mark?: number | undefined
  /** Bits of the mark that count. Default: all. */
  readonly mask?: number | undefined
  /** Names; the devices need not be there. `lo` as the input device stands for packets of this host. */
  readonly inputDevice?: string | undefined
  readonly outputDevice?: string | undefined
  /** The rule is for all other packets. Default false. */
  readonly invert?: boolean | undefined
  /** Type of service. */
  readonly tos?: number | undefined
  /** Number of a protocol (6 is TCP). Linux 4.17, as are ports. */
  readonly ipProtocol?: number | undefined
  readonly sourcePorts?: PortRange | undefined
  readonly destinationPorts?: PortRange | undefined
  /** Users whose packets it is for. */
  readonly users?: { readonly from: number; readonly to: number } | undefined
  /** Routes with a prefix of at most so many bits are passed over. */
  readonly suppressPrefixLength?: number | undefined
  /** Who made it. Default `boot`. Linux 4.17. */
  readonly protocol?: RouteProtocol | number | undefined
}

export interface PortRange {
  readonly from: number
  readonly to: number
}

/** A rule. */
export interface Rule extends RuleConfig {
  readonly family: Family
  readonly priority: number
  readonly action: RuleAction
}

/** Which rule: of those with this priority the first one that has what is given. */
export type RuleKey = RuleConfig & { readonly priority: number }

/** Which rules. */
export interface RuleFilter {
  /** Default: both. */
  readonly family?: Family | undefined
  readonly priority?: number | undefined
  readonly table?: RouteTable | undefined
}
