/**
 * What users of kube-proxy's IPVS mode miss, or trip over, and the table of flows does not have: health-check node ports, pods that are not
 * ready, how long affinity lasts, source ranges for who is inside, and ports that a client uses again.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { open as openIpvs } from '../../../lib/ipvs/index.js'
import type { ServiceSpec } from '../../../lib/service/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Kind, Who } from '../../service/reference.js'
import { sh } from '../support/linux.js'
import type { WebAnswer } from '../traffic/peer.js'
import { ask, difference, each, type Right } from './ask.js'
import {
  addressOf,
  clientOf,
  nodeObjects,
  openOn,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  proxies,
  proxyOn,
  SERVICE_PORT,
  type SliceObject,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { TestSource, until } from './rig.js'
import { FAMILIES, NODES, nodeAddress, nodeNamespace, POD_PORTS, podAddress, podName, RANGES } from './topology.js'

const NUMBER = 240
const PROTOCOLS = ['tcp', 'udp'] as const
const KINDS: readonly Kind[] = ['cluster-ip', 'external-ip', 'load-balancer', 'node-port']
const ONE: PodEndpoint = { node: 'one', pod: 1 }
const TWO: PodEndpoint = { node: 'two', pod: 1 }
const PODS: readonly PodEndpoint[] = NODES.flatMap(node => ([1, 2] as const).map(pod => ({ node, pod })))

async function serve(context: ProxyContext, spec: Partial<ServiceSpec>, others: readonly KubernetesObject[]): Promise<void> {
  const source = new TestSource()
  source.tell(...nodeObjects, serviceObject(NUMBER, spec), ...others)
  await proxies(context, source)
}

/** What is wrong where clients of each kind ask at each kind of address, by node one. */
async function wrongIn(
  { topology }: ProxyContext,
  rightOf: (kind: Kind, who: Who) => Pick<Right, 'verdict' | 'servers'> | undefined,
): Promise<readonly string[]> {
  const wrong: string[] = []
  const all = KINDS.flatMap(kind =>
    (['pod', 'node', 'remote'] as const).flatMap(who =>
      FAMILIES.flatMap(family => PROTOCOLS.map(protocol => ({ kind, who, family, protocol }))),
    ),
  )
  await each(all, all.length, async ({ kind, who, family, protocol }) => {
    const right = rightOf(kind, who)
    if (!right) return
    const { peer, from } = clientOf(topology, who, 'one', family)
    const masqueraded = who !== 'pod' || kind !== 'cluster-ip'
    const source = masqueraded ? nodeAddress('one')[family] : from
    const target = { protocol, ...addressOf(kind, NUMBER, family, 'one'), from }
    const text = difference(await ask(peer, target, { ...right, source }), { ...right, source })
    if (text) wrong.push(`${who} to ${kind} over ${family} ${protocol}: ${text}`)
  })
  return wrong
}

const accepted = (...endpoints: readonly PodEndpoint[]) => ({
  verdict: 'accept' as const,
  servers: endpoints.map(({ node, pod }) => podName(node, pod)),
})
const DROPPED = { verdict: 'drop' as const, servers: [] }

/** Slices that say of every endpoint what a controller does of pods that are not ready, for a Service that publishes them all the same. */
const unready = (slice: SliceObject): SliceObject => ({
  ...slice,
  endpoints: (slice.endpoints ?? []).map((endpoint, i) => ({
    ...endpoint,
    conditions: { ready: true, serving: false, terminating: i % 2 === 1 },
  })),
})

const podObject = ({ node, pod }: PodEndpoint, ready: boolean): KubernetesObject => ({
  kind: 'Pod',
  metadata: { name: `pod-${node}-${pod}`, labels: { app: 'web' } },
  spec: { nodeName: node, containers: [] },
  status: {
    phase: 'Running',
    podIP: podAddress(node, pod).ipv4,
    podIPs: FAMILIES.map(family => ({ ip: podAddress(node, pod)[family] })),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
})

const VERSIONS = { EndpointSlice: 'discovery.k8s.io/v1' } as Readonly<Record<string, string>>

/** A proxy as operators start it, on node one: it reads manifests, which are changed. Returns what writes them. */
async function program(context: ProxyContext): Promise<(objects: readonly KubernetesObject[]) => void> {
  const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-'))
  const write = (objects: readonly KubernetesObject[]): void => {
    const all = objects.map(object => JSON.stringify({ apiVersion: VERSIONS[object.kind] ?? 'v1', ...object }))
    writeFileSync(join(folder, 'all.yaml'), all.join('\n---\n'))
  }
  write([])
  const { backend = 'auto' } = context.options
  const words = ['--manifests', folder, '--node', 'one', '--backend', backend, '--cluster-cidr', RANGES.pods.join()]
  const command = ['dist/cli/bin.cjs', 'proxy', ...words, '--service-cidr', RANGES.services.join()]
  const child = spawn('ip', ['netns', 'exec', nodeNamespace('one'), process.execPath, ...command], {
    stdio: 'ignore',
  })
  context.after(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill()) await ended
    rmSync(folder, { recursive: true })
    const proxy = await openOn(context, 'one', new TestSource())
    await proxy.cleanup()
    await proxy.close()
  })
  return write
}

const HEALTH_PORT = 30999

/** As kube-proxy writes it (pkg/proxy/healthcheck/service_health.go). */
const healthOf = (localEndpoints: number): string =>
  `{
\t"service": {
\t\t"namespace": "default",
\t\t"name": "service-${NUMBER}"
\t},
\t"localEndpoints": ${localEndpoints},
\t"serviceProxyHealthy": true
}`

export const cases: readonly ProxyCase[] = [
  {
    name: 'a health-check node port tells load balancers whether endpoints are on this node, as kube-proxy does',
    async run(context) {
      const write = await program(context)
      const local = { externalTrafficPolicy: 'Local', healthCheckNodePort: HEALTH_PORT } as const
      const objects = (endpoints: readonly PodEndpoint[]) => [
        ...nodeObjects,
        serviceObject(NUMBER, local),
        ...sliceObjects(NUMBER, endpoints),
      ]
      const answers = (): Promise<readonly (WebAnswer | string)[]> =>
        Promise.all(
          FAMILIES.map(family => {
            const { peer, from } = clientOf(context.topology, 'remote', 'one', family)
            const place = { address: nodeAddress('one')[family], port: HEALTH_PORT, from }
            return peer.get(place).catch((error: Error) => error.message)
          }),
        )
      const says = async (status: number, localEndpoints: number): Promise<void> => {
        await until(`${status} with ${localEndpoints}`, async () =>
          (await answers()).every(answer => typeof answer === 'object' && answer.body === healthOf(localEndpoints)),
        )
        for (const answer of await answers()) {
          assert.ok(typeof answer === 'object', String(answer))
          const { date, connection, ...headers } = answer.headers
          assert.deepEqual([answer.status, answer.body], [status, healthOf(localEndpoints)])
          assert.equal(headers['content-type'], 'application/json')
          assert.equal(headers['x-content-type-options'], 'nosniff')
          assert.equal(headers['x-load-balancing-endpoint-weight'], String(localEndpoints))
        }
      }
      write(objects([ONE, { node: 'one', pod: 2 }, TWO]))
      await says(200, 2)
      write(objects([{ ...ONE, leaving: true }, TWO]))
      await says(503, 0)
      // Who comes all the same is served by the one that terminates.
      const { peer, from } = clientOf(context.topology, 'remote', 'one', 'ipv4')
      const [answer] = await peer.ask({ protocol: 'tcp', ...addressOf('load-balancer', NUMBER, 'ipv4', 'one'), from }, 1)
      assert.deepEqual([answer?.server, answer?.from], [podName('one', 1), from])
      write(objects([ONE]))
      await says(200, 1)
      write(nodeObjects)
      await until('nobody listens', async () =>
        (await answers()).every(answer => typeof answer === 'string' && answer.includes('ECONNREFUSED')),
      )
    },
  },
  {
    name: 'pods that are not ready are endpoints of a Service that publishes them, whoever makes the slices',
    async run(context) {
      await serve(context, { publishNotReadyAddresses: true }, sliceObjects(NUMBER, PODS).map(unready))
      assert.deepEqual(await wrongIn(context, () => accepted(...PODS)), [])
      const selected = { selector: { app: 'web' } }
      const ports = serviceObject(NUMBER).spec.ports?.map(port => ({ ...port, targetPort: POD_PORTS[0] }))
      const pods = [podObject(ONE, true), podObject(TWO, false)]
      for (const publishNotReadyAddresses of [true, false]) {
        const source = new TestSource()
        const service = serviceObject(NUMBER, {
          ...selected,
          ports,
          publishNotReadyAddresses,
          ipFamilies: ['IPv4', 'IPv6'],
          ipFamilyPolicy: 'RequireDualStack',
        })
        source.tell(...nodeObjects, service, ...pods)
        const standalone = { ...context, options: { ...context.options, standalone: true } }
        await (await proxyOn(standalone, 'one', source)).once()
        const right = publishNotReadyAddresses ? accepted(ONE, TWO) : accepted(ONE)
        assert.deepEqual(await wrongIn(context, () => right), [], String(publishNotReadyAddresses))
      }
    },
  },
  {
    name: "source ranges hold for pods and the node itself, at the load balancer's address alone",
    async run(context) {
      const ranged = async (ranges: readonly string[], allowed: readonly Who[]): Promise<void> => {
        await serve(context, { loadBalancerSourceRanges: ranges }, sliceObjects(NUMBER, [ONE]))
        const right = (kind: Kind, who: Who) => (kind !== 'load-balancer' || allowed.includes(who) ? accepted(ONE) : DROPPED)
        assert.deepEqual(await wrongIn(context, right), [], String(ranges))
      }
      await ranged(RANGES.client, ['remote'])
      await ranged([...RANGES.nodes, ...RANGES.pods], ['node', 'pod'])
    },
  },
  {
    name: 'affinity lasts for as long as the Service says, and is over then',
    async run(context) {
      // Emulated processors take seconds to ask.
      const seconds = context.options.backend === 'ipvs' ? 10 : 5
      const affinity = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } } as const
      await serve(context, affinity, sliceObjects(NUMBER, PODS))
      // IPVS remembers a client for as long as one of its connections is there, and one that is closed stays for two minutes (TIME_WAIT).
      const protocols = context.options.backend === 'ipvs' ? (['udp'] as const) : PROTOCOLS
      if (context.options.backend === 'ipvs')
        for (const node of NODES) {
          await using lvs = await openIpvs({ netns: { name: nodeNamespace(node) } })
          const before = await lvs.timeouts()
          context.after(async () => {
            await using lvs = await openIpvs({ netns: { name: nodeNamespace(node) } })
            await lvs.setTimeouts(before)
          })
          await lvs.setTimeouts({ udp: 1 })
        }
      const all = KINDS.flatMap(kind =>
        NODES.flatMap(node => FAMILIES.flatMap(family => protocols.map(protocol => ({ kind, node, family, protocol })))),
      )
      const chosen = async (): Promise<readonly string[]> => {
        const servers: string[] = []
        await each(all.entries(), 8, async ([at, { kind, node, family, protocol }]) => {
          const { peer, from } = clientOf(context.topology, 'remote', node, family)
          const [answer] = await peer.ask({ protocol, ...addressOf(kind, NUMBER, family, node), from }, 1)
          servers[at] = answer?.server ?? 'nobody'
        })
        return servers
      }
      const first = await chosen()
      // Each connection counts anew: after twice the time in all they are the same yet.
      for (let began = performance.now(), past = 0; past < 2000 * seconds; past = performance.now() - began) {
        const before = performance.now()
        await setTimeout(1000)
        const now = await chosen()
        assert.ok(performance.now() - before < 1000 * seconds, 'this machine is too slow to tell')
        assert.deepEqual(now, first)
      }
      await setTimeout(1000 * (seconds + 2))
      // By chance all are the same once in 4^32 times; IPVS takes the next one.
      assert.notDeepEqual(await chosen(), first)
    },
  },
  {
    name: "ports of the nodes that others translate, as of pods with a hostPort, take nothing of Services' connections",
    async run(context) {
      // As CNI's portmap has it: whatever is for this machine, and addresses of Services are, by the routes to them.
      const translated = (family: 'ip' | 'ip6', to: string): string => `
        table ${family} hostports {
          chain ports { fib daddr type local meta l4proto { tcp, udp } th dport ${SERVICE_PORT} dnat to ${to}; }
          chain prerouting { type nat hook prerouting priority -100; jump ports; }
          chain output { type nat hook output priority -100; jump ports; }
        }`
      const { ipv4, ipv6 } = podAddress('one', 2)
      const file = `${translated('ip', `${ipv4}:${POD_PORTS[0]}`)}${translated('ip6', `[${ipv6}]:${POD_PORTS[0]}`)}`
      const inside = `ip netns exec ${nodeNamespace('one')}`
      const others = {
        add: `${inside} nft -f - <<'END'\n${file}\nEND`,
        remove: `${inside} sh -c 'nft delete table ip hostports; nft delete table ip6 hostports'`,
      }
      await serve(context, {}, sliceObjects(NUMBER, [ONE, TWO]))
      context.after(() => sh(others.remove))
      await sh(others.add)
      const { peer, from } = clientOf(context.topology, 'remote', 'one', 'ipv4')
      const [answer] = await peer.ask({ protocol: 'tcp', address: nodeAddress('one').ipv4, port: SERVICE_PORT, from }, 1)
      assert.equal(answer?.server, podName('one', 2), "the node's own port is translated")
      assert.deepEqual(await wrongIn(context, () => accepted(ONE, TWO)), [])
    },
  },
  {
    name: 'a port that a client uses again makes no connection wait, also where its endpoint has gone',
    async run(context) {
      await serve(context, {}, sliceObjects(NUMBER, [ONE]))
      // The client takes its port again a second after it has closed a connection: to IPVS and conntrack that is there for two minutes.
      await sh("ip netns exec proxy-outside sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse'")
      context.after(() => sh("ip netns exec proxy-outside sh -c 'echo 2 >/proc/sys/net/ipv4/tcp_tw_reuse'"))
      const { peer } = clientOf(context.topology, 'remote', 'one', 'ipv4')
      const places = FAMILIES.flatMap(family => KINDS.map(kind => ({ family, kind })))
      const before = (await peer.retransmitted()).openings
      const asked = async (servers: readonly string[]): Promise<void> => {
        const all = places.map(async ({ family, kind }, i) => {
          const { from } = clientOf(context.topology, 'remote', 'one', family)
          const target = { protocol: 'tcp', ...addressOf(kind, NUMBER, family, 'one'), from, fromPort: 40_000 + i } as const
          return (await peer.ask(target, 1))[0]?.server
        })
        for (const server of await Promise.all(all)) assert.ok(servers.includes(String(server)), server)
        await setTimeout(1500)
      }
      await asked([podName('one', 1)])
      await asked([podName('one', 1)])
      const changed = new TestSource()
      changed.tell(...nodeObjects, serviceObject(NUMBER), ...sliceObjects(NUMBER, [TWO]))
      await proxies(context, changed)
      await asked([podName('two', 1)])
      await asked([podName('two', 1)])
      assert.equal((await peer.retransmitted()).openings - before, 0, 'no connection had to be opened again')
    },
  },
]
