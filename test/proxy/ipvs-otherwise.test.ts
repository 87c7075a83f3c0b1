/** IPVS that has not got something, or is another way than a proxy has left it. */
import t from 'tap'
import { open as openIpvs } from '../../lib/ipvs/index.js'
import { open as openNft } from '../../lib/nft/index.js'
import { Backend } from '../../lib/proxy/backend.js'
import { ServiceModel } from '../../lib/service/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { Machine, service, slice, synced, syncOf } from './machine.js'

t.test('a scheduler that is missing is missed once, however many Services wish for it', async t => {
  const machine = new Machine(memoryKernel({ schedulers: ['rr'] }))
  await using proxy = await machine.open()
  const wishing = { 'ts-ipvs.io/scheduler': 'sh' }
  await synced(
    machine,
    proxy,
    ...[1, 2, 3].flatMap(i => [service(`wishes-${i}`, i, {}, wishing), slice(`wishes-${i}`, '10.244.0.1')]),
    service('plain', 4),
    slice('plain', '10.244.0.1'),
  )
  t.same(proxy.problems.map(({ where }) => where).sort(), ['default/wishes-1', 'default/wishes-2', 'default/wishes-3'])
  t.ok(proxy.problems.every(({ message }) => message === 'this kernel has no scheduler sh: it gets rr'))
  t.equal((await machine.servers()).filter(text => text.includes(' rr: 10.244.0.1 1')).length, 4)
})

t.test('where there is no round robin a sync tells it, each time', async t => {
  const kernel = memoryKernel({ schedulers: ['wlc'] })
  await using nft = await openNft({ transport: kernel })
  await using lvs = await openIpvs({ transport: kernel })
  const model = new ServiceModel({ node: { name: 'here' }, clusterCidrs: [], masqueradeAll: false, nodeAddresses: [] })
  model.setService(service('web', 1))
  model.setSlice(slice('web', '10.244.0.1'))
  const backend = new Backend('ipv4', { nft, lvs, drains: { seconds: () => 0, stateOf: () => 'gone' }, log: () => {} })
  await backend.adopt('ipvs')
  for (const change of model.changes()) backend.set(change, ({ address = '' }) => [address])
  for (let i = 0; i < 2; i++) await t.rejects(syncOf(backend), /scheduler/)
})

t.test('a virtual server that others remove while it drains is gone, and so is its entry', async t => {
  const machine = new Machine()
  await using proxy = await machine.open({ drainTimeout: 300 })
  await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1'))
  const key = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
  machine.kernel.setCounters({ activeConnections: 1 }, key, { address: '10.244.0.1', port: 8080 })
  t.same(await synced(machine, proxy, { gone: 'web' }), ['10.96.0.1 tcp 80 rr: 10.244.0.1 0'])
  await machine.with(({ lvs }) => lvs.removeVirtualServer(key))
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.same(await synced(machine, proxy, service('shop', 2), slice('shop', '10.244.0.2')), ['10.96.0.2 tcp 80 rr: 10.244.0.2 1'])
  t.same(await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1')), [
    '10.96.0.1 tcp 80 rr: 10.244.0.1 1',
    '10.96.0.2 tcp 80 rr: 10.244.0.2 1',
  ])
})

t.test('after a cleanup all is made anew', async t => {
  for (const backend of ['ipvs', 'nftables'] as const) {
    const machine = new Machine()
    await using proxy = await machine.open({ backend })
    const before = await synced(machine, proxy, service('web', 1), slice('web', '10.244.0.1'))
    t.equal(await proxy.cleanup(), true)
    t.same(await machine.servers(), [])
    t.same(await synced(machine, proxy), before, backend)
    t.same(await machine.elements('cluster-addresses'), ['10.96.0.1'])
    t.same(await machine.elements('virtual-servers'), backend === 'ipvs' ? ['10.96.0.1 tcp 80'] : [])
  }
})
