/** What goes wrong between a client and its kernel. */
import assert from 'node:assert/strict'
import { type IpvsClient, NetlinkError, open as openClient } from '../../../lib/ipvs/index.js'
import { type Fault, type MemoryKernel, memoryKernel } from '../../../lib/testing/index.js'
import type { Case, MemoryCase, MemoryContext } from '../support/case.js'
import { keysOf, type Refusal, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const vs = (port: number) => ({ ...web, port })
const LOST: Refusal = { problem: 'reply-lost', code: 'ENOBUFS', applied: 'unknown', reason: /dropped/ }

/** The calls that a fault meets: a request, a batch, and both kinds of dumps. */
const calls: [words: string, on: 'exchange' | 'page' | 'dumpMany', call: (lvs: IpvsClient) => Promise<unknown>][] = [
  ['a request', 'exchange', lvs => lvs.info()],
  ['a change', 'exchange', lvs => lvs.addVirtualServer({ ...web, scheduler: 'rr' })],
  ['a list', 'page', lvs => lvs.listVirtualServers().toArray()],
  ['looking for one of a list', 'dumpMany', lvs => lvs.getRealServer(vs(1), { address: '10.1.0.1', port: 1 })],
]

const failures: [words: string, fault: Fault, expected: Refusal][] = [
  ['whose replies are lost', 'lost-replies', LOST],
  [
    'that is not answered',
    'no-reply',
    { problem: 'interrupted', code: 'ERR_DEADLINE', applied: 'unknown', reason: /deadline of 0\.2 s/ },
  ],
  [
    'that hangs in the kernel',
    'hang',
    { problem: 'interrupted', code: 'ERR_DEADLINE', applied: 'unknown', reason: /deadline of 0\.2 s/ },
  ],
  [
    'that the kernel has no memory for',
    { errno: 105, syscall: 'sendmsg' },
    { problem: 'no-memory', code: 'ENOBUFS', applied: 'no', reason: /no memory/ },
  ],
  [
    'that may not be sent',
    { errno: 1, syscall: 'sendmsg' },
    { problem: 'not-permitted', code: 'EPERM', applied: 'no', reason: /CAP_NET_ADMIN/ },
  ],
  [
    'whose socket breaks',
    { errno: 5, syscall: 'recvmsg' },
    { problem: 'other', code: 'EIO', applied: 'unknown', reason: /recvmsg failed/ },
  ],
]

/** A client that knows the family, so that the next call is the one that is struck. */
async function ready({ open }: MemoryContext): Promise<IpvsClient> {
  const lvs = await open({ deadline: 0.2 })
  await lvs.addVirtualServer({ ...vs(1), scheduler: 'rr' })
  await lvs.snapshot()
  await lvs.listVirtualServers().toArray()
  return lvs
}

function failing([words, on, call]: (typeof calls)[number], [how, fault, expected]: (typeof failures)[number]): MemoryCase {
  return {
    name: `${words} ${how} is refused with "${expected.problem}", applied ${expected.applied}, and the client goes on`,
    needs: 'memory',
    async run(context) {
      const lvs = await ready(context)
      const injected = context.memory.inject({ fault, on })
      context.after(() => injected.release())
      const error = await call(lvs).then(
        () => assert.fail('it went well'),
        (reason: unknown) => reason,
      )
      await refused(Promise.reject(error), expected)
      assert.equal(injected.struck, 1)
      await lvs.ensureVirtualServer({ ...vs(2), scheduler: 'rr' })
      const { virtualServers } = await lvs.snapshot()
      assert.ok(keysOf(virtualServers).includes('tcp 10.0.0.1:2'))
    },
  }
}

export const cases: readonly Case[] = [
  ...calls.flatMap(call => failures.map(failure => failing(call, failure))),
  ...calls.flatMap(([words, on, call]) =>
    (['late-reply', 'foreign-reply'] as const).map(
      (fault): MemoryCase => ({
        name: `${words} is not misled by a ${fault.replace('-', ' ')}`,
        needs: 'memory',
        async run(context) {
          const lvs = await ready(context)
          const injected = context.memory.inject({ fault, on })
          await call(lvs)
          assert.equal(injected.struck, 1)
          assert.equal((await lvs.info()).version, '1.2.1')
        },
      }),
    ),
  ),
  {
    name: 'a batch whose replies are lost does not know of any, though all was carried out, and goes on with the next window',
    needs: 'memory',
    async run(context) {
      const lvs = await context.open()
      await lvs.addVirtualServer({ ...vs(1), scheduler: 'rr' })
      context.memory.inject({ fault: 'lost-replies', on: 'exchange' })
      const operations = Array.from(
        { length: 3000 },
        (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs(2 + i), scheduler: 'rr' } }) as const,
      )
      const results = await lvs.run(operations)
      const stages = results.map(result => {
        if (result.ok) return 'done'
        assert.ok(result.error instanceof NetlinkError)
        assert.equal(result.error.problem, 'reply-lost')
        return result.error.applied
      })
      assert.deepEqual([...new Set(stages)], ['unknown', 'done'], 'the first window, and all others')
      assert.equal((await lvs.listVirtualServers().toArray()).length, 3001)
    },
  },
  {
    name: 'what waits behind a call that hangs keeps its place, and its own deadline: nothing of it was sent',
    needs: 'memory',
    async run(context) {
      const lvs = await ready(context)
      const hang = context.memory.inject({ fault: 'hang', on: 'exchange' })
      const first = lvs.addVirtualServer({ ...vs(2), scheduler: 'rr' }, { deadline: 5 })
      const second = lvs.addVirtualServer({ ...vs(3), scheduler: 'rr' }, { deadline: 0.05 })
      const third = lvs.addVirtualServer({ ...vs(4), scheduler: 'rr' }, { deadline: 5 })
      await refused(second, {
        problem: 'interrupted',
        code: 'ERR_DEADLINE',
        operation: 'addVirtualServer',
        target: 'tcp 10.0.0.1:3',
        applied: 'no',
        reason: /deadline of 0\.05 s; nothing was sent/,
      })
      hang.release()
      await first
      await third
      assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), keysOf([vs(1), vs(2), vs(4)]))
    },
  },
  {
    name: 'an abort ends a call that hangs at once, and closing waits for it',
    needs: 'memory',
    async run(context) {
      const lvs = await ready(context)
      const hang = context.memory.inject({ fault: 'hang', on: 'exchange' })
      const controller = new AbortController()
      const call = lvs.flush({ signal: controller.signal, deadline: 60 })
      setImmediate(() => controller.abort())
      await refused(call, {
        problem: 'interrupted',
        code: 'ABORT_ERR',
        operation: 'flush',
        applied: 'unknown',
        reason: /may or may not have carried it out/,
      })
      let closed = false
      const closing = lvs.close().then(() => {
        closed = true
      })
      await new Promise(resolve => setTimeout(resolve, 20))
      assert.equal(closed, false)
      hang.release()
      await closing
    },
  },
  {
    name: 'a kernel with little receive buffer gets smaller windows, so that every failure can be answered',
    needs: 'memory',
    async run() {
      const kernel = memoryKernel({ receiveBuffer: 100_000 })
      await using lvs = await openClient({ transport: kernel })
      const results = await lvs.run(Array.from({ length: 1000 }, () => ({ operation: 'zero', virtualServer: web }) as const))
      const problems = results.map(result => (result.ok ? 'ok' : (result.error as NetlinkError).problem))
      assert.deepEqual([...new Set(problems)], ['no-such-virtual-server'])
    },
  },
  ...stale(),
]

/** A module that was loaded again has another number, and has forgotten everything. */
function stale(): MemoryCase[] {
  const reads: [words: string, call: (lvs: IpvsClient) => Promise<unknown>, expected: unknown][] = [
    ['a request', lvs => lvs.info(), { version: '1.2.1', connectionTableSize: 4096 }],
    ['a list', lvs => lvs.listVirtualServers().toArray(), []],
    ['a snapshot', async lvs => (await lvs.snapshot()).virtualServers, []],
    ['looking for one', lvs => lvs.getVirtualServer(vs(1)), undefined],
    ['a removal', lvs => lvs.removeVirtualServer(vs(1)), false],
    ['stopping a daemon', lvs => lvs.stopSyncDaemon('master'), false],
    ['a change', lvs => lvs.addVirtualServer({ ...vs(1), scheduler: 'rr' }), undefined],
  ]
  const away = (kernel: MemoryKernel) => kernel.unloadModule()
  return [
    ...reads.map(
      ([words, call, expected]): MemoryCase => ({
        name: `${words} finds the family again when the module was loaded anew`,
        needs: 'memory',
        async run(context) {
          const lvs = await ready(context)
          context.memory.reloadModule()
          assert.deepEqual(await call(lvs), expected)
        },
      }),
    ),
    ...reads.map(
      ([words, call]): MemoryCase => ({
        name: `${words} is refused with "family-unavailable" when the module is gone, and goes well when it is back`,
        needs: 'memory',
        async run(context) {
          const lvs = await ready(context)
          away(context.memory)
          await refused(call(lvs), {
            problem: 'family-unavailable',
            code: 'ENOENT',
            reason: /load the module \(modprobe ip_vs\)/,
          })
          context.memory.loadModule()
          await call(lvs)
        },
      }),
    ),
  ]
}
