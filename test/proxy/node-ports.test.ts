/** Node ports, on addresses that other frontends have too. */
import t from 'tap'
import { open as openRoutes } from '../../lib/route/index.js'
import { Machine, service, slice, synced } from './machine.js'

const HERE = '192.0.2.10'

for (const backend of ['ipvs', 'nftables'] as const)
  t.test(
    `a node port gives way to an external address with the same port, and is back when that is gone: ${backend}`,
    async t => {
      const machine = new Machine()
      await machine.with(async () => {
        await using routes = await openRoutes({ transport: machine.kernel })
        await routes.addAddress({ device: 'lo', address: HERE, prefixLength: 32 })
      })
      await using proxy = await machine.open({ backend, drainTimeout: 0 })
      const external = [
        service('external', 1, { externalIPs: [HERE], ports: [{ port: 30080 }] }),
        slice('external', '10.244.0.1'),
      ]
      const nodePort = [
        service('node', 2, { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }),
        slice('node', '10.244.0.2'),
      ]
      const steps = [
        [external, '10.244.0.1'],
        [nodePort, '10.244.0.1'],
        [[{ gone: 'external' }], '10.244.0.2'],
        [external, '10.244.0.1'],
        [[{ gone: 'node' }], '10.244.0.1'],
        [[{ gone: 'external' }], undefined],
      ] as const
      for (const [told, endpoint] of steps) {
        await synced(machine, proxy, ...told)
        const { endpoints } = proxy.explain({ from: '203.0.113.7', protocol: 'tcp', address: HERE, port: 30080 })
        t.same(endpoints, endpoint === undefined ? [] : [`${endpoint}:8080`])
        t.equal(await servedAt(machine), endpoint)
      }
    },
  )

/** Who has the connections to the port, by either engine. */
async function servedAt(machine: Machine): Promise<string | undefined> {
  const place = `${HERE} tcp 30080`
  const server = (await machine.servers()).find(text => text.startsWith(place))
  if (server) return /: (\S+) 1$/.exec(server)?.[1]
  const { elements } = await machine.with(({ nft }) => nft.snapshot({ family: 'ip', table: 'ts-ipvs' }))
  const slot = elements.find(({ set }) => set.name === 'slot-outside-0')?.elements
  return slot?.filter(({ key }) => [key].flat().join(' ') === place).map(({ data }) => String([data].flat()[0]))[0]
}
