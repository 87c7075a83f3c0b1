/** What the table of flows leaves out: clients that are endpoints, hints, names of ports, affinity, and addresses without a Service. */
import assert from 'node:assert/strict'
import type { ServiceSpec } from '../../../lib/service/index.js'
import type { Kind, Who } from '../../service/reference.js'
import { sh } from '../support/linux.js'
import { ask, difference, each, type Right } from './ask.js'
import {
  addressesOf,
  addressOf,
  clientOf,
  nodeObjects,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  proxies,
  proxyOn,
  SERVICE_PORT,
  type ServiceObject,
  type SliceObject,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { TestSource } from './rig.js'
import {
  CLIENT_POD,
  FAMILIES,
  HOST_PORT,
  NODES,
  type NodeName,
  nodeAddress,
  nodeNamespace,
  OTHER,
  POD_PORTS,
  podAddress,
  podName,
  podNamespace,
} from './topology.js'

const NUMBER = 200
const PROTOCOLS = ['tcp', 'udp'] as const
const KINDS: readonly Kind[] = ['cluster-ip', 'external-ip', 'load-balancer', 'node-port']
const EVERYWHERE: readonly PodEndpoint[] = NODES.flatMap(node => ([1, 2] as const).map(pod => ({ node, pod })))

async function serve(context: ProxyContext, endpoints: readonly PodEndpoint[], spec: Partial<ServiceSpec> = {}): Promise<void> {
  const source = new TestSource()
  source.tell(...nodeObjects, serviceObject(NUMBER, spec), ...sliceObjects(NUMBER, endpoints))
  await proxies(context, source)
}

/** Each family, protocol and node, at once; all that is wrong is told together. */
async function everywhere(
  run: (family: 'ipv4' | 'ipv6', protocol: 'tcp' | 'udp', node: NodeName) => Promise<string | undefined>,
): Promise<void> {
  const all = FAMILIES.flatMap(family => PROTOCOLS.flatMap(protocol => NODES.map(node => ({ family, protocol, node }))))
  const wrong: string[] = []
  await each(all, all.length, async ({ family, protocol, node }) => {
    const text = await run(family, protocol, node)
    if (text !== undefined) wrong.push(`${family} ${protocol} by ${node}: ${text}`)
  })
  assert.deepEqual(wrong, [])
}

/** Where clients in a pod, on the node and outside are given to. */
const given = (
  name: string,
  endpoints: readonly PodEndpoint[],
  to: Readonly<Record<NodeName, readonly PodEndpoint[]>>,
): ProxyCase => ({
  name,
  async run(context) {
    await serve(context, endpoints)
    for (const who of ['pod', 'node', 'remote'] as const)
      await everywhere(async (family, protocol, node) => {
        const { peer, from } = clientOf(context.topology, who, node, family)
        const servers = to[node].map(({ node, pod }) => podName(node, pod))
        const right: Right = { verdict: 'accept', servers, source: who === 'pod' ? from : nodeAddress(node)[family] }
        const target = { protocol, ...addressOf('cluster-ip', NUMBER, family, node), from }
        return difference(await ask(peer, target, right), right)
      })
  },
})

const on = (node: NodeName): readonly PodEndpoint[] => EVERYWHERE.filter(endpoint => endpoint.node === node)
const hinted = (hint: 'forNodes' | 'forZones', endpoints = EVERYWHERE): readonly PodEndpoint[] =>
  endpoints.map(endpoint => ({ ...endpoint, [hint]: [endpoint.node] }))

/** A Service with the nodes' addresses as those of its load balancer. */
const onNodes = (service: ServiceObject): ServiceObject => ({
  ...service,
  status: { loadBalancer: { ingress: NODES.flatMap(node => Object.values(nodeAddress(node))).map(ip => ({ ip })) } },
})

/** With what the nodes serve themselves as endpoints. */
const hostSlices: readonly SliceObject[] = sliceObjects(NUMBER, []).map((slice, i) => ({
  ...slice,
  ports: slice.ports?.map(port => ({ ...port, port: HOST_PORT })) ?? [],
  endpoints:
    i % POD_PORTS.length === 0
      ? NODES.map(node => ({ addresses: [nodeAddress(node)[slice.addressType === 'IPv4' ? 'ipv4' : 'ipv6']], nodeName: node }))
      : [],
}))

async function allHostsAnswer(
  { topology }: ProxyContext,
  kinds: readonly (Kind | 'other-node')[],
  clients: readonly Who[] = ['pod', 'node', 'remote'],
  nodes: readonly NodeName[] = NODES,
): Promise<void> {
  for (const kind of kinds)
    for (const who of clients)
      await everywhere(async (family, protocol, node) => {
        if (!nodes.includes(node)) return undefined
        const { peer, from } = clientOf(topology, who, node, family)
        const onNode = (node: NodeName) => ({ address: nodeAddress(node)[family], port: SERVICE_PORT })
        const place =
          kind === 'other-node'
            ? onNode(OTHER[node])
            : kind === 'load-balancer'
              ? onNode(node)
              : addressOf(kind, NUMBER, family, node)
        const hosts = NODES.map(node => `node ${node}`)
        const { answers } = await ask(peer, { protocol, ...place, from }, { verdict: 'accept', servers: hosts, source: from })
        const heard = new Set(answers.map(({ server }) => server))
        return heard.size === hosts.length ? undefined : `${who} to ${kind}: ${[...heard]}`
      })
}

export const cases: readonly ProxyCase[] = [
  {
    name: 'a pod that is given to itself is answered, and sees its node, whatever it asked for',
    async run(context) {
      for (const pod of [1, 2] as const) {
        await serve(
          context,
          NODES.map(node => ({ node, pod })),
          { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' },
        )
        for (const kind of KINDS)
          await everywhere(async (family, protocol, node) => {
            const from = podAddress(node, pod)[family]
            const target = { protocol, ...addressOf(kind, NUMBER, family, node), from }
            // With the policy Local it is within the cluster, and has those of the other node too, on addresses from outside.
            const servers = (kind === 'cluster-ip' ? [node] : NODES).map(node => podName(node, pod))
            const { verdict, answers } = await ask(context.topology.pods[node][pod], target, {
              verdict: 'accept',
              servers,
              source: from,
            })
            const own = answers.filter(({ server }) => server === podName(node, pod))
            const others = answers.filter(({ server }) => server !== podName(node, pod))
            const right =
              own.every(answer => answer.from === nodeAddress(node)[family]) && others.every(answer => answer.from === from)
            return verdict === 'accept' && own.length > 0 && right ? undefined : JSON.stringify({ kind, verdict, own, others })
          })
      }
    },
  },
  given('endpoints with hints for their nodes are for clients of their nodes', hinted('forNodes'), {
    one: on('one'),
    two: on('two'),
  }),
  given('endpoints with hints for their zones are for clients of their zones', hinted('forZones'), {
    one: on('one'),
    two: on('two'),
  }),
  given('hints for one node only leave the other one with all', hinted('forNodes', on('one')), {
    one: on('one'),
    two: on('one'),
  }),
  given('hints that an endpoint lacks count for none', [...hinted('forZones', on('one')), ...on('two')], {
    one: EVERYWHERE,
    two: EVERYWHERE,
  }),
  {
    name: 'a port is found by its name, whatever its number is in each slice',
    async run(context) {
      await serve(context, [
        { node: 'one', pod: 1, port: POD_PORTS[0] },
        { node: 'two', pod: 1, port: POD_PORTS[1] },
      ])
      await everywhere(async (family, protocol, node) => {
        const { peer, from } = clientOf(context.topology, 'pod', node, family)
        const right: Right = { verdict: 'accept', servers: [podName('one', 1), podName('two', 1)], source: from }
        return difference(await ask(peer, { protocol, ...addressOf('cluster-ip', NUMBER, family, node), from }, right), right)
      })
    },
  },
  {
    name: 'a client with affinity stays with its endpoint, by every address of its own',
    async run(context) {
      await serve(context, EVERYWHERE, { sessionAffinity: 'ClientIP' })
      for (const kind of KINDS)
        await everywhere(async (family, protocol, node) => {
          const { peer, from } = clientOf(context.topology, 'remote', node, family)
          const answers = await peer.ask({ protocol, ...addressOf(kind, NUMBER, family, node), from }, 12)
          const servers = new Set(answers.map(({ server }) => server))
          return servers.size === 1 ? undefined : `${kind}: ${[...servers]}`
        })
    },
  },
  {
    name: 'other ports of Services are refused, other addresses of the range silent: nothing of the nodes answers there',
    async run(context) {
      await serve(context, EVERYWHERE)
      const { cluster, external, balancer } = addressesOf(NUMBER)
      const free = addressesOf(NUMBER + 1).cluster
      await everywhere(async (family, protocol, node) => {
        const asked = (['pod', 'node', 'remote'] as const).flatMap(who =>
          [
            ...[cluster, external, balancer].map(addresses => ({
              address: addresses[family],
              port: HOST_PORT,
              verdict: 'reject' as const,
            })),
            { address: free[family], port: HOST_PORT, verdict: 'drop' as const },
            { address: free[family], port: SERVICE_PORT, verdict: 'drop' as const },
          ].map(async ({ address, port, verdict }) => {
            const { peer, from } = clientOf(context.topology, who, node, family)
            const right: Right = { verdict, servers: [], source: from }
            const wrong = difference(await ask(peer, { protocol, address, port, from }, right), right)
            return wrong && `${who} to ${address} port ${port}: ${wrong}`
          }),
        )
        return (await Promise.all(asked)).find(wrong => wrong !== undefined)
      })
    },
  },
  {
    name: "a load balancer may have the nodes' addresses, as endpoints may that are on the network of their hosts",
    async run(context) {
      const source = new TestSource()
      source.tell(...nodeObjects, onNodes(serviceObject(NUMBER)), ...hostSlices)
      await proxies(context, source)
      await allHostsAnswer(context, [...KINDS, 'other-node'])
      await everywhere(async (family, protocol, node) => {
        const { peer, from } = clientOf(context.topology, 'pod', node, family)
        const [answer] = await peer.ask({ protocol, address: nodeAddress(OTHER[node])[family], port: HOST_PORT, from }, 1)
        return answer?.server === `node ${OTHER[node]}` ? undefined : JSON.stringify(answer)
      })
      // Another Service refuses at the addresses and the port of the endpoints: that is for those who ask it. Only node one knows of it.
      const other = onNodes(serviceObject(NUMBER + 1))
      const ports = other.spec.ports?.map(port => ({ ...port, port: HOST_PORT }))
      const both = new TestSource()
      both.tell(...nodeObjects, onNodes(serviceObject(NUMBER)), ...hostSlices, { ...other, spec: { ...other.spec, ports } })
      await (await proxyOn(context, 'one', both)).once()
      await allHostsAnswer(context, ['cluster-ip', 'load-balancer'], ['pod', 'remote'], ['one'])
    },
  },
  {
    name: 'nobody is told by ARP that a node has addresses of Services',
    async run(context) {
      await serve(context, EVERYWHERE)
      const { cluster, external, balancer } = addressesOf(NUMBER)
      const addresses = [cluster, external, balancer].map(({ ipv4 }) => ipv4)
      const netns = podNamespace('one', CLIENT_POD)
      const peer = context.topology.pods.one[CLIENT_POD]
      const outcomes = (): Promise<readonly unknown[]> =>
        Promise.all(addresses.map(address => peer.attempt({ protocol: 'tcp', address, port: SERVICE_PORT }, 1, 20_000)))
      const answered = (all: readonly unknown[]): boolean => all.flat().every(one => typeof one === 'object')
      assert.ok(answered(await outcomes()), 'they come to the node by a route')
      context.after(() => sh(addresses.map(address => `ip -n ${netns} route delete ${address} dev eth0`).join('\n')))
      await sh(addresses.map(address => `ip -n ${netns} route add ${address} dev eth0`).join('\n'))
      assert.deepEqual((await outcomes()).flat(), ['EHOSTUNREACH', 'EHOSTUNREACH', 'EHOSTUNREACH'])
      await sh(`ip netns exec ${nodeNamespace('one')} nft delete table arp ts-ipvs`)
      await sh(`ip -n ${netns} neigh flush dev eth0`)
      assert.ok(answered(await outcomes()), 'the kernel itself would answer')
    },
  },
  {
    name: 'what nodes serve themselves is served on as before',
    async run(context) {
      await serve(context, EVERYWHERE)
      await everywhere(async (family, protocol, node) => {
        const { peer, from } = clientOf(context.topology, 'remote', node, family)
        const right: Right = { verdict: 'accept', servers: [`node ${node}`], source: family === 'ipv4' ? `::ffff:${from}` : from }
        const target = { protocol, address: nodeAddress(node)[family], port: HOST_PORT, from }
        return difference(await ask(peer, target, right), right)
      })
      await everywhere(async (family, protocol, node) => {
        const { peer, from } = clientOf(context.topology, 'pod', node, family)
        const right: Right = { verdict: 'accept', servers: [podName(OTHER[node], 2)], source: from }
        return difference(
          await ask(peer, { protocol, address: podAddress(OTHER[node], 2)[family], port: POD_PORTS[1], from }, right),
          right,
        )
      })
    },
  },
]
