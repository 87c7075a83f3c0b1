/** Services for real packets on IPVS. Where the kernel has none, the cases are left out: scripts/vm has kernels with it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IpvsClient, open as openIpvs } from '../../../lib/ipvs/index.js'
import { explainKernel } from '../../../lib/proxy/index.js'
import type { ServiceProxyOptions } from '../../../lib/proxy/options.js'
import type { ServiceProxy } from '../../../lib/proxy/proxy.js'
import { type EndpointSlice, formatEndpoint, type Service } from '../../../lib/service/index.js'
import { type Case, type LinuxContext, Skip } from '../nft/case.js'
import {
  addressOf,
  CLIENT,
  nameOf,
  namespaceOf,
  network,
  ROUTER,
  SERVER_PORT,
  SERVICE,
  tally,
  target,
} from '../nft/traffic/network.js'
import { cidrs, perVersion, proxyIn, service, slice, TestSource, until } from './rig.js'

interface Balanced {
  readonly source: TestSource
  readonly proxy: ServiceProxy
  readonly lvs: IpvsClient
}

/** A proxy on IPVS that has brought to the kernel what it was told. */
async function balanced(
  context: LinuxContext,
  told: readonly (Service | EndpointSlice)[],
  options: Partial<ServiceProxyOptions> = {},
): Promise<Balanced> {
  const source = new TestSource()
  source.tell(...told)
  const proxy = await proxyIn(context, source, { backend: 'ipvs', ...options }).catch((error: Error) => {
    throw /IPVS can not be used here/.test(error.message) ? new Skip('this kernel has no IPVS') : error
  })
  await proxy.once()
  const lvs = await openIpvs({ netns: { name: context.netns } })
  context.after(() => lvs.close())
  return { source, proxy, lvs }
}

const ANY = cidrs('203.0.113.0/24')

/** Runs a proxy meanwhile. */
async function running(proxy: ServiceProxy, work: () => Promise<void>): Promise<void> {
  const ending = new AbortController()
  const run = proxy.run(ending.signal)
  try {
    await work()
  } finally {
    ending.abort()
    await run
  }
}

/** `10.1.1.1 1`: real servers and their weights. */
async function weights(
  lvs: IpvsClient,
  address: string,
  protocol: 'tcp' | 'sctp' = 'tcp',
  port = 80,
): Promise<readonly string[]> {
  const servers = await lvs.listRealServers({ protocol, address, port }).toArray()
  return servers.map(({ address, weight }) => `${address} ${weight}`).sort()
}

const balancedCase = (name: string, run: (context: LinuxContext) => Promise<void>): Case => ({
  name: `proxy: on IPVS ${name}`,
  needs: 'linux',
  run,
})

/** Answers and asks one SCTP client: Node.js has no SCTP. */
const SCTP = {
  server: `import socket,sys
s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,socket.SOCK_STREAM,132)
s.bind((sys.argv[1],${SERVER_PORT}))
s.listen(5)
print('ready',flush=True)
while True:
  c,a=s.accept()
  c.sendall(a[0].encode())
  c.close()`,
  client: `import socket,sys
s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,socket.SOCK_STREAM,132)
s.settimeout(20)
s.connect((sys.argv[1],80))
print(s.recv(64).decode())`,
}

export const virtual: readonly Case[] = [
  ...perVersion('on IPVS a proxy changes over under load, and no connection is lost', async (context, version) => {
    const { client } = await network(context)
    const { proxy, lvs } = await balanced(context, [service(version), slice(version)])
    const { held, answer } = await client.hold(target('tcp', SERVICE[version], 80))
    await client.startLoad(target('tcp', SERVICE[version], 80), 3)
    await running(proxy, async () => {
      for (const backend of ['nftables', 'ipvs', 'nftables'] as const) {
        await proxy.setBackend(backend)
        await until(`${backend} serves`, async () => {
          const some = await weights(lvs, SERVICE[version]).catch(() => [])
          return backend === 'ipvs'
            ? some.length > 0 && some.every(text => text.endsWith(' 1'))
            : !some.some(text => text.endsWith(' 1'))
        })
        assert.equal((await client.askHeld(held)).server, answer.server)
      }
      const { failures } = await client.stopLoad()
      assert.deepEqual(failures, [])
      await client.release(held)
    })
  }),
  ...perVersion(
    'on IPVS a proxy that is started anew goes on with what it left, and with what others have',
    async (context, version) => {
      const { client, ask } = await network(context)
      const theirs = { protocol: 'tcp', address: SERVICE[version], port: 81 } as const
      const ports = { ports: [80, 81].map(port => ({ name: port === 80 ? 'tcp' : 'other', port })) }
      const endpoints = (servers: Parameters<typeof slice>[1]): EndpointSlice => ({
        ...slice(version, servers),
        ports: ['tcp', 'other'].map(name => ({ name, port: SERVER_PORT })),
      })
      await using before = await openIpvs({ netns: { name: context.netns } })
      await before.addVirtualServer({ ...theirs, scheduler: 'wlc' }).catch((error: Error) => {
        throw new Skip(error.message)
      })
      await before.addRealServer(theirs, { address: addressOf(3, version), port: SERVER_PORT, weight: 7 })
      const { source, proxy, lvs } = await balanced(context, [service(version, ports), endpoints([1])])
      assert.deepEqual(await weights(lvs, SERVICE[version], 'tcp', 81), [`${addressOf(3, version)} 7`])
      assert.match(proxy.problems.map(({ message }) => message).join(), /somebody else has a virtual server/)
      assert.deepEqual(tally(await ask(target('tcp', SERVICE[version], 81), 3)), { [nameOf(1)]: 3 }, 'rules come first')
      const { held } = await client.hold(target('tcp', SERVICE[version], 80))
      const draining = [`${addressOf(1, version)} 0`, `${addressOf(2, version)} 1`].sort()
      source.tell(endpoints([2]))
      await running(proxy, () =>
        until('the first endpoint drains', async () => (await weights(lvs, SERVICE[version])).join() === draining.join()),
      )
      const again = await balanced(context, [service(version, ports), endpoints([2])])
      assert.deepEqual(await weights(lvs, SERVICE[version]), draining)
      assert.equal((await client.askHeld(held)).server, nameOf(1))
      assert.deepEqual(tally(await ask(target('tcp', SERVICE[version], 80), 3)), { [nameOf(2)]: 3 })
      const flow = { from: CLIENT[version], protocol: 'tcp', address: SERVICE[version], port: 80 } as const
      const explained = await explainKernel(flow, { netns: { name: context.netns } })
      assert.equal(explained.service, 'default/web:tcp')
      assert.equal(explained.engine, 'ipvs')
      // Who only drains gets no new ones.
      assert.deepEqual(explained.endpoints, [formatEndpoint({ address: addressOf(2, version), port: SERVER_PORT })])
      await client.release(held)
      await lvs.removeVirtualServer(theirs)
      await running(again.proxy, () =>
        until('what they had is served by a virtual server', async () => {
          const now = await weights(lvs, SERVICE[version], 'tcp', 81).catch(() => [])
          return now.join() === `${addressOf(2, version)} 1`
        }),
      )
    },
  ),
  balancedCase('connections to an endpoint that is gone end with the time that they have', async context => {
    const { client, ask } = await network(context)
    const { source, proxy, lvs } = await balanced(context, [service('ip'), slice('ip', [1])], { drainTimeout: 3 })
    const { held } = await client.hold(target('tcp', SERVICE.ip, 80))
    await running(proxy, async () => {
      source.tell(slice('ip', [2]))
      await until('the new endpoint answers', async () => (await ask(target('tcp', SERVICE.ip, 80)))[0]?.server === nameOf(2))
      assert.equal((await client.askHeld(held)).server, nameOf(1))
      await until('the old one is removed', async () => (await weights(lvs, SERVICE.ip)).join() === `${addressOf(2, 'ip')} 1`)
      await assert.rejects(client.askHeld(held), 'it is reset')
    })
  }),
  balancedCase("a node's address that comes and goes takes node ports with it", async context => {
    const { ask } = await network(context)
    const spec = { type: 'NodePort', ports: [{ name: 'tcp', port: 80, nodePort: 30080 }] } as const
    const { proxy, lvs } = await balanced(context, [service('ip', spec), slice('ip')], { nodePortCidrs: ANY, drainTimeout: 0 })
    assert.equal((await ask(target('tcp', '203.0.113.1', 30080), 3)).length, 3)
    await running(proxy, async () => {
      await context.inside('ip address add 203.0.113.7/32 dev c')
      await until(
        'it is served on the new address',
        async () => (await weights(lvs, '203.0.113.7', 'tcp', 30080).catch(() => [])).length === 3,
      )
      // Without a connection: what is closed there counts for two minutes yet (TIME_WAIT), and its virtual server stays for as long.
      await context.inside('ip address delete 203.0.113.7/32 dev c')
      const key = { protocol: 'tcp', address: '203.0.113.7', port: 30080 } as const
      await until('and not any more', async () => (await lvs.getVirtualServer(key)) === undefined)
    })
  }),
  balancedCase('connections go to endpoints though others translate all that is for this machine', async context => {
    const { ask } = await network(context)
    await balanced(context, [service('ip'), slice('ip', [1])])
    await context.inside(
      `nft 'table ip hostports { chain c { type nat hook prerouting priority -100;
        fib daddr type local meta l4proto { tcp, udp } th dport 80 dnat to ${addressOf(3, 'ip')}:${SERVER_PORT}; }; }'`,
    )
    assert.deepEqual(tally(await ask(target('tcp', '203.0.113.1', 80), 2)), { [nameOf(3)]: 2 }, 'they translate')
    for (const protocol of ['tcp', 'udp'] as const)
      assert.deepEqual(tally(await ask(target(protocol, SERVICE.ip, 80), 2)), { [nameOf(1)]: 2 }, protocol)
  }),
  ...perVersion('on IPVS SCTP is balanced for clients outside and for the node', async (context, version) => {
    await network(context)
    const sctp = { ports: [{ name: 'sctp', port: 80, protocol: 'SCTP' }] } as const
    const told: EndpointSlice = { ...slice(version, [1]), ports: [{ name: 'sctp', protocol: 'SCTP', port: SERVER_PORT }] }
    const { lvs } = await balanced(context, [service(version, sctp), told])
    assert.deepEqual(await weights(lvs, SERVICE[version], 'sctp'), [`${addressOf(1, version)} 1`])
    await context.sh('modprobe sctp && command -v python3').catch(() => {
      throw new Skip('there is no SCTP, or no Python, to ask with')
    })
    const server = spawn('ip', ['netns', 'exec', namespaceOf(1), 'python3', '-c', SCTP.server, addressOf(1, version)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    context.after(() => server.kill())
    const ended = once(server, 'exit').then(([status]) => Promise.reject(new Error(`the server ended with ${status}`)))
    ended.catch(() => {}) // it is killed in the end
    await Promise.race([once(server.stdout, 'data'), ended])
    for (const netns of ['nft-client', context.netns]) {
      const from = await context.sh(`ip netns exec ${netns} python3 -c "${SCTP.client}" ${SERVICE[version]}`)
      assert.equal(from.trim(), ROUTER(1)[version], netns)
    }
  }),
]
