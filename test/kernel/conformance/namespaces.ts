/** Network namespaces: each has tables of its own, and a client may work in any. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { type Netns, open } from '../../../lib/ipvs/index.js'
import type { Case, LinuxContext } from '../support/case.js'
import { all, eventually, keysOf, type Refusal, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const pathOf = (name: string): string => `/run/netns/${name}`

/** A process that lives in the namespace and does nothing. */
async function sleeper({ after, netns }: LinuxContext): Promise<number> {
  const child: ChildProcess = spawn('ip', ['netns', 'exec', netns, 'sleep', '1000'])
  after(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const { pid = 0 } = child
  await eventually('the process has entered the namespace', () => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net')
    } catch {
      return false
    }
  })
  return pid
}

const nowhere: [words: string, netns: Netns, expected: Partial<Refusal>][] = [
  ['name', { name: 'no-such-name' }, { target: 'network namespace no-such-name', reason: /`ip netns list`.*`ip netns add`/ }],
  ['path', { path: '/run/netns/no-such-name' }, { target: '/run/netns/no-such-name', reason: /path of a namespace file/ }],
  ['process', { pid: 4_000_000 }, { target: 'the network namespace of process 4000000', reason: /may have ended/ }],
]

const DESCRIPTOR = '/proc/self/fd'

export const cases: readonly Case[] = [
  {
    name: 'a namespace is opened by its name, its path, a process in it, or a descriptor: it is the same one',
    needs: 'linux',
    async run(context) {
      const { netns } = context
      await (await context.open()).addVirtualServer(web)
      const fd = openSync(pathOf(netns), 'r')
      context.after(() => closeSync(fd))
      const pid = await sleeper(context)
      for (const way of [{ name: netns }, { path: pathOf(netns) }, { pid }, { fd }] as Netns[]) {
        await using lvs = await open({ netns: way })
        assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), ['tcp 10.0.0.1:80'], JSON.stringify(way))
        assert.equal(await lvs.sysctl('sync_version'), 1)
      }
      assert.ok(fstatSync(fd), 'the descriptor stays open')
    },
  },
  {
    name: 'without a namespace it is that of this process',
    needs: 'linux',
    async run({ after }) {
      const lvs = await open()
      after(() => lvs.close())
      const key = { firewallMark: 0xfffffff0, family: 'ipv4' } as const
      await lvs.addVirtualServer(key)
      await using same = await open({ netns: { path: '/proc/self/ns/net' } })
      assert.equal(await same.removeVirtualServer(key), true)
    },
  },
  {
    name: 'two namespaces share nothing: neither tables nor time-outs, sysctls, daemons and counters',
    needs: 'linux',
    async run(context) {
      const other = await context.another()
      const one = await context.open()
      await using two = await open({ netns: { name: other } })
      await one.addVirtualServer({ ...web, scheduler: 'rr' })
      await one.addRealServer(web, { address: '10.1.0.1', port: 80 })
      await one.setTimeouts({ tcp: 5 })
      await two.info()
      await one.setSysctl('drop_entry', 3)
      await one.startSyncDaemon({ role: 'backup', interface: await context.link() })
      const { virtualServers, timeouts, syncDaemons } = await two.snapshot()
      assert.deepEqual(
        { virtualServers, timeouts, syncDaemons },
        { virtualServers: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, syncDaemons: [] },
      )
      assert.equal(await two.sysctl('drop_entry'), 0)
      assert.deepEqual(await all(two.connections()), [])
      await two.flush()
      assert.equal((await one.listVirtualServers().toArray()).length, 1)
      await one.stopSyncDaemon('backup')
    },
  },
  ...nowhere.map(
    ([words, netns, expected]): Case => ({
      name: `a namespace that there is not is refused with "no-such-namespace": a ${words}`,
      needs: 'linux',
      run: async () => {
        await refused(open({ netns }), {
          problem: 'no-such-namespace',
          code: 'ENOENT',
          operation: 'open',
          reason: /./,
          ...expected,
        })
      },
    }),
  ),
  {
    name: 'a file that is no network namespace is refused with "no-such-namespace"',
    needs: 'linux',
    async run() {
      for (const path of ['/etc/passwd', '/proc/self/ns/mnt'])
        await refused(open({ netns: { path } }), {
          problem: 'no-such-namespace',
          code: 'EINVAL',
          operation: 'open',
          target: path,
          reason: /not a network namespace: give a file as \/run\/netns\/NAME/,
        })
    },
  },
  {
    name: 'a client stays in its namespace when the name goes, or comes to mean another one',
    needs: 'linux',
    async run(context) {
      const { netns, sh } = context
      const lvs = await context.open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await sh(`ip netns delete ${netns} && ip netns add ${netns}`)
      assert.equal((await lvs.listVirtualServers().toArray()).length, 1)
      assert.equal((await lvs.snapshot()).virtualServers.length, 1)
      assert.equal(await lvs.sysctl('sync_version'), 1)
      await using another = await open({ netns: { name: netns } })
      assert.deepEqual(await another.listVirtualServers().toArray(), [])
    },
  },
  {
    name: 'clients that were closed leave no descriptor behind, whatever they did',
    needs: 'linux',
    async run({ netns }) {
      const use = async (): Promise<void> => {
        await using lvs = await open({ netns: { name: netns } })
        await lvs.snapshot()
        await lvs.sysctls()
        for await (const _ of lvs.listVirtualServers()) break
        await all(lvs.connections())
        await assert.rejects(lvs.zero(web))
      }
      await use()
      const before = readdirSync(DESCRIPTOR).length
      for (let i = 0; i < 10; i++) await use()
      await eventually('there are no more descriptors than before', () => readdirSync(DESCRIPTOR).length <= before)
    },
  },
  {
    name: 'many clients of many namespaces work at once',
    needs: 'linux',
    async run(context) {
      const names = [context.netns, await context.another(), await context.another()]
      const clients = await Promise.all(Array.from({ length: 12 }, (_, i) => open({ netns: { name: names[i % 3] ?? '' } })))
      context.after(() => Promise.all(clients.map(client => client.close())))
      await Promise.all(clients.map((client, i) => client.addVirtualServer({ ...web, port: 1 + i, scheduler: 'rr' })))
      for (const [n] of names.entries()) {
        const ports = Array.from({ length: 4 }, (_, i) => ({ ...web, port: 1 + n + 3 * i }))
        assert.deepEqual(keysOf((await clients[n]?.listVirtualServers().toArray()) ?? []), keysOf(ports))
      }
    },
  },
]
