/** Counters and the connection table tell what was sent. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { IpvsClient, Statistics, VirtualServerKey } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { all, eventually } from '../support/expect.js'
import { addressOf, CLIENT, FAMILIES, network, realServer, SERVER_PORT, target } from './network.js'

const web = target('tcp', 'ipv4', 80)

/** Least that a TCP connection with one question takes: SYN, ACK, question, FIN; SYN-ACK, answer, FIN. */
const LEAST = { incomingPackets: 4n, outgoingPackets: 3n, incomingBytes: 4n * 40n + 13n, outgoingBytes: 3n * 40n + 13n }
const COUNTERS = ['connections', 'incomingPackets', 'outgoingPackets', 'incomingBytes', 'outgoingBytes'] as const
type Counters = Pick<Statistics, (typeof COUNTERS)[number]>

function sum(of: readonly (Counters | undefined)[]): Counters {
  const total = (counter: keyof Counters): bigint => of.reduce((sum, one) => sum + (one?.[counter] ?? 0n), 0n)
  return Object.fromEntries(COUNTERS.map(counter => [counter, total(counter)])) as Counters
}

/**
 * Waits until the kernel has added up what its CPUs have counted, which it does every 2 seconds (ip_vs_est.c, estimation_timer): for the
 * virtual server, the namespace, and the real servers of the only virtual server.
 */
async function addedUp(lvs: IpvsClient, virtualServer: VirtualServerKey): Promise<{ total: Counters; each: Counters[] }> {
  let each: Counters[] = []
  let total = sum([])
  await eventually('the virtual server, its real servers and the namespace have the counters of the CPUs', async () => {
    const realServers = await lvs.listRealServers(virtualServer, { statistics: true }).toArray()
    const service = sum([(await lvs.getVirtualServer(virtualServer))?.statistics])
    each = realServers.map(({ statistics }) => sum([statistics]))
    total = sum([...(await lvs.cpuStatistics()).values()])
    return [service, sum([await lvs.globalStatistics()]), sum(each)].every(counters => isDeepStrictEqual(counters, total))
  })
  return { total, each }
}

export const cases: readonly Case[] = [
  {
    name: 'statistics of virtual server, real servers and namespace count exactly the connections, and the packets and bytes; zero resets them',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      const [first, second] = [realServer(1, 'ipv4', 'masquerade'), realServer(2, 'ipv4', 'masquerade')]
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, first)
      await lvs.addRealServer(web, second)
      await client.ask(web, 6)
      const { total, each } = await addedUp(lvs, web)
      assert.equal(total.connections, 6n)
      assert.deepEqual(
        each.map(({ connections }) => connections),
        [3n, 3n],
      )
      for (const [counter, least] of Object.entries(LEAST) as [keyof typeof LEAST, bigint][])
        assert.ok(total[counter] >= 6n * least, `${counter}: ${total[counter]}`)
      const listed = await lvs.listVirtualServers({ statistics: true }).toArray()
      assert.deepEqual(
        listed.map(({ statistics }) => sum([statistics])),
        [total],
      )

      await lvs.zero(web)
      const zeros = { connections: 0n, incomingPackets: 0n, outgoingPackets: 0n, incomingBytes: 0n, outgoingBytes: 0n }
      assert.deepEqual(sum([(await lvs.getVirtualServer(web))?.statistics]), zeros)
      assert.deepEqual(sum([(await lvs.getRealServer(web, first))?.statistics]), zeros)
      assert.deepEqual(sum([await lvs.globalStatistics()]), total, 'those of the namespace stay')
      await lvs.zero()
      assert.deepEqual(sum([await lvs.globalStatistics()]), zeros)
      await client.ask(web, 1)
      await eventually('one more connection is counted', async () => (await lvs.globalStatistics()).connections === 1n)
    },
  },
  {
    name: 'with direct routing the answers pass by the director, and are not counted',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      const direct = target('udp', 'ipv6', SERVER_PORT)
      await lvs.addVirtualServer({ ...direct, scheduler: 'rr' })
      await lvs.addRealServer(direct, realServer(1, 'ipv6', 'direct-route'))
      await client.ask(direct, 3)
      assert.deepEqual((await addedUp(lvs, direct)).total, {
        connections: 3n,
        incomingPackets: 3n,
        outgoingPackets: 0n,
        incomingBytes: 3n * (40n + 8n + 13n), // headers of IPv6 and UDP, and the question
        outgoingBytes: 0n,
      })
    },
  },
  ...FAMILIES.map(
    (family): Case => ({
      name: `the connection table shows who is connected to what, over ${family}`,
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        const [tcp, udp] = [target('tcp', family, 80), target('udp', family, 53)]
        for (const vs of [tcp, udp]) {
          await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
          await lvs.addRealServer(vs, realServer(1, family, 'masquerade'))
        }
        const from = CLIENT[family][1]
        const { held } = await client.hold({ ...tcp, from })
        await client.ask({ ...udp, from }, 1)
        const table = await all(lvs.connections({ origin: true }))
        const shown = table.map(({ client: { port, address }, expires, ...rest }) => {
          assert.ok(port > 0 && expires > 0, `port ${port}, expires in ${expires} s`)
          return { ...rest, client: address }
        })
        const expected = (protocol: string, port: number, state: string): object => ({
          protocol,
          virtual: { address: tcp.address, port },
          destination: { address: addressOf(1, family), port: SERVER_PORT },
          state,
          synchronised: false,
          client: from,
        })
        assert.deepEqual(
          shown.sort((a, b) => a.protocol.localeCompare(b.protocol)),
          [expected('tcp', 80, 'ESTABLISHED'), expected('udp', 53, 'UDP')],
        )
        const realServers = await lvs.listRealServers(tcp).toArray()
        assert.deepEqual(
          realServers.map(({ activeConnections, inactiveConnections }) => [activeConnections, inactiveConnections]),
          [[1, 0]],
        )
        await client.release(held)
        await eventually('the connection is active no longer', async () => {
          const realServer = (await lvs.listRealServers(tcp).toArray())[0]
          return realServer?.activeConnections === 0 && realServer.inactiveConnections === 1
        })
      },
    }),
  ),
]
