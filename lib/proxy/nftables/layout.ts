/**
 * The table of the proxy: its sets, maps and chains. Both engines have it: with IPVS what connections are given to is said by virtual servers
 * instead of by `services` and slots.
 */
import { type Family, type Frontend, serviceText } from '../../service/index.js'

/** Family words of nftables. */
export const tableFamily = (family: Family): 'ip' | 'ip6' => (family === 'ipv4' ? 'ip' : 'ip6')
export const TABLE = 'ts-ipvs'

/**
 * Who comes from within the cluster, and who from outside: where a Service's traffic policy is Local they get other endpoints. What all get
 * alike stands in `outside` only.
 */
export type View = 'inside' | 'outside'

/** Names of sets and maps. */
export const SETS = {
  /** Addresses of pods. */
  pods: 'pods',
  /** Cluster addresses: other ports of theirs are refused. */
  clusterAddresses: 'cluster-addresses',
  /** Those of load balancers and external ones that no node has: they come here by a route of ours. Other ports of theirs are refused. */
  otherAddresses: 'other-addresses',
  /** Ranges of cluster addresses: what nobody has is dropped. */
  serviceRanges: 'service-ranges',
  /** Addresses and ports that only some may come to, and who may. */
  guarded: 'guarded',
  allowed: 'allowed',
  /** The same addresses and ports as those of `guarded`, with what becomes of others: who is dropped is counted here. */
  denied: 'denied',
  /** Who is refused or dropped, by view. */
  refused: { inside: 'refused-inside', outside: 'refused-outside' },
  /** How many endpoints an address and port has: which chain chooses. By view. */
  services: { inside: 'services-inside', outside: 'services-outside' },
  /** Whose endpoints see the address of this node. */
  masquerade: 'masqueraded',
  /** Endpoints, as source and destination: what comes to itself. */
  hairpin: 'hairpin',
  /** The ledger: virtual servers of IPVS that are ours. It has each before it is made, and until it is gone. */
  virtualServers: 'virtual-servers',
  /** Their addresses. */
  virtualAddresses: 'virtual-addresses',
  /** Has no elements: its comment is what `cleanup` has to know. */
  remembered: 'remembered',
} as const

/** At most as long as nft takes a comment to be. */
const COMMENT = 127

/** What elements of `services`, `refused`, `denied` and the ledger say: whose they are, as `default/web:http`. */
export const commentOf = (frontend: Pick<Frontend, 'service' | 'portName'>): string => serviceText(frontend).slice(0, COMMENT)

/** The map with the endpoint of this number of each address and port. */
export const slotMap = (view: View, slot: number): string => `slot-${view}-${slot}`
export const slotChain = (view: View, slot: number): string => `to-${view}-${slot}`
/** Who was given to the endpoint of this number, and is given to it again. */
export const affinitySet = (view: View, slot: number): string => `sticky-${view}-${slot}`
/** Remembers a client for so many seconds. */
export const stickyChain = (view: View, slot: number, seconds: number): string => `stick-${view}-${slot}-${seconds}`
/** Translates to what is asked for: nobody else translates it then. */
export const KEEP = 'keep'
/** Chooses among so many endpoints, for clients that stay for so many seconds, or anew each time. */
export const chooseChain = (view: View, count: number, seconds: number | undefined): string =>
  seconds === undefined ? `choose-${view}-${count}` : `choose-${view}-${count}-${seconds}`

/** When endpoints see the address of this node: always; unless the client is a pod; where the client is the node itself. */
export type Masquerade = 'always' | 'not-pods' | 'node'
export const masqueradeChain = (when: Masquerade): string => `masquerade-${when}`
const named = (address: string): string => address.replaceAll(':', '.')
/** For an address whose ports are told apart, and which they are. */
export const portedChain = (address: string): string => `masquerade-${named(address)}`
export const PORTED = ['tcp', 'udp', 'sctp'] as const
export const portsMap = (address: string, protocol: string): string => `ports-${named(address)}-${protocol}`
