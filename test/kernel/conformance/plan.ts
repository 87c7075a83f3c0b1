/** Desired state: what a plan does, what it leaves alone, and in which order. */
import assert from 'node:assert/strict'
import {
  ApplyError,
  type DesiredVirtualServer,
  describeRealServer,
  describeVirtualServer,
  type IpvsClient,
  type Operation,
  type RealServerConfig,
  type Tunnel,
  type VirtualServerConfig,
  type VirtualServerKey,
  type VirtualServerWithRealServers,
} from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { Random } from '../support/random.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const foreign = { protocol: 'udp', address: '10.9.9.9', port: 53 } as const
const server = (n: number, more: Partial<RealServerConfig> = {}): RealServerConfig => ({
  address: `10.1.0.${n}`,
  port: 80,
  ...more,
})

const KEYS: VirtualServerKey[] = [
  ...[80, 443, 8080].flatMap(port => ['10.0.0.1', '2001:db8::1'].map(address => ({ protocol: 'tcp' as const, address, port }))),
  { protocol: 'udp', address: '10.0.0.1', port: 80 },
  { protocol: 'sctp', address: '10.0.0.1', port: 80 },
  { firewallMark: 1, family: 'ipv4' },
  { firewallMark: 4_000_000_000, family: 'ipv6' },
]
const SETTINGS: Omit<VirtualServerConfig, keyof VirtualServerKey>[] = [
  { scheduler: 'rr' },
  { scheduler: 'wlc', persistence: { timeout: 60 } },
  { scheduler: 'rr', persistence: { timeout: 90, netmask: 24 } },
  { scheduler: 'sh', schedulerFlags: ['sh-port', 'sh-fallback'] },
  { scheduler: 'mh', schedulerFlags: ['mh-port'] },
]
const TUNNELS: (Tunnel | undefined)[] = [
  undefined,
  { type: 'ipip' },
  { type: 'gue', port: 6080, checksum: 'checksum' },
  { type: 'gre' },
]

function randomServer(random: Random, key: VirtualServerKey, n: number): RealServerConfig {
  const six = 'family' in key ? key.family === 'ipv6' : key.address.includes(':')
  const upperThreshold = random.below(3) * 50
  const common = {
    address: six ? `2001:db8:1::${n}` : `10.1.0.${n}`,
    port: 'port' in key ? key.port : 0,
    weight: random.below(4),
    upperThreshold,
    lowerThreshold: random.below(upperThreshold + 1),
  }
  const tunnel = random.of(TUNNELS)
  if (tunnel) return { ...common, forwarding: 'tunnel', tunnel }
  return { ...common, forwarding: random.of(['masquerade', 'direct-route'] as const) }
}

function randomState(random: Random): DesiredVirtualServer[] {
  return random.some(KEYS).map(key => ({
    ...key,
    ...random.of(SETTINGS),
    realServers: random.some([1, 2, 3, 4, 5]).map(n => randomServer(random, key, n)),
  }))
}

const named = (servers: readonly RealServerConfig[]) => new Set(servers.map(describeRealServer))

/** What the tables are, as the operations of a plan change them: names of real servers by virtual server. */
function replay(tables: Map<string, Set<string>>, operation: Operation): void {
  if (!('virtualServer' in operation) || !operation.virtualServer) return
  const name = describeVirtualServer(operation.virtualServer)
  if (operation.operation === 'addVirtualServer') tables.set(name, new Set())
  if (operation.operation === 'removeVirtualServer') tables.delete(name)
  if (operation.operation === 'addRealServer') tables.get(name)?.add(describeRealServer(operation.realServer))
  if (operation.operation === 'removeRealServer') tables.get(name)?.delete(describeRealServer(operation.realServer))
}

async function become(lvs: IpvsClient, desired: readonly DesiredVirtualServer[]): Promise<void> {
  const owns = (vs: VirtualServerKey) => describeVirtualServer(vs) !== describeVirtualServer(foreign)
  const tables = new Map((await lvs.snapshot()).virtualServers.map(vs => [describeVirtualServer(vs), named(vs.realServers)]))
  const plan = await lvs.plan(desired, { owns })
  const stay = desired
    .filter(vs => tables.get(describeVirtualServer(vs))?.size && vs.realServers?.length)
    .map(describeVirtualServer)
  for (const operation of plan.operations) {
    replay(tables, operation)
    for (const name of stay) assert.ok(tables.get(name)?.size, `${name} always has a real server: make before break`)
  }
  const { applied } = await lvs.apply(plan)
  assert.equal(applied, plan.operations.length)
  assert.equal((await lvs.plan(desired, { owns })).toString(), 'nothing to do')
  const after = (await lvs.snapshot()).virtualServers
  const wanted = new Map(desired.map(vs => [describeVirtualServer(vs), named(vs.realServers ?? [])]))
  wanted.set(describeVirtualServer(foreign), named([server(9)]))
  assert.deepEqual(new Map(after.map(vs => [describeVirtualServer(vs), named(vs.realServers)])), wanted)
}

async function withForeign(lvs: IpvsClient): Promise<VirtualServerWithRealServers | undefined> {
  await lvs.addVirtualServer({ ...foreign, scheduler: 'lc' })
  await lvs.addRealServer(foreign, { address: '10.1.0.9', port: 80, weight: 7 })
  return foreignOf(lvs)
}

async function foreignOf(lvs: IpvsClient): Promise<VirtualServerWithRealServers | undefined> {
  const { virtualServers } = await lvs.snapshot()
  return virtualServers.find(vs => describeVirtualServer(vs) === describeVirtualServer(foreign))
}

export const cases: readonly Case[] = [
  ...[1, 2, 3, 4].map(
    (seed): Case => ({
      name: `from any state to any other, a plan ends there, is empty then, makes before it breaks, and leaves others alone (seed ${seed})`,
      async run({ open }) {
        const lvs = await open()
        const random = new Random(seed)
        const before = await withForeign(lvs)
        for (let step = 0; step < 4; step++) await become(lvs, randomState(random))
        await become(lvs, [])
        assert.deepEqual(await foreignOf(lvs), before)
      },
    }),
  ),
  {
    name: 'a plan can be read: a line for each operation, additions, then changes, then removals',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server(1))
      await lvs.addRealServer(web, server(2))
      await lvs.addVirtualServer({ ...web, port: 81, scheduler: 'rr' })
      const plan = await lvs.plan(
        [
          { ...web, scheduler: 'wrr', realServers: [server(2, { weight: 3 }), server(3)] },
          { ...web, port: 443, scheduler: 'wlc', realServers: [server(1, { port: 443, forwarding: 'direct-route' })] },
        ],
        { owns: () => true },
      )
      assert.equal(plan.empty, false)
      const lines = [
        '+ tcp 10.0.0.1:443  wlc',
        '+ tcp 10.0.0.1:443 → 10.1.0.1:443  weight 1 direct-route',
        '+ tcp 10.0.0.1:80 → 10.1.0.3:80  weight 1 masquerade',
        '- tcp 10.0.0.1:80 → 10.1.0.1:80',
        '- tcp 10.0.0.1:81',
        '~ tcp 10.0.0.1:80  scheduler rr → wrr',
        '~ tcp 10.0.0.1:80 → 10.1.0.2:80  weight 1 → 3',
      ]
      assert.deepEqual(plan.toString().split('\n').sort(), lines)
      assert.equal([...plan.toString().matchAll(/^[+~-]/gm)].join(''), '+++~~--')
    },
  },
  {
    name: 'without "owns" nothing that is not desired is removed; without "realServers" those of a virtual server are left alone',
    async run({ open }) {
      const lvs = await open()
      await withForeign(lvs)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server(1))
      assert.equal((await lvs.plan([])).toString(), 'nothing to do')
      const plan = await lvs.plan([{ ...web, scheduler: 'lc' }])
      assert.equal(plan.toString(), '~ tcp 10.0.0.1:80  scheduler rr → lc')
      await lvs.apply(plan)
      assert.equal((await lvs.listRealServers(web).toArray()).length, 1)
      assert.equal((await lvs.plan([{ ...web, scheduler: 'lc', realServers: [] }])).toString(), '- tcp 10.0.0.1:80 → 10.1.0.1:80')
    },
  },
  {
    name: 'a difference in any field is found, and nothing else',
    async run({ open }) {
      const lvs = await open()
      const vs: VirtualServerConfig = { ...web, scheduler: 'rr', persistence: { timeout: 60, netmask: 24 } }
      const rs = server(1, {
        weight: 2,
        upperThreshold: 10,
        lowerThreshold: 5,
        forwarding: 'tunnel',
        tunnel: { type: 'gue', port: 6080 },
      })
      await lvs.apply(await lvs.plan([{ ...vs, realServers: [rs] }]))
      const services: Partial<VirtualServerConfig>[] = [
        { scheduler: 'wrr' },
        { schedulerFlags: ['flag-3'] },
        { persistence: { timeout: 61, netmask: 24 } },
        { persistence: { timeout: 60, netmask: 25 } },
        { persistence: { timeout: 60, netmask: 24, engine: 'sip' } },
        { persistence: undefined },
      ]
      for (const change of services) {
        const plan = await lvs.plan([{ ...vs, ...change, realServers: [rs] } as DesiredVirtualServer])
        assert.deepEqual(
          plan.operations.map(({ operation }) => operation),
          ['updateVirtualServer'],
          JSON.stringify(change),
        )
      }
      const servers: Partial<RealServerConfig>[] = [
        { weight: 3 },
        { upperThreshold: 11 },
        { lowerThreshold: 4 },
        { forwarding: 'direct-route', tunnel: undefined },
        { tunnel: { type: 'gre' } },
        { tunnel: { type: 'gue', port: 6081 } },
        { tunnel: { type: 'gue', port: 6080, checksum: 'remote-checksum' } },
      ]
      for (const change of servers) {
        const plan = await lvs.plan([{ ...vs, realServers: [{ ...rs, ...change }] }])
        assert.deepEqual(
          plan.operations.map(({ operation }) => operation),
          ['updateRealServer'],
          JSON.stringify(change),
        )
      }
      assert.equal((await lvs.plan([{ ...vs, realServers: [rs] }])).empty, true)
    },
  },
  {
    name: 'an operation of a plan that fails does not stop the others, and the error has every result',
    async run({ open }) {
      const lvs = await open()
      const plan = await lvs.plan([
        { ...web, scheduler: 'nonesuch', realServers: [server(1)] },
        { ...web, port: 81, scheduler: 'rr', realServers: [server(1, { address: '224.0.0.1' }), server(2)] },
      ])
      const error = await lvs.apply(plan).then(
        () => assert.fail('it went well'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof ApplyError)
      assert.match(error.message, /^3 of 5 operations failed, the others were applied; the first: .*nonesuch/)
      assert.deepEqual(
        error.results.map(({ ok }) => ok),
        [false, false, true, false, true],
      )
      assert.deepEqual(
        error.errors.map(({ problem }) => problem),
        ['no-such-scheduler', 'no-such-virtual-server', 'invalid'],
      )
      assert.equal((await lvs.listRealServers({ ...web, port: 81 }).toArray()).length, 1)
    },
  },
  {
    name: 'a desired state with something twice, or malformed, is refused before the kernel is asked',
    async run({ open }) {
      const lvs = await open()
      await assert.rejects(
        lvs.plan([web, { ...web, scheduler: 'rr' }]),
        /desired\[1\]: tcp 10\.0\.0\.1:80 is there twice, desired\[0\]/,
      )
      await assert.rejects(
        lvs.plan([{ ...web, realServers: [server(1), server(1)] }]),
        /desired\[0\]\.realServers\[1\]: 10\.1\.0\.1:80 is there twice/,
      )
      await assert.rejects(lvs.plan([{ ...web, realServers: [server(1, { weight: -1 })] }]), {
        name: 'RangeError',
        message: /desired\[0\]\.realServers\[0\]\.weight: -1/,
      })
      await withForeign(lvs)
      await assert.rejects(lvs.plan([], { owns: (() => 'yes') as never }), { name: 'TypeError', message: /owns/ })
    },
  },
]
