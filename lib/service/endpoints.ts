/** The endpoints of Services: from slices, or from Endpoints, to what can be chosen from. */
import { addressOf, compareText, type Family } from './address.js'
import type { EndpointSlice, Endpoints, SliceEndpoint } from './objects.js'

/** Transport protocols in the kernel's words. */
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** What a connection can be given to. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  /** Whether it is on this node. */
  readonly local: boolean
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly nodeName?: string | undefined
  readonly zone?: string | undefined
  /** Zones and nodes whose clients are meant to use it (EndpointSlice hints). */
  readonly forZones?: readonly string[] | undefined
  readonly forNodes?: readonly string[] | undefined
}

/** `ipv4 http tcp`: a family, the name of a port, a protocol. */
export const endpointKey = (family: Family, port: string, protocol: Protocol): string => `${family} ${protocol} ${port}`

/** The endpoints of one Service by `endpointKey`, each sorted by address and port. */
export type EndpointsByPort = ReadonlyMap<string, readonly Endpoint[]>

/**
 * The endpoints that slices of one Service have for a node. Of slices that tell the same address and port the one counts that is local.
 * Of addresses the first is used, of ports those that have a number; as kube-proxy does. What is left out is as an API server fills it in: a
 * port without a name has the empty one (pkg/apis/discovery/v1/defaults.go).
 */
export function endpointsOf(slices: Iterable<EndpointSlice>, node: string): EndpointsByPort {
  const found = new Map<string, Map<string, Endpoint>>()
  for (const { addressType, endpoints, ports } of slices) {
    if (addressType === 'FQDN') continue
    const family = addressType === 'IPv6' ? 'ipv6' : 'ipv4'
    for (const { name, port, protocol = 'TCP' } of ports ?? []) {
      if (!port) continue
      const key = endpointKey(family, name ?? '', protocol.toLowerCase() as Protocol)
      let known = found.get(key)
      if (!known) {
        known = new Map()
        found.set(key, known)
      }
      for (const endpoint of endpoints ?? []) addEndpoint(known, endpoint, family, port, node)
    }
  }
  const sorted = new Map<string, readonly Endpoint[]>()
  for (const [key, endpoints] of found) sorted.set(key, [...endpoints.values()].sort(byAddress))
  return sorted
}

function addEndpoint(
  known: Map<string, Endpoint>,
  { addresses, conditions, nodeName, zone, hints }: SliceEndpoint,
  family: Family,
  port: number,
  node: string,
): void {
  const address = addressOf(addresses[0] ?? '')
  if (address === undefined || address.includes(':') !== (family === 'ipv6')) return
  const key = `${address} ${port}`
  const local = nodeName !== undefined && nodeName === node
  if (!local && known.has(key)) return
  known.set(key, {
    address,
    port,
    local,
    ready: conditions?.ready ?? true,
    serving: conditions?.serving ?? true,
    terminating: conditions?.terminating ?? false,
    nodeName,
    zone,
    forZones: hints?.forZones?.map(({ name }) => name),
    forNodes: hints?.forNodes?.map(({ name }) => name),
  })
}

const byAddress = (a: Endpoint, b: Endpoint): number => compareText(a.address, b.address) || a.port - b.port

/** Slices that say the same as an Endpoints object does, as Kubernetes mirrors them. */
export function slicesOfEndpoints({ metadata, subsets = [] }: Endpoints): readonly EndpointSlice[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) =>
    (['IPv4', 'IPv6'] as const).flatMap(addressType => {
      const ofFamily = ({ ip }: { readonly ip: string }): boolean => ip.includes(':') === (addressType === 'IPv6')
      const slice = (ready: boolean) => (address: (typeof addresses)[number]) => ({
        ...address,
        addresses: [address.ip],
        conditions: { ready },
      })
      const endpoints = [...addresses.filter(ofFamily).map(slice(true)), ...notReadyAddresses.filter(ofFamily).map(slice(false))]
      if (endpoints.length === 0) return []
      const name = `${metadata.name}-${addressType.toLowerCase()}-${i}`
      const labels = { ...metadata.labels, 'kubernetes.io/service-name': metadata.name }
      const named = ports.map(port => ({ name: '', ...port }))
      return [{ metadata: { ...metadata, name, labels }, addressType, endpoints, ports: named }]
    }),
  )
}
