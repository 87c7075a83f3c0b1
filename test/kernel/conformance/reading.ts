/** Lists and snapshots, also while others change the tables. */
import assert from 'node:assert/strict'
import { describeVirtualServer, type IpvsClient, type Operation } from '../../../lib/ipvs/index.js'
import { MessageReader } from '../../../lib/netlink/buffer.js'
import { messagesOf } from '../../../lib/netlink/message.js'
import { between } from '../support/between.js'
import type { Case } from '../support/case.js'
import { keysOf } from '../support/expect.js'

const vs = (i: number) => ({ protocol: 'tcp', address: '10.0.0.1', port: i }) as const

async function fill(lvs: IpvsClient, count: number, realServers = 0): Promise<void> {
  const operations = Array.from({ length: count }, (_, i) => i + 1).flatMap((port): Operation[] => [
    { operation: 'addVirtualServer', virtualServer: { ...vs(port), scheduler: 'rr' } },
    ...Array.from(
      { length: realServers },
      (_, n): Operation => ({
        operation: 'addRealServer',
        virtualServer: vs(port),
        realServer: { address: `10.1.${n >> 8}.${n & 255}`, port, weight: n },
      }),
    ),
  ])
  for (const result of await lvs.run(operations)) assert.ok(result.ok)
}

const ports = (from: number, to: number) => keysOf(Array.from({ length: to - from + 1 }, (_, i) => vs(from + i)))

export const cases: readonly Case[] = [
  {
    name: 'a long list comes in pages, and has everything once',
    async run({ open, transport }) {
      let pages = 0
      const lvs = await open({ transport: between(transport(), { before: ({ kind }) => kind === 'page' && pages++ }) })
      await fill(lvs, 1500)
      const names = keysOf(await lvs.listVirtualServers().toArray())
      assert.deepEqual(names, ports(1, 1500))
      assert.ok(pages > 1, `${pages} pages`)
    },
  },
  {
    name: 'a virtual server can have a thousand real servers: the newest comes first',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 1, 1000)
      const weights = (await lvs.listRealServers(vs(1)).toArray()).map(({ weight }) => weight)
      assert.deepEqual(
        weights,
        Array.from({ length: 1000 }, (_, i) => 999 - i),
      )
      const [read] = (await lvs.snapshot()).virtualServers
      assert.equal(read?.realServers.length, 1000)
    },
  },
  {
    name: 'virtual servers of one family are visited alone, and the real servers of others are not read',
    async run({ open, transport }) {
      let dumps = 0
      const lvs = await open({
        transport: between(transport(), {
          before: ({ kind, request }) => {
            if (kind === 'dumpMany' && request) dumps += [...messagesOf(new MessageReader(request))].length
          },
        }),
      })
      await fill(lvs, 1, 2)
      const six = { protocol: 'tcp', address: '2001:db8::1', port: 1 } as const
      await lvs.addVirtualServer({ ...six, scheduler: 'rr' })
      const visited = async (family: 'ipv4' | 'ipv6' | undefined): Promise<readonly string[]> => {
        const found: string[] = []
        await lvs.visit(
          group => {
            for (const one of group) found.push(`${describeVirtualServer(one)} ${one.realServers.length}`)
          },
          { family },
        )
        return found.sort()
      }
      const [four, other] = [`${describeVirtualServer(vs(1))} 2`, `${describeVirtualServer(six)} 0`]
      assert.deepEqual(await visited(undefined), [four, other].sort())
      assert.deepEqual(await visited('ipv6'), [other])
      assert.deepEqual(await visited('ipv4'), [four])
      assert.equal(dumps, 2 + 1 + 1)
      await assert.rejects(visited('ipv5' as 'ipv4'), /family: "ipv5" is not known: give 'ipv4', 'ipv6'/)
    },
  },
  {
    name: 'a reader may remove what it reads: the list leaves nothing out',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 700)
      let removed = 0
      for await (const virtualServer of lvs.listVirtualServers()) removed += Number(await lvs.removeVirtualServer(virtualServer))
      assert.equal(removed, 700)
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
    },
  },
  {
    name: 'a reader may list the real servers of each virtual server while it reads',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 150, 2)
      let servers = 0
      for await (const virtualServer of lvs.listVirtualServers())
        for await (const _ of lvs.listRealServers(virtualServer)) servers++
      assert.equal(servers, 300)
    },
  },
  {
    name: 'two readers of one client do not disturb each other',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 800)
      const both = await Promise.all([lvs.listVirtualServers().toArray(), lvs.listVirtualServers().toArray()])
      for (const list of both) assert.deepEqual(keysOf(list), ports(1, 800))
    },
  },
  {
    name: 'a reader that stops, stops the dump, and the client goes on',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 1500)
      for await (const _ of lvs.listVirtualServers()) break
      assert.equal((await lvs.listVirtualServers().toArray()).length, 1500)
      for await (const _ of lvs.listVirtualServers()) break
      await lvs.removeVirtualServer(vs(1))
      assert.equal((await lvs.snapshot()).virtualServers.length, 1499)
    },
  },
  {
    name: 'calls are carried out in the order in which they were made, without waiting for any',
    async run({ open }) {
      const lvs = await open()
      const calls = [
        lvs.addVirtualServer({ ...vs(1), scheduler: 'rr' }),
        lvs.getVirtualServer(vs(1)).then(found => found?.scheduler),
        lvs.updateVirtualServer({ ...vs(1), scheduler: 'wrr' }),
        lvs
          .listVirtualServers()
          .toArray()
          .then(([found]) => found?.scheduler),
        lvs.removeVirtualServer(vs(1)),
        lvs.getVirtualServer(vs(1)),
      ]
      assert.deepEqual(await Promise.all(calls), [undefined, 'rr', undefined, 'wrr', true, undefined])
    },
  },
  {
    name: 'a snapshot has everything, and says that it is consistent',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 200, 5)
      const { virtualServers, consistent } = await lvs.snapshot()
      assert.equal(consistent, true)
      assert.deepEqual(keysOf(virtualServers), ports(1, 200))
      for (const { realServers } of virtualServers)
        assert.deepEqual(
          realServers.map(({ address, weight }) => `${address} ${weight}`),
          [4, 3, 2, 1, 0].map(n => `10.1.0.${n} ${n}`),
        )
      assert.equal('statistics' in (virtualServers[0] ?? {}), false)
      const counted = await lvs.snapshot({ statistics: true })
      assert.equal(counted.virtualServers[7]?.realServers[2]?.statistics?.connections, 0n)
    },
  },
  {
    name: 'a snapshot is right though another program removes virtual servers while it is made',
    async run({ open, transport }) {
      const other = await open()
      await fill(other, 1500)
      let disturbed = false
      const lvs = await open({
        transport: between(transport(), {
          async before({ kind, request }) {
            if (kind !== 'page' || request || disturbed) return
            disturbed = true
            await other.run(
              Array.from({ length: 300 }, (_, i) => ({ operation: 'removeVirtualServer', virtualServer: vs(1 + i) })),
            )
          },
        }),
      })
      // A dump in pages, whose index the kernel loses: read by a plain list it has gaps.
      const { virtualServers, consistent } = await lvs.snapshot()
      assert.equal(consistent, true)
      assert.deepEqual(keysOf(virtualServers), ports(301, 1500))
    },
  },
  {
    name: 'a snapshot has nothing twice though another program adds virtual servers while it is made',
    async run({ open, transport }) {
      const other = await open()
      await fill(other, 1500)
      let disturbed = false
      const lvs = await open({
        transport: between(transport(), {
          async before({ kind, request }) {
            if (kind !== 'page' || request || disturbed) return
            disturbed = true
            await other.run(
              Array.from({ length: 300 }, (_, i) => ({
                operation: 'addVirtualServer',
                virtualServer: { ...vs(2000 + i), scheduler: 'rr' },
              })),
            )
          },
        }),
      })
      const { virtualServers, consistent } = await lvs.snapshot()
      assert.equal(consistent, true)
      assert.deepEqual(keysOf(virtualServers), [...ports(1, 1500), ...ports(2000, 2299)].sort())
    },
  },
  {
    name: 'a snapshot is right though another program removes real servers while it is made',
    async run({ open, transport }) {
      const other = await open()
      await fill(other, 3, 400)
      let disturbed = false
      const lvs = await open({
        transport: between(transport(), {
          async after({ kind }) {
            if (kind !== 'dumpMany' || disturbed) return
            disturbed = true
            for (let n = 0; n < 100; n++) await other.removeRealServer(vs(2), { address: `10.1.0.${n}`, port: 2 })
          },
        }),
      })
      const { virtualServers, consistent } = await lvs.snapshot()
      assert.equal(consistent, true)
      const counts = virtualServers.map(found => `${describeVirtualServer(found)} ${found.realServers.length}`)
      assert.deepEqual(counts.sort(), ['tcp 10.0.0.1:1 400', 'tcp 10.0.0.1:2 300', 'tcp 10.0.0.1:3 400'])
    },
  },
  {
    name: 'a snapshot says when others never stopped changing the tables; a plan ensures then what it would add',
    async run({ open, transport }) {
      const other = await open()
      await fill(other, 600)
      let next = 1
      const lvs = await open({
        transport: between(transport(), {
          async before({ kind, request }) {
            if (kind === 'page' && request) await other.removeVirtualServer(vs(next++))
          },
        }),
      })
      assert.equal((await lvs.snapshot()).consistent, false)
      const plan = await lvs.plan([{ ...vs(5000), scheduler: 'rr' }], { owns: () => true })
      assert.equal(plan.consistent, false)
      const verbs = new Set(plan.operations.map(({ operation }) => operation))
      assert.deepEqual(verbs, new Set(['ensureVirtualServer', 'removeVirtualServer']))
    },
  },
  {
    name: 'a list that is cut short says so: when the client is closed, or its signal aborted',
    async run({ open }) {
      const lvs = await open()
      await fill(lvs, 1500)
      const controller = new AbortController()
      const aborted = (async () => {
        for await (const _ of lvs.listVirtualServers({ signal: controller.signal })) controller.abort()
      })()
      await assert.rejects(aborted, { problem: 'interrupted', code: 'ABORT_ERR', operation: 'listVirtualServers' })
      const closed = (async () => {
        for await (const _ of lvs.listVirtualServers()) await lvs.close()
      })()
      await assert.rejects(closed, { problem: 'interrupted', code: 'ERR_CLOSED', operation: 'listVirtualServers' })
    },
  },
  {
    name: 'a client that was closed refuses every call, and closing again does no harm',
    async run({ open }) {
      const lvs = await open()
      await lvs.info()
      await lvs.close()
      await lvs.close()
      await assert.rejects(lvs.info(), { problem: 'interrupted', code: 'ERR_CLOSED', operation: 'info', applied: 'no' })
      await assert.rejects(lvs.addVirtualServer(vs(1)), { code: 'ERR_CLOSED', operation: 'addVirtualServer' })
      await assert.rejects(lvs.listVirtualServers().toArray(), { code: 'ERR_CLOSED', operation: 'listVirtualServers' })
      await assert.rejects(lvs.snapshot(), { code: 'ERR_CLOSED' })
    },
  },
]
