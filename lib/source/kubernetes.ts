/** What a service proxy reads of Kubernetes' objects, and what may be wrong with it. */
import {
  addressOf,
  cidrOf,
  contains,
  DRAIN,
  drainSeconds,
  type EndpointSlice,
  type Endpoints,
  type Metadata,
  type Node,
  type Pod,
  type Service,
  type ServiceSpec,
} from '../service/index.js'
import {
  boolean,
  checked,
  either,
  isRecord,
  list,
  type Misfit,
  misfits,
  object,
  record,
  type Shape,
  text,
  trimmed,
  whole,
  word,
} from './shape.js'

/** An object that a source tells of. */
export type KubernetesObject =
  | ({ readonly kind: 'Service' } & Service)
  | ({ readonly kind: 'EndpointSlice' } & EndpointSlice)
  | ({ readonly kind: 'Endpoints' } & Endpoints)
  | ({ readonly kind: 'Node' } & Node)
  | ({ readonly kind: 'Pod' } & Pod)

export type Kind = KubernetesObject['kind']

const address = checked(value => (addressOf(value) === undefined ? 'give an IP address' : undefined))
/** That mean something else on each machine: a Service would take them from it (pkg/apis/core/validation, ValidateNonSpecialIP). */
const SPECIAL = ['0.0.0.0/32', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/24', '::/128', '::1/128', 'fe80::/10', 'ff02::/16']
  .map(cidrOf)
  .filter(cidr => cidr !== undefined)
const externalAddress = checked(value => {
  const own = addressOf(value)
  if (own === undefined) return 'give an IP address'
  return SPECIAL.some(cidr => contains(cidr, own)) ? 'give an address that others reach: none of loopback or a link' : undefined
})
const clusterAddress = checked(value =>
  value === 'None' || addressOf(value) !== undefined ? undefined : 'give an IP address or None',
)
const range = checked(value => (cidrOf(value) ? undefined : 'give a range of addresses as 10.0.0.0/8'))
/** RFC 1123, with the length of a DNS label. */
const label = checked(value =>
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)
    ? undefined
    : 'give lower-case letters, digits and dashes, at most 63, a letter or digit first and last',
)
const name = checked(value =>
  /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value)
    ? undefined
    : 'give lower-case letters, digits, dashes and dots, a letter or digit first and last',
)
const port = whole(1, 65535)
const protocol = word('TCP', 'UDP', 'SCTP')
const metadata = object(
  { name, namespace: label, labels: record(text), annotations: record(text), creationTimestamp: text, deletionTimestamp: text },
  'name',
)

const service = object(
  {
    metadata,
    spec: object({
      type: word('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
      selector: record(text),
      ports: list(
        object(
          {
            name: label,
            protocol,
            port,
            targetPort: either(whole(0, 65535), text, 'a number from 1 to 65535, or the name of a port of the container'),
            nodePort: whole(0, 65535),
            appProtocol: text,
          },
          'port',
        ),
      ),
      clusterIP: clusterAddress,
      clusterIPs: list(clusterAddress),
      ipFamilies: list(word('IPv4', 'IPv6')),
      ipFamilyPolicy: word('SingleStack', 'PreferDualStack', 'RequireDualStack'),
      externalIPs: list(externalAddress),
      externalName: text,
      loadBalancerIP: address,
      loadBalancerClass: text,
      loadBalancerSourceRanges: list(range),
      allocateLoadBalancerNodePorts: boolean,
      externalTrafficPolicy: word('Cluster', 'Local'),
      internalTrafficPolicy: word('Cluster', 'Local'),
      trafficDistribution: text,
      healthCheckNodePort: whole(0, 65535),
      publishNotReadyAddresses: boolean,
      sessionAffinity: word('None', 'ClientIP'),
      sessionAffinityConfig: object({ clientIP: object({ timeoutSeconds: whole(1, 86400) }) }),
    }),
    status: object({
      loadBalancer: object({ ingress: list(object({ ip: address, hostname: text, ipMode: word('VIP', 'Proxy') })) }),
    }),
  },
  'metadata',
  'spec',
)

const slice = object(
  {
    metadata,
    addressType: word('IPv4', 'IPv6', 'FQDN'),
    endpoints: list(
      object(
        {
          addresses: list(text),
          conditions: object({ ready: boolean, serving: boolean, terminating: boolean }),
          hostname: label,
          nodeName: text,
          zone: text,
          hints: object({ forZones: list(object({ name: text }, 'name')), forNodes: list(object({ name: text }, 'name')) }),
        },
        'addresses',
      ),
    ),
    ports: list(object({ name: text, protocol, port, appProtocol: text })),
  },
  'metadata',
  'addressType',
)

const endpointAddress = object({ ip: address, hostname: label, nodeName: text }, 'ip')
const endpoints = object(
  {
    metadata,
    subsets: list(
      object({
        addresses: list(endpointAddress),
        notReadyAddresses: list(endpointAddress),
        ports: list(object({ name: text, port, protocol }, 'port')),
      }),
    ),
  },
  'metadata',
)

const node = object(
  {
    metadata,
    spec: object({
      podCIDR: range,
      podCIDRs: list(range),
      taints: list(object({ key: text, value: text, effect: text }, 'key')),
    }),
    status: object({
      addresses: list(object({ type: text, address: text }, 'type', 'address')),
      conditions: list(object({ type: text, status: text }, 'type', 'status')),
      allocatable: record(either(text, whole(0, 2 ** 53), 'a quantity as 4 or 3920m')),
    }),
  },
  'metadata',
)

const container = object({
  name: text,
  restartPolicy: text,
  ports: list(object({ name: text, containerPort: port, protocol }, 'containerPort')),
})
const pod = object(
  {
    metadata,
    spec: object({
      nodeName: text,
      hostname: label,
      subdomain: label,
      hostNetwork: boolean,
      terminationGracePeriodSeconds: whole(0, 2 ** 31),
      containers: list(container),
      initContainers: list(container),
    }),
    status: object({
      podIP: address,
      podIPs: list(object({ ip: address }, 'ip')),
      phase: text,
      conditions: list(object({ type: text, status: text }, 'type', 'status')),
    }),
  },
  'metadata',
)

const SHAPES: Readonly<Record<Kind, Shape>> = {
  Service: service,
  EndpointSlice: slice,
  Endpoints: endpoints,
  Node: node,
  Pod: pod,
}
const VERSIONS: Readonly<Record<Kind, string>> = {
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Endpoints: 'v1',
  Node: 'v1',
  Pod: 'v1',
}

export const isKind = (kind: unknown): kind is Kind => typeof kind === 'string' && Object.hasOwn(SHAPES, kind)

/** What an object says to a proxy, and what is wrong with it. */
export interface ReadObject {
  /** Undefined where it can not be served. */
  readonly object: KubernetesObject | undefined
  readonly problems: readonly Misfit[]
}

/** Reads an object of one of the kinds. Only the fields that a proxy needs are kept: the others are most of what an API server has of it. */
export function readObject(kind: Kind, value: unknown): ReadObject {
  const problems = [...misfits(SHAPES[kind], value)]
  const version = isRecord(value) ? value.apiVersion : undefined
  if (version !== undefined && version !== VERSIONS[kind])
    problems.unshift({ path: 'apiVersion', message: `${JSON.stringify(version)}: ${kind} is read of ${VERSIONS[kind]}` })
  // What follows looks into fields that are as they should be.
  if (problems.length > 0) return { object: undefined, problems }
  const object = ownFields(kind, value)
  if (object.kind === 'Service') problems.push(...ofAnnotations(object), ...ofService(object.spec))
  if (object.kind === 'EndpointSlice') problems.push(...ofSlice(object))
  return { object: problems.every(({ served }) => served) ? object : undefined, problems }
}

function* ofAnnotations({ metadata: { annotations = {} } }: Service): Generator<Misfit> {
  const drain = annotations[DRAIN]
  if (drain !== undefined && drainSeconds(drain) === undefined)
    yield { path: `metadata.annotations.${DRAIN}`, message: `${JSON.stringify(drain)}: give seconds, or never`, served: true }
}

function ownFields(kind: Kind, value: unknown): KubernetesObject {
  const own = trimmed(SHAPES[kind], value) as { readonly metadata: Metadata }
  const { [APPLIED]: _, ...annotations } = own.metadata.annotations ?? {}
  const metadata = own.metadata.annotations?.[APPLIED] === undefined ? own.metadata : { ...own.metadata, annotations }
  return { kind, ...own, metadata } as KubernetesObject
}

/** The object once more, where `kubectl apply` has made it. */
const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

function* ofService(spec: ServiceSpec): Generator<Misfit> {
  const ports = spec.ports ?? []
  if (spec.type === 'ExternalName' && !spec.externalName)
    yield { path: 'spec.externalName', message: 'is missing: a Service of type ExternalName needs it' }
  if (ports.length === 0 && spec.type !== 'ExternalName' && spec.clusterIP !== 'None')
    yield { path: 'spec.ports', message: 'is missing: give at least one' }
  const names = new Map<string, number>()
  const numbers = new Map<string, number>()
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  for (const [i, { name, port, protocol = 'TCP', nodePort }] of ports.entries()) {
    if (nodePort && !external)
      yield {
        path: `spec.ports[${i}].nodePort`,
        message: `${nodePort}: is for Services of type NodePort and LoadBalancer: give spec.type`,
        served: true,
      }
    if (name === undefined && ports.length > 1)
      yield { path: `spec.ports[${i}].name`, message: 'is missing: with several ports each needs one' }
    const named = name === undefined ? undefined : names.get(name)
    if (named !== undefined)
      yield { path: `spec.ports[${i}].name`, message: `${JSON.stringify(name)}: spec.ports[${named}] has it already` }
    const numbered = numbers.get(`${protocol} ${port}`)
    if (numbered !== undefined)
      yield { path: `spec.ports[${i}].port`, message: `${port}: spec.ports[${numbered}] has it already, for ${protocol}` }
    if (name !== undefined) names.set(name, i)
    numbers.set(`${protocol} ${port}`, i)
  }
  const [first] = spec.clusterIPs ?? []
  if (first !== undefined && spec.clusterIP && addressOf(first) !== addressOf(spec.clusterIP))
    yield { path: 'spec.clusterIPs[0]', message: `${JSON.stringify(first)}: has to be spec.clusterIP, ${spec.clusterIP}` }
  yield* ofExternal(spec)
}

/** Of a family that the Service has no address of there are no endpoints. */
function* ofExternal({ clusterIP, clusterIPs = clusterIP ? [clusterIP] : [], ipFamilyPolicy, externalIPs = [] }: ServiceSpec) {
  const own = clusterIPs.map(addressOf).filter(address => address !== undefined)
  const complete = own.length > 1 || (own.length > 0 && (ipFamilyPolicy ?? 'SingleStack') === 'SingleStack')
  if (!complete) return
  for (const [i, text] of externalIPs.entries()) {
    const six = addressOf(text)?.includes(':')
    if (own.some(address => address.includes(':') === six)) continue
    const message = `${JSON.stringify(text)}: the Service has no cluster address of ${six ? 'IPv6' : 'IPv4'}`
    yield { path: `spec.externalIPs[${i}]`, message, served: true as const }
  }
}

function* ofSlice({ addressType, endpoints }: EndpointSlice): Generator<Misfit> {
  if (addressType === 'FQDN') return
  for (const [i, { addresses }] of (endpoints ?? []).entries())
    for (const [j, one] of addresses.entries()) {
      const address = addressOf(one)
      if (address?.includes(':') !== (addressType === 'IPv6'))
        yield {
          path: `endpoints[${i}].addresses[${j}]`,
          message: `${JSON.stringify(one)}: give an address of ${addressType}, which addressType says`,
          served: true,
        }
    }
}
