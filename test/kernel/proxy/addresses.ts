/** Addresses of the nodes: on which of them node ports are served, and what becomes of Services when one comes, moves or goes. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Who } from '../../service/reference.js'
import { sh } from '../support/linux.js'
import { ask, each, type Right } from './ask.js'
import {
  addressesOf,
  clientOf,
  nodeObjects,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  proxies,
  SERVICE_PORT,
  type ServiceObject,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { cidrs, TestSource, until } from './rig.js'
import { FAMILIES, HOST_PORT, NODES, type NodeName, nodeAddress, nodeNamespace, podName } from './topology.js'

const NUMBER = 230
const { nodePort } = addressesOf(NUMBER)
const PODS: readonly PodEndpoint[] = NODES.map(node => ({ node, pod: 1 }))
const SERVERS = PODS.map(({ node, pod }) => podName(node, pod))
const PROTOCOLS = ['tcp', 'udp'] as const

/** An address on the network of the nodes, that comes and goes. */
const GUEST = { ipv4: '192.168.0.101', ipv6: 'fd00:168::101' }
/** One of node one that is on no network. */
const EXTRA = { ipv4: '192.168.9.1', ipv6: 'fd00:169::1' }
const LOOPBACK = { ipv4: '127.0.0.1', ipv6: '::1' }
type Addresses = typeof GUEST

const change = (verb: 'add' | 'delete', node: NodeName, { ipv4, ipv6 }: Addresses, device: string): Promise<string> => {
  const [four, six] = device === 'lo' ? [32, 128] : [24, 64]
  return sh(
    [
      'set -e',
      `ip -n ${nodeNamespace(node)} address ${verb} ${ipv4}/${four} dev ${device}`,
      `ip -n ${nodeNamespace(node)} address ${verb} ${ipv6}/${six} dev ${device} ${verb === 'add' ? 'nodad' : ''}`,
    ].join('\n'),
  )
}

/** Gives a node an address; after the case it has it no more. */
async function give(context: ProxyContext, node: NodeName, addresses: Addresses, device = 'peer'): Promise<void> {
  context.after(() => change('delete', node, addresses, device).catch(() => {}))
  await change('add', node, addresses, device)
}

/** Who asks, by which node, where, and what is right: pods answer, a node itself does, or nobody does. */
interface Line {
  readonly who: Who
  readonly via: NodeName
  readonly to: Addresses
  readonly port: number
  readonly right: 'pods' | `node ${NodeName}` | 'reject'
}

/** What is wrong, over both families and protocols. */
async function wrongIn({ topology }: ProxyContext, lines: readonly Line[]): Promise<readonly string[]> {
  const wrong: string[] = []
  const all = lines.flatMap(line => FAMILIES.flatMap(family => PROTOCOLS.map(protocol => ({ line, family, protocol }))))
  // A node's own answers over UDP come from its first address, whichever was asked.
  const asked = all.filter(({ line: { right }, protocol }) => protocol === 'tcp' || !right.startsWith('node'))
  await each(asked, 8, async ({ line: { who, via, to, port, right }, family, protocol }) => {
    const { peer, from } = clientOf(topology, who, via, family)
    const servers = right === 'pods' ? SERVERS : right === 'reject' ? [] : [right]
    const wanted: Right = { verdict: right === 'reject' ? 'reject' : 'accept', servers, source: from }
    const target = { protocol, address: to[family], port, ...(to === LOOPBACK ? {} : { from }) }
    const { verdict, answers } = await ask(peer, target, wanted)
    const heard = [...new Set(answers.map(({ server }) => server))].sort()
    if (verdict !== wanted.verdict || heard.join() !== servers.toSorted().join())
      wrong.push(`${who} by ${via} to ${to[family]} port ${port} over ${protocol}: ${verdict} ${heard}, not ${right}`)
  })
  return wrong
}

/** Clients of a node, inside and outside. */
const from = (via: NodeName, to: Addresses, port: number, right: Line['right']): readonly Line[] =>
  (['pod', 'node', 'remote'] as const).map(who => ({ who, via, to, port, right }))

/** A Service whose load balancer has the address that comes and goes. */
const atGuest = (service: ServiceObject): ServiceObject => ({
  ...service,
  status: { loadBalancer: { ingress: Object.values(GUEST).map(ip => ({ ip })) } },
})

/** The nodes, of which one has the address that comes and goes as its first one. */
const nodesWhere = (owner: NodeName | undefined): readonly KubernetesObject[] =>
  nodeObjects.map(node =>
    node.metadata.name === owner
      ? {
          ...(node as Extract<KubernetesObject, { readonly kind: 'Node' }>),
          status: {
            addresses: [GUEST, nodeAddress(owner)].flatMap(addresses =>
              Object.values(addresses).map(address => ({ type: 'InternalIP' as const, address })),
            ),
          },
        }
      : node,
  )

export const cases: readonly ProxyCase[] = [
  {
    name: "a node's address that comes, moves to another node and goes takes node ports and the load balancer with it",
    async run(context) {
      const source = new TestSource()
      source.tell(...nodeObjects, atGuest(serviceObject(NUMBER)), ...sliceObjects(NUMBER, PODS))
      const { one, two } = await proxies(context, source)
      const ending = new AbortController()
      let synced = 0
      const running = [one, two].map(proxy => proxy.run(ending.signal, () => synced++))
      let wrong: readonly string[] = []
      const holds = async (when: string, lines: readonly Line[]): Promise<void> => {
        // Questions that are lost while things change are waited for long.
        for (let before = -1; before !== synced; await setTimeout(500)) before = synced
        await until(when, async () => {
          wrong = await wrongIn(context, lines)
          return wrong.length === 0
        }).catch(() => assert.deepEqual(wrong, [], when))
      }
      const balancer = NODES.flatMap(via => from(via, GUEST, SERVICE_PORT, 'pods'))
      const portsOf = (node: NodeName, right: Line['right']): readonly Line[] => from(node, nodeAddress(node), nodePort, right)
      const nobodys = [...balancer, ...NODES.flatMap(node => portsOf(node, 'pods')), ...from('one', GUEST, HOST_PORT, 'reject')]
      // The way back to a client outside leads through the node that it came by.
      const within = (owner: NodeName, other: NodeName, port: number, right: Line['right']): readonly Line[] => [
        ...from(owner, GUEST, port, right),
        ...from(other, GUEST, port, right).filter(({ who }) => who !== 'remote'),
      ]
      const had = (owner: NodeName, other: NodeName): readonly Line[] => [
        ...balancer,
        ...within(owner, other, nodePort, 'pods'),
        ...within(owner, other, HOST_PORT, `node ${owner}`),
        ...portsOf(other, 'pods'),
        // Served are those on the first address of each node.
        ...portsOf(owner, 'reject'),
      ]
      try {
        await holds('no node has it', nobodys)
        await give(context, 'one', GUEST)
        source.tell(...nodesWhere('one'))
        await holds('node one has it', had('one', 'two'))
        source.tell(...nodesWhere('two'))
        await change('delete', 'one', GUEST, 'peer')
        await give(context, 'two', GUEST)
        await sh(`ip netns exec ${nodeNamespace('one')} ip neigh flush dev peer`)
        await holds('node two has it', had('two', 'one'))
        await change('delete', 'two', GUEST, 'peer')
        source.tell(...nodesWhere(undefined))
        await holds('no node has it again', nobodys)
      } finally {
        ending.abort()
        await Promise.all(running)
      }
    },
  },
  {
    name: 'node ports are served on the first address of the node, or on those that it is told, and never on loopback',
    async run(given) {
      await give(given, 'one', EXTRA, 'lo')
      const served = async (ranges: readonly string[] | undefined, lines: readonly Line[]): Promise<void> => {
        const context = { ...given, options: { ...given.options, nodePortCidrs: ranges && cidrs(...ranges) } }
        const source = new TestSource()
        source.tell(...nodeObjects, serviceObject(NUMBER), ...sliceObjects(NUMBER, PODS))
        await proxies(context, source)
        const loopback: Line = { who: 'node', via: 'one', to: LOOPBACK, port: nodePort, right: 'reject' }
        assert.deepEqual(await wrongIn(context, [...lines, loopback]), [], String(ranges))
      }
      const on = (addresses: Addresses, right: Line['right']): readonly Line[] => from('one', addresses, nodePort, right)
      const first = nodeAddress('one')
      await served(undefined, [...on(first, 'pods'), ...on(EXTRA, 'reject')])
      await served(['192.168.9.0/24', 'fd00:169::/64'], [...on(first, 'reject'), ...on(EXTRA, 'pods')])
      await served(['0.0.0.0/0', '::/0'], [...on(first, 'pods'), ...on(EXTRA, 'pods')])
    },
  },
]
