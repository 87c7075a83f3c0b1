/** Taking a real server out of service. Connections that end when a test says so need the memory kernel; real ones are in traffic/. */
import assert from 'node:assert/strict'
import type { Connection, VirtualServerConfig } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { isRefusal } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const dns = { protocol: 'udp', address: '10.0.0.1', port: 53 } as const
const server = { address: '10.1.0.1', port: 80 } as const

const connection: Connection = {
  protocol: 'tcp',
  client: { address: '192.0.2.9', port: 40000 },
  virtual: { address: web.address, port: web.port },
  destination: server,
  state: 'ESTABLISHED',
  expires: 900,
}

const warnings: [words: string, config: Partial<VirtualServerConfig>, reuse: number, quiescent: number, expected: RegExp[]][] = [
  ['nothing', { scheduler: 'rr' }, 1, 0, []],
  [
    'persistence with expire_quiescent_template 0',
    { scheduler: 'rr', persistence: {} },
    1,
    0,
    [/expire_quiescent_template is 0/],
  ],
  ['persistence with expire_quiescent_template 1', { scheduler: 'rr', persistence: {} }, 1, 1, []],
  ['conn_reuse_mode 0', { scheduler: 'rr' }, 0, 0, [/conn_reuse_mode is 0/]],
  ['sh without a fallback', { scheduler: 'sh' }, 1, 0, [/sh turns away .* set the flag sh-fallback/]],
  ['sh with a fallback', { scheduler: 'sh', schedulerFlags: ['sh-fallback'] }, 1, 0, []],
  [
    'mh without a fallback',
    { scheduler: 'mh', schedulerFlags: ['mh-port'] },
    1,
    0,
    [/mh turns away .* set the flag mh-fallback/],
  ],
  ['dh', { scheduler: 'dh' }, 1, 0, [/dh turns away .* no fallback/]],
]

export const cases: readonly Case[] = [
  {
    name: 'draining a real server that is not there says so, and changes nothing',
    async run({ open }) {
      const lvs = await open()
      const expected = { outcome: 'not-found', removed: false, remaining: 0, weight: 0, warnings: [] }
      assert.deepEqual(await lvs.drain(web, server), expected)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      assert.deepEqual(await lvs.drain(web, server), expected)
    },
  },
  {
    name: 'a real server without connections is drained and removed at once, and its weight is told',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { ...server, weight: 7 })
      const result = await lvs.drain(web, server)
      assert.deepEqual(result, { outcome: 'drained', removed: true, remaining: 0, weight: 7, warnings: [] })
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [])
    },
  },
  ...warnings.map(
    ([words, config, reuse, quiescent, expected]): Case => ({
      name: `a drain warns of what this kernel's configuration does to it: ${words}`,
      async run({ open }) {
        const lvs = await open()
        await lvs.addVirtualServer({ ...web, ...config } as VirtualServerConfig)
        await lvs.addRealServer(web, server)
        await lvs.setSysctl('conn_reuse_mode', reuse)
        await lvs.setSysctl('expire_quiescent_template', quiescent)
        const early: string[] = []
        const told = (await lvs.drain(web, server, { onWarning: warning => early.push(warning) })).warnings
        assert.deepEqual(early, told, 'they are told before the waiting, too')
        assert.equal(told.length, expected.length, told.join('; '))
        expected.forEach((pattern, i) => {
          assert.match(told[i] ?? '', pattern)
        })
      },
    }),
  ),
  {
    name: 'a drain waits until the last connection has ended, with weight 0, and tells how many remain',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { ...server, weight: 3, upperThreshold: 9 })
      const open1 = memory.addConnection(connection)
      const open2 = memory.addConnection({ ...connection, client: { address: '192.0.2.9', port: 40001 } })
      const seen: number[] = []
      const result = await lvs.drain(web, server, {
        interval: 0.01,
        onProgress({ remaining }) {
          seen.push(remaining)
          if (seen.length === 2) open1.end()
          if (seen.length === 4) open2.end()
        },
      })
      assert.deepEqual([...new Set(seen)], [2, 1, 0])
      assert.deepEqual(result, { outcome: 'drained', removed: true, remaining: 0, weight: 3, warnings: [] })
    },
  },
  {
    name: 'connections that are over are not waited for; those whose handshake goes on are',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server)
      memory.addConnection({ ...connection, state: 'TIME_WAIT' })
      const handshake = memory.addConnection({ ...connection, state: 'SYN_RECV', client: { address: '192.0.2.9', port: 40001 } })
      const seen: number[] = []
      const result = await lvs.drain(web, server, {
        interval: 0.01,
        onProgress: ({ remaining }) => {
          if (seen.push(remaining) === 2) handshake.end()
        },
      })
      assert.deepEqual([...new Set(seen)], [1, 0])
      assert.equal(result.outcome, 'drained')
    },
  },
  {
    name: 'a UDP server is removed at once, for its connections have no end; they are waited for where that is asked',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...dns, scheduler: 'rr' })
      const dnsServer = { ...server, port: 53 }
      const udp = {
        ...connection,
        protocol: 'udp',
        state: 'UDP',
        virtual: { address: dns.address, port: 53 },
        destination: dnsServer,
      }
      await lvs.addRealServer(dns, dnsServer)
      memory.addConnection(udp)
      assert.deepEqual((await lvs.drain(dns, dnsServer)).outcome, 'drained')
      await lvs.addRealServer(dns, dnsServer)
      memory.addConnection({ ...udp, client: { address: '192.0.2.9', port: 40001 } })
      const late = await lvs.drain(dns, dnsServer, { protocols: ['udp'], timeout: 0.05, interval: 0.01, whenLate: 'keep' })
      assert.deepEqual([late.outcome, late.removed], ['timed-out', false])
    },
  },
  {
    name: 'when the time is up the real server is removed or kept, as asked',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { ...server, weight: 3 })
      memory.addConnection(connection)
      const kept = await lvs.drain(web, server, { timeout: 0.03, interval: 0.01, whenLate: 'keep' })
      assert.deepEqual(kept, { outcome: 'timed-out', removed: false, remaining: 1, weight: 3, warnings: [] })
      assert.equal((await lvs.getRealServer(web, server))?.weight, 0)
      const removed = await lvs.drain(web, server, { timeout: 0 })
      assert.deepEqual(removed, { outcome: 'timed-out', removed: true, remaining: 1, weight: 0, warnings: [] })
      assert.equal(await lvs.getRealServer(web, server), undefined)
    },
  },
  {
    name: 'a drain that is aborted leaves weight 0 and says how to go on, and the next one goes on',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { ...server, weight: 3 })
      const { end } = memory.addConnection(connection)
      const controller = new AbortController()
      const aborted = await lvs
        .drain(web, server, { interval: 0.01, signal: controller.signal, onProgress: () => controller.abort() })
        .then(
          () => assert.fail('it went well'),
          (error: unknown) => error,
        )
      isRefusal(aborted, {
        problem: 'interrupted',
        code: 'ABORT_ERR',
        operation: 'drain',
        target: 'tcp 10.0.0.1:80 → 10.1.0.1:80',
        applied: 'yes',
        reason: /weight is 0 and stays 0: drain again to go on, or set the weight back to 3/,
      })
      assert.equal((await lvs.getRealServer(web, server))?.weight, 0)
      const resumed = await lvs.drain(web, server, { interval: 0.01, onProgress: end })
      assert.deepEqual(resumed, { outcome: 'drained', removed: true, remaining: 0, weight: 0, warnings: [] })
    },
  },
]
