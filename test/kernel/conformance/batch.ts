/** Many operations at once. */
import assert from 'node:assert/strict'
import { NetlinkError, type Operation, type Result, type VirtualServerKey } from '../../../lib/ipvs/index.js'
import { between, gate } from '../support/between.js'
import type { Case } from '../support/case.js'
import { isRefusal, keysOf } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 80 } as const
const absent = { ...web, port: 9999 }

const add = (key: VirtualServerKey, scheduler = 'rr'): Operation => ({
  operation: 'addVirtualServer',
  virtualServer: { ...key, scheduler },
})
const attach = (virtualServer: VirtualServerKey, address: string): Operation => ({
  operation: 'addRealServer',
  virtualServer,
  realServer: { address, port: 'port' in virtualServer ? virtualServer.port : 80 },
})

/** `ok`, `not found`, or what went wrong. */
function summary(results: readonly Result[]): string[] {
  return results.map(result => {
    if (result.ok) return result.found === false ? 'not found' : 'ok'
    return result.error instanceof NetlinkError ? result.error.problem : result.error.name
  })
}

function errorOf(result: Result | undefined): Error {
  assert.ok(result && !result.ok, 'it failed')
  return result.error
}

/** Virtual server i of thousands. */
const vs = (i: number) => ({ protocol: 'tcp', address: `10.${1 + (i >> 8)}.0.1`, port: 1 + (i & 255) }) as const

export const cases: readonly Case[] = [
  {
    name: 'a batch is carried out in order, and goes on after a failure: one result each',
    async run({ open }) {
      const lvs = await open()
      const results = await lvs.run([
        add(web),
        add(web),
        attach(web, '10.1.0.1'),
        attach(web, '10.1.0.1'),
        attach(absent, '10.1.0.1'),
        { operation: 'updateRealServer', virtualServer: web, realServer: { ...server, weight: 5 } },
        { operation: 'updateRealServer', virtualServer: web, realServer: { ...server, address: '10.1.0.9' } },
        { operation: 'ensureRealServer', virtualServer: web, realServer: { ...server, address: '10.1.0.2' } },
        { operation: 'removeRealServer', virtualServer: web, realServer: { ...server, address: '10.1.0.3' } },
        { operation: 'updateVirtualServer', virtualServer: { ...web, scheduler: 'wrr' } },
        { operation: 'zero', virtualServer: web },
        { operation: 'zero' },
        { operation: 'removeVirtualServer', virtualServer: absent },
      ])
      assert.deepEqual(summary(results), [
        ...['ok', 'exists', 'ok', 'exists', 'no-such-virtual-server', 'ok', 'no-such-real-server', 'ok', 'not found'],
        ...['ok', 'ok', 'ok', 'not found'],
      ])
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'wrr')
      const servers = await lvs.listRealServers(web).toArray()
      assert.deepEqual(servers.map(({ address, weight }) => [address, weight]).sort(), [
        ['10.1.0.1', 5],
        ['10.1.0.2', 1],
      ])
    },
  },
  {
    name: 'an empty batch has no results',
    async run({ open }) {
      assert.deepEqual(await (await open()).run([]), [])
    },
  },
  {
    name: 'ensure means add or update wherever it stands in a batch',
    async run({ open }) {
      const lvs = await open()
      const ensure = (scheduler: string): Operation => ({
        operation: 'ensureVirtualServer',
        virtualServer: { ...web, scheduler },
      })
      const ensureServer = (weight: number): Operation => ({
        operation: 'ensureRealServer',
        virtualServer: web,
        realServer: { ...server, weight },
      })
      const results = await lvs.run([
        ensure('rr'),
        ensure('wrr'),
        { operation: 'removeVirtualServer', virtualServer: web },
        ensure('lc'),
        ensureServer(1),
        ensureServer(2),
        { operation: 'removeRealServer', virtualServer: web, realServer: server },
        ensureServer(3),
      ])
      assert.deepEqual(
        summary(results),
        results.map(() => 'ok'),
      )
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'lc')
      assert.deepEqual(
        (await lvs.listRealServers(web).toArray()).map(({ weight }) => weight),
        [3],
      )
    },
  },
  {
    name: 'flush in a batch removes what was made before it, and not what is made after it',
    async run({ open }) {
      const lvs = await open()
      const results = await lvs.run([add(vs(1)), add(vs(2)), { operation: 'flush' }, add(vs(3))])
      assert.deepEqual(summary(results), ['ok', 'ok', 'ok', 'ok'])
      assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), keysOf([vs(3)]))
    },
  },
  {
    name: 'an operation that is malformed is not sent, and those around it are',
    async run({ open }) {
      const lvs = await open()
      const results = await lvs.run([
        add(vs(1)),
        { operation: 'addVirtualServer', virtualServer: { ...web, port: 70_000 } },
        { operation: 'addRealServer', virtualServer: vs(1), realServer: { ...server, port: 1, weight: -1 } },
        { operation: 'frobnicate' } as unknown as Operation,
        null as unknown as Operation,
        add(vs(2)),
      ])
      assert.deepEqual(summary(results), ['ok', 'RangeError', 'RangeError', 'TypeError', 'TypeError', 'ok'])
      assert.match(errorOf(results[1]).message, /virtualServer\.port: 70000 is out of range/)
      assert.match(errorOf(results[2]).message, /realServer\.weight: -1 is out of range/)
      assert.equal((await lvs.listVirtualServers().toArray()).length, 2)
    },
  },
  {
    name: 'what belongs to a virtual server that the kernel refused fails, and names the reason as its cause',
    async run({ open }) {
      const lvs = await open()
      const results = await lvs.run([add(web, 'nonesuch'), attach(web, '10.1.0.1'), attach(web, '10.1.0.2')])
      assert.deepEqual(summary(results), ['no-such-scheduler', 'no-such-virtual-server', 'no-such-virtual-server'])
      const [first] = results
      for (const result of results.slice(1)) {
        isRefusal(errorOf(result), {
          problem: 'no-such-virtual-server',
          code: 'ESRCH',
          operation: 'addRealServer',
          reason: /no such virtual server/,
        })
        assert.equal(errorOf(result).cause, errorOf(first))
      }
    },
  },
  {
    name: 'what belongs to a virtual server that was malformed fails for that reason, unless another of its name is there',
    async run({ open }) {
      const lvs = await open()
      const malformed: Operation = {
        operation: 'ensureVirtualServer',
        virtualServer: { ...web, scheduler: 'rr', persistence: { timeout: -1 } },
      }
      const missing = await lvs.run([malformed, attach(web, '10.1.0.1')])
      assert.deepEqual(summary(missing), ['RangeError', 'no-such-virtual-server'])
      assert.equal(errorOf(missing[1]).cause, errorOf(missing[0]))
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      assert.deepEqual(summary(await lvs.run([malformed, attach(web, '10.1.0.1')])), ['RangeError', 'ok'])
    },
  },
  {
    name: '5000 operations go in many windows, and the failures are those at the known places',
    async run({ open, transport }) {
      let windows = 0
      const lvs = await open({ transport: between(transport(), { before: ({ kind }) => kind === 'exchange' && windows++ }) })
      const operations = Array.from({ length: 5000 }, (_, i): Operation => {
        if (i % 5 === 0) return add(vs(i))
        const owner = vs(i - (i % 5))
        if (i % 997 === 0) return attach(absent, '10.9.0.1')
        if (i % 1009 === 0) return { ...attach(owner, `224.0.0.${i % 5}`) }
        return attach(owner, `10.200.0.${i % 5}`)
      })
      const results = await lvs.run(operations)
      const expected = operations.map((_, i) => {
        if (i % 5 === 0) return 'ok'
        if (i % 997 === 0) return 'no-such-virtual-server'
        return i % 1009 === 0 ? 'invalid' : 'ok'
      })
      assert.deepEqual(summary(results), expected)
      assert.ok(windows > 5, `${windows} windows`)
      const { virtualServers, consistent } = await lvs.snapshot()
      assert.equal(consistent, true)
      assert.equal(virtualServers.length, 1000)
      const servers = virtualServers.reduce((sum, { realServers }) => sum + realServers.length, 0)
      assert.equal(servers, 4000 - expected.filter(word => word !== 'ok').length)
    },
  },
  {
    name: '2000 operations that fail all, are answered all',
    async run({ open }) {
      const lvs = await open()
      const operations = Array.from({ length: 2000 }, () => attach(absent, '10.1.0.1'))
      assert.deepEqual([...new Set(summary(await lvs.run(operations)))], ['no-such-virtual-server'])
    },
  },
  {
    name: 'an unknown scheduler is asked for once in a batch: the kernel runs modprobe for it, holding its lock',
    async run({ open, transport }) {
      let asked = 0
      const count = (request: Uint8Array | null) =>
        Buffer.from(request ?? [])
          .toString('latin1')
          .split('nonesuch').length - 1
      const lvs = await open({
        transport: between(transport(), {
          before: ({ request }) => {
            asked += count(request)
          },
        }),
      })
      const operations = Array.from({ length: 300 }, (_, i) => add(vs(i), i % 3 === 0 ? 'nonesuch' : 'rr'))
      const results = summary(await lvs.run(operations))
      assert.deepEqual(
        results,
        operations.map((_, i) => (i % 3 === 0 ? 'no-such-scheduler' : 'ok')),
      )
      assert.equal(asked, 1)
    },
  },
  {
    name: 'a batch that is aborted tells what was done, what is unknown, and what was not sent; the client goes on',
    async run({ open, transport }) {
      const controller = new AbortController()
      const reply = gate()
      let windows = 0
      const lvs = await open({
        transport: between(transport(), {
          async after({ kind }) {
            if (kind !== 'exchange' || windows++ !== 3) return
            controller.abort(new Error('enough'))
            await reply.opened
          },
        }),
      })
      // The exchanges: the family, the window that tries the scheduler, one more, and the one that is aborted.
      const results = await lvs.run(
        Array.from({ length: 4000 }, (_, i) => add(vs(i))),
        { signal: controller.signal },
      )
      reply.open()
      assert.equal(results.length, 4000)
      const stages = results.map(result => {
        if (result.ok) return 'done'
        isRefusal(result.error, {
          problem: 'interrupted',
          code: 'ABORT_ERR',
          operation: 'addVirtualServer',
          applied: applied(result.error),
          reason: /signal was aborted|not sent/,
        })
        return applied(result.error)
      })
      assert.deepEqual([...new Set(stages)], ['done', 'unknown', 'no'], 'in this order')
      const [done, unknown] = ['done', 'unknown'].map(stage => stages.filter(other => other === stage).length)
      const there = (await lvs.listVirtualServers().toArray()).length
      assert.equal(there, (done ?? 0) + (unknown ?? 0), 'the kernel had carried out what nobody heard of')
      await lvs.addVirtualServer(absent)
    },
  },
  {
    name: 'a batch whose deadline passes tells the same, and a call whose signal was aborted before sends nothing',
    async run({ open, transport }) {
      const reply = gate()
      const lvs = await open({
        transport: between(transport(), { after: ({ index }) => (index === 1 ? reply.opened : undefined) }),
      })
      const results = await lvs.run([add(vs(1)), add(vs(2), 'wrr')], { deadline: 2 })
      reply.open()
      assert.deepEqual(
        results.map(result => applied(errorOf(result))),
        ['unknown', 'no'],
      )
      isRefusal(errorOf(results[0]), {
        problem: 'interrupted',
        code: 'ERR_DEADLINE',
        applied: 'unknown',
        reason: /deadline of 2 s/,
      })
      const aborted = lvs.run([add(vs(3))], { signal: AbortSignal.abort() })
      await assert.rejects(aborted, { problem: 'interrupted', code: 'ABORT_ERR', operation: 'run', applied: 'no' })
      assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), keysOf([vs(1)]))
    },
  },
]

function applied(error: Error): 'no' | 'yes' | 'unknown' {
  assert.ok(error instanceof NetlinkError, String(error))
  return error.applied
}
