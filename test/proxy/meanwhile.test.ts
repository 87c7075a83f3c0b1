/** Others change the ruleset while a proxy compares what is there with what is wanted, or before it does. */
import t from 'tap'
import { open as openNft } from '../../lib/nft/index.js'
import { NftablesBackend } from '../../lib/proxy/nftables/backend.js'
import { ServiceModel } from '../../lib/service/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { intercept } from '../kernel/support/intercept.js'
import { Machine, service, slice, synced } from './machine.js'

/** `NFNL_MSG_BATCH_BEGIN` (linux/netfilter/nfnetlink.h). */
const BATCH_BEGIN = 16
const NETLINK_NETFILTER = 12
const typeOf = (request: Uint8Array | null, protocol: number): number =>
  request && protocol === NETLINK_NETFILTER ? new DataView(request.buffer, request.byteOffset).getUint16(4, true) : 0

t.test('a first sync is made anew where others were faster', async t => {
  const machine = new Machine()
  await using others = await openNft({ transport: machine.kernel })
  let faster = 3
  const transport = intercept(machine.kernel, async ({ request, protocol }, go) => {
    if (faster > 0 && typeOf(request, protocol) === BATCH_BEGIN)
      await others.commit([{ add: { table: { family: 'inet', name: `other-${faster--}` } } }])
    return go()
  })
  await using proxy = await machine.open({ transport, backend: 'nftables' })
  machine.source.tell(service('a', 1), slice('a', '10.244.0.1'))
  await proxy.once()
  t.equal(faster, 0)
  t.same((await others.tables()).map(({ name }) => name).sort(), [
    'other-1',
    'other-2',
    'other-3',
    'ts-ipvs',
    'ts-ipvs',
    'ts-ipvs',
  ])
  t.same(await machine.elements('services-outside'), ['10.96.0.1 tcp 80'])
})

t.test('a sync does not make good what was doubted meanwhile', async t => {
  const kernel = memoryKernel()
  await using others = await openNft({ transport: kernel })
  const table = { family: 'ip', name: 'ts-ipvs' } as const
  let faster = false
  const doubting: { backend: NftablesBackend | undefined } = { backend: undefined }
  const transport = intercept(kernel, async ({ request, protocol }, go) => {
    const reply = await go()
    if (!faster || typeOf(request, protocol) !== BATCH_BEGIN) return reply
    // Others are told of before the sync has heard that it is done.
    faster = false
    await others.commit([{ delete: { table } }])
    doubting.backend?.doubt()
    return reply
  })
  await using client = await openNft({ transport })
  const backend = new NftablesBackend(client, 'ipv4')
  doubting.backend = backend
  await backend.adopt()
  for (const first of [true, false]) {
    backend.setRanges({ pods: [], services: [] })
    if (!first) backend.table.enter({ name: '10.96.0.1 tcp 80', address: '10.96.0.1', protocol: 'tcp', port: 80, comment: 'x' })
    faster = true
    await backend.sync()
    t.equal(faster, false)
    t.equal(await others.getTable(table), undefined)
    t.equal((await backend.sync()).read, true)
    t.ok(await others.getTable(table))
  }
})

t.test('clients that could not be moved with their endpoint are moved by the next sync', async t => {
  const kernel = memoryKernel()
  await using others = await openNft({ transport: kernel })
  /** So many transactions go well. */
  let well = Number.POSITIVE_INFINITY
  const transport = intercept(kernel, ({ request, protocol }, go) => {
    if (typeOf(request, protocol) === BATCH_BEGIN && --well < 0) kernel.inject({ fault: { errno: 12, syscall: 'sendmsg' } })
    return go()
  })
  await using client = await openNft({ transport })
  const backend = new NftablesBackend(client, 'ipv4')
  await backend.adopt()
  const model = new ServiceModel({ node: { name: 'here' }, clusterCidrs: [], masqueradeAll: false, nodeAddresses: [] })
  const serve = (...addresses: readonly string[]): void => {
    model.setService(service('web', 1, { sessionAffinity: 'ClientIP' }))
    model.setSlice(slice('web', ...addresses))
    for (const { key, after } of model.changes()) backend.table.set(key, after, ['10.96.0.1'])
  }
  const remembered = async (slot: number): Promise<readonly unknown[]> =>
    (await others.elements({ family: 'ip', table: 'ts-ipvs', name: `sticky-outside-${slot}` }).toArray()).map(({ key }) => key)
  const endpoints = async (): Promise<readonly unknown[]> =>
    (await others.elements({ family: 'ip', table: 'ts-ipvs', name: 'slot-outside-0' }).toArray()).map(
      ({ data }) => [data].flat(2)[0],
    )
  serve('10.244.0.1', '10.244.0.2')
  await backend.sync()
  const key = ['192.0.2.9', '10.96.0.1', 'tcp', 80]
  const set = await others.getSet({ family: 'ip', table: 'ts-ipvs', name: 'sticky-outside-1' })
  if (!set) throw new Error('there is no set for clients')
  await others.commit([{ add: { elements: { set, elements: [{ key }] } } }])
  serve('10.244.0.2')
  await client.generation() // others counted it up: who does not know would try twice
  well = 1
  await t.rejects(backend.sync(), { code: 'ENOMEM' })
  well = Number.POSITIVE_INFINITY
  t.same(await endpoints(), ['10.244.0.2'], 'all else was done')
  t.same([await remembered(0), await remembered(1)], [[], [key]], 'it was not moved')
  t.match(await backend.sync(), { added: 0, removed: 0 })
  t.same([await remembered(0), await remembered(1)], [[key], []])
})

const told = (name: string, number: number, port: number, policy: 'Local' | 'Cluster') =>
  [
    service(name, number, { externalIPs: ['192.0.2.5'], externalTrafficPolicy: policy, ports: [{ port }] }),
    slice(name, '10.244.0.1'),
  ] as const

for (const backend of ['ipvs', 'nftables'] as const)
  for (const [what, spoil] of [
    ['the table', { delete: { table: { family: 'ip', name: 'ts-ipvs' } } }],
    ['what is in a map', { flush: { map: { family: 'ip', table: 'ts-ipvs', name: 'ports-192.0.2.5-tcp' } } }],
  ] as const)
    t.test(`others remove ${what} where an address is not told by port any more: ${backend}`, async t => {
      const machine = new Machine()
      await using proxy = await machine.open({ backend, drainTimeout: 0 })
      await synced(machine, proxy, ...told('web', 1, 80, 'Cluster'), ...told('shop', 2, 81, 'Local'))
      t.same(await machine.elements('ports-192.0.2.5-tcp'), ['80', '81'])
      await machine.with(({ nft }) => nft.apply({ nftables: [spoil] } as never))
      await synced(machine, proxy, { gone: 'shop' })
      t.same(await machine.elements('masqueraded'), ['192.0.2.5'])
    })
