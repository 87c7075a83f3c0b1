/** Which real server a connection goes to. */
import assert from 'node:assert/strict'
import type { Family, RealServerConfig } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { all, eventually } from '../support/expect.js'
import { addressOf, CLIENT, NUMBERS, nameOf, network, realServer, SERVER_PORT, tally, target } from './network.js'
import type { Answer } from './peer.js'

const web = target('tcp', 'ipv4', 80)
const dns = target('udp', 'ipv4', SERVER_PORT)

/** How often each of three real servers is to be chosen. */
const spread: readonly [
  words: string,
  scheduler: string,
  weights: readonly number[],
  times: number,
  counts: readonly number[],
][] = [
  ['rr spreads connections equally over three real servers', 'rr', [1, 1, 1], 9, [3, 3, 3]],
  ['wrr follows weights', 'wrr', [3, 2, 1], 12, [6, 4, 2]],
  ['a real server of weight 0 gets no new connection', 'wrr', [1, 0, 1], 6, [3, 0, 3]],
]

/** Clients that count as one, and one that does not. */
const masks: readonly [
  words: string,
  family: Family,
  netmask: string | number | undefined,
  template: string,
  together: boolean,
][] = [
  ['every client for itself', 'ipv4', undefined, '192.0.2.20', false],
  ['a netmask groups clients', 'ipv4', '255.255.255.240', '192.0.2.16', true],
  ['a prefix length groups clients over IPv6', 'ipv6', 120, '2001:db8:1::', true],
]

const serverOf = ([answer]: readonly Answer[]): string => answer?.server ?? 'nobody'

export const cases: readonly Case[] = [
  ...spread.map(
    ([name, scheduler, weights, times, counts]): Case => ({
      name,
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        await lvs.addVirtualServer({ ...web, scheduler })
        for (const number of NUMBERS)
          await lvs.addRealServer(web, realServer(number, 'ipv4', 'masquerade', { weight: weights[number - 1] }))
        const answers = tally(await client.ask(web, times))
        assert.deepEqual(
          NUMBERS.map(number => answers[nameOf(number)] ?? 0),
          counts,
        )
      },
    }),
  ),
  ...masks.map(
    ([words, family, netmask, template, together]): Case => ({
      name: `persistence keeps a client at one real server: ${words}`,
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        const persistent = target('tcp', family, 80)
        await lvs.addVirtualServer({ ...persistent, scheduler: 'rr', persistence: { timeout: 300, netmask } })
        for (const number of NUMBERS) await lvs.addRealServer(persistent, realServer(number, family, 'masquerade'))
        const [first, neighbour, distant] = CLIENT[family]
        const answers = await client.ask({ ...persistent, from: first }, 4)
        const server = serverOf(answers)
        assert.deepEqual(tally(answers), { [server]: 4 })
        const near = await client.ask({ ...persistent, from: neighbour }, 2)
        assert.equal(serverOf(near) === server, together, `the neighbour came to ${serverOf(near)}, the client to ${server}`)
        const far = await client.ask({ ...persistent, from: distant }, 2)
        assert.notEqual(serverOf(far), server)
        assert.deepEqual(await client.ask({ ...persistent, from: first }, 1), [answers[0]])

        const templates = (await all(lvs.connections())).filter(({ client }) => client.port === 0)
        const own = templates.find(({ client }) => client.address === template)
        assert.ok(own, `a template of ${template}: ${JSON.stringify(templates)}`)
        const number = NUMBERS.find(number => nameOf(number) === server) ?? 1
        const { expires, ...rest } = own
        assert.deepEqual(rest, {
          protocol: 'tcp',
          client: { address: template, port: 0 },
          virtual: { address: persistent.address, port: 80 },
          destination: { address: addressOf(number, family), port: SERVER_PORT },
          state: 'ASSURED', // NONE until one of its connections is established (ip_vs_conn.c, ip_vs_state_name)
        })
        assert.ok(expires > 0 && expires <= 300, `expires in ${expires} s`)
        assert.equal((await lvs.getRealServer(persistent, realServer(number, family, 'masquerade')))?.persistentConnections, 1)
      },
    }),
  ),
  ...[0, 1].map(
    (quiescent): Case => ({
      name: `a client that a server of weight 0 has by persistence ${quiescent ? 'leaves it' : 'keeps coming'} with expire_quiescent_template ${quiescent}`,
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        await lvs.setSysctl('expire_quiescent_template', quiescent)
        await lvs.addVirtualServer({ ...web, scheduler: 'rr', persistence: { timeout: 300 } })
        await lvs.addRealServer(web, realServer(1, 'ipv4', 'masquerade'))
        assert.deepEqual(tally(await client.ask(web, 2)), { [nameOf(1)]: 2 })
        await lvs.addRealServer(web, realServer(2, 'ipv4', 'masquerade'))
        await lvs.updateRealServer(web, realServer(1, 'ipv4', 'masquerade', { weight: 0 }))
        assert.deepEqual(tally(await client.ask(web, 2)), { [nameOf(quiescent ? 2 : 1)]: 2 })
      },
    }),
  ),
  {
    name: 'where the only real server has weight 0 a client is refused, and an existing connection goes on',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      const configured = (weight: number): Promise<void> =>
        lvs.ensureRealServer(web, realServer(1, 'ipv4', 'masquerade', { weight }))
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await configured(1)
      const { held, answer } = await client.hold(web)
      await configured(0)
      await assert.rejects(client.ask(web, 1), /ECONNREFUSED/)
      assert.deepEqual(await client.askHeld(held), answer)
      await configured(1)
      assert.deepEqual(tally(await client.ask(web, 1)), { [nameOf(1)]: 1 })
      await client.release(held)
    },
  },
  {
    name: 'a real server gets connections up to its upper threshold, and again when that is raised',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      const limited = (upperThreshold: number): RealServerConfig => realServer(1, 'ipv4', 'masquerade', { upperThreshold })
      await lvs.addRealServer(web, limited(2))
      await lvs.addRealServer(web, realServer(2, 'ipv4', 'masquerade'))
      const holds: { held: number; answer: Answer }[] = []
      for (let i = 0; i < 6; i++) holds.push(await client.hold(web))
      assert.deepEqual(tally(holds.map(({ answer }) => answer)), { [nameOf(1)]: 2, [nameOf(2)]: 4 })
      await lvs.updateRealServer(web, limited(100))
      assert.deepEqual(tally(await client.ask(web, 4)), { [nameOf(1)]: 2, [nameOf(2)]: 2 })
      for (const { held } of holds) await client.release(held)
    },
  },
  ...[false, true].map(
    (onePacket): Case => ({
      name: onePacket
        ? 'one-packet scheduling spreads the datagrams of one UDP socket'
        : 'without one-packet scheduling the datagrams of one UDP socket stay together',
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        await lvs.addVirtualServer({ ...dns, scheduler: 'rr', onePacket })
        for (const number of NUMBERS) await lvs.addRealServer(dns, realServer(number, 'ipv4', 'direct-route'))
        const { held, answer } = await client.hold(dns)
        const answers = [answer]
        for (let i = 1; i < 6; i++) answers.push(await client.askHeld(held))
        const counts = onePacket ? Object.fromEntries(NUMBERS.map(number => [nameOf(number), 2])) : { [answer.server]: 6 }
        assert.deepEqual(tally(answers), counts)
        await client.release(held)
      },
    }),
  ),
  {
    name: 'a firewall mark makes one virtual server of several ports',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await context.inside(markingRule(context.kernel.name))
      const marked = { firewallMark: 7, family: 'ipv4' } as const
      await lvs.addVirtualServer({ ...marked, scheduler: 'rr' })
      await lvs.addRealServer(marked, realServer(1, 'ipv4', 'masquerade'))
      await lvs.addRealServer(marked, realServer(2, 'ipv4', 'masquerade'))
      const answers = [...(await client.ask(web, 2)), ...(await client.ask({ ...web, port: 8443 }, 2))]
      assert.deepEqual(tally(answers), { [nameOf(1)]: 2, [nameOf(2)]: 2 })
      await eventually('the four connections are counted', async () => {
        return (await lvs.getVirtualServer(marked))?.statistics?.connections === 4n
      })
    },
  },
]

/** Marks what comes to the virtual address: with nftables, but in user-mode-linux, which has none for IP, with traffic control. */
function markingRule(kernel: string): string {
  if (kernel === 'uml')
    return 'sh -ec "tc qdisc add dev eth0 ingress; tc filter add dev eth0 ingress matchall action skbedit mark 7"'
  return `nft 'table ip traffic {
    chain prerouting {
      type filter hook prerouting priority mangle
      ip daddr ${web.address} tcp dport { 80, 8443 } meta mark set 7
    }
  }'`
}
