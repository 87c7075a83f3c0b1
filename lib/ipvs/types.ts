import type { Family } from '../netlink/address.js'

export type { Family } from '../netlink/address.js'

/** A number where a word is usual: what another program wrote and this library has no word for. It is reported, and may be removed, never written. */
export type Unnamed = number

/** Transport protocols that IPVS balances. */
export type Protocol = 'tcp' | 'udp' | 'sctp'

/**
 * What identifies a virtual server: protocol, address and port, or a firewall mark with a family. Port 0 stands for every port, and needs
 * persistence. The family of an address is that of its text.
 */
export type VirtualServerKey =
  | { readonly protocol: Protocol | Unnamed; readonly address: string; readonly port: number }
  | { readonly firewallMark: number; readonly family: Family }

/** Schedulers in Linux; any other name is passed on, for modules of your own. `twos` needs Linux 6.2 or newer, `mh` 4.18. */
export type Scheduler =
  | 'rr'
  | 'wrr'
  | 'lc'
  | 'wlc'
  | 'lblc'
  | 'lblcr'
  | 'dh'
  | 'sh'
  | 'sed'
  | 'nq'
  | 'fo'
  | 'ovf'
  | 'mh'
  | 'twos'
  | (string & {})

/**
 * Flags of the scheduler. `sh-*` belong to sh, `mh-*` to mh; `flag-1` to `flag-3` are the bare bits for any other scheduler.
 * On reading, a bit with a name for its scheduler has that name.
 */
export type SchedulerFlag = 'sh-fallback' | 'sh-port' | 'mh-fallback' | 'mh-port' | 'flag-1' | 'flag-2' | 'flag-3'

/** Connections of a client go to the same real server. */
export interface Persistence {
  /** Seconds since the last connection that a client is remembered: 1 to 4,294,967. Default 360, as with ipvsadm. */
  readonly timeout?: number | undefined
  /** Which clients count as one: a dotted IPv4 mask, or a prefix length (IPv4 0 to 32, IPv6 1 to 128). Default: every address for itself. */
  readonly netmask?: string | number | undefined
  /** Persistence engine, `sip` in Linux. */
  readonly engine?: string | undefined
}

/** Configuration of a virtual server besides its key. */
export interface VirtualServerOptions {
  /** Default `wlc`, as with ipvsadm. `none` stands for no scheduler. */
  readonly scheduler?: Scheduler | undefined
  readonly schedulerFlags?: readonly SchedulerFlag[] | undefined
  readonly persistence?: Persistence | undefined
  /** Every packet is scheduled for itself; UDP and firewall marks only. Default false. */
  readonly onePacket?: boolean | undefined
  /**
   * What the kernel keeps though the virtual server is not persistent (`ipvsadm -M` without `-p` makes such). It has no effect; it is here
   * so that saving and restoring lose nothing.
   */
  readonly dormantPersistence?: Persistence | undefined
}

/** A virtual server as one writes it. */
export type VirtualServerConfig = VirtualServerKey & VirtualServerOptions

/** A virtual server as the kernel has it. Addresses are canonical; what is off or the default is absent. */
export type VirtualServer = VirtualServerKey & {
  readonly scheduler: Scheduler
  readonly schedulerFlags?: readonly SchedulerFlag[]
  readonly persistence?: Persistence & { readonly timeout: number }
  readonly onePacket?: true
  readonly dormantPersistence?: Persistence
  /** Bits of the kernel's flags that have no name here. */
  readonly otherFlags?: number
  /** Only where statistics were asked for. */
  readonly statistics?: Statistics
}

/** How packets reach a real server: NAT, IP tunnelling, direct routing; `local` and `bypass` are seldom set by hand. */
export type Forwarding = 'masquerade' | 'local' | 'tunnel' | 'direct-route' | 'bypass'

/** What identifies a real server within its virtual server. */
export interface RealServerKey {
  readonly address: string
  /** 0 to 65535. 0 stands for the port that the client asked for (ip_vs_schedule). */
  readonly port: number
}

/** Encapsulation towards a real server with `forwarding: 'tunnel'`. GUE since Linux 5.2, GRE and checksums since 5.3. */
export type Tunnel =
  | { readonly type: 'ipip' }
  | {
      readonly type: 'gue'
      /** UDP port that the real server listens on: 1 to 65535. */
      readonly port: number
      /** Default `none`. */
      readonly checksum?: 'none' | 'checksum' | 'remote-checksum' | undefined
    }
  | { readonly type: 'gre'; readonly checksum?: 'none' | 'checksum' | undefined }

/** An encapsulation that this library has no word for. */
export interface UnnamedTunnel {
  readonly type: Unnamed
  readonly port: number
  readonly flags: number
}

/** Configuration of a real server besides its key. */
export interface RealServerOptions {
  /** 0 to 2,147,483,647. 0 takes no new connections. Default 1. */
  readonly weight?: number | undefined
  /** Default `masquerade`. (ipvsadm's default is direct routing.) A number, as it may have been read, is refused. */
  readonly forwarding?: Forwarding | Unnamed | undefined
  /** No new connections from this many on, until they are fewer than `lowerThreshold`. 0, the default, is no limit; up to 2,147,483,647. */
  readonly upperThreshold?: number | undefined
  /** Up to `upperThreshold`. Default 0: three quarters of it. */
  readonly lowerThreshold?: number | undefined
  /** Default ipip. Only with `forwarding: 'tunnel'`. */
  readonly tunnel?: Tunnel | UnnamedTunnel | undefined
}

/** A real server as one writes it. */
export type RealServerConfig = RealServerKey & RealServerOptions

/** A real server as the kernel has it. */
export interface RealServer extends RealServerKey {
  readonly weight: number
  readonly forwarding: Forwarding | Unnamed
  readonly upperThreshold: number
  readonly lowerThreshold: number
  /** Where the forwarding is `tunnel`. */
  readonly tunnel?: Tunnel | UnnamedTunnel
  readonly activeConnections: number
  readonly inactiveConnections: number
  /** Persistence templates that point here. */
  readonly persistentConnections: number
  readonly statistics?: Statistics
}

/**
 * Counters since the object was made or zeroed, and rates. The kernel brings both up to date every 2 seconds (ip_vs_est.c), so what was
 * just sent may be missing; `cpuStatistics` has no such delay. 64 bits since Linux 4.1.
 */
export interface Statistics {
  readonly connections: bigint
  readonly incomingPackets: bigint
  readonly outgoingPackets: bigint
  readonly incomingBytes: bigint
  readonly outgoingBytes: bigint
  /** Per second. */
  readonly connectionRate: bigint
  readonly incomingPacketRate: bigint
  readonly outgoingPacketRate: bigint
  readonly incomingByteRate: bigint
  readonly outgoingByteRate: bigint
}

/** Idle time-outs of connections, in seconds. */
export interface Timeouts {
  readonly tcp: number
  /** After a FIN was seen. */
  readonly tcpFin: number
  readonly udp: number
}

/** A synchronisation daemon: it sends connections to backups (`master`), or takes them (`backup`). One of each per namespace. */
export interface SyncDaemonConfig {
  /** The kernel says master. */
  readonly role: 'master' | 'backup'
  /** Interface for multicast, up to 15 characters. */
  readonly interface: string
  /** 0 to 255; a backup with 0 takes the messages of every master. Default 0. */
  readonly syncId?: number | undefined
  /** Bytes of a message, 1 to 65507; the kernel fits it to the interface. Default: the interface's MTU. Linux 4.3. */
  readonly maximumLength?: number | undefined
  /** Multicast address. Default 224.0.0.81. Linux 4.3. */
  readonly group?: string | undefined
  /** 1 to 65535. Default 8848. Linux 4.3. */
  readonly port?: number | undefined
  /** Hops, 1 to 255. Default 1. Linux 4.3. */
  readonly ttl?: number | undefined
}

export type SyncDaemon = Required<{ [K in keyof SyncDaemonConfig]: Exclude<SyncDaemonConfig[K], undefined> }>

export interface Info {
  /** `1.2.1` */
  readonly version: string
  /** Buckets of the connection table. 0 on Linux 7 before the first virtual server. */
  readonly connectionTableSize: number
}

/** A virtual server with its real servers. */
export type VirtualServerWithRealServers = VirtualServer & { readonly realServers: readonly RealServer[] }
