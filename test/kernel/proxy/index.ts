/** Services for real packets, on IPVS where the kernel has it. */
import assert from 'node:assert/strict'
import { open as openConntrack } from '../../../lib/conntrack/index.js'
import type { Case, LinuxContext } from '../nft/case.js'
import {
  addressOf,
  CLIENT,
  NUMBERS,
  nameOf,
  network,
  ROUTER,
  SERVER_PORT,
  SERVICE,
  tally,
  target,
} from '../nft/traffic/network.js'
import { startPeer } from '../traffic/remote.js'
import { operating } from './operating.js'
import { cidrs, EXTERNAL, NOBODY, OTHER, other, perVersion, proxyIn, served, service, slice, TestSource, until } from './rig.js'
import { virtual } from './virtual.js'

const PROTOCOLS = ['tcp', 'udp'] as const
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Until no UDP flow leads to an endpoint. */
async function untilFlowsAreGone({ netns }: LinuxContext, endpoint: string): Promise<void> {
  await using tracked = await openConntrack({ netns: { name: netns } })
  await until(`no flow leads to ${endpoint}`, async () => {
    for await (const _ of tracked.flows({ protocol: 'udp', reply: { source: endpoint } })) return false
    return true
  })
}

export const cases: readonly Case[] = [
  ...operating,
  ...virtual,
  ...perVersion(
    'connections are spread over all endpoints, for clients outside, pods, and the node',
    async (context, version) => {
      const { ask, servers } = await network(context)
      await served(context, service(version), slice(version))
      for (const protocol of PROTOCOLS) {
        const answers = await ask(target(protocol, SERVICE[version], 80), 60)
        const counts = tally(answers)
        for (const number of NUMBERS) assert.ok((counts[nameOf(number)] ?? 0) > 5, `${protocol}: ${JSON.stringify(counts)}`)
        for (const { server, from } of answers) {
          const number = NUMBERS.find(number => nameOf(number) === server)
          assert.equal(
            from,
            number && ROUTER(number)[version],
            'from outside of the cluster: the answer has to come back through the node',
          )
        }
        const ofPod = await servers[2].ask(target(protocol, SERVICE[version], 80), 20)
        for (const { server, from } of ofPod)
          assert.equal(from, server === nameOf(2) ? ROUTER(2)[version] : addressOf(2, version), 'pods are seen as they are')
      }
      const node = startPeer(context.netns)
      for (const protocol of PROTOCOLS) assert.equal((await node.ask(target(protocol, SERVICE[version], 80), 10)).length, 10)
    },
  ),
  ...perVersion('a pod that comes to itself is answered', async (context, version) => {
    const { servers } = await network(context)
    await served(context, service(version), slice(version, [1]))
    for (const protocol of PROTOCOLS) {
      const [answer] = await servers[1].ask(target(protocol, SERVICE[version], 80), 1)
      assert.deepEqual(answer, { server: nameOf(1), to: addressOf(1, version), from: ROUTER(1)[version] })
    }
  }),
  ...perVersion(
    'what has no endpoints and what has no Service is refused, the rest of the range is silent',
    async (context, version) => {
      const { attempt } = await network(context)
      await served(context, service(version))
      assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
      assert.equal(await attempt(target('tcp', SERVICE[version], 81)), 'ECONNREFUSED')
      assert.equal(await attempt(target('tcp', NOBODY[version], 80), 1500), 'silence')
    },
  ),
  ...perVersion(
    'with external policy Local clients from outside get endpoints of the node, and are seen',
    async (context, version) => {
      const { ask, attempt, servers } = await network(context)
      const local = { externalIPs: [EXTERNAL[version]], externalTrafficPolicy: 'Local' } as const
      await served(context, service(version, local), slice(version))
      for (const protocol of PROTOCOLS) {
        const answers = await ask(target(protocol, EXTERNAL[version], 80), 10)
        assert.deepEqual(tally(answers), { [nameOf(1)]: 10 })
        assert.ok(answers.every(({ from }) => from === CLIENT[version]))
        const ofPod = tally(await servers[1].ask(target(protocol, EXTERNAL[version], 80), 40))
        assert.ok(Object.keys(ofPod).length > 1, JSON.stringify(ofPod))
      }
      await served(context, service(version, local), slice(version, [2, 3]))
      assert.equal(await attempt(target('tcp', EXTERNAL[version], 80), 1500), 'silence', 'none of the endpoints is here')
      assert.equal((await servers[1].ask(target('tcp', EXTERNAL[version], 80), 4)).length, 4)
    },
  ),
  ...perVersion('a client with affinity stays with its endpoint', async (context, version) => {
    const { ask } = await network(context)
    await served(context, service(version, { sessionAffinity: 'ClientIP' }), slice(version))
    for (const protocol of PROTOCOLS) {
      const clients = [CLIENT[version], other(version)]
      for (const from of clients)
        assert.equal(
          Object.keys(tally(await ask(target(protocol, SERVICE[version], 80, from), 12))).length,
          1,
          `${protocol} ${from}`,
        )
    }
  }),
  {
    name: 'proxy: clients with affinity stay when another endpoint goes, and those of the one that went stay with another',
    needs: 'linux',
    async run(context) {
      const { ask } = await network(context)
      const clients = Array.from({ length: 24 }, (_, i) => `192.0.2.${50 + i}`)
      const chosen = async (): Promise<readonly (string | undefined)[]> => {
        const names: (string | undefined)[] = []
        for (const from of clients) names.push((await ask(target('tcp', SERVICE.ip, 80, from)))[0]?.server)
        return names
      }
      const { source, proxy } = await served(context, service('ip', { sessionAffinity: 'ClientIP' }), slice('ip'))
      const first = await chosen()
      assert.equal(new Set(first).size, 3)
      const running = new AbortController()
      let changed = false
      const run = proxy.run(running.signal, () => {
        changed = true
      })
      try {
        source.tell(slice('ip', [2, 3]))
        await until('endpoint 1 is gone', async () => changed)
        const second = await chosen()
        for (const [i, server] of first.entries()) if (server !== nameOf(1)) assert.equal(second[i], server, clients[i])
        assert.ok(!second.includes(nameOf(1)))
        assert.deepEqual(await chosen(), second)
      } finally {
        running.abort()
        await run
      }
    },
  },
  ...perVersion('an endpoint that goes keeps the connections that it has, and gets no new ones', async (context, version) => {
    const { ask, client } = await network(context)
    const { source, proxy } = await served(context, service(version), slice(version, [1]))
    const { held, answer } = await client.hold(target('tcp', SERVICE[version], 80))
    assert.equal(answer.server, nameOf(1))
    const running = new AbortController()
    const run = proxy.run(running.signal)
    try {
      source.tell(slice(version, [2]))
      await until(
        'the new endpoint answers',
        async () => (await ask(target('tcp', SERVICE[version], 80)))[0]?.server === nameOf(2),
      )
      assert.deepEqual(tally(await ask(target('tcp', SERVICE[version], 80), 10)), { [nameOf(2)]: 10 })
      assert.equal((await client.askHeld(held)).server, nameOf(1))
    } finally {
      running.abort()
      await run
      await client.release(held)
    }
  }),
  ...perVersion('a UDP client goes over to another endpoint when its own is gone', async (context, version) => {
    const { client } = await network(context)
    const { source, proxy } = await served(context, service(version), slice(version, [1]))
    const running = new AbortController()
    const run = proxy.run(running.signal)
    const { held, answer } = await client.hold(target('udp', SERVICE[version], 80))
    try {
      assert.equal(answer.server, nameOf(1))
      source.tell(slice(version, [2]))
      // A question that is on its way while its flow is deleted gets no answer: it is asked when that is done.
      await untilFlowsAreGone(context, addressOf(1, version))
      assert.equal((await client.askHeld(held)).server, nameOf(2))
    } finally {
      running.abort()
      await run
      await client.release(held)
    }
  }),
  ...perVersion(
    'a UDP client stays with an endpoint that terminates for as long as that answers, and new ones do not come to it',
    async (context, version) => {
      const { client, ask } = await network(context)
      const { source, proxy } = await served(context, service(version), slice(version, [1]))
      const { held, answer } = await client.hold(target('udp', SERVICE[version], 80))
      assert.equal(answer.server, nameOf(1))
      const running = new AbortController()
      const run = proxy.run(running.signal)
      try {
        const both = slice(version, [1, 2])
        const [leaving, ready] = both.endpoints ?? []
        assert.ok(leaving && ready)
        const conditions = { ready: false, serving: true, terminating: true }
        source.tell({ ...both, endpoints: [{ ...leaving, conditions }, ready] })
        const newOne = async (): Promise<string | undefined> => (await ask(target('udp', SERVICE[version], 80)))[0]?.server
        await until('new clients come to the other one', async () => (await newOne()) === nameOf(2))
        for (let i = 0; i < 5; i++) {
          assert.equal((await client.askHeld(held)).server, nameOf(1))
          assert.equal(await newOne(), nameOf(2))
        }
        source.tell(slice(version, [2]))
        await untilFlowsAreGone(context, addressOf(1, version))
        assert.equal((await client.askHeld(held)).server, nameOf(2))
      } finally {
        running.abort()
        await run
        await client.release(held)
      }
    },
  ),
  ...perVersion(
    'UDP clients whose endpoint went while no proxy ran, or who asked before, go over to another one; what others translate stays',
    async (context, version) => {
      const { client, attempt } = await network(context)
      const node = ROUTER(1)[version]
      const spec = {
        type: 'NodePort',
        ports: [{ name: 'udp', protocol: 'UDP', port: 80, nodePort: 30080 }],
      } as const
      const options = { nodePortCidrs: cidrs(...Object.values(ROUTER(1))) }
      await context.inside(
        `nft 'table ${version} theirs { chain c { type nat hook prerouting priority -100;
          ${version} daddr ${SERVICE[version]} udp dport 81 dnat to ${bracketed(addressOf(3, version))}:${SERVER_PORT}; }; }'`,
      )
      assert.equal(await attempt(target('udp', node, 30080)), 'ECONNREFUSED', 'before there is a Service')
      const source = new TestSource()
      source.tell(service(version, spec), slice(version, [1]))
      const first = await proxyIn(context, source, options)
      const family = version === 'ip' ? 'ipv4' : 'ipv6'
      assert.equal((await first.once())[family]?.stale, 1)
      const places = [
        [SERVICE[version], 80],
        [node, 30080],
        [SERVICE[version], 81],
      ] as const
      const held = await Promise.all(places.map(([address, port]) => client.hold(target('udp', address, port))))
      assert.deepEqual(
        held.map(({ answer }) => answer.server),
        [1, 1, 3].map(number => nameOf(number as 1 | 3)),
      )
      // Only a proxy that runs does anything: this one has gone.
      const now = new TestSource()
      now.tell(service(version, spec), slice(version, [2]))
      const next = await proxyIn(context, now, options)
      const { stale } = (await next.once())[family] ?? {}
      // Since Linux 5.9 IPVS itself ends flows to what is no real server any more (ip_vs_expire_nodest_conn_flush).
      if (next.engines[family] === 'nftables') assert.equal(stale, 2)
      const answers = await Promise.all(held.map(({ held }) => client.askHeld(held)))
      assert.deepEqual(
        answers.map(({ server }) => server),
        [2, 2, 3].map(number => nameOf(number as 2 | 3)),
      )
      for (const { held: one } of held) await client.release(one)
    },
  ),
  ...perVersion('a proxy that is started anew changes nothing, and no connection is lost', async (context, version) => {
    const { client, ask } = await network(context)
    const told = [service(version, { sessionAffinity: 'ClientIP' }), slice(version)] as const
    await served(context, ...told)
    await client.startLoad(target('tcp', SERVICE[version], 80), 4)
    const { report } = await served(context, ...told)
    const { failures } = await client.stopLoad()
    assert.deepEqual(failures, [])
    const family = version === 'ip' ? 'ipv4' : 'ipv6'
    assert.deepEqual(report[family], {
      added: 0,
      removed: 0,
      read: true,
      operations: 0,
      stale: 0,
      routesAdded: 0,
      routesRemoved: 0,
    })
    assert.equal((await ask(target('tcp', SERVICE[version], 80)))[0]?.to !== undefined, true)
  }),
  ...perVersion('what others break is mended', async (context, version) => {
    const { ask } = await network(context)
    const { proxy } = await served(context, service(version), slice(version))
    const running = new AbortController()
    const run = proxy.run(running.signal)
    try {
      await until('it serves', async () => (await ask(target('tcp', SERVICE[version], 80))).length === 1)
      const broken = [
        `nft delete table ${version} ts-ipvs`,
        `nft flush chain ${version} ts-ipvs services`,
        `nft flush map ${version} ts-ipvs services-outside`,
        `nft add rule ${version} ts-ipvs services drop`,
      ]
      const listed = async (): Promise<string> =>
        (await context.inside(`nft -s list table ${version} ts-ipvs`)).replaceAll(/elements = \{[^}]*\}/g, text =>
          text
            .split(/[,\n]/)
            .map(part => part.trim())
            .sort()
            .join(),
        )
      const whole = await listed()
      for (const command of broken) {
        await context.inside(command)
        await until(command, async () => (await listed().catch(() => '')) === whole)
      }
    } finally {
      running.abort()
      await run
    }
  }),
  ...perVersion('the table is listed by nft, and loaded from its listing', async (context, version) => {
    await network(context)
    const spec = {
      type: 'NodePort',
      sessionAffinity: 'ClientIP',
      externalIPs: [EXTERNAL[version]],
      externalTrafficPolicy: 'Local',
      ports: [{ name: 'tcp', port: 80, nodePort: 30080 }],
    } as const
    const range = { type: 'LoadBalancer', clusterIP: OTHER[version], loadBalancerSourceRanges: [CLIENT[version]] } as const
    const guarded = {
      ...service(version, range, 'guarded'),
      status: { loadBalancer: { ingress: [{ ip: NOBODY[version] }] } },
    }
    await served(context, service(version, spec), slice(version), guarded)
    for (const nft of ['nft', 'scripts/nft'])
      await context.inside(`sh -c '${nft} list ruleset >/tmp/$$ && ${nft} -c -f /tmp/$$; s=$?; rm /tmp/$$; exit $s'`)
  }),
  ...perVersion('node ports, and who may come to a balancer', async (context, version) => {
    const { ask, attempt } = await network(context)
    const node = version === 'ip' ? '203.0.113.1' : ROUTER(1)[version]
    const spec = {
      type: 'LoadBalancer',
      ports: [{ name: 'tcp', port: 80, nodePort: 30080 }],
      loadBalancerSourceRanges: [`${CLIENT[version]}/${version === 'ip' ? 32 : 128}`],
    } as const
    const balanced = { ...service(version, spec), status: { loadBalancer: { ingress: [{ ip: EXTERNAL[version] }] } } }
    const { proxy } = await served(context, balanced, slice(version))
    assert.equal((await ask(target('tcp', node, 30080), 5)).length, 5)
    assert.equal((await ask(target('tcp', EXTERNAL[version], 80), 5)).length, 5)
    assert.equal(await attempt(target('tcp', EXTERNAL[version], 80, other(version)), 1500), 'silence')
    const asked = proxy.explain({ from: other(version), protocol: 'tcp', address: EXTERNAL[version], port: 80 })
    assert.equal(asked.verdict, 'drop')
  }),
  ...perVersion('cleanup leaves nothing', async (context, version) => {
    await network(context)
    // Link-local addresses come by themselves, when they like.
    const routes = async (): Promise<string> => (await context.inside('ip route show table all')).replaceAll(/.*fe80.*\n/g, '')
    const before = await routes()
    const { proxy } = await served(context, service(version, { externalIPs: [EXTERNAL[version]] }), slice(version))
    assert.notEqual(await routes(), before)
    assert.equal(await proxy.cleanup(), true)
    assert.equal(await context.inside('nft list ruleset'), '')
    assert.equal(await routes(), before)
    assert.equal(await proxy.cleanup(), false)
  }),
]
