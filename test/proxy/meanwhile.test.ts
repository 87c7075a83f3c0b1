/** Others change the ruleset while a proxy compares what is there with what is wanted. */
import t from 'tap'
import { open as openNft } from '../../lib/nft/index.js'
import { intercept } from '../kernel/support/intercept.js'
import { Machine, service, slice } from './machine.js'

/** `NFNL_MSG_BATCH_BEGIN` (linux/netfilter/nfnetlink.h). */
const BATCH_BEGIN = 16
const NETLINK_NETFILTER = 12

t.test('a first sync is made anew where others were faster', async t => {
  const machine = new Machine()
  await using others = await openNft({ transport: machine.kernel })
  let faster = 3
  const transport = intercept(machine.kernel, async ({ request, protocol }, go) => {
    const type =
      request && protocol === NETLINK_NETFILTER ? new DataView(request.buffer, request.byteOffset).getUint16(4, true) : 0
    if (type === BATCH_BEGIN && faster > 0)
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
