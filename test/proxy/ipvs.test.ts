/** The proxy on IPVS, in memory. */
import { once } from 'node:events'
import t from 'tap'
import type { IpvsClient } from '../../lib/ipvs/index.js'
import type { Transport } from '../../lib/netlink/index.js'
import { explainKernel } from '../../lib/proxy/explain-kernel.js'
import type { Log } from '../../lib/proxy/options.js'
import { open as openRoutes } from '../../lib/route/index.js'
import type { EndpointSlice } from '../../lib/service/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { Machine, service, slice, synced } from './machine.js'

t.test('the ledger says whose virtual servers are: the Service that has them now, or had them last', async t => {
  const machine = new Machine()
  const key = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  const { operations, ...before } = await machine.open().then(async proxy => {
    await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1'))
    t.same(await machine.ledger(), { '10.96.0.1 tcp 80': 'default/web' })
    machine.kernel.setCounters({ activeConnections: 1 }, key, { address: '10.244.0.1', port: 8080 })
    await synced(machine, proxy, { gone: 'web' })
    await proxy.close()
    const next = await machine.open()
    const { ipv4 } = await next.once()
    await next.close()
    return ipv4 ?? { operations: -1 }
  })
  t.match({ operations, ...before }, { operations: 0, added: 0, removed: 0 })
  t.same(await machine.ledger(), { '10.96.0.1 tcp 80': 'default/web' }, 'it only drains, and a new proxy knows whose it was')
  const asked = { from: '10.244.0.9', ...key }
  t.match(await explainKernel(asked, { transport: machine.kernel }), {
    verdict: 'reject',
    service: 'default/web',
    engine: 'ipvs',
  })
  await using proxy = await machine.open()
  t.same(await synced(machine, proxy, service('other', 1), slice('other', '10.244.0.1')), ['10.96.0.1 tcp 80 rr: 10.244.0.1 1'])
  t.same(await machine.ledger(), { '10.96.0.1 tcp 80': 'default/other' })
  t.same(await machine.elements('virtual-addresses'), ['10.96.0.1'])
  await synced(machine, proxy, { gone: 'other' })
  machine.kernel.setCounters({ activeConnections: 0 }, key, { address: '10.244.0.1', port: 8080 })
})

t.test('UDP flows go over as soon as their endpoint answers no more, also where it got no new ones any more', async t => {
  const machine = new Machine()
  await using proxy = await machine.open()
  const ports = [{ port: 80, protocol: 'UDP' }] as const
  const endpoints = (...given: readonly NonNullable<EndpointSlice['endpoints']>[number][]): EndpointSlice => ({
    ...slice('web'),
    ports: [{ name: '', port: 8080, protocol: 'UDP' }],
    endpoints: given,
  })
  const leaving = { addresses: ['10.244.0.1'], conditions: { ready: false, serving: true, terminating: true } }
  const other = { addresses: ['10.244.0.2'] }
  await synced(machine, proxy, service('web', 1, { ports }), endpoints({ addresses: ['10.244.0.1'] }))
  const key = { protocol: 'udp', address: '10.96.0.1', port: 80 } as const
  machine.kernel.setCounters({ inactiveConnections: 1 }, key, { address: '10.244.0.1', port: 8080 })
  t.same(await synced(machine, proxy, endpoints(leaving, other)), ['10.96.0.1 udp 80 rr: 10.244.0.1 0, 10.244.0.2 1'])
  t.same(await synced(machine, proxy, endpoints(other)), ['10.96.0.1 udp 80 rr: 10.244.0.2 1'])
})

t.test('Services are virtual servers, with what their annotations say', async t => {
  const machine = new Machine()
  await using proxy = await machine.open()
  const weighed = { 'ts-ipvs.io/scheduler': 'wrr', 'ts-ipvs.io/weights': '10.244.0.0/24=3,10.244.0.2=0' }
  t.same(
    await synced(
      machine,
      proxy,
      service('plain', 1),
      slice('plain', '10.244.0.1', '10.244.0.2'),
      service('weighed', 2, { sessionAffinity: 'ClientIP' }, weighed),
      slice('weighed', '10.244.0.1', '10.244.0.2', '10.244.1.1'),
      service('none', 3),
    ),
    ['10.96.0.1 tcp 80 rr: 10.244.0.1 1, 10.244.0.2 1', '10.96.0.2 tcp 80 wrr 10800: 10.244.0.1 3, 10.244.0.2 0, 10.244.1.1 1'],
  )
  t.same(await machine.elements('virtual-servers'), ['10.96.0.1 tcp 80', '10.96.0.2 tcp 80'])
  t.same(await machine.elements('services-outside'), [])
  t.same(proxy.problems, [])
  const { ipv4 } = await proxy.once()
  t.match(ipv4, { added: 0, removed: 0, operations: 0 }, 'nothing more is to be done')
  t.match(await proxy.plan(), /^$/)
})

t.test('a scheduler that the kernel has not got is told, and round robin takes its place', async t => {
  const machine = new Machine(memoryKernel({ schedulers: ['rr'] }))
  await using proxy = await machine.open()
  const wishes = (scheduler: string) =>
    service('web', 1, {}, { 'ts-ipvs.io/scheduler': scheduler, 'ts-ipvs.io/scheduler-flags': 'sh-port' })
  t.same(await synced(machine, proxy, wishes('sh'), slice('web', '10.244.0.1')), ['10.96.0.1 tcp 80 rr: 10.244.0.1 1'])
  t.match(proxy.problems, [{ where: 'default/web', message: 'this kernel has no scheduler sh: it gets rr' }])
  await synced(machine, proxy, wishes('rr'))
  t.match(proxy.problems, [{ where: 'default/web', message: /schedulerFlags.*it gets rr/ }])
  await synced(machine, proxy, service('web', 1))
  t.same(proxy.problems, [])
})

t.test('an endpoint that goes drains until its connections are over, or its time is', async t => {
  const machine = new Machine()
  const proxy = await machine.open({ drainTimeout: 0.2 })
  await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1', '10.244.0.2'))
  const key = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  machine.kernel.setCounters({ activeConnections: 1 }, key, { address: '10.244.0.1', port: 8080 })
  t.same(await synced(machine, proxy, slice('web', '10.244.0.2')), ['10.96.0.1 tcp 80 rr: 10.244.0.1 0, 10.244.0.2 1'])
  t.same(await synced(machine, proxy, slice('web', '10.244.0.1', '10.244.0.2')), [
    '10.96.0.1 tcp 80 rr: 10.244.0.1 1, 10.244.0.2 1',
  ])
  await synced(machine, proxy, slice('web', '10.244.0.2'))
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.same(await synced(machine, proxy), ['10.96.0.1 tcp 80 rr: 10.244.0.2 1'], 'the deadline is over')
  machine.kernel.setCounters({ activeConnections: 1 }, key, { address: '10.244.0.2', port: 8080 })
  t.same(await synced(machine, proxy, slice('web')), ['10.96.0.1 tcp 80 rr: 10.244.0.2 0'], 'the last one')
  t.same(await machine.elements('refused-outside'), ['10.96.0.1 tcp 80'], 'new connections are refused meanwhile')
  await proxy.close()
  await using next = await machine.open({ drainTimeout: 1000 })
  t.same(await synced(machine, next, service('web', 1)), ['10.96.0.1 tcp 80 rr: 10.244.0.2 0'], 'it goes on draining')
  t.same(
    await synced(machine, next, slice('web', '10.244.0.2')),
    ['10.96.0.1 tcp 80 rr: 10.244.0.2 1'],
    'or gets its weight back',
  )
  await synced(machine, next, { gone: 'web' })
  machine.kernel.setCounters({ activeConnections: 0 }, key, { address: '10.244.0.2', port: 8080 })
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.same(await synced(machine, next), [], 'no connections')
  t.same(await machine.elements('virtual-servers'), [])
  t.same(await machine.elements('virtual-addresses'), [])
})

t.test('endpoints of a node port come and go like others', async t => {
  const machine = new Machine()
  await machine.with(async () => {
    await using routes = await openRoutes({ transport: machine.kernel })
    await routes.addAddress({ device: 'lo', address: '192.0.2.10', prefixLength: 32 })
  })
  await using proxy = await machine.open({ drainTimeout: 0 })
  const web = service('web', 1, { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })
  const serving = (address: string): readonly string[] => [
    `10.96.0.1 tcp 80 rr: ${address} 1`,
    `192.0.2.10 tcp 30080 rr: ${address} 1`,
  ]
  t.same(await synced(machine, proxy, web, slice('web', '10.244.0.1')), serving('10.244.0.1'))
  t.same(await synced(machine, proxy, slice('web', '10.244.0.2')), serving('10.244.0.2'))
})

t.test('addresses of other nodes have no route, and no virtual server: rules translate what comes by', async t => {
  const machine = new Machine()
  await using proxy = await machine.open({ standalone: false })
  const node = (name: string, ...addresses: readonly string[]) => ({
    kind: 'Node' as const,
    metadata: { name },
    status: { addresses: addresses.map(address => ({ type: 'InternalIP', address })) },
  })
  const routes = (): Promise<readonly string[]> =>
    machine.with(async () => {
      await using client = await openRoutes({ transport: machine.kernel })
      return (await client.routes({ table: 'local', protocol: 114 })).map(({ destination }) => destination).sort()
    })
  const spec = { externalIPs: ['192.168.1.1', '192.168.1.2'] }
  const flow = { from: '10.0.0.1', protocol: 'tcp', address: '192.168.1.2', port: 80 } as const
  const cluster = '10.96.0.1 tcp 80 rr: 10.244.0.1 1'
  const here = '192.168.1.1 tcp 80 rr: 10.244.0.1 1'
  const there = '192.168.1.2 tcp 80 rr: 10.244.0.1 1'
  const told = [node('there', '192.168.1.2'), service('web', 1, spec), slice('web', '10.244.0.1')] as const
  t.same(await synced(machine, proxy, node('here', '192.168.1.1'), ...told), [cluster, here])
  t.same(await routes(), ['10.96.0.0/16', '192.168.1.1/32'])
  t.same(await machine.elements('services-outside'), ['192.168.1.2 tcp 80'])
  t.match(proxy.explain(flow), { verdict: 'accept', engine: 'nftables' })
  t.same(await synced(machine, proxy, node('there', '192.168.1.3')), [cluster, here, there], 'no node has it any more')
  t.same(await routes(), ['10.96.0.0/16', '192.168.1.1/32', '192.168.1.2/32'])
  t.match(proxy.explain(flow), { verdict: 'accept', engine: 'ipvs' })
  await synced(machine, proxy, node('there', '192.168.1.2'))
  t.same(await routes(), ['10.96.0.0/16', '192.168.1.1/32'])
  t.same(await machine.elements('services-outside'), ['192.168.1.2 tcp 80'])
})

t.test('nobody is told by ARP that addresses of Services are here', async t => {
  const machine = new Machine()
  const guarded = (): Promise<readonly string[] | undefined> =>
    machine.with(async ({ nft }) => {
      const { tables, elements } = await nft.snapshot({ family: 'arp', table: 'ts-ipvs' })
      if (tables.length === 0) return undefined
      return elements.flatMap(({ elements }) => elements.map(({ key }) => String(key))).sort()
    })
  const proxy = await machine.open()
  machine.source.tell(service('web', 1, { externalIPs: ['192.0.2.1', '2001:db8::1'] }), slice('web', '10.244.0.1'))
  await proxy.read()
  t.match(await proxy.plan(), /add element arp ts-ipvs services \{ 10\.96\.0\.0\/16, 192\.0\.2\.1 \}\n/)
  t.equal(await guarded(), undefined)
  await proxy.sync()
  t.same(await guarded(), ['10.96.0.0/16', '192.0.2.1'])
  await synced(machine, proxy, service('web', 1, { externalIPs: ['192.0.2.2'] }))
  t.same(await guarded(), ['10.96.0.0/16', '192.0.2.2'])
  await proxy.close()
  const chain = { family: 'arp', table: 'ts-ipvs', name: 'input' } as const
  const rule = { family: 'arp', table: 'ts-ipvs', chain: 'input', expr: [{ accept: null }] } as const
  await machine.with(({ nft }) => nft.apply({ nftables: [{ flush: { chain } }, { add: { rule } }] }))
  const lasting = {
    name: 'lasting',
    async *updates(signal: AbortSignal) {
      yield* machine.source.updates()
      if (!signal.aborted) await once(signal, 'abort')
    },
  }
  await using next = await machine.open({ source: lasting })
  const told = [service('web', 1, { externalIPs: ['192.0.2.3'] }), slice('web', '10.244.0.1')] as const
  await synced(machine, next, ...told)
  t.same(await guarded(), ['10.96.0.0/16', '192.0.2.3'], 'what another one left is gone')
  const text = await machine.with(({ nft }) => nft.rulesetText({ family: 'arp', table: 'ts-ipvs' }))
  t.match(text, /arp operation request arp daddr ip @services drop\n/)
  t.notMatch(text, /\baccept\n/, 'and what others have put there')
  const ending = new AbortController()
  const run = next.run(ending.signal)
  machine.source.tell(...told)
  // From some time on it hears of it.
  const table = { family: 'arp', name: 'ts-ipvs' } as const
  let mended = false
  for (const end = performance.now() + 20_000; !mended && performance.now() < end; ) {
    await machine.with(({ nft }) => nft.commit([{ add: { table } }, { delete: { table } }, { add: { table } }]))
    await new Promise(resolve => setTimeout(resolve, 200))
    mended = (await guarded())?.length === 2
  }
  t.same(await guarded(), ['10.96.0.0/16', '192.0.2.3'], 'what others change is changed back')
  ending.abort()
  await run
  await next.cleanup()
  t.equal(await guarded(), undefined)
})

t.test("others' virtual servers are left alone: rules serve in their place, until they are gone", async t => {
  const machine = new Machine()
  const theirs = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  const unrelated = { protocol: 'tcp', address: '192.0.2.1', port: 443 } as const
  const make = (key: typeof theirs | typeof unrelated) =>
    machine.with(async ({ lvs }) => {
      await lvs.addVirtualServer({ ...key, scheduler: 'wlc' })
      await lvs.addRealServer(key, { address: '192.0.2.9', port: 80, weight: 7 })
    })
  await make(theirs)
  await make(unrelated)
  const texts = ['10.96.0.1 tcp 80 wlc: 192.0.2.9 7', '192.0.2.1 tcp 443 wlc: 192.0.2.9 7']
  const proxy = await machine.open()
  t.same(await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1')), texts)
  t.match(proxy.problems, [{ where: 'default/web', message: /somebody else has a virtual server at 10\.96\.0\.1 tcp 80/ }])
  t.same(await machine.elements('services-outside'), ['10.96.0.1 tcp 80'])
  t.same(await machine.elements('virtual-servers'), [])
  const flow = { from: '10.0.0.1', protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  t.equal(proxy.explain(flow).engine, 'nftables')
  await machine.with(({ lvs }) => lvs.removeVirtualServer(theirs))
  await proxy.close()
  await using next = await machine.open()
  const both = ['10.96.0.1 tcp 80 rr: 10.244.0.1 1', texts[1]]
  t.same(await synced(machine, next, service('web', 1), slice('web', '10.244.0.1')), both)
  t.same(await machine.elements('services-outside'), [])
  t.equal(next.explain(flow).engine, 'ipvs')
  // One that came since the last look: it is found when the own one can not be made.
  await machine.with(async ({ lvs }) => {
    await lvs.addVirtualServer({ ...theirs, address: '10.96.0.2', scheduler: 'wlc' })
  })
  t.same(await synced(machine, next, service('shop', 2), slice('shop', '10.244.0.1')), [
    both[0],
    '10.96.0.2 tcp 80 wlc: ',
    both[1],
  ])
  t.same(await machine.elements('services-outside'), ['10.96.0.2 tcp 80'])
  t.same(await machine.elements('virtual-servers'), ['10.96.0.1 tcp 80'])
  t.equal(await next.cleanup(), true)
  t.same(await machine.servers(), ['10.96.0.2 tcp 80 wlc: ', texts[1]])
})

t.test('what others change is changed back', async t => {
  const machine = new Machine()
  const proxy = await machine.open()
  const told = [
    service('web', 1),
    slice('web', '10.244.0.1', '10.244.0.2'),
    service('shop', 2),
    slice('shop', '10.244.0.3'),
  ] as const
  const right = await synced(machine, proxy, ...told)
  const key = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  const one = { address: '10.244.0.1', port: 8080 }
  const breaks: readonly ((lvs: IpvsClient) => Promise<unknown>)[] = [
    lvs => lvs.removeVirtualServer(key),
    lvs => lvs.flush(),
    lvs => lvs.removeRealServer(key, one),
    lvs => lvs.updateRealServer(key, { ...one, weight: 5 }),
    lvs => lvs.updateRealServer(key, { ...one, forwarding: 'tunnel' }),
    lvs => lvs.updateVirtualServer({ ...key, scheduler: 'wlc' }),
  ]
  for (const broken of breaks) {
    await machine.with(({ lvs }) => broken(lvs))
    await using next = await machine.open()
    t.same(await synced(machine, next, ...told), right, 'seen when the tables are read')
  }
  await machine.with(({ lvs }) => lvs.removeVirtualServer(key))
  t.same(
    await synced(machine, proxy, slice('web', '10.244.0.1')),
    ['10.96.0.1 tcp 80 rr: 10.244.0.1 1', right[1]],
    'or when an operation fails',
  )
  await proxy.close()
})

t.test('settings are made, and given back by cleanup, also by that of another proxy', async t => {
  const machine = new Machine()
  await machine.with(({ lvs }) => lvs.setSysctl('expire_nodest_conn', 1))
  const names = ['conntrack', 'expire_nodest_conn', 'expire_quiescent_template']
  const values = (): Promise<unknown[]> => Promise.all(names.map(name => machine.sysctl(name)))
  const lines: string[] = []
  const proxy = await machine.open({ log: (_, message) => lines.push(message) })
  t.same(await values(), [0, 1, 0], 'opening changes nothing')
  await synced(machine, proxy, service('web', 1))
  t.same(await values(), [1, 1, 1])
  t.equal(lines.filter(line => line.startsWith('net.ipv4.vs.')).length, 2)
  await synced(machine, proxy, service('shop', 2))
  t.equal(lines.filter(line => line.startsWith('net.ipv4.vs.')).length, 2, 'told once')
  await proxy.close()
  const next = await machine.open()
  await synced(machine, next, service('web', 1))
  await next.close()
  await using last = await machine.open({ backend: 'nftables' })
  await last.cleanup()
  t.same(await values(), [0, 1, 0])
})

t.test('settings are given back when no virtual server of either family is left', async t => {
  const machine = new Machine()
  const { kernel } = machine
  const left: number[] = []
  const transport: Transport = {
    open: options => kernel.open(options),
    readFile: path => kernel.readFile(path),
    async writeFile(path, text) {
      if (path.endsWith('/vs/expire_nodest_conn') && text === '0') left.push((await machine.servers()).length)
      await kernel.writeFile(path, text)
    },
    close: async () => {},
  }
  await using proxy = await machine.open({ transport })
  const both = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00:96::1'] }
  const six: EndpointSlice = { ...slice('web', 'fd00:244::1'), addressType: 'IPv6' }
  const slices = [slice('web', '10.244.0.1'), { ...six, metadata: { ...six.metadata, name: 'web-6' } }]
  t.equal((await synced(machine, proxy, service('web', 1, both), ...slices)).length, 2)
  await proxy.cleanup()
  t.same(left, [0])
})

t.test('auto takes IPVS where there is some, and says why where there is none', async t => {
  const lines: string[] = []
  const log: Log = (_, message) => void lines.push(message)
  const without = new Machine(memoryKernel({ ipvs: false }))
  await using rules = await without.open({ backend: 'auto', log })
  t.same(rules.engines, { ipv4: 'nftables', ipv6: 'nftables' })
  t.match(lines, [/IPVS can not be used here, rules of nftables serve ipv4 instead: .*/, /ipv6 instead/])
  await t.rejects(without.open({ backend: 'ipvs' }), /IPVS can not be used here/)
  await using servers = await new Machine().open({ backend: 'auto' })
  t.same(servers.engines, { ipv4: 'ipvs', ipv6: 'ipvs' })
  await using older = await new Machine(memoryKernel({ ipv6: false })).open({ backend: 'ipvs' })
  t.same(older.engines, { ipv4: 'ipvs', ipv6: 'nftables' })
})

t.test('a proxy changes over, and so does the next one: what serves goes when the other one serves', async t => {
  const machine = new Machine()
  const proxy = await machine.open({ backend: 'nftables' })
  const told = [service('web', 1, {}, { 'ts-ipvs.io/scheduler': 'wlc' }), slice('web', '10.244.0.1')] as const
  t.same(await synced(machine, proxy, ...told), [])
  t.match(proxy.problems, [{ where: 'default/web', message: /schedulers and weights are for IPVS/ }])
  t.match(proxy.explain({ from: '10.0.0.1', protocol: 'tcp', address: '10.96.0.1', port: 80 }), {
    engine: 'nftables',
    limitation: /IPVS/,
  })
  await proxy.setBackend('ipvs')
  await proxy.sync()
  t.same(await machine.servers(), ['10.96.0.1 tcp 80 wlc: 10.244.0.1 1'])
  t.same(await machine.elements('services-outside'), [])
  t.same(proxy.problems, [])
  machine.kernel.setCounters(
    { activeConnections: 1 },
    { protocol: 'tcp', address: '10.96.0.1', port: 80 },
    { address: '10.244.0.1', port: 8080 },
  )
  await proxy.setBackend('nftables')
  await proxy.sync()
  t.same(await machine.servers(), ['10.96.0.1 tcp 80 wlc: 10.244.0.1 0'], 'its connections go on')
  t.same(await machine.elements('services-outside'), ['10.96.0.1 tcp 80'])
  await proxy.close()
  const next = await machine.open({ backend: 'ipvs' })
  t.same(await synced(machine, next, ...told), ['10.96.0.1 tcp 80 wlc: 10.244.0.1 1'])
  t.same(await machine.elements('services-outside'), [])
  await next.close()
  await using last = await machine.open({ backend: 'nftables', drainTimeout: 0 })
  t.same(await synced(machine, last, ...told), [])
  t.same(await machine.elements('virtual-servers'), [])
  t.same(await machine.elements('services-outside'), ['10.96.0.1 tcp 80'])
})
