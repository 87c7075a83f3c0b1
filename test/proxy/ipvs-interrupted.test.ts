/** A proxy on IPVS that dies at any moment, and one that runs for long. */
import t from 'tap'
import type { Transport } from '../../lib/netlink/index.js'
import type { Reply, Socket } from '../../lib/netlink/transport.js'
import type { MemoryKernel } from '../../lib/testing/index.js'

import { Machine, service, slice, synced } from './machine.js'

const DEAD: Reply = {
  data: new Uint8Array(),
  errno: 5,
  syscall: 'sendmsg',
  sent: 0,
  lost: false,
  complete: false,
  datagrams: 0,
}

/** A transport whose owner dies: after so many exchanges nothing more is sent. */
function dying(kernel: MemoryKernel, exchanges: number): Transport {
  let left = exchanges
  const alive = (): boolean => left-- > 0
  return {
    readFile: path => kernel.readFile(path),
    writeFile: (path, text) => (alive() ? kernel.writeFile(path, text) : Promise.reject(new Error('dead'))),
    close: async () => {},
    open: options => {
      const socket = kernel.open(options)
      const calls: Pick<Socket, 'exchange' | 'page' | 'dumpMany'> = {
        exchange: async (...given) => (alive() ? socket.exchange(...given) : DEAD),
        page: async (...given) => (left > 0 ? socket.page(...given) : DEAD),
        dumpMany: async (...given) => (left > 0 ? socket.dumpMany(...given) : DEAD),
      }
      return new Proxy(socket, {
        get: (target, name) => {
          const value = (Reflect.get(calls, name) ?? Reflect.get(target, name, target)) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

t.test('wherever a proxy dies, the next one makes the same of it, and leaves nothing when it goes', async t => {
  const before = [service('a', 1), slice('a', '10.244.0.1', '10.244.0.2'), service('b', 2), slice('b', '10.244.0.3')] as const
  const after = [slice('a', '10.244.0.2', '10.244.0.4'), service('c', 3), slice('c', '10.244.0.5'), { gone: 'b' }] as const
  const right = ['10.96.0.1 tcp 80 rr: 10.244.0.2 1, 10.244.0.4 1', '10.96.0.3 tcp 80 rr: 10.244.0.5 1']
  const options = { drainTimeout: 0 }
  for (const backend of ['ipvs', 'nftables'] as const)
    for (let exchanges = 0, died = true; died; exchanges++) {
      died = false
      const machine = new Machine()
      const first = await machine.open({ ...options, backend })
      await synced(machine, first, ...before)
      await first.close()
      const all = [...before.filter(one => one.metadata.name !== 'a-1'), ...after]
      machine.source.tell(...all)
      try {
        const doomed = await machine.open({ ...options, transport: dying(machine.kernel, exchanges) })
        await doomed.once()
      } catch {
        died = true
      }
      await using next = await machine.open(options)
      t.same(await synced(machine, next, ...all), right, `from ${backend}, after ${exchanges} exchanges`)
      t.same(await machine.elements('virtual-servers'), ['10.96.0.1 tcp 80', '10.96.0.3 tcp 80'])
      t.same(await machine.elements('services-outside'), [])
      await next.cleanup()
      t.same(await machine.servers(), [])
      t.equal(await machine.sysctl('conntrack'), 0)
    }
})

t.test(
  'wherever a change of the engine ends, connections are given to an endpoint, also where a virtual server only drained',
  async t => {
    for (let exchanges = 0, died = true; died; exchanges++) {
      died = false
      const machine = new Machine()
      const told = [service('web', 1), slice('web', '10.244.0.1')] as const
      const first = await machine.open()
      await synced(machine, first, ...told)
      const key = { protocol: 'tcp', address: '10.96.0.1', port: 80 } as const
      machine.kernel.setCounters({ activeConnections: 1 }, key, { address: '10.244.0.1', port: 8080 })
      await first.setBackend('nftables')
      await first.sync()
      await first.close()
      machine.source.tell(...told)
      try {
        await (await machine.open({ transport: dying(machine.kernel, exchanges) })).once()
      } catch {
        died = true
      }
      const rules = await machine.elements('services-outside')
      const [server = ''] = (await machine.servers()).filter(text => text.startsWith('10.96'))
      t.ok(rules.length > 0 || server.endsWith(' 1'), `after ${exchanges} exchanges`)
      t.ok(died || rules.length === 0)
    }
  },
)

t.test('a thousand Services come and go, and nothing is left', async t => {
  const machine = new Machine()
  await using proxy = await machine.open({ drainTimeout: 0 })
  await synced(machine, proxy, service('stays', 1), slice('stays', '10.244.0.1'))
  const table = (): Promise<object> =>
    machine.with(async ({ nft }) => {
      const { generation, ...all } = await nft.snapshot({ family: 'ip', table: 'ts-ipvs' })
      return { chains: all.chains.length, sets: all.sets.length, elements: all.elements.map(({ elements }) => elements.length) }
    })
  const before = await table()
  for (let round = 0; round < 10; round++) {
    const names = Array.from({ length: 100 }, (_, i) => ({ name: `s${i}`, number: 256 + 100 * round + i }))
    const spec = { externalIPs: ['192.0.2.7'], externalTrafficPolicy: 'Local' } as const
    machine.source.tell(
      ...names.flatMap(({ name, number }) => [
        service(name, number, { ...spec, ports: [{ port: number }] }),
        slice(name, `10.244.1.${number & 255}`),
      ]),
    )
    await proxy.once()
    t.equal((await machine.servers()).length, 201)
    await synced(machine, proxy, ...names.map(({ name }) => ({ gone: name })))
  }
  t.equal((await machine.servers()).length, 1)
  t.same(await table(), before)
})
