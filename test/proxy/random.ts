/** Services and endpoints at random, with what is easy to forget: shared addresses, those of nodes, pods on the hosts' network, both families. */
import type { EndpointSlice, Service, ServicePort } from '../../lib/service/index.js'

/** Numbers that look random, the same each time. */
export class Random {
  #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  below(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) & 0x7fffffff
    return (this.#seed >> 8) % limit
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  some<T>(list: readonly T[]): readonly T[] {
    return list.filter(() => this.below(3) === 0)
  }
}

/** Of this node, the second one not the primary one, and of another node. */
export const HERE = ['192.168.1.1', '192.168.7.1', 'fd00:168::1', 'fd00:168:7::1']
export const THERE = ['192.168.1.2', 'fd00:168::2']
const OUTSIDE = ['192.0.2.5', '192.0.2.6', '2001:db8:51::5']
const BALANCERS = ['192.0.2.9', '2001:db8:18::9', '192.0.2.5']

export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const PORTS = [80, 81]
export const NODE_PORTS = [30000, 30001]
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const

export const clusterAddresses = (name: string): readonly string[] => {
  const number = 1 + NAMES.indexOf(name)
  return [`10.96.0.${number}`, `fd00:96::${number}`]
}

export function randomService(random: Random, name: string, numbers: readonly number[] = PORTS): Service {
  const port = (): ServicePort => {
    const protocol = random.pick(PROTOCOLS)
    const name = `${protocol.toLowerCase()}-${random.below(2)}`
    return { name, protocol, port: random.pick(numbers), ...(random.below(2) ? { nodePort: random.pick(NODE_PORTS) } : {}) }
  }
  const ports = [port(), port()]
  const clusterIPs = random.below(4) ? clusterAddresses(name) : clusterAddresses(name).slice(0, 1)
  const scheduler = random.pick([undefined, 'rr', 'wrr', 'sh', 'mh', 'lc', 'unheard-of'])
  const ingress = random
    .some([...BALANCERS, ...HERE, ...THERE])
    .map(ip => ({ ip, ipMode: random.pick(['VIP', 'VIP', 'Proxy'] as const) }))
  return {
    metadata: {
      name,
      creationTimestamp: `2026-01-0${1 + NAMES.indexOf(name)}T00:00:00Z`,
      annotations: scheduler === undefined ? {} : { 'ts-ipvs.io/scheduler': scheduler },
      labels: random.below(20) ? {} : { 'service.kubernetes.io/service-proxy-name': 'other' },
    },
    spec: {
      type: random.pick(['ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer']),
      clusterIP: random.below(20) ? clusterIPs[0] : 'None',
      clusterIPs,
      ports: ports[0]?.name === ports[1]?.name ? ports.slice(1) : ports,
      externalIPs: random.some([...OUTSIDE, ...HERE, ...THERE]),
      externalTrafficPolicy: random.pick(['Cluster', 'Local']),
      internalTrafficPolicy: random.pick(['Cluster', 'Cluster', 'Local']),
      loadBalancerSourceRanges: random.pick([
        [],
        [],
        ['203.0.113.0/24', '2001:db8:113::/64'],
        ['192.168.1.0/24', '10.244.0.0/16'],
      ]),
      sessionAffinity: random.pick(['None', 'None', 'ClientIP']),
      sessionAffinityConfig: { clientIP: { timeoutSeconds: random.pick([1, 60, 86400]) } },
    },
    status: { loadBalancer: { ingress } },
  }
}

/** Pods, and nodes, as endpoints of one family. */
export function randomSlice(random: Random, name: string, family: 'IPv4' | 'IPv6'): EndpointSlice {
  const six = family === 'IPv6'
  const places = [1, 2].flatMap(node =>
    [1, 2].map(pod => [six ? `fd00:244:0:${node}::${pod}` : `10.244.${node}.${pod}`, node] as const),
  )
  const hosts = [HERE[six ? 2 : 0] as string, THERE[six ? 1 : 0] as string].map((address, i) => [address, i + 1] as const)
  const hinted = random.below(5) === 0
  return {
    metadata: { name: `${name}-${family}`, labels: { 'kubernetes.io/service-name': name } },
    addressType: family,
    ports: PROTOCOLS.flatMap(protocol =>
      [0, 1].map(i => ({ name: `${protocol.toLowerCase()}-${i}`, protocol, port: random.pick([80, 8080]) })),
    ),
    endpoints: random.some([...places, ...places, ...hosts]).map(([address, node]) => ({
      addresses: [address],
      nodeName: node === 1 ? 'here' : 'there',
      conditions: random.pick([
        {},
        {},
        { ready: true },
        { ready: false, serving: true, terminating: true },
        { ready: false, serving: false, terminating: true },
        { ready: false },
      ]),
      ...(hinted ? { hints: { forZones: [{ name: node === 1 ? 'zone-here' : 'zone-there' }] } } : {}),
    })),
  }
}
