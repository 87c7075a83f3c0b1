/** Changes, found by looking again and again. */
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Change, describeChange, type IpvsClient } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 80 } as const

/** Takes the next `count` changes. */
async function take(changes: AsyncIterator<Change>, count: number): Promise<string[]> {
  const lines: string[] = []
  while (lines.length < count) {
    const { value, done } = await changes.next()
    if (done) break
    lines.push(describeChange(value))
  }
  return lines
}

function watching(lvs: IpvsClient, controller: AbortController, initial: boolean): AsyncGenerator<Change> {
  return lvs.watch({ interval: 0.02, initial, signal: controller.signal })
}

export const cases: readonly Case[] = [
  {
    name: 'a watch reports what is added, changed and removed by another program',
    async run({ open }) {
      const [lvs, other] = [await open(), await open()]
      const controller = new AbortController()
      const changes = watching(lvs, controller, true)
      const first = take(changes, 1)
      await other.addVirtualServer({ ...web, scheduler: 'rr' })
      assert.deepEqual(await first, ['+ tcp 10.0.0.1:80  rr'])
      const steps: [change: () => Promise<unknown>, lines: string[]][] = [
        [() => other.addRealServer(web, server), ['+ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 masquerade']],
        [() => other.updateRealServer(web, { ...server, weight: 5 }), ['~ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 → 5']],
        [() => other.updateVirtualServer({ ...web, scheduler: 'wrr' }), ['~ tcp 10.0.0.1:80  scheduler rr → wrr']],
        [() => other.removeRealServer(web, server), ['- tcp 10.0.0.1:80 → 10.1.0.1:80']],
        [() => other.addRealServer(web, server), ['+ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 masquerade']],
        [() => other.removeVirtualServer(web), ['- tcp 10.0.0.1:80 → 10.1.0.1:80', '- tcp 10.0.0.1:80']],
      ]
      for (const [change, lines] of steps) {
        await change()
        assert.deepEqual(await take(changes, lines.length), lines)
      }
      controller.abort()
      assert.equal((await changes.next()).done, true)
    },
  },
  {
    name: 'a change tells the configuration before and after, without counters',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      const controller = new AbortController()
      const changes = watching(lvs, controller, true)
      assert.deepEqual(await take(changes, 1), ['+ tcp 10.0.0.1:80  rr'])
      await lvs.updateVirtualServer({ ...web, scheduler: 'wrr', persistence: { timeout: 60 } })
      const { value } = await changes.next()
      assert.deepEqual(value, {
        type: 'changed',
        object: 'virtual-server',
        virtualServer: web,
        before: { ...web, scheduler: 'rr' },
        after: { ...web, scheduler: 'wrr', persistence: { timeout: 60 } },
      })
      controller.abort()
    },
  },
  {
    name: 'what is there at the beginning is reported as added only where that was asked for',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server)
      const controller = new AbortController()
      const all = watching(lvs, controller, true)
      assert.deepEqual(await take(all, 2), ['+ tcp 10.0.0.1:80  rr', '+ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 masquerade'])
      const news = watching(lvs, controller, false)
      const next = take(news, 1)
      // Its first look has to come before the change: calls are carried out in order.
      await lvs.snapshot()
      await lvs.removeRealServer(web, server)
      assert.deepEqual(await next, ['- tcp 10.0.0.1:80 → 10.1.0.1:80'])
      controller.abort()
    },
  },
  {
    name: 'a look that fails in passing is made again, and no change in between is missed; where looks keep failing the watch does, too',
    needs: 'memory',
    async run({ open, memory }) {
      const [lvs, other] = [await open(), await open()]
      await other.addVirtualServer({ ...web, scheduler: 'rr' })
      const controller = new AbortController()
      const changes = watching(lvs, controller, true)
      assert.deepEqual(await take(changes, 1), ['+ tcp 10.0.0.1:80  rr'])
      const noMemory = { errno: constants.errno.ENOMEM, syscall: 'sendmsg' } as const
      const passing = memory.inject({ on: 'exchange', times: 3, fault: noMemory })
      const next = take(changes, 1)
      while (passing.struck < 3) await sleep(1)
      await other.addRealServer(web, server)
      assert.deepEqual(await next, ['+ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 masquerade'])
      const lasting = memory.inject({ on: 'exchange', times: Number.POSITIVE_INFINITY, fault: noMemory })
      await assert.rejects(changes.next(), { problem: 'no-memory' })
      lasting.release()
      assert.equal(lasting.struck, 4)
    },
  },
  {
    name: 'a watch of a kernel whose module goes away ends with that',
    needs: 'memory',
    async run({ open, memory }) {
      const changes = (await open()).watch({ interval: 0.01 })
      memory.unloadModule()
      await assert.rejects(changes.next(), { problem: 'family-unavailable' })
    },
  },
  {
    name: 'a watch whose signal was aborted is over at once, without an error',
    async run({ open }) {
      const changes = (await open()).watch({ signal: AbortSignal.abort() })
      assert.deepEqual(await changes.next(), { value: undefined, done: true })
    },
  },
]
