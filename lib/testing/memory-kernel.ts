/** A kernel without a kernel: a transport that answers the bytes of netlink as Linux does, IPVS as 6.1 and all else as 6.18. */

import { randomUUID } from 'node:crypto'
import { NFNL_SUBSYS_CTNETLINK } from '../conntrack/wire.js'
import { BOOT_ID } from '../ipvs/namespace.js'
import type { Connection } from '../ipvs/proc.js'
import { describeRealServer, realServerKeyToWire } from '../ipvs/real-server.js'
import type { RealServerKey, Statistics, VirtualServerKey } from '../ipvs/types.js'
import { describeVirtualServer, virtualServerKeyToWire } from '../ipvs/virtual-server.js'
import { ADDRESS } from '../ipvs/wire.js'
import { NetlinkError } from '../netlink/error.js'
import {
  NETLINK_GENERIC,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  type Socket,
  type SocketOptions,
  type Transport,
} from '../netlink/transport.js'
import { NFNL_SUBSYS_NFTABLES } from '../nft/wire.js'
import { Ctnetlink } from './conntrack/ctnetlink.js'
import { EACCES, EINVAL, ENOENT, EPERM, EPROTONOSUPPORT, Errno } from './errno.js'
import { Faults, type Injected, type Injection } from './faults.js'
import { GenericNetlink } from './genetlink.js'
import { type Connections, type Destination, Ipvs, type IpvsOptions, type Service } from './ipvs.js'
import { ipvsCommands } from './ipvs-commands.js'
import type { DestinationKey, ServiceKey } from './ipvs-requests.js'
import { Netfilter, type Subsystem } from './netfilter.js'
import { each, KernelSocket, type Receiver } from './netlink.js'
import { Nftables } from './nft/nftables.js'
import { connectionTable, cpuStatistics, LOOPBACK_TRIE, statistics, synchronisedTable } from './proc.js'
import { Rtnetlink } from './route/rtnetlink.js'
import { MemorySocket } from './socket.js'
import { Sysctls } from './sysctl.js'

/** Which kernel to play. */
export interface MemoryKernelOptions {
  /** Default: those of Linux, without `twos`, which is younger than 6.1. */
  readonly schedulers?: readonly string[] | undefined
  /** Default: sip. */
  readonly persistenceEngines?: readonly string[] | undefined
  /** Jiffies a second: time-outs of IPVS are kept in 32 bits of them, those of nftables are whole ones. Default 250, as with Debian. */
  readonly hz?: number | undefined
  /** Default true; false plays a kernel that was started with ipv6.disable=1. */
  readonly ipv6?: boolean | undefined
  /** `no` answers every command of IPVS and of netfilter, and every change of devices and routes, with EPERM. Default `yes`. */
  readonly permitted?: 'yes' | 'no' | undefined
  /** Whether the module is loaded; see `loadModule`. Default true. */
  readonly ipvs?: boolean | undefined
  /** Default true; false plays a new network namespace: no interface was ever up, and no IPv4 address counts as unicast. */
  readonly loopbackUp?: boolean | undefined
  /** Names of the interfaces that are there at the start, and their MTU. All are down but lo. Default: `{ lo: 65536 }`. */
  readonly interfaces?: Readonly<Record<string, number>> | undefined
  /** Tunnels that the kernel knows. Before Linux 5.2 there was only ipip; gue came first, gre and checksums with 5.3. Default: all. */
  readonly tunnels?: readonly ('ipip' | 'gue' | 'gre')[] | undefined
  /** False plays a kernel before 4.1, whose counters have 32 bits. Default true. */
  readonly statistics64?: boolean | undefined
  /** Default 4096. */
  readonly connectionTableSize?: number | undefined
  /** Bytes of receive buffer that every socket is granted. Default: what it asks for, doubled, or 8 MiB. An answer takes about 768. */
  readonly receiveBuffer?: number | undefined
  /** Bytes of send buffer that every socket is granted. Default: what it asks for, doubled, or 212,992. */
  readonly sendBuffer?: number | undefined
  /** Whether the kernel has nftables. Default true. */
  readonly nftables?: boolean | undefined
  /** Expressions of nftables that it was built without, by their names (`queue`): rules with them are refused. Default: none. */
  readonly missingExpressions?: readonly string[] | undefined
  /** Milliseconds that count up: when elements of sets and flows expire. Default: the time that passes. */
  readonly clock?: (() => number) | undefined
}

/** Counters, and how many connections a real server has: for tests that need no rows in the table of connections. */
export type CounterValues = Partial<Statistics & Connections>

/** A transport, and what tests do to the kernel behind it. All sockets share one state. */
export interface MemoryKernel extends Transport {
  /** Loads ip_vs. It is a new family with another number, and it is empty. Nothing if it is loaded. */
  loadModule(): void
  /** Unloads ip_vs and forgets everything. */
  unloadModule(): void
  /** Both: what a client knows of the family is stale afterwards. */
  reloadModule(): void
  /** Sets counters of a real server, of a virtual server, or of all together (/proc/net/ip_vs_stats). Throws when it is not there. */
  setCounters(values: CounterValues, virtualServer?: VirtualServerKey, realServer?: RealServerKey): void
  /**
   * Adds a row to /proc/net/ip_vs_conn. It counts as active or inactive with the real server that it goes to, or as a persistence
   * template when its client has port 0; also when the real server is removed and added again. `end` takes it away.
   */
  addConnection(connection: Connection): { end(): void }
  /** Makes something go wrong. */
  inject(injection: Injection): Injected
}

/**
 * A kernel in memory, with IPVS as in Linux 6.1 and nftables as in 6.18: same bytes, same errors in the same order of checks, same dumps
 * with an index for a cursor; and with devices, addresses, routes, rules and tracked connections, as far as programs make them: it has no
 * link-local addresses, and addresses stay when their lifetime is over. It needs no addon, no root, and no Linux. No packets go through it.
 *
 * @example
 * const kernel = memoryKernel({ schedulers: ['rr'] })
 * await using lvs = await ipvs.open({ transport: kernel })
 * kernel.inject({ on: 'exchange', fault: 'lost-replies' })
 */
export function memoryKernel(options: MemoryKernelOptions = {}): MemoryKernel {
  return new Kernel(options)
}

const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'fo', 'ovf', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq']
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 }
const RECEIVE_BUFFER = 4 << 20
/** SOCK_MIN_RCVBUF on 64-bit machines. */
const LEAST_BUFFER = 2304
/** net.core.wmem_default */
const SEND_BUFFER = 212_992
/** What one read of /proc gives. */
const CHUNK = 4096

let nextCookie = 1

/** What goes with the module. */
interface Module {
  readonly familyId: number
  readonly ipvs: Ipvs
  readonly sysctls: Sysctls
  readonly connections: Set<Connection>
}

class Kernel implements MemoryKernel {
  readonly #options: IpvsOptions
  readonly #receiveBuffer: number | undefined
  readonly #sendBuffer: number | undefined
  readonly #permitted: boolean
  readonly #families: GenericNetlink
  readonly #protocols: ReadonlyMap<number, Receiver>
  readonly #nftables: Nftables | undefined
  /** Those of netfilter. */
  readonly #netfilterSockets = new Set<KernelSocket>()
  readonly #routeSockets = new Set<KernelSocket>()
  readonly #faults = new Faults()
  /** As SO_NETNS_COOKIE: each kernel is a namespace of its own, and a machine of its own, too. */
  readonly #cookie = nextCookie++
  readonly #bootId = randomUUID()
  #module: Module | undefined
  #nextPortId = 1000

  constructor({ receiveBuffer, sendBuffer, permitted = 'yes', ipvs = true, nftables = true, ...options }: MemoryKernelOptions) {
    this.#options = {
      schedulers: options.schedulers ?? SCHEDULERS,
      persistenceEngines: options.persistenceEngines ?? ['sip'],
      hz: options.hz ?? 250,
      ipv6: options.ipv6 ?? true,
      loopbackUp: options.loopbackUp ?? true,
      interfaces: options.interfaces ?? { lo: 65536 },
      tunnels: options.tunnels ?? ['ipip', 'gue', 'gre'],
      statistics64: options.statistics64 ?? true,
      connectionTableSize: options.connectionTableSize ?? 4096,
    }
    this.#receiveBuffer = receiveBuffer
    this.#sendBuffer = sendBuffer
    this.#permitted = permitted === 'yes'
    this.#families = new GenericNetlink(this.#permitted)
    const { missingExpressions: missing = [], clock = () => performance.now() } = options
    const devices = Object.keys(this.#options.interfaces)
    this.#nftables = nftables
      ? new Nftables({ missing, devices, clock, tick: 1000 / this.#options.hz }, this.#netfilterSockets)
      : undefined
    const subsystems = new Map<number, Subsystem>([[NFNL_SUBSYS_CTNETLINK, new Ctnetlink(clock, this.#netfilterSockets)]])
    if (this.#nftables) subsystems.set(NFNL_SUBSYS_NFTABLES, this.#nftables)
    this.#protocols = new Map([
      [NETLINK_GENERIC, each(this.#families.handle)],
      [NETLINK_NETFILTER, new Netfilter(subsystems, this.#permitted).receive],
      [NETLINK_ROUTE, new Rtnetlink({ ...this.#options, clock }, this.#routeSockets, this.#permitted).receive],
    ])
    if (ipvs) this.loadModule()
  }

  open({ protocol, receiveBuffer = RECEIVE_BUFFER, sendBuffer = SEND_BUFFER / 2, groups = [] }: SocketOptions): Socket {
    const receive = this.#protocols.get(protocol)
    if (!receive) throw openError(EPROTONOSUPPORT, 'socket', `the memory kernel speaks no netlink protocol ${protocol}`)
    const kernel = new KernelSocket(this.#nextPortId++, this.#receiveBuffer ?? Math.max(LEAST_BUFFER, 2 * receiveBuffer), receive)
    if (protocol === NETLINK_NETFILTER) this.#netfilterSockets.add(kernel)
    if (protocol === NETLINK_ROUTE) this.#routeSockets.add(kernel)
    const socket = new MemorySocket(kernel, this.#faults, {
      namespace: `cookie-${this.#cookie}`,
      sendBuffer: this.#sendBuffer ?? 2 * sendBuffer,
      join: group => this.#join(kernel, group),
      closed: () => this.#closed(kernel),
    })
    for (const group of groups) socket.join(group)
    return socket
  }

  /** netlink_setsockopt: who may not talk to netfilter may not listen to it either. */
  #join(socket: KernelSocket, group: number): void {
    if (!this.#permitted && this.#netfilterSockets.has(socket))
      throw openError(EPERM, 'setsockopt', 'the netlink socket could not be opened')
    socket.groups.add(group)
  }

  #closed(socket: KernelSocket): void {
    this.#routeSockets.delete(socket)
    if (this.#netfilterSockets.delete(socket)) this.#nftables?.release(socket.portId)
  }

  async *readFile(path: string): AsyncIterable<Uint8Array> {
    const text = this.#read(path)
    if (text === undefined) throw fileError('ENOENT', ENOENT, 'open', path)
    for (let at = 0; at < text.length; at += CHUNK) yield Buffer.from(text.slice(at, at + CHUNK), 'latin1')
  }

  async writeFile(path: string, text: string): Promise<void> {
    if (this.#read(path) === undefined) throw fileError('ENOENT', ENOENT, 'open', path)
    const name = sysctlName(path)
    if (name === undefined || !this.#permitted) throw fileError('EACCES', EACCES, 'open', path)
    try {
      this.#module?.sysctls.write(name, text)
    } catch (error) {
      throw error instanceof Errno ? fileError('EINVAL', EINVAL, 'write') : error
    }
  }

  async close(): Promise<void> {}

  loadModule(): void {
    if (this.#module) return
    const ipvs = new Ipvs(this.#options)
    const familyId = this.#families.register(ipvsCommands(ipvs))
    this.#module = { familyId, ipvs, sysctls: new Sysctls(this.#options.hz), connections: new Set() }
  }

  unloadModule(): void {
    if (this.#module) this.#families.unregister(this.#module.familyId)
    this.#module = undefined
  }

  reloadModule(): void {
    this.unloadModule()
    this.loadModule()
  }

  setCounters(values: CounterValues, virtualServer?: VirtualServerKey, realServer?: RealServerKey): void {
    const { ipvs } = this.#loaded()
    const { activeConnections, inactiveConnections, persistentConnections, ...counters } = values
    if (!virtualServer) return void Object.assign(ipvs.counters, counters)
    const service = ipvs.find(serviceKey(virtualServer))
    if (!service) throw new Error(`there is no virtual server ${describeVirtualServer(virtualServer)}`)
    if (!realServer) return void Object.assign(service.counters, counters)
    const destination = ipvs.findDestination(service, destinationKey(realServer))
    if (!destination) throw new Error(`there is no real server ${describeRealServer(realServer)}`)
    Object.assign(destination.counters, counters)
    const connections = { activeConnections, inactiveConnections, persistentConnections }
    Object.assign(destination.connections, definedOnly(connections))
  }

  addConnection(connection: Connection): { end(): void } {
    const { ipvs, connections } = this.#loaded()
    const counts = destinationOf(ipvs, connection)?.connections
    const kind = kindOf(connection)
    connections.add(connection)
    if (counts) counts[kind]++
    return {
      end: () => {
        if (connections.delete(connection) && counts) counts[kind]--
      },
    }
  }

  inject(injection: Injection): Injected {
    return this.#faults.inject(injection)
  }

  #loaded(): Module {
    if (!this.#module) throw new Error('the module ip_vs is not loaded')
    return this.#module
  }

  /** The text of a file, or undefined when there is none. */
  #read(path: string): string | undefined {
    if (path === '/proc/net/fib_trie') return this.#options.loopbackUp ? LOOPBACK_TRIE : ''
    if (path === BOOT_ID) return `${this.#bootId}\n`
    if (!this.#module) return undefined
    const { ipvs, sysctls, connections } = this.#module
    switch (path) {
      case '/proc/net/ip_vs_conn':
        return connectionTable(connections)
      case '/proc/net/ip_vs_conn_sync':
        return synchronisedTable(connections)
      case '/proc/net/ip_vs_stats':
        return statistics(ipvs.counters)
      case '/proc/net/ip_vs_stats_percpu':
        return cpuStatistics(ipvs.counters)
      default:
        return sysctls.read(sysctlName(path) ?? '')
    }
  }
}

function openError(errno: number, syscall: string, reason: string): NetlinkError {
  return new NetlinkError({ errno, syscall, operation: 'open', problem: 'other', reason })
}

const sysctlName = (path: string): string | undefined => /^\/proc\/sys\/net\/ipv4\/vs\/(\w+)$/.exec(path)?.[1]

const REASONS = { ENOENT: 'no such file or directory', EACCES: 'permission denied', EINVAL: 'invalid argument' }

/** As node:fs words it. */
function fileError(code: keyof typeof REASONS, errno: number, syscall: string, path?: string): NodeJS.ErrnoException {
  const error = new Error(`${code}: ${REASONS[code]}, ${syscall}${path === undefined ? '' : ` '${path}'`}`)
  return Object.assign(error, { code, errno: -errno, syscall, ...(path !== undefined && { path }) })
}

function definedOnly(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function serviceKey(key: VirtualServerKey): ServiceKey {
  const {
    addressFamily = 0,
    firewallMark = 0,
    protocol = 0,
    address = new Uint8Array(ADDRESS),
    port = 0,
  } = virtualServerKeyToWire(key)
  return { addressFamily, firewallMark, protocol, address, port }
}

function destinationKey(key: RealServerKey): DestinationKey {
  const { addressFamily = 0, address = new Uint8Array(ADDRESS), port = 0 } = realServerKeyToWire(key)
  return { addressFamily, address, port }
}

/** The real server that a connection goes to: of its virtual server, of the one for all ports, or of one for a firewall mark. */
function destinationOf(ipvs: Ipvs, { protocol, virtual, destination }: Connection): Destination | undefined {
  const [exact, any] = [virtual.port, 0].map(port =>
    ipvs.find(serviceKey({ protocol: PROTOCOLS[protocol] ?? 0, address: virtual.address, port })),
  )
  const marked = [...ipvs.services()].filter(service => service.firewallMark !== 0)
  const services = [exact, any, ...marked].filter((service): service is Service => service !== undefined)
  for (const service of services) {
    const found = ipvs.findDestination(service, destinationKey(destination))
    if (found) return found
  }
  return undefined
}

const ACTIVE = ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'SYNACK']

/** Persistence templates have no client port. TCP as in tcp_state_active_table; SCTP counts while established, UDP never. */
function kindOf({ protocol, state, client }: Connection): keyof Connections {
  if (client.port === 0) return 'persistentConnections'
  return protocol !== 'udp' && ACTIVE.includes(state) ? 'activeConnections' : 'inactiveConnections'
}
