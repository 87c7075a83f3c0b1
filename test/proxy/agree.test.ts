/**
 * The proxy as a whole, with kernels in memory: at random, many changes later, what its objects do is what the model says, on IPVS as on nftables,
 * while it changes over, is started anew, and others have virtual servers of their own. `node agree.test.js [ROUNDS] [SEED]` goes on for longer.
 */
import t, { type Test } from 'tap'
import { open as openIpvs, type VirtualServerKey } from '../../lib/ipvs/index.js'
import { open as openNft } from '../../lib/nft/index.js'
import type { RulesetObject } from '../../lib/nft/json/index.js'
import { explainKernel, type ServiceProxy } from '../../lib/proxy/index.js'
import { open as openRoutes } from '../../lib/route/index.js'
import { type Cidr, cidrOf, type Flow } from '../../lib/service/index.js'
import { Evaluator } from './evaluate.js'
import { Machine, type Told } from './machine.js'
import { clusterAddresses, HERE, NAMES, NODE_PORTS, Random, randomService, randomSlice, THERE } from './random.js'

const [rounds = '2', seed = '20261126'] = process.argv.slice(2)
const STEPS = 12
/** Of Services; one of them is a node port, too. */
const PORTS = [80, 30000]

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)
const PODS = ['10.244.2.9', 'fd00:244:0:2::9', '10.244.1.1', 'fd00:244:0:1::1']
const CLIENTS = [...PODS, ...HERE, ...THERE, '203.0.113.7', '2001:db8:113::7', '198.51.100.7', '2001:db8:114::7']
/** A virtual server of somebody else leads there. */
const STRANGER = { ipv4: '192.0.2.99', ipv6: '2001:db8:99::9' }

const nodes = (['here', 'there'] as const).map((name, i) => ({
  kind: 'Node' as const,
  metadata: { name, labels: { 'topology.kubernetes.io/zone': `zone-${name}` } },
  status: { addresses: (i === 0 ? HERE : THERE).map(address => ({ type: 'InternalIP', address })) },
}))

async function machine(): Promise<Machine> {
  const made = new Machine()
  await using routes = await openRoutes({ transport: made.kernel })
  for (const address of HERE) await routes.addAddress({ device: 'lo', address, prefixLength: address.includes(':') ? 128 : 32 })
  return made
}

/** What packets find in the kernel, by family. */
async function read({ kernel }: Machine): Promise<Readonly<Record<'ipv4' | 'ipv6', Evaluator>>> {
  await using nft = await openNft({ transport: kernel })
  await using lvs = await openIpvs({ transport: kernel })
  const all = { ipv4: new Evaluator([...HERE, '127.0.0.1']), ipv6: new Evaluator([...HERE, '::1']) }
  for (const [family, evaluator] of Object.entries(all)) {
    const of = { family: family === 'ipv4' ? 'ip' : 'ip6', table: 'ts-ipvs' } as const
    const objects = (await nft.ruleset(of)).nftables as readonly RulesetObject[]
    for (const word of ['set', 'map', 'chain', 'rule']) evaluator.add(objects.filter(object => word in object))
    // Anonymous ones stand in the rules.
    for (const { set, elements } of (await nft.snapshot(of)).elements)
      if (!set.name.startsWith('__')) evaluator.change({ set: set.name, removed: [], added: elements })
  }
  for (const server of (await lvs.snapshot()).virtualServers) {
    if (!('protocol' in server)) continue
    const given = server.realServers.filter(({ weight }) => weight > 0).map(({ address, port }) => `${address} ${port}`)
    all[server.address.includes(':') ? 'ipv6' : 'ipv4'].servers.set(`${server.address} ${server.protocol} ${server.port}`, given)
  }
  return all
}

const keyText = ({ protocol, address, port }: Flow | Extract<VirtualServerKey, { protocol: unknown }>): string =>
  `${address} ${protocol} ${port}`

class Pair {
  readonly random: Random
  readonly machines: readonly Machine[]
  readonly options: Parameters<Machine['open']>[0]
  readonly strangers = new Map<string, Extract<VirtualServerKey, { protocol: unknown }>>()
  proxies: readonly ServiceProxy[] = []
  /** All that was told, for who begins anew. */
  readonly told = new Map<string, Told[number]>()

  constructor(random: Random, machines: readonly Machine[]) {
    this.random = random
    this.machines = machines
    this.options = {
      standalone: false,
      drainTimeout: random.pick([0, 300]),
      masqueradeAll: random.below(3) === 0,
      serviceCidrs: cidrs('10.96.0.0/16', 'fd00:96::/64'),
      clusterCidrs: random.below(4) ? cidrs('10.244.0.0/16', 'fd00:244::/32') : [],
      nodePortCidrs: random.below(2) ? cidrs('192.168.0.0/16', 'fd00:168::/16') : undefined,
    }
  }

  async start(engine: 'ipvs' | 'nftables'): Promise<void> {
    for (const proxy of this.proxies) await proxy.close()
    this.proxies = await Promise.all(
      this.machines.map((machine, i) => machine.open({ ...this.options, backend: i === 0 ? engine : 'nftables' })),
    )
    for (const { source } of this.machines) source.tell(...nodes, ...this.told.values())
  }

  tell(told: Told): void {
    for (const one of told) {
      if ('gone' in one) for (const name of [one.gone, `${one.gone}-1`]) this.told.delete(name)
      else this.told.set(one.metadata.name, one)
    }
    for (const { source } of this.machines) source.tell(...told)
  }

  async once(): Promise<void> {
    for (const proxy of this.proxies) await proxy.once()
  }

  /** Something that has nothing to do with Services. */
  async disturb(): Promise<void> {
    const [first] = this.machines as [Machine]
    const what = this.random.below(6)
    if (what === 0) await this.start(this.random.pick(['ipvs', 'ipvs', 'nftables']))
    else if (what === 1) await this.proxies[0]?.setBackend(this.random.pick(['ipvs', 'nftables']))
    else if (what === 2)
      await first.with(async ({ lvs }) => {
        const address = clusterAddresses(this.random.pick(NAMES))[this.random.below(2)] as string
        const key = { protocol: this.random.pick(['tcp', 'udp'] as const), address, port: this.random.pick(PORTS) }
        const made = await lvs.addVirtualServer({ ...key, scheduler: 'wlc' }).then(
          () => true,
          () => false,
        )
        if (!made) return
        await lvs.addRealServer(key, { address: STRANGER[address.includes(':') ? 'ipv6' : 'ipv4'], port: 1, weight: 3 })
        this.strangers.set(keyText(key), key)
      })
    else if (what === 3)
      await first.with(async ({ lvs }) => {
        for (const [name, key] of this.random.some([...this.strangers])) {
          await lvs.removeVirtualServer(key)
          this.strangers.delete(name)
        }
      })
    else await this.#connect(first)
  }

  /** Endpoints get connections, or lose them. */
  async #connect(machine: Machine): Promise<void> {
    const { virtualServers } = await machine.with(({ lvs }) => lvs.snapshot())
    for (const { realServers, ...key } of this.random.some(virtualServers))
      for (const server of realServers)
        machine.kernel.setCounters({ activeConnections: this.random.below(2) }, key as VirtualServerKey, server)
  }

  change(): void {
    for (let i = 0; i < 4; i++) {
      const name = this.random.pick(NAMES)
      const kind = this.random.below(5)
      if (kind === 0) this.tell([{ gone: name }])
      else if (kind < 3) this.tell([randomService(this.random, name, PORTS)])
      else this.tell([randomSlice(this.random, name, this.random.pick(['IPv4', 'IPv6']))])
    }
  }

  *flows(): Generator<Flow> {
    const addresses = [
      ...NAMES.flatMap(clusterAddresses),
      ...HERE,
      ...THERE,
      '192.0.2.5',
      '192.0.2.9',
      '2001:db8:51::5',
      '10.96.9.9',
    ]
    const places = addresses.flatMap(address => [...new Set([...PORTS, ...NODE_PORTS])].map(port => ({ address, port })))
    for (const { address, port } of places)
      for (const protocol of ['tcp', 'udp', 'sctp'] as const)
        for (const from of CLIENTS)
          if (from.includes(':') === address.includes(':') && this.random.below(4) === 0) yield { from, protocol, address, port }
  }
}

/** Whether an endpoint sees another address than the client's; nobody does on this machine, whose packets leave it by no chain. */
const seen = (endpoint: string, masquerade: boolean): string =>
  HERE.includes(endpoint) ? 'here' : masquerade ? 'masqueraded' : 'plain'

function outcomesOf(evaluator: Evaluator, flow: Flow): string {
  const texts = evaluator.outcomes(flow).map(outcome => {
    if (outcome === 'none') return 'none'
    const { verdict, to, masquerade } = outcome
    return to === undefined ? verdict : `${verdict} ${to} ${seen(to.split(' ')[0] as string, masquerade)}`
  })
  return [...new Set(texts)].sort().join(', ')
}

function wanted(proxy: ServiceProxy, flow: Flow): string {
  const { verdict, endpoints, masquerade } = proxy.explain(flow)
  if (verdict !== 'accept') return verdict
  const texts = endpoints.map(text => {
    const at = text.lastIndexOf(':')
    const address = text.slice(0, at).replace(/^\[|\]$/g, '')
    return `accept ${address} ${text.slice(at + 1)} ${seen(address, masquerade || address === flow.from)}`
  })
  return [...new Set(texts)].sort().join(', ')
}

/** Returns how many flows were looked at. */
async function compare(t: Test, pair: Pair, when: string): Promise<number> {
  const kernels = await Promise.all(pair.machines.map(read))
  const wrong: string[] = []
  let count = 0
  for (const flow of pair.flows()) {
    const right = wanted(pair.proxies[1] as ServiceProxy, flow)
    const isServed = !['none', 'drop', 'reject'].includes(right)
    // What a stranger's virtual server takes that no Service has is none of ours.
    if (pair.strangers.has(keyText(flow)) && !isServed) continue
    count++
    for (const [i, all] of kernels.entries()) {
      const kernel = all[flow.address.includes(':') ? 'ipv6' : 'ipv4']
      const found = outcomesOf(kernel, flow)
      // A Service that is gone refuses new connections for as long as its virtual server drains.
      if (!isServed && found === 'reject' && kernel.servers.get(keyText(flow))?.length === 0) continue
      const engine = i === 0 ? JSON.stringify(pair.proxies[0]?.engines) : 'nftables'
      if (found !== right) wrong.push(`${engine}: ${JSON.stringify(flow)}: ${found} instead of ${right}`)
    }
  }
  t.same(wrong.slice(0, 5), [], `${when}: ${wrong.length} of ${count}`)
  return count
}

/** Nothing more is to be done but for drains that end, and strangers have what they had. */
async function settled(t: Test, { proxies, machines, strangers }: Pair, when: string): Promise<void> {
  for (const proxy of proxies)
    for (const report of Object.values(await proxy.once())) t.match(report, { added: 0, routesAdded: 0, routesRemoved: 0 }, when)
  const { virtualServers } = await (machines[0] as Machine).with(({ lvs }) => lvs.snapshot())
  const theirs = virtualServers.filter(({ scheduler }) => scheduler === 'wlc')
  t.same(theirs.map(server => keyText(server as never)).sort(), [...strangers.keys()].sort(), when)
  for (const { realServers } of theirs) t.match(realServers, [{ port: 1, weight: 3 }], when)
}

t.setTimeout(24 * 3600_000)
t.test('IPVS and nftables do what the model says, whatever happens', async t => {
  for (let round = 0; round < Number(rounds); round++) {
    const random = new Random(Number(seed) + round)
    const pair = new Pair(random, [await machine(), await machine()])
    await pair.start('ipvs')
    let flows = 0
    for (let step = 0; step < STEPS; step++) {
      pair.change()
      if (step > 0) await pair.disturb()
      await pair.once()
      const when = `seed ${Number(seed) + round}, step ${step}`
      flows += await compare(t, pair, when)
      await settled(t, pair, when)
      const flow = random.pick([...pair.flows()])
      const balanced = pair.machines[0] as Machine
      const { verdict } = await explainKernel(flow, { transport: balanced.kernel })
      const right = (pair.proxies[1] as ServiceProxy).explain(flow).verdict
      const { servers } = (await read(balanced))[flow.address.includes(':') ? 'ipv6' : 'ipv4']
      const drains = right !== 'accept' && verdict === 'reject' && servers.get(keyText(flow))?.length === 0
      if (!drains && !pair.strangers.has(keyText(flow)))
        t.equal(verdict, right, `${when}: explain --kernel of ${JSON.stringify(flow)}`)
    }
    for (const proxy of pair.proxies) {
      await proxy.cleanup()
      await proxy.close()
    }
    const left = await (pair.machines[0] as Machine).with(({ lvs }) => lvs.snapshot())
    t.same(left.virtualServers.map(server => keyText(server as never)).sort(), [...pair.strangers.keys()].sort())
    t.comment(`${flows} flows`)
  }
})
