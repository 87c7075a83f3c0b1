/**
 * The network of a cluster of two nodes, with three pods each, and a client outside of it:
 *
 *             outside
 *            /       \
 *      node one ─── node two
 *       / | \         / | \
 *       pods          pods
 *
 * Cables are pairs of virtual devices, and all addresses of a pod, a node or the client stand for themselves: nobody is on a network with
 * another. Pods go everywhere through their node; what the client asks from goes through the one node or the other (rules of its routes).
 * Everything is made once and vanishes with the process's mounts: see scripts/in-namespace.
 */
import type { Family } from '../../../lib/service/index.js'
import { sh } from '../support/linux.js'
import type { Orders } from '../traffic/peer.js'
import { startPeer } from '../traffic/remote.js'

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']
export type NodeName = 'one' | 'two'
export const NODES: readonly NodeName[] = ['one', 'two']
export const OTHER: Readonly<Record<NodeName, NodeName>> = { one: 'two', two: 'one' }
/** Pods 1 and 2 serve, pod 3 is a client. */
export type PodNumber = 1 | 2 | 3
export const PODS: readonly PodNumber[] = [1, 2, 3]
export const CLIENT_POD: PodNumber = 3

type Addresses = Readonly<Record<Family, string>>
const place: Readonly<Record<NodeName, number>> = { one: 1, two: 2 }

export const nodeAddress = (node: NodeName): Addresses => ({
  ipv4: `192.168.0.${place[node]}`,
  ipv6: `fd00:168::${place[node]}`,
})
export const podAddress = (node: NodeName, pod: PodNumber): Addresses => ({
  ipv4: `10.244.${place[node]}.${pod}`,
  ipv6: `fd00:244:0:${place[node]}::${pod}`,
})
export const podName = (node: NodeName, pod: PodNumber): string => `pod ${pod} of ${node}`
/** Addresses of the client outside, whose packets go through a node; ranges of LoadBalancers have the first one only. */
export const clientAddress = (via: NodeName): Addresses => ({
  ipv4: `203.0.113.${place[via]}`,
  ipv6: `2001:db8:113::${place[via]}`,
})
export const strangerAddress = (via: NodeName): Addresses => ({
  ipv4: `198.19.0.${place[via]}`,
  ipv6: `2001:db8:114::${place[via]}`,
})

/** Ranges of addresses, of which pods, the nodes and the client have theirs, and Services can have theirs. */
export const RANGES = {
  pods: ['10.244.0.0/16', 'fd00:244::/32'],
  nodes: ['192.168.0.0/24', 'fd00:168::/64'],
  client: ['203.0.113.0/24', '2001:db8:113::/64'],
  services: ['10.96.0.0/16', 'fd00:96::/64'],
} as const

/** Where pods listen, and where the nodes do, on every address that they have. */
export const POD_PORTS = [8000, 8001] as const
export const HOST_PORT = 9000

export interface Topology {
  readonly outside: Orders
  readonly nodes: Readonly<Record<NodeName, Orders>>
  readonly pods: Readonly<Record<NodeName, Readonly<Record<PodNumber, Orders>>>>
}

const OUTSIDE = 'proxy-outside'
export const nodeNamespace = (node: NodeName): string => `proxy-${node}`
export const podNamespace = (node: NodeName, pod: PodNumber): string => `proxy-${node}-${pod}`

let made: Promise<Topology> | undefined

/** The network, with a peer everywhere. */
export function topology(): Promise<Topology> {
  made ??= make()
  return made
}

async function make(): Promise<Topology> {
  const all = [OUTSIDE, ...NODES.flatMap(node => [nodeNamespace(node), ...PODS.map(pod => podNamespace(node, pod))])]
  await sh(
    [
      'set -e',
      ...all.flatMap(netns => [`ip netns add ${netns}`, settings(netns), batch(netns, ['link set lo up'])]),
      cable('one', 'two'),
      ...NODES.flatMap(node => [...PODS.map(pod => podCable(node, pod)), clientCable(node)]),
      batch(OUTSIDE, NODES.flatMap(clientRules)),
      batch(OUTSIDE, NODES.flatMap(clientRules6), '-6'),
    ].join('\n'),
  )
  const [outside, one, two] = await Promise.all([startPeer(OUTSIDE), startNode('one'), startNode('two')])
  const podsOf = async (node: NodeName) => {
    const [first, second, third] = await Promise.all(PODS.map(pod => startPod(node, pod)))
    return { 1: first, 2: second, 3: third } as Topology['pods']['one']
  }
  const [podsOfOne, podsOfTwo] = await Promise.all([podsOf('one'), podsOf('two')])
  return { outside, nodes: { one, two }, pods: { one: podsOfOne, two: podsOfTwo } }
}

async function startNode(node: NodeName): Promise<Orders> {
  const peer = startPeer(nodeNamespace(node))
  await peer.serve(`node ${node}`, ['::'], HOST_PORT)
  return peer
}

async function startPod(node: NodeName, pod: PodNumber): Promise<Orders> {
  const peer = startPeer(podNamespace(node, pod))
  for (const port of POD_PORTS) await peer.serve(podName(node, pod), Object.values(podAddress(node, pod)), port)
  return peer
}

const batch = (netns: string, lines: readonly string[], options = ''): string =>
  `ip ${options} -n ${netns} -batch - <<'END'\n${lines.join('\n')}\nEND`

/**
 * All forward, none refuses what comes another way than its answer goes, and ICMP messages are not limited: many refusals come at once. The
 * masks are of types that count for the limit of the whole machine, 50 at once and 1,000 a second: with IPv6 that holds whatever a namespace's
 * own `ratelimit` is (net/ipv6/icmp.c, icmpv6_global_allow).
 */
function settings(netns: string): string {
  const values = {
    'ipv4/ip_forward': '1',
    'ipv4/conf/all/rp_filter': '0',
    'ipv4/conf/default/rp_filter': '0',
    'ipv4/icmp_ratemask': '0',
    'ipv6/icmp/ratelimit': '0',
    'ipv6/icmp/ratemask': '',
    'ipv6/conf/all/forwarding': '1',
    'ipv6/conf/default/accept_dad': '0',
  }
  const writes = Object.entries(values).map(([path, value]) => `echo ${value} >/proc/sys/net/${path}`)
  return `ip netns exec ${netns} sh -ec '${writes.join('; ')}'`
}

/** The cable between the nodes, whose primary addresses stand on it. */
function cable(one: NodeName, two: NodeName): string {
  const end = (node: NodeName): string => {
    const other = OTHER[node]
    return batch(nodeNamespace(node), [
      'link set peer up',
      `address add ${nodeAddress(node).ipv4}/24 dev peer`,
      `address add ${nodeAddress(node).ipv6}/64 dev peer nodad`,
      `route add 10.244.${place[other]}.0/24 via ${nodeAddress(other).ipv4}`,
      `route add fd00:244:0:${place[other]}::/64 via ${nodeAddress(other).ipv6}`,
    ])
  }
  const link = `link add peer type veth peer name peer netns ${nodeNamespace(two)}`
  return [batch(nodeNamespace(one), [link]), end(one), end(two)].join('\n')
}

/** One end of a cable that leads to addresses: IPv6 by link-local addresses, IPv4 by its device alone. */
const near = (device: string, ...far: readonly Addresses[]): readonly string[] => [
  `link set ${device} up`,
  `address add fe80::1/64 dev ${device} nodad`,
  ...far.flatMap(({ ipv4, ipv6 }) => [`route add ${ipv4} dev ${device}`, `route add ${ipv6} via fe80::2 dev ${device}`]),
]

function podCable(node: NodeName, pod: PodNumber): string {
  const far = podNamespace(node, pod)
  const device = `pod${pod}`
  const { ipv4, ipv6 } = podAddress(node, pod)
  return [
    batch(nodeNamespace(node), [
      `link add ${device} type veth peer name eth0 netns ${far}`,
      ...near(device, podAddress(node, pod)),
    ]),
    batch(far, [
      'link set eth0 up',
      `address add ${ipv4}/32 dev eth0`,
      `address add ${ipv6}/128 dev eth0 nodad`,
      'address add fe80::2/64 dev eth0 nodad',
      `route add default via ${nodeAddress(node).ipv4} dev eth0 onlink src ${ipv4}`,
      `route add default via fe80::1 dev eth0 src ${ipv6}`,
    ]),
  ].join('\n')
}

function clientCable(node: NodeName): string {
  const own = [clientAddress(node), strangerAddress(node)]
  return [
    batch(nodeNamespace(node), [`link add outside type veth peer name ${node} netns ${OUTSIDE}`, ...near('outside', ...own)]),
    batch(OUTSIDE, [
      `link set ${node} up`,
      `address add fe80::2/64 dev ${node} nodad`,
      ...own.flatMap(({ ipv4, ipv6 }) => [`address add ${ipv4}/32 dev lo`, `address add ${ipv6}/128 dev lo nodad`]),
      `route add default via ${nodeAddress(node).ipv4} dev ${node} onlink table ${place[node]}`,
      `route add default via fe80::1 dev ${node} table ${place[node]}`,
    ]),
  ].join('\n')
}

const rulesOf = (node: NodeName, family: Family): readonly string[] =>
  [clientAddress(node), strangerAddress(node)].map(addresses => `rule add from ${addresses[family]} lookup ${place[node]}`)
const clientRules = (node: NodeName): readonly string[] => rulesOf(node, 'ipv4')
const clientRules6 = (node: NodeName): readonly string[] => rulesOf(node, 'ipv6')
