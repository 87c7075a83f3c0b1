/**
 * The story of a Service, as `npm start` tells it: what its clients meet, on a network of namespaces (network.ts), from manifests as kubectl
 * would apply them. What it says is asserted: it ends with status 1 where the kernel does something else.
 *
 *     story.js --backend ipvs|nftables|auto [--short]
 */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
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

const ALL = Object.keys(PODS)

interface Cluster {
  readonly backend: 'ipvs' | 'nftables'
  readonly one: Node
  readonly two: Node
  readonly pods: readonly [Machine, Machine, Machine]
  readonly device: Machine
  /** A copy of the manifests. */
  readonly manifests: string
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

/** The next answers, so many that each server should be among them, which chance decides. */
async function next(load: Load, servers: readonly string[]): Promise<readonly Answer[]> {
  let answers = await load.more(16)
  while (answers.length < 100 && servers.some(server => !tally(answers).has(server)))
    answers = [...answers, ...(await load.more(4))]
  assert.deepEqual(who(answers), servers)
  return answers
}

async function clusterAddress({ pods: [pod], backend }: Cluster): Promise<void> {
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
    const more = await times(40, () => pod.ask(WEB))
    assert.deepEqual(who(more), ALL, 'each has answered')
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

function endpoints({ one, two, backend }: Cluster): void {
  step(
    'Behind the address are endpoints',
    `The proxies have found them by the labels of the pods. Who comes from outside gets a pod of the node that he came
to, because web says externalTrafficPolicy: Local.${
      backend === 'ipvs' ? ' A virtual server has one list for all who come, so rules of\nnftables give those their pods.' : ''
    }`,
  )
  for (const [name, { proxy }] of [
    ['one', one],
    ['two', two],
  ] as const)
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

async function loadBalancer({ device, backend }: Cluster): Promise<void> {
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
  show(`${CLIENT} asks ${url(BALANCER)} again and again: ${counted(await next(load, ALL))} answers`)

  const begun = performance.now()
  await plug('two', false)
  await until(1)
  show(`node two is cut off; after ${((performance.now() - begun) / 1000).toFixed(1)} s the device has noticed`)
  show(`the pod of node one goes on: ${counted(await next(load, ['web-1']))}`)

  await plug('two', true)
  await until(2)
  await load.more(8) // those that were on their way
  show(`node two is back: ${counted(await next(load, ALL))}`)
  await load.stop()
  show(`of ${load.answers.length + load.failures.length} requests ${load.failures.length || 'none'} went down with node two`)
  assert.ok(load.failures.length <= 4, 'each of the four clients may have lost the one that it had there')
}

async function comingAndGoing({ two, manifests }: Cluster): Promise<void> {
  step('Pods come and go', 'While the client keeps asking, pod web-3 is deleted, and made again. No request is lost.')
  const manifest = join(manifests, 'pods/web-3.yaml')
  const load = new Load(4, () => ask(BALANCER))
  show(`${CLIENT} asks ${url(BALANCER)}: ${counted(await next(load, ALL))} answers`)

  const gone = two.synced()
  await rename(manifest, `${manifest}.deleted`)
  await gone
  await load.more(8) // those that were on their way
  show(`web-3 is deleted: ${counted(await next(load, ['web-1', 'web-2']))}`)

  const back = two.synced()
  await rename(`${manifest}.deleted`, manifest)
  await back
  show(`web-3 is made again: ${counted(await next(load, ALL))}`)
  await load.stop()
  assert.deepEqual(load.failures, [])
  show(`of ${load.answers.length} requests none was lost`)
}

function explain({ two: { proxy }, backend }: Cluster): void {
  step(
    'And why is that so?',
    'The proxy of node two tells what it does with two packets, as `ts-ipvs proxy explain` does on the command line.',
  )
  const outside = { from: CLIENT, protocol: 'tcp', address: NODES.two, port: NODE_PORT } as const
  const inside = { from: PODS['web-2'], protocol: 'tcp', ...WEB } as const
  const told = [inside, outside].map(flow => {
    const { verdict, reason, service, endpoints, engine } = proxy.explain(flow)
    show(`from ${flow.from} to ${flow.protocol} ${pair(flow)}`)
    show([`${verdict}: ${reason}`, `service ${service}`, ...endpoints.map(endpoint => `endpoint ${endpoint}`)].join('\n'))
    show(`engine ${engine}\n`)
    return { verdict, endpoints: endpoints.length, engine }
  })
  assert.deepEqual(told, [
    { verdict: 'accept', endpoints: 3, engine: backend },
    { verdict: 'accept', endpoints: 2, engine: 'nftables' },
  ])
}

async function makeCluster(wanted: BackendName, manifests: string): Promise<Cluster> {
  await makeNamespaces()
  const machines = Promise.all(['device', ...Object.keys(PODS)].map(start))
  await connect()
  const warned = new Set<string>()
  const open = (name: string): Promise<Node> =>
    startNode(name, manifests, wanted, (level, message) => {
      if (level === 'error') fail(message)
      const [what = ''] = message.split(':', 1) // both nodes say the same
      if (level !== 'info' && !warned.has(what)) show(`${level}: ${message}`)
      warned.add(what)
    })
  const [one, two] = await Promise.all([open('one'), open('two')])
  const [device, ...pods] = (await machines) as [Machine, Machine, Machine, Machine]
  const backend = one.proxy.engines.ipv4
  return { backend, one, two, device, pods, manifests }
}

function fail(error: unknown): never {
  console.error(error)
  process.exit(1)
}

const { values } = parseArgs({ options: { backend: { type: 'string', default: 'auto' }, short: { type: 'boolean' } } })
const manifests = mkdtempSync(join(tmpdir(), 'ts-ipvs-story.'))
process.on('exit', () => rmSync(manifests, { recursive: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
try {
  cpSync('examples/service/manifests', manifests, { recursive: true })
  const cluster = await makeCluster(values.backend as BackendName, manifests)
  const engine = cluster.backend === 'ipvs' ? 'IPVS' : 'nftables'
  console.log(`Two nodes, three pods, a client, and a load balancer: namespaces of Linux ${release()}, with ${engine}.`)
  const whole = [clusterAddress, endpoints, affinity, nodePorts, loadBalancer, comingAndGoing, explain]
  for (const tell of values.short ? [clusterAddress, loadBalancer] : whole) await tell(cluster)
  process.exit() // machines and proxies would go on
} catch (error) {
  fail(error)
}
