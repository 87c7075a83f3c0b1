/** What a frontend is in IPVS: a virtual server, and its real servers with their weights. */
import type { RealServer, SchedulerFlag, VirtualServer, VirtualServerConfig } from '../../ipvs/index.js'
import { virtualServerFromWire, virtualServerToWire } from '../../ipvs/virtual-server.js'
import { type Balancing, cidrOf, contains, type Endpoint, type FrontendKey } from '../../service/index.js'
import { type EndpointName, endpointName } from '../names.js'
import type { Placed } from '../nftables/table.js'

/** An endpoint, and how much of the connections it is given. */
export interface Weighed {
  readonly name: EndpointName
  readonly config: { readonly address: string; readonly port: number; readonly weight: number }
}

export interface WantedServer {
  /** Whose it is. */
  readonly owner: FrontendKey
  readonly place: Placed
  readonly config: VirtualServerConfig
  /** Says of two configurations whether they are the same. */
  readonly content: string
  readonly realServers: readonly Weighed[]
  /** What of the Service's wishes can not be had, and what it gets. */
  readonly problem: string | undefined
}

/** Round robin: endpoints are alike, unless an annotation says otherwise. */
export const DEFAULT_SCHEDULER = 'rr'

const NOTHING: Balancing = {}

/** @param missing schedulers that the kernel has not got */
export function wantedServer(owner: FrontendKey, place: Placed, missing: ReadonlySet<string>): WantedServer | undefined {
  const { frontend, rendered } = place
  if (!rendered.balanced) return undefined
  const { balancing = NOTHING } = frontend
  const { config, problem } = configured(place, balancing, missing)
  const realServers = rendered.balanced.map(endpoint => weighed(endpoint, balancing))
  return { owner, place, config, content: contentOf(config), realServers, problem }
}

const INSTEAD = `it gets ${DEFAULT_SCHEDULER}`

interface Configured {
  readonly config: VirtualServerConfig
  readonly problem: string | undefined
}

function configured(place: Placed, balancing: Balancing, missing: ReadonlySet<string>): Configured {
  const { scheduler = DEFAULT_SCHEDULER, schedulerFlags } = balancing
  const plain = plainConfig(place)
  if (missing.has(scheduler)) return { config: plain, problem: `this kernel has no scheduler ${scheduler}: ${INSTEAD}` }
  if (!schedulerFlags?.length && scheduler === DEFAULT_SCHEDULER) return { config: plain, problem: undefined }
  try {
    const wished = { ...plain, scheduler, schedulerFlags: schedulerFlags as readonly SchedulerFlag[] }
    // With the words that the kernel's answer has, so that both can be compared. Throws what is wrong with the flags.
    return { config: virtualServerFromWire(virtualServerToWire(wished)), problem: undefined }
  } catch (error) {
    return { config: plain, problem: `${(error as Error).message}: ${INSTEAD}` }
  }
}

function plainConfig({ address, frontend: { protocol, port, affinity } }: Placed): VirtualServerConfig {
  const scheduler = DEFAULT_SCHEDULER
  if (affinity === undefined) return { protocol, address, port, scheduler }
  return { protocol, address, port, scheduler, persistence: { timeout: affinity } }
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

function weighed(endpoint: Endpoint, balancing: Balancing): Weighed {
  const { address, port } = endpoint
  return { name: endpointName(endpoint), config: { address, port, weight: weightOf(endpoint, balancing) } }
}

/** That of the longest prefix. Default 1. */
function weightOf({ address }: Endpoint, { weights }: Balancing): number {
  if (weights === undefined) return 1
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
