/** What an operator sees of a proxy, with real packets. */
import assert from 'node:assert/strict'
import { open as openConntrack } from '../../../lib/conntrack/index.js'
import { explainKernel } from '../../../lib/proxy/index.js'
import type { Case } from '../nft/case.js'
import { addressOf, CLIENT, nameOf, network, SERVICE, type ServerNumber, tally, target } from '../nft/traffic/network.js'
import { EXTERNAL, NOBODY, OTHER, other, perVersion, proxyIn, served, service, slice, TestSource, until } from './rig.js'

export const operating: readonly Case[] = [
  ...perVersion('who is refused is counted by Service, and the table says whose elements are', async (context, version) => {
    const { attempt, ask } = await network(context)
    const range = { type: 'LoadBalancer', clusterIP: OTHER[version], loadBalancerSourceRanges: [CLIENT[version]] } as const
    const guarded = {
      ...service(version, range, 'guarded'),
      status: { loadBalancer: { ingress: [{ ip: EXTERNAL[version] }] } },
    }
    const { proxy } = await served(context, service(version), guarded, slice(version, [1], 'guarded'))
    assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
    assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
    assert.equal((await ask(target('tcp', EXTERNAL[version], 80), 5)).length, 5)
    assert.equal(await attempt(target('tcp', EXTERNAL[version], 80, other(version)), 500), 'silence')
    const counted = (await proxy.refusals()).filter(({ packets }) => packets > 0)
    const family = version === 'ip' ? 'ipv4' : 'ipv6'
    assert.deepEqual(counted, [
      { family, service: 'default/guarded:tcp', reason: 'source-ranges', verdict: 'drop', packets: 1 },
      { family, service: 'default/web:tcp', reason: 'no-endpoints', verdict: 'reject', packets: 2 },
    ])
    assert.match(await context.inside(`nft list map ${version} ts-ipvs denied`), /comment "default\/guarded:tcp"/)
  }),
  ...perVersion(
    'connections to an endpoint that is gone end at the deadline, those to others go on',
    async (context, version) => {
      const { client } = await network(context)
      await using tracked = await openConntrack({ netns: { name: context.netns } })
      const source = new TestSource()
      const flowsTo = async (number: ServerNumber): Promise<number> => {
        let count = 0
        for await (const _ of tracked.flows({ protocol: 'tcp', reply: { source: addressOf(number, version) } })) count++
        return count
      }
      source.tell(service(version), slice(version, [1]))
      const first = await proxyIn(context, source, { backend: 'nftables' })
      await first.once()
      const { held } = await client.hold(target('tcp', SERVICE[version], 80))
      // The proxy that ends them is another one than that which let them begin.
      const proxy = await proxyIn(context, source, { backend: 'nftables', drainTimeout: 2 })
      source.tell(slice(version, [2]))
      const running = new AbortController()
      const run = proxy.run(running.signal)
      try {
        await until('new connections go elsewhere', async () => {
          const { endpoints } = await explainKernel(
            { from: CLIENT[version], protocol: 'tcp', address: SERVICE[version], port: 80 },
            { netns: { name: context.netns } },
          )
          return endpoints.length === 1 && endpoints[0]?.includes(addressOf(2, version)) === true
        })
        const { held: other } = await client.hold(target('tcp', SERVICE[version], 80))
        assert.equal((await client.askHeld(held)).server, nameOf(1), 'it goes on until then')
        await until('the flow to endpoint 1 is gone', async () => (await flowsTo(1)) === 0)
        await assert.rejects(client.askHeld(held))
        assert.equal((await client.askHeld(other)).server, nameOf(2))
        await client.release(other)
      } finally {
        running.abort()
        await run
      }
    },
  ),
  ...perVersion('explain by the kernel says what packets find', async (context, version) => {
    const { ask, attempt } = await network(context)
    const range = { type: 'LoadBalancer', clusterIP: OTHER[version], loadBalancerSourceRanges: [CLIENT[version]] } as const
    const guarded = {
      ...service(version, range, 'guarded'),
      status: { loadBalancer: { ingress: [{ ip: EXTERNAL[version] }] } },
    }
    const idle = service(version, {}, 'idle')
    const { proxy } = await served(context, idle, guarded, slice(version, [1, 3], 'guarded'))
    const explained = (from: string, address: string, port: number) => {
      const flow = { from, protocol: 'tcp', address, port } as const
      return Promise.all([proxy.explain(flow), explainKernel(flow, { netns: { name: context.netns } })])
    }
    const cases = [
      [CLIENT[version], EXTERNAL[version], 80, 'accept'],
      [other(version), EXTERNAL[version], 80, 'drop'],
      [CLIENT[version], SERVICE[version], 80, 'reject'],
      [CLIENT[version], SERVICE[version], 81, 'reject'],
      [CLIENT[version], NOBODY[version], 80, 'drop'],
      [addressOf(1, version), OTHER[version], 80, 'accept'],
    ] as const
    for (const [from, address, port, verdict] of cases) {
      const [wanted, found] = await explained(from, address, port)
      const plain = ({ verdict, endpoints, masquerade, engine }: typeof found) =>
        JSON.stringify([verdict, [...endpoints].sort(), masquerade, engine])
      assert.equal(found.service, wanted.service)
      assert.equal(found.verdict, verdict, `${from} to ${address} ${port}`)
      assert.equal(plain(found), plain(wanted), `${from} to ${address} ${port}`)
    }
    const names = Object.keys(tally(await ask(target('tcp', EXTERNAL[version], 80), 30))).sort()
    assert.deepEqual(names, [nameOf(1), nameOf(3)])
    assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
  }),
]
