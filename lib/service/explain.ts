/** What becomes of a connection, and why. */
import { familyOf } from '../netlink/address.js'
import { addressOf, type Cidr, contains } from './address.js'
import type { Protocol } from './endpoints.js'
import type { Answer, Client, Frontend } from './frontends.js'
import { type FrontendKey, frontendKey } from './model.js'

/** A new connection. */
export interface Flow {
  readonly from: string
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

/** What a node knows besides its frontends. */
export interface Surroundings {
  readonly clusterCidrs: readonly Cidr[]
  /** Of addresses for Services: what is not in use is dropped. */
  readonly serviceCidrs: readonly Cidr[]
  /** All addresses of the node. */
  readonly localAddresses: readonly string[]
  /** All addresses of other nodes. Default none. */
  readonly addressesElsewhere?: ReadonlySet<string> | undefined
  /** Those that node ports are served on. */
  readonly nodePortAddresses: readonly string[]
}

export interface Explanation {
  /** `none`: nothing of the proxy's is for it. */
  readonly verdict: 'accept' | 'reject' | 'drop' | 'none'
  /** `namespace/name:port`. */
  readonly service?: string | undefined
  /** Where it may go: `address:port`. */
  readonly endpoints: readonly string[]
  /** Whether the endpoint sees the node's address instead of the client's. */
  readonly masquerade: boolean
  readonly reason: string
}

/** Whose an address and port is. */
export function frontendOf(
  frontends: ReadonlyMap<FrontendKey, Frontend>,
  { protocol, port, ...flow }: Flow,
  around: Surroundings,
): Frontend | undefined {
  const address = checked('address', flow.address)
  const family = familyOf(address)
  const direct = frontends.get(frontendKey({ family, protocol, address, port }))
  const served = around.nodePortAddresses.includes(address)
  return direct ?? (served ? frontends.get(frontendKey({ family, protocol, port })) : undefined)
}

/** What becomes of a flow by the model alone. Throws a `TypeError` for addresses that are none. */
export function explain(frontends: ReadonlyMap<FrontendKey, Frontend>, flow: Flow, around: Surroundings): Explanation {
  const from = checked('from', flow.from)
  const address = checked('address', flow.address)
  const client = clientOf(from, around)
  const frontend = frontendOf(frontends, flow, around)
  if (!frontend) return unknown(frontends, address, around)
  const service = serviceText(frontend)
  if (frontend.sources && !frontend.sources.some(cidr => contains(cidr, from)))
    return {
      verdict: 'drop',
      service,
      endpoints: [],
      masquerade: false,
      reason: `${from} is in none of the Service's loadBalancerSourceRanges`,
    }
  return answered(frontend, frontend.answers[client], from, client)
}

/** `default/web:http`. */
export const serviceText = ({ service, portName }: Pick<Frontend, 'service' | 'portName'>): string =>
  portName === '' ? service : `${service}:${portName}`

function checked(field: string, text: string): string {
  const address = addressOf(text)
  if (address === undefined) throw new TypeError(`${field}: ${JSON.stringify(text)} is no IP address`)
  return address
}

/** Pods are told by their addresses, and so before the node's own. */
export function clientOf(from: string, { clusterCidrs, localAddresses }: Surroundings): Client {
  if (clusterCidrs.some(cidr => contains(cidr, from))) return 'pod'
  return localAddresses.includes(from) ? 'node' : 'remote'
}

const WHO: Readonly<Record<Client, string>> = { pod: 'a pod', node: 'this node', remote: 'a client from outside of the cluster' }

/** `10.244.1.7:80`, `[fd00::7]:80`. */
export const formatEndpoint = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

function answered(frontend: Frontend, answer: Answer, from: string, client: Client): Explanation {
  const service = serviceText(frontend)
  if (answer.verdict !== 'accept') {
    const reason = `${WHO[client]} comes by the ${frontend.kind}: ${answer.reason}`
    return { verdict: answer.verdict, service, endpoints: [], masquerade: false, reason }
  }
  const { endpoints, masquerade } = answer
  const hairpin = endpoints.every(({ address }) => address === from)
  const how = masquerade
    ? 'endpoints see the address of this node'
    : hairpin
      ? 'the endpoint is the client itself, and sees the address of this node'
      : 'endpoints see the address of the client'
  return {
    verdict: 'accept',
    service,
    endpoints: endpoints.map(formatEndpoint),
    masquerade: masquerade || hairpin,
    reason: `${WHO[client]} comes by the ${frontend.kind}: ${how}`,
  }
}

/** What comes to an address that no node has would come to programs of this one, by the route that brings it here. */
function unknown(
  frontends: ReadonlyMap<FrontendKey, Frontend>,
  address: string,
  { serviceCidrs, localAddresses, addressesElsewhere }: Surroundings,
): Explanation {
  const nothing = { endpoints: [], masquerade: false }
  const own = localAddresses.includes(address) || addressesElsewhere?.has(address) === true
  for (const { kind, address: known, service } of frontends.values())
    if (known === address && (kind === 'cluster-ip' || !own)) {
      const what = kind === 'cluster-ip' ? 'the cluster address' : 'an address'
      return { ...nothing, verdict: 'reject', reason: `${address} is ${what} of ${service}, which has no such port` }
    }
  const cidr = serviceCidrs.find(cidr => contains(cidr, address))
  if (cidr)
    return { ...nothing, verdict: 'drop', reason: `no Service has ${address}, which is in ${cidr.text}, the range of Services` }
  return { ...nothing, verdict: 'none', reason: 'no Service has this address and port' }
}
