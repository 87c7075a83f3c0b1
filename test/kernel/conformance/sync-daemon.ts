/** Synchronisation daemons through the client. */
import assert from 'node:assert/strict'
import type { SyncDaemon, SyncDaemonConfig } from '../../../lib/ipvs/index.js'
import type { AnywhereCase, Case } from '../support/case.js'
import { refused } from '../support/expect.js'

/** What the kernel makes of a daemon that says no more than its role. The largest message fits the MTU of 1500. */
const defaults = { syncId: 0, maximumLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 } as const

type Written = Omit<SyncDaemonConfig, 'interface'>

function readBack(words: string, written: Written, read: Partial<SyncDaemon> = {}): AnywhereCase {
  return {
    name: `a synchronisation daemon is read back as it was started: ${words}`,
    async run({ open, link }) {
      const lvs = await open()
      const daemon = { ...written, interface: await link() }
      await lvs.startSyncDaemon(daemon)
      const expected = { ...defaults, ...daemon, ...read }
      assert.deepEqual(await lvs.syncDaemons(), [expected])
      assert.deepEqual((await lvs.snapshot()).syncDaemons, [expected], 'in the snapshot, too')
      assert.equal(await lvs.stopSyncDaemon(written.role), true)
      assert.deepEqual(await lvs.syncDaemons(), [])
    },
  }
}

export const cases: readonly Case[] = [
  readBack('a master', { role: 'master' }),
  readBack('a backup', { role: 'backup' }),
  ...[1, 255].map(syncId => readBack(`id ${syncId}`, { role: 'backup', syncId })),
  readBack('every option', { role: 'master', syncId: 7, maximumLength: 1000, group: '224.1.2.3', port: 9000, ttl: 3 }),
  readBack('every option of a backup', {
    role: 'backup',
    syncId: 7,
    maximumLength: 2000,
    group: '224.1.2.3',
    port: 9000,
    ttl: 3,
  }),
  readBack('port 256, whose bytes are no palindrome', { role: 'master', port: 256 }),
  readBack('port 65535 and 255 hops', { role: 'master', port: 65535, ttl: 255 }),
  readBack('an IPv6 group, whose headers take more of a packet', { role: 'master', group: 'ff02::51' }, { maximumLength: 1452 }),
  readBack('an IPv6 group of a backup', { role: 'backup', group: 'ff02::51', port: 9000 }, { maximumLength: 1452 }),
  readBack('a length of 1 byte', { role: 'master', maximumLength: 1 }),
  readBack('the greatest length', { role: 'master', maximumLength: 65507 }),
  readBack(
    'the greatest length with an IPv6 group, which the kernel clamps',
    { role: 'master', maximumLength: 65507, group: 'ff02::51' },
    { maximumLength: 65487 },
  ),
  readBack(
    'the least length of a backup, which the kernel clamps',
    { role: 'backup', maximumLength: 1 },
    { maximumLength: 1024 },
  ),
  {
    name: 'a master and a backup run side by side, and each is stopped for itself',
    async run({ open, link }) {
      const lvs = await open()
      const on = await link()
      await lvs.startSyncDaemon({ role: 'master', interface: on, syncId: 1 })
      await lvs.startSyncDaemon({ role: 'backup', interface: on, syncId: 2, port: 8849 })
      const roles = (await lvs.syncDaemons()).map(({ role, syncId }) => `${role} ${syncId}`)
      assert.deepEqual(roles, ['master 1', 'backup 2'])
      assert.equal(await lvs.stopSyncDaemon('master'), true)
      assert.deepEqual(
        (await lvs.syncDaemons()).map(({ role }) => role),
        ['backup'],
      )
      assert.equal(await lvs.stopSyncDaemon('backup'), true)
    },
  },
  {
    name: 'a daemon that is stopped before its thread has begun has stopped, though the kernel does not answer then',
    async run({ open, link }) {
      const lvs = await open()
      const on = await link()
      for (const role of ['master', 'backup', 'master', 'backup'] as const) {
        const started = lvs.startSyncDaemon({ role, interface: on })
        const stopped = lvs.stopSyncDaemon(role)
        await started
        assert.equal(await stopped, true)
        assert.deepEqual(await lvs.syncDaemons(), [])
      }
    },
  },
  {
    name: 'stopping tells whether a daemon of the role ran',
    async run({ open, link }) {
      const lvs = await open()
      assert.equal(await lvs.stopSyncDaemon('master'), false)
      await lvs.startSyncDaemon({ role: 'backup', interface: await link() })
      assert.equal(await lvs.stopSyncDaemon('master'), false)
      assert.equal(await lvs.stopSyncDaemon('backup'), true)
    },
  },
  {
    name: 'a second daemon of one role is refused with "exists"',
    async run({ open, link }) {
      const lvs = await open()
      const master = { role: 'master', interface: await link() } as const
      await lvs.startSyncDaemon(master)
      await refused(lvs.startSyncDaemon(master), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'startSyncDaemon',
        target: 'master',
        reason: /runs already: stop it first/,
      })
      await lvs.stopSyncDaemon('master')
    },
  },
  {
    name: 'a daemon on an interface that there is not is refused with "no-such-interface"',
    async run({ open }) {
      const lvs = await open()
      await refused(lvs.startSyncDaemon({ role: 'master', interface: 'wlan42' }), {
        problem: 'no-such-interface',
        code: 'ENODEV',
        operation: 'startSyncDaemon',
        target: 'master',
        reason: /no interface wlan42 .*`ip link`/,
      })
    },
  },
  {
    name: 'a daemon can not start while real servers of another family exist, and the error tells it',
    async run({ open, link }) {
      const lvs = await open()
      const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
      await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
      await lvs.addRealServer(vs, { address: '2001:db8:1::1', port: 80, forwarding: 'tunnel' })
      await refused(lvs.startSyncDaemon({ role: 'master', interface: await link() }), {
        problem: 'invalid',
        code: 'EINVAL',
        operation: 'startSyncDaemon',
        reason: /real servers of another family/,
      })
    },
  },
  {
    name: 'a real server of another family is refused while a daemon runs, and the error tells to stop it',
    async run({ open, link }) {
      const lvs = await open()
      const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
      await lvs.startSyncDaemon({ role: 'master', interface: await link() })
      await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
      await refused(lvs.addRealServer(vs, { address: '2001:db8:1::1', port: 80, forwarding: 'tunnel' }), {
        problem: 'invalid',
        code: 'EINVAL',
        operation: 'addRealServer',
        target: 'tcp 10.0.0.1:80 → [2001:db8:1::1]:80',
        reason: /synchronisation daemon runs: stop it/,
      })
      await lvs.stopSyncDaemon('master')
    },
  },
]
