/** Taking a real server away, at once or after its connections have ended. */
import assert from 'node:assert/strict'
import type { DrainProgress } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { eventually } from '../support/expect.js'
import { NUMBERS, nameOf, network, realServer, tally, target } from './network.js'
import type { Answer, Orders } from './peer.js'

const web = target('tcp', 'ipv4', 80)
const dns = target('udp', 'ipv4', 53)
const [first, second] = [realServer(1, 'ipv4', 'masquerade'), realServer(2, 'ipv4', 'masquerade')]

/** Asks over a held connection that is cut: once TCP has sent the question again, nobody has got it. */
async function askInVain(client: Orders, held: number): Promise<{ answered: boolean; answer: Promise<Answer> }> {
  const before = (await client.retransmitted()).all
  const asking = { answered: false, answer: client.askHeld(held) }
  asking.answer.then(
    () => {
      asking.answered = true
    },
    () => {}, // told to who waits for the answer
  )
  await eventually('TCP sends again what was dropped', async () => (await client.retransmitted()).all > before)
  assert.equal(asking.answered, false)
  return asking
}

/** Waits until a load has had so many more answers. */
async function more(client: Orders, count: number): Promise<void> {
  const sum = async (): Promise<number> => Object.values((await client.load()).answers).reduce((a, b) => a + b, 0)
  const enough = (await sum()) + count
  await eventually(`a load has had ${count} more answers`, async () => (await sum()) >= enough)
}

export const cases: readonly Case[] = [
  {
    name: 'removing a real server cuts its connections, and adding it again resumes them',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, first)
      const { held, answer } = await client.hold(web)
      await lvs.addRealServer(web, second)
      assert.equal(await lvs.removeRealServer(web, first), true)
      const asking = await askInVain(client, held)
      assert.deepEqual(tally(await client.ask(web, 2)), { [nameOf(2)]: 2 })
      await lvs.addRealServer(web, first)
      assert.deepEqual(await asking.answer, answer)
      assert.equal((await lvs.getRealServer(web, first))?.activeConnections, 1)
      await client.release(held)
    },
  },
  {
    name: 'a drain under load fails no request: the real server is removed when its last connection has ended',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      for (const number of NUMBERS) await lvs.addRealServer(web, realServer(number, 'ipv4', 'masquerade'))
      const { held, answer } = await client.hold(web)
      const number = NUMBERS.find(number => nameOf(number) === answer.server) ?? 1
      const chosen = realServer(number, 'ipv4', 'masquerade')
      await client.startLoad(web, 4)
      context.after(() => client.stopLoad())
      await more(client, 12)
      const seen: DrainProgress[] = []
      const draining = lvs.drain(web, chosen, {
        interval: 0.1,
        onProgress: progress => seen.push(progress),
      })
      draining.catch(() => {}) // told to who waits for it
      await eventually('only the held connection remains', () => seen.at(-1)?.remaining === 1)
      // Those that have ended count for minutes, and so do new ones at once: statistics, and the table, tell them late or twice.
      const connections = async (): Promise<number> => {
        const { activeConnections = 0, inactiveConnections = 0 } = (await lvs.getRealServer(web, chosen)) ?? {}
        return activeConnections + inactiveConnections
      }
      const before = await connections()
      assert.ok(before > 0)
      await more(client, 12)
      assert.equal(await connections(), before, 'no new connection comes to the real server')
      assert.deepEqual(await client.askHeld(held), answer)
      await client.release(held)
      assert.deepEqual(await draining, { outcome: 'drained', removed: true, remaining: 0, weight: 1, warnings: [] })
      await more(client, 12)
      const { failures } = await client.stopLoad()
      assert.deepEqual(failures, [])
      assert.equal(await lvs.getRealServer(web, chosen), undefined)
      assert.equal((await lvs.listRealServers(web).toArray()).length, 2)
    },
  },
  {
    name: 'a drain that a connection outlasts tells so: the real server is kept and goes on with it, or is removed and cut off',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { ...first, weight: 3 })
      const { held, answer } = await client.hold(web)
      const options = { timeout: 0.3, interval: 0.1 }
      const late = { outcome: 'timed-out', remaining: 1, warnings: [] }
      assert.deepEqual(await lvs.drain(web, first, { ...options, whenLate: 'keep' }), { ...late, removed: false, weight: 3 })
      assert.deepEqual(await client.askHeld(held), answer)
      await assert.rejects(client.ask(web, 1), /ECONNREFUSED/)
      assert.deepEqual(await lvs.drain(web, first, { ...options, whenLate: 'remove' }), { ...late, removed: true, weight: 0 })
      const asking = await askInVain(client, held)
      await lvs.addRealServer(web, first)
      assert.deepEqual(await asking.answer, answer)
      await client.release(held)
    },
  },
  {
    name: 'a UDP server is removed at once, though clients have asked it, and they get their answers from the next',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.setSysctl('expire_nodest_conn', 1)
      await lvs.addVirtualServer({ ...dns, scheduler: 'rr' })
      await lvs.addRealServer(dns, first)
      const { held, answer } = await client.hold(dns)
      assert.equal(answer.server, nameOf(1))
      await lvs.addRealServer(dns, second)
      const drained = { outcome: 'drained', removed: true, remaining: 0, weight: 1, warnings: [] }
      assert.deepEqual(await lvs.drain(dns, first), drained)
      assert.deepEqual(tally(await client.ask(dns, 2)), { [nameOf(2)]: 2 })
      await client.release(held)
    },
  },
  {
    name: 'a drain that was told to wait for UDP does so',
    needs: 'linux',
    async run(context) {
      const { client, lvs } = await network(context)
      await lvs.addVirtualServer({ ...dns, scheduler: 'rr' })
      await lvs.addRealServer(dns, first)
      await client.ask(dns, 2)
      const result = await lvs.drain(dns, first, { protocols: ['udp'], timeout: 0.2, interval: 0.1, whenLate: 'keep' })
      assert.deepEqual(result, { outcome: 'timed-out', removed: false, remaining: 2, weight: 1, warnings: [] })
    },
  },
]
