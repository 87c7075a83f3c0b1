/** What a frontend is in IPVS: a virtual server, and its real servers with their weights. */
import type { RealServer, SchedulerFlag, VirtualServer, VirtualServerConfig } from '../../ipvs/index.js'
import { virtualServerFromWire, virtualServerToWire } from '../../ipvs/virtual-server.js'
import { type Balancing, cidrOf, contains, type Endpoint, type Protocol } from '../../service/index.js'
import type { Placed } from '../nftables/table.js'

/** Its key in the ledger, too: `10.96.0.1 tcp 80`. */
export type ServerName = string

export const serverName = (address: string, protocol: string | number, port: number): ServerName =>
  `${address} ${protocol} ${port}`

/** The parts of a name. */
export function partsOf(name: ServerName): { readonly address: string; readonly protocol: Protocol; readonly port: number } {
  const [address = '', protocol = '', port] = name.split(' ')
  return { address, protocol: protocol as Protocol, port: Number(port) }
}

/** `10.244.1.7 8080` */
export type EndpointName = string

export const endpointName = ({ address, port }: { readonly address: string; readonly port: number }): EndpointName =>
  `${address} ${port}`

export function endpointOf(name: EndpointName): { readonly address: string; readonly port: number } {
  const [address = '', port] = name.split(' ')
  return { address, port: Number(port) }
}

/** An endpoint, and how much of the connections it is given. */
export interface Weighed {
  readonly address: string
  readonly port: number
  readonly weight: number
}

export interface WantedServer {
  readonly config: VirtualServerConfig
  /** Says of two configurations whether they are the same. */
  readonly content: string
  readonly realServers: ReadonlyMap<EndpointName, Weighed>
  readonly place: Placed
  /** What of the Service's wishes can not be had, and what it gets. */
  readonly problem?: string | undefined
}

/** Round robin: endpoints are alike, unless an annotation says otherwise. */
export const DEFAULT_SCHEDULER = 'rr'

/** @param missing schedulers that the kernel has not got */
export function wantedServer(place: Placed, missing: ReadonlySet<string>): WantedServer | undefined {
  const { frontend, address, rendered } = place
  if (!rendered.balanced) return undefined
  const { protocol, port, affinity, balancing = {} } = frontend
  const { scheduler = DEFAULT_SCHEDULER } = balancing
  const plain: VirtualServerConfig = {
    protocol,
    address,
    port,
    scheduler: DEFAULT_SCHEDULER,
    ...(affinity === undefined ? {} : { persistence: { timeout: affinity } }),
  }
  const realServers = new Map(rendered.balanced.map(endpoint => [endpointName(endpoint), weighed(endpoint, balancing)]))
  const common = { realServers, place }
  if (missing.has(scheduler))
    return {
      ...common,
      config: plain,
      content: contentOf(plain),
      problem: `this kernel has no scheduler ${scheduler}: ${INSTEAD}`,
    }
  try {
    const config = configured(plain, balancing)
    return { ...common, config, content: contentOf(config) }
  } catch (error) {
    return { ...common, config: plain, content: contentOf(plain), problem: `${(error as Error).message}: ${INSTEAD}` }
  }
}

const INSTEAD = `it gets ${DEFAULT_SCHEDULER}`

/** With the words that the kernel's answer has, so that both can be compared. Throws what is wrong with the flags. */
function configured(
  plain: VirtualServerConfig,
  { scheduler = DEFAULT_SCHEDULER, schedulerFlags }: Balancing,
): VirtualServerConfig {
  const config = { ...plain, scheduler }
  if (!schedulerFlags?.length && scheduler === DEFAULT_SCHEDULER) return config
  return virtualServerFromWire(virtualServerToWire({ ...config, schedulerFlags: schedulerFlags as readonly SchedulerFlag[] }))
}

/** Of a configuration, or of what the kernel has. */
export function contentOf(server: VirtualServerConfig | VirtualServer): string {
  const { scheduler, schedulerFlags, persistence, onePacket, otherFlags } = server as VirtualServer
  const plain = schedulerFlags === undefined && persistence === undefined && onePacket === undefined && otherFlags === undefined
  if (plain && scheduler !== undefined) return scheduler
  const { timeout, netmask, engine } = persistence ?? {}
  return JSON.stringify([scheduler, schedulerFlags, timeout, netmask, engine, onePacket, otherFlags])
}

/** The weight of what stands as we write it; otherwise one that nobody has, so that it is written again. */
export const knownWeight = ({ weight, forwarding, upperThreshold, lowerThreshold }: RealServer): number =>
  forwarding === 'masquerade' && upperThreshold === 0 && lowerThreshold === 0 ? weight : -1

const weighed = (endpoint: Endpoint, balancing: Balancing): Weighed => ({
  address: endpoint.address,
  port: endpoint.port,
  weight: weightOf(endpoint, balancing),
})

/** That of the longest prefix. Default 1. */
function weightOf({ address }: Endpoint, { weights = {} }: Balancing): number {
  let longest = -1
  let weight = 1
  for (const [prefix, value] of Object.entries(weights)) {
    const cidr = cidrOf(prefix)
    if (!cidr || cidr.length <= longest || !contains(cidr, address)) continue
    longest = cidr.length
    weight = value
  }
  return weight
}
