/** The virtual servers of a memory kernel and their real servers: the second half of net/netfilter/ipvs/ip_vs_ctl.c, without packets. */

import type { Statistics } from '../ipvs/types.js'
import { serviceFlag } from '../ipvs/wire.js'
import { AF_INET, AF_INET6 } from '../netlink/address.js'
import { EAFNOSUPPORT, EEXIST, EINVAL, ENOENT, ERANGE, Errno } from './errno.js'
import type { DestinationKey, DestinationSettings, ServiceKey, ServiceSettings } from './ipvs-requests.js'
import { SyncDaemons } from './sync-daemons.js'
import { isUnicast4, isUnicast6 } from './unicast.js'

/** What kind of kernel it is. */
export interface IpvsOptions {
  readonly schedulers: readonly string[]
  readonly persistenceEngines: readonly string[]
  readonly hz: number
  readonly ipv6: boolean
  readonly loopbackUp: boolean
  readonly interfaces: Readonly<Record<string, number>>
  readonly tunnels: readonly ('ipip' | 'gue' | 'gre')[]
  readonly statistics64: boolean
  readonly connectionTableSize: number
}

export type Counters = { -readonly [K in keyof Statistics]: Statistics[K] }

export interface Connections {
  activeConnections: number
  inactiveConnections: number
  persistentConnections: number
}

export interface Destination extends DestinationKey {
  /** The virtual server that it belonged to last. */
  service: Service
  settings: DestinationSettings
  readonly counters: Counters
  readonly connections: Connections
}

export interface Service extends ServiceKey {
  scheduler: string
  engine: string
  flags: number
  /** Jiffies. */
  timeout: number
  netmask: Uint8Array
  readonly counters: Counters
  /** Oldest first; the kernel prepends, and lists the newest first. */
  readonly destinations: Map<string, Destination>
}

export const noCounters = (): Counters => ({
  connections: 0n,
  incomingPackets: 0n,
  outgoingPackets: 0n,
  incomingBytes: 0n,
  outgoingBytes: 0n,
  connectionRate: 0n,
  incomingPacketRate: 0n,
  outgoingPacketRate: 0n,
  incomingByteRate: 0n,
  outgoingByteRate: 0n,
})

const INT_MAX = 0x7fffffff
const GUE = 1
const TUNNEL = 2
/** IP_VS_SVC_TAB_SIZE */
const BUCKETS = 256
/** Established TCP connections, those that were closed, UDP: in seconds (ip_vs_proto_tcp.c, ip_vs_proto_udp.c). */
const TIMEOUTS = { tcp: 900, tcpFin: 120, udp: 300 }

export class Ipvs {
  readonly options: IpvsOptions
  readonly daemons: SyncDaemons
  /** Of everything together, as /proc/net/ip_vs_stats shows it. */
  readonly counters = noCounters()
  #timeouts = TIMEOUTS
  /** By address, then by firewall mark: the order of a dump. */
  readonly #tables = [emptyTable(), emptyTable()] as const
  /** Real servers that were removed and still have connections: they come back with them. */
  readonly #trash = new Map<string, Destination>()

  constructor(options: IpvsOptions) {
    this.options = options
    this.daemons = new SyncDaemons(options.interfaces)
  }

  /** In the order of the kernel's hash tables; of one bucket the newest first. */
  *services(): Generator<Service> {
    for (const table of this.#tables) for (const bucket of table) yield* newestFirst(bucket)
  }

  find(key: ServiceKey): Service | undefined {
    return this.#bucket(key).get(serviceText(key))
  }

  /** ip_vs_is_af_valid */
  checkFamily(family: number): void {
    if (family !== AF_INET && !(family === AF_INET6 && this.options.ipv6)) throw new Errno(EAFNOSUPPORT)
  }

  /** ip_vs_add_service */
  addService(key: ServiceKey, settings: ServiceSettings): void {
    if (this.find(key)) throw new Errno(EEXIST)
    const service = { ...key, ...this.#stored(key, settings, 0), counters: noCounters(), destinations: new Map() }
    this.#bucket(key).set(serviceText(key), service)
  }

  /** ip_vs_edit_service: what the request does not name is gone afterwards. */
  editService(service: Service, settings: ServiceSettings): void {
    Object.assign(service, this.#stored(service, settings, service.flags))
  }

  /** What is kept of the settings: of a time-out 32 bits of jiffies, and what does not fit is lost. */
  #stored(key: ServiceKey, settings: ServiceSettings, flags: number) {
    const { scheduler, engine, netmask, mask } = settings
    const { schedulers, persistenceEngines, hz } = this.options
    if (scheduler !== 'none' && !schedulers.includes(scheduler)) throw new Errno(ENOENT)
    if (engine !== '' && !persistenceEngines.includes(engine)) throw new Errno(ENOENT)
    const [prefix = 0] = new Uint32Array(netmask.slice().buffer)
    if (key.addressFamily === AF_INET6 && (prefix < 1 || prefix > 128)) throw new Errno(EINVAL)
    const merged = (flags & ~mask) | (settings.flags & mask) | serviceFlag.hashed
    return { scheduler, engine, netmask, flags: merged >>> 0, timeout: Math.imul(settings.timeout, hz) >>> 0 }
  }

  /** ip_vs_del_service */
  removeService(service: Service): void {
    this.#bucket(service).delete(serviceText(service))
    for (const destination of service.destinations.values()) this.#discard(destination)
  }

  /** ip_vs_flush */
  flush(): void {
    for (const service of [...this.services()]) this.removeService(service)
  }

  /** ip_vs_zero_service, ip_vs_zero_all */
  zero(service?: Service): void {
    for (const each of service ? [service] : this.services()) {
      Object.assign(each.counters, noCounters())
      for (const { counters } of each.destinations.values()) Object.assign(counters, noCounters())
    }
    if (!service) Object.assign(this.counters, noCounters())
  }

  /** Newest first. */
  destinations(service: Service): Iterable<Destination> {
    return newestFirst(service.destinations)
  }

  findDestination(service: Service, key: DestinationKey): Destination | undefined {
    return service.destinations.get(destinationText(key))
  }

  /** What the kernel looks at before it decides whether to add or to edit (ip_vs_genl_set_cmd). */
  checkMixedFamily(service: Service, key: DestinationKey, { forwarding }: DestinationSettings): void {
    if (key.addressFamily === service.addressFamily) return
    if (this.daemons.running || forwarding !== TUNNEL) throw new Errno(EINVAL)
  }

  /** ip_vs_add_dest */
  addDestination(service: Service, key: DestinationKey, settings: DestinationSettings): void {
    this.#checkSettings(settings)
    if (this.findDestination(service, key)) throw new Errno(EEXIST)
    const destination = this.#recover(service, key) ?? this.#create(service, key, settings)
    service.destinations.set(destinationText(key), Object.assign(destination, { service, settings }))
  }

  /** ip_vs_edit_dest: what the request does not name is at its default afterwards. */
  editDestination(service: Service, key: DestinationKey, settings: DestinationSettings): void {
    this.#checkSettings(settings)
    const destination = this.findDestination(service, key)
    if (!destination) throw new Errno(ENOENT)
    destination.settings = settings
  }

  /** ip_vs_del_dest */
  removeDestination(service: Service, key: DestinationKey): void {
    const destination = this.findDestination(service, key)
    if (!destination) throw new Errno(ENOENT)
    service.destinations.delete(destinationText(key))
    this.#discard(destination)
  }

  #checkSettings({ weight, upperThreshold, lowerThreshold, tunnelType, tunnelPort }: DestinationSettings): void {
    if (weight < 0 || lowerThreshold > upperThreshold) throw new Errno(ERANGE)
    // The largest threshold came late: Linux 6.1.176 takes more, 6.1.192 and 6.12.117 do not.
    if (upperThreshold > INT_MAX || (tunnelType === GUE && tunnelPort === 0)) throw new Errno(EINVAL)
  }

  /** ip_vs_new_dest */
  #create(service: Service, key: DestinationKey, settings: DestinationSettings): Destination {
    const { addressFamily, address, port } = key
    const unicast = addressFamily === AF_INET6 ? isUnicast6(address) : isUnicast4(address, this.options.loopbackUp)
    if (!unicast) throw new Errno(EINVAL)
    const connections = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 }
    return { addressFamily, address, port, service, settings, counters: noCounters(), connections }
  }

  /** ip_vs_trash_get_dest. Counters are kept if the virtual server is the same, too (__ip_vs_update_dest). */
  #recover(service: Service, key: DestinationKey): Destination | undefined {
    const text = `${serviceText(service)} ${destinationText(key)}`
    const destination = this.#trash.get(text)
    this.#trash.delete(text)
    if (destination && destination.service !== service) Object.assign(destination.counters, noCounters())
    return destination
  }

  #discard(destination: Destination): void {
    const { activeConnections, inactiveConnections, persistentConnections } = destination.connections
    if (activeConnections + inactiveConnections + persistentConnections === 0) return
    this.#trash.set(`${serviceText(destination.service)} ${destinationText(destination)}`, destination)
  }

  get timeouts(): Readonly<typeof TIMEOUTS> {
    return this.#timeouts
  }

  /** ip_vs_set_timeout: 0 keeps what there is. */
  setTimeouts(wanted: Readonly<typeof TIMEOUTS>): void {
    const maximum = Math.floor(INT_MAX / this.options.hz)
    if (Object.values(wanted).some(seconds => seconds > maximum)) throw new Errno(EINVAL)
    const { tcp, tcpFin, udp } = this.#timeouts
    this.#timeouts = { tcp: wanted.tcp || tcp, tcpFin: wanted.tcpFin || tcpFin, udp: wanted.udp || udp }
  }

  /** ip_vs_genl_new_daemon: synchronisation can not carry real servers of another family than their virtual server. */
  get hasMixedFamilies(): boolean {
    for (const { addressFamily, destinations } of this.services())
      for (const destination of destinations.values()) if (destination.addressFamily !== addressFamily) return true
    return false
  }

  /** ip_vs_svc_hashkey, ip_vs_svc_fwm_hashkey */
  #bucket({ firewallMark, protocol, address, port }: ServiceKey): Map<string, Service> {
    const words = new DataView(address.buffer, address.byteOffset)
    const folded = words.getUint32(0) ^ words.getUint32(4) ^ words.getUint32(8) ^ words.getUint32(12)
    const hash = firewallMark || protocol ^ folded ^ (port >> 8) ^ port
    return this.#tables[firewallMark ? 1 : 0][hash & (BUCKETS - 1)] as Map<string, Service>
  }
}

function emptyTable(): Map<string, Service>[] {
  return Array.from({ length: BUCKETS }, () => new Map())
}

function newestFirst<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map.values()].reverse()
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function serviceText({ addressFamily, firewallMark, protocol, address, port }: ServiceKey): string {
  return firewallMark ? `${addressFamily} mark ${firewallMark}` : `${addressFamily} ${protocol} ${hex(address)} ${port}`
}

function destinationText({ addressFamily, address, port }: DestinationKey): string {
  return `${addressFamily} ${hex(address)} ${port}`
}
