/**
 * The story of a Service, as `npm start` tells it: what its clients meet, on a network of namespaces (network.ts), from manifests as kubectl
 * would apply them. What it says is asserted: it ends with status 1 where the kernel does something else.
 *
 *     story.js --backend ipvs|nftables|auto [--short]
 */
import assert from 'node:assert/strict'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { conntrack, ipvs } from 'ts-ipvs'
import type { BackendName } from 'ts-ipvs/proxy'
import { type Answer, ask, type Endpoint, Load, output, show, tally } from '../web.js'
import { lookAfter, spreadByIpvs, spreadByNftables } from './balancer.js'
import { type Node, startNode } from './cluster.js'
import { type Machine, start } from './machine.js'
import { CLIENT, connect, makeNamespaces, NODES, PODS, plug } from './network.js'

/** As the manifests say. */
const WEB: Endpoint = { address: '10.96.0.80', port: 80 }
const SHOP: Endpoint = { address: '10.96.0.90', port: 80 }
const BALANCER: Endpoint = { address: '203.0.113.80', port: 80 }
const NODE_PORT = 30080

interface Cluster {
  readonly backend: 'ipvs' | 'nftables'
  readonly one: Node
  readonly two: Node
  readonly pods: readonly [Machine, Machine, Machine]
  readonly device: Machine
  /** A copy of the manifests. */
  readonly manifests: string
  /** How many answers show who gives them: by turns, or at random. */
  readonly many: number
}

let steps = 0
/** A step begins by telling what will happen. */
function step(title: string, text: string): void {
  console.log(`\n${++steps}. ${title}\n`)
  show(`${text}\n`)
}

const url = ({ address, port }: Endpoint): string => `http://${address}${port === 80 ? '' : `:${port}`}`
const pair = ({ address, port }: Endpoint): string => `${address}:${port}`
const who = (answers: readonly Answer[]): readonly string[] => [...tally(answers).keys()].sort()
const counted = (answers: readonly Answer[]): string =>
  who(answers)
    .map(name => `${name} ${tally(answers).get(name)}`)
    .join(', ')

async function times(count: number, once: () => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < count; i++) answers.push(await once())
  return answers
}

async function clusterAddress({ pods: [pod], backend, many }: Cluster): Promise<void> {
  step(
    'A Service has an address that no machine has',
    `web is ${pair(WEB)}. Pod web-1 connects to it six times. The kernel of its node gives each connection to
${backend === 'ipvs' ? 'the next pod' : 'a pod at random'}, which may be web-1 itself.`,
  )
  const answers = await times(6, async () => {
    const answer = await pod.ask(WEB)
    show(`web-1 asks ${url(WEB)}, ${answer.server} answers`)
    return answer
  })
  if (backend === 'ipvs') {
    assert.deepEqual([...tally(answers).values()], [2, 2, 2], 'one after the other')
    await showVirtualServers()
  } else {
    await showConnections()
    assert.deepEqual(who([...answers, ...(await times(many, () => pod.ask(WEB)))]), Object.keys(PODS), 'each has answered')
  }
}

async function showVirtualServers(): Promise<void> {
  await using lvs = await ipvs.open({ netns: { name: 'one' } })
  const { virtualServers } = await lvs.snapshot()
  const table = ipvs.formatTable(virtualServers, await lvs.info())
  show("\nThe node's table, as `ts-ipvs -Ln` prints it:\n")
  show(table)
  const theirs = output('nsenter', '--net=/run/netns/one', 'ipvsadm', '-Ln')
  if (theirs === undefined) return
  const lines = (text: string): readonly string[] => text.trimEnd().split('\n').sort()
  assert.deepEqual(lines(table), lines(theirs))
  show('\nThe lines of `ipvsadm -Ln` are the very same.')
}

async function showConnections(): Promise<void> {
  await using tracked = await conntrack.open({ netns: { name: 'one' } })
  show('\nThe node remembers them, as `conntrack -L` would tell:\n')
  let count = 0
  for await (const { original, reply } of tracked.flows({ original: { destination: WEB.address } })) {
    count++
    show(`${original.source}:${original.sourcePort} to ${pair(WEB)} went to ${reply.source}:${reply.sourcePort}`)
  }
  assert.equal(count, 6)
}

function endpoints({ one, two }: Cluster): void {
  step(
    'Behind the address are endpoints',
    `The proxies have found them by the labels of the pods. Whoever comes from outside gets a pod of the node that he
came to, because web says externalTrafficPolicy: Local.`,
  )
  for (const [name, { proxy }] of [['one', one], ['two', two]] as const)
    for (const { service, kind, address = NODES[name], port, answers } of proxy.frontends) {
      if (service !== 'default/web') continue
      const inside = kind === 'cluster-ip'
      const answer = inside ? answers.pod : answers.remote
      assert.ok(answer.verdict === 'accept')
      assert.equal(answer.endpoints.length, inside ? 3 : name === 'one' ? 1 : 2)
      show(`node ${name}  ${kind.padEnd(14)}${pair({ address, port }).padEnd(17)}${answer.endpoints.map(pair).join('  ')}`)
    }
}

async function affinity({ pods }: Cluster): Promise<void> {
  step(
    'A client may stay',
    `shop has the same pods, the address ${pair(SHOP)}, and sessionAffinity: ClientIP. Each pod connects to it
four times, and comes back to the pod that it had at first.`,
  )
  for (const pod of pods) {
    const answers = await times(4, () => pod.ask(SHOP))
    show(`${pod.name} asks ${url(SHOP)} four times: ${answers.map(({ server }) => server).join(', ')}`)
    assert.equal(who(answers).length, 1, 'a client stays with its pod')
  }
}

async function nodePorts(): Promise<void> {
  step(
    'Every node has a port for the world',
    `The client is outside of the cluster. On port ${NODE_PORT} of a node it finds web: pods of that node, which see the
address of the client.`,
  )
  for (const [name, address] of Object.entries(NODES)) {
    const target = { address, port: NODE_PORT }
    for (const { server, client } of await times(2, () => ask(target))) {
      show(`${CLIENT} asks ${url(target)}, ${server} answers ${client}`)
      assert.equal(client, CLIENT)
      assert.equal(server === 'web-1', name === 'one', 'it is a pod of that node')
    }
  }
}

async function loadBalancer({ device, backend, many }: Cluster): Promise<void> {
  const [how, open] = backend === 'ipvs' ? ['a virtual server', spreadByIpvs] : ['a rule of nftables', spreadByNftables]
  step(
    'A load balancer stands before the cluster',
    `The device has the address of web for the world, ${pair(BALANCER)}. There ${how} gives connections to the
nodes by turns, and a health check sees whether they are well. Then node two loses its cable.`,
  )
  let well: readonly string[] = []
  const looking = lookAfter(
    Object.values(NODES),
    address => device.isOpen({ address, port: NODE_PORT }, 1000),
    await open({ name: device.name }, { ...BALANCER, nodePort: NODE_PORT }),
    nodes => {
      well = nodes
    },
  )
  const until = async (count: number): Promise<void> => {
    while (well.length !== count) await Promise.race([looking, new Promise(resolve => setTimeout(resolve, 10))])
  }
  await until(2)
  const load = new Load(4, () => ask(BALANCER))
  const both = await load.more(many)
  show(`${CLIENT} asks ${url(BALANCER)} ${both.length} times: ${counted(both)} answers`)
  assert.deepEqual(who(both), Object.keys(PODS))

  const begun = performance.now()
  await plug('two', false)
  await until(1)
  show(`node two is cut off; after ${((performance.now() - begun) / 1000).toFixed(1)} s the device has noticed`)
  const left = await load.more(many)
  show(`${CLIENT} asks ${left.length} times: ${counted(left)}`)
  assert.deepEqual(who(left), ['web-1'])

  await plug('two', true)
  await until(2)
  await load.more(8) // those that were on their way
  const again = await load.more(many)
  await load.stop()
  show(`node two is back; ${CLIENT} asks ${again.length} times: ${counted(again)}`)
  assert.deepEqual(who(again), Object.keys(PODS))
  show(`of ${load.answers.length + load.failures.length} requests ${load.failures.length || 'none'} went down with node two`)
  assert.ok(load.failures.length <= 4, 'each of the four clients may have lost the one that it had there')
}

async function comingAndGoing({ two, manifests, many }: Cluster): Promise<void> {
  step(
    'Pods come and go',
    'While the client keeps asking, pod web-3 is deleted, and made again. No request is lost.',
  )
  const manifest = join(manifests, 'pods/web-3.yaml')
  const load = new Load(4, () => ask(BALANCER))
  show(`${CLIENT} asks ${url(BALANCER)}: ${counted(await load.more(many))} answers`)

  const gone = two.synced()
  await rename(manifest, `${manifest}.deleted`)
  await gone
  await load.more(8) // those that were on their way
  const without = await load.more(many)
  show(`web-3 is deleted: ${counted(without)}`)
  assert.deepEqual(who(without), ['web-1', 'web-2'])

  const back = two.synced()
  await rename(`${manifest}.deleted`, manifest)
  await back
  await load.more(8)
  const again = await load.more(many)
  await load.stop()
  show(`web-3 is made again: ${counted(again)}`)
  assert.deepEqual(who(again), Object.keys(PODS))
  assert.deepEqual(load.failures, [])
  show(`of ${load.answers.length} requests none was lost`)
}

function explain({ two: { proxy } }: Cluster): void {
  step(
    'And why is that so?',
    'The proxy of node two tells what becomes of a packet, without one (`ts-ipvs proxy explain` on the command line).',
  )
  const address = NODES.two
  const { verdict, reason, service, endpoints } = proxy.explain({ from: CLIENT, protocol: 'tcp', address, port: NODE_PORT })
  show(`from ${CLIENT} to tcp ${address}:${NODE_PORT}`)
  show([`${verdict}: ${reason}`, `service ${service}`, ...endpoints.map(endpoint => `endpoint ${endpoint}`)].join('\n'))
  assert.equal(verdict, 'accept')
  assert.deepEqual(endpoints, [`${PODS['web-2']}:8080`, `${PODS['web-3']}:8080`])
}

async function makeCluster(wanted: BackendName, manifests: string): Promise<Cluster> {
  await makeNamespaces()
  const machines = Promise.all(['device', ...Object.keys(PODS)].map(start))
  await connect()
  const warned = new Set<string>()
  const open = (name: string): Promise<Node> =>
    startNode(name, manifests, wanted, (level, message) => {
      const [what = ''] = message.split(':', 1) // both nodes say the same
      if (level !== 'info' && !warned.has(what)) show(`${level}: ${message}`)
      warned.add(what)
    })
  const [one, two] = await Promise.all([open('one'), open('two')])
  const [device, ...pods] = (await machines) as [Machine, Machine, Machine, Machine]
  const backend = one.proxy.engines.ipv4
  return { backend, one, two, device, pods, manifests, many: backend === 'ipvs' ? 16 : 40 }
}

const { values } = parseArgs({ options: { backend: { type: 'string', default: 'auto' }, short: { type: 'boolean' } } })
const manifests = await mkdtemp(join(tmpdir(), 'ts-ipvs-story.'))
try {
  await cp('examples/service/manifests', manifests, { recursive: true })
  const cluster = await makeCluster(values.backend as BackendName, manifests)
  const { backend } = cluster
  console.log(`Two nodes, three pods, a client, a load balancer: namespaces of Linux ${release()}. Services are given to pods by ${backend}.`)
  const whole = [clusterAddress, endpoints, affinity, nodePorts, loadBalancer, comingAndGoing, explain]
  for (const tell of values.short ? [clusterAddress, loadBalancer] : whole) await tell(cluster)
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
await rm(manifests, { recursive: true })
process.exit() // machines and proxies would go on
