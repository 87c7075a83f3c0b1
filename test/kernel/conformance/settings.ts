/** What belongs to the whole namespace: time-outs, info, counters, sysctls, capabilities. */
import assert from 'node:assert/strict'
import { SYSCTLS, type SysctlName, type Sysctls, type Timeouts } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { all, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const DEFAULTS: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 }

const settings: Partial<Timeouts>[] = [
  { tcp: 1, tcpFin: 1, udp: 1 },
  { tcp: 2_147_483, tcpFin: 2_147_483, udp: 2_147_483 },
  { tcp: 7 },
  { tcpFin: 8 },
  { udp: 9 },
  {},
]

/** Sysctls that every kernel has, with a value that is not the default; 3 stands where the kernel itself goes to and fro between 1 and 2. */
const WRITABLE: Partial<Sysctls> = {
  am_droprate: 20,
  amemthresh: 2048,
  cache_bypass: 1,
  conn_reuse_mode: 0,
  conntrack: 1,
  drop_entry: 3,
  drop_packet: 3,
  expire_nodest_conn: 1,
  expire_quiescent_template: 1,
  nat_icmp_send: 1,
  secure_tcp: 3,
  sloppy_sctp: 1,
  sloppy_tcp: 1,
  snat_reroute: 0,
  sync_refresh_period: 5,
  sync_retries: 2,
  sync_threshold: [4, 60],
  sync_version: 0,
}

export const cases: readonly Case[] = [
  {
    name: 'a new namespace has time-outs of 900, 120 and 300 seconds',
    async run({ open }) {
      const lvs = await open()
      assert.deepEqual(await lvs.timeouts(), DEFAULTS)
      assert.deepEqual((await lvs.snapshot()).timeouts, DEFAULTS)
    },
  },
  ...settings.map(
    (timeouts): Case => ({
      name: `time-outs that are set are read back, and the others stay: ${JSON.stringify(timeouts)}`,
      async run({ open }) {
        const lvs = await open()
        await lvs.setTimeouts(timeouts)
        assert.deepEqual(await lvs.timeouts(), { ...DEFAULTS, ...timeouts })
      },
    }),
  ),
  {
    name: 'info tells the version of IPVS and the size of the connection table',
    async run({ open, kernel }) {
      const lvs = await open()
      assert.deepEqual(await lvs.info(), { version: '1.2.1', connectionTableSize: kernel.connectionTableSize })
    },
  },
  {
    name: 'flush removes every virtual server, and does not mind when there is none',
    async run({ open }) {
      const lvs = await open()
      for (let i = 1; i <= 50; i++) await lvs.addVirtualServer({ ...web, port: i })
      await lvs.flush()
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
      await lvs.flush()
    },
  },
  {
    name: 'zero sets the counters of one virtual server, or of all',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      await lvs.zero(web)
      await lvs.zero()
    },
  },
  {
    name: 'zero for a virtual server that there is not is refused with "no-such-virtual-server"',
    async run({ open }) {
      const lvs = await open()
      await refused(lvs.zero(web), {
        problem: 'no-such-virtual-server',
        code: 'ESRCH',
        operation: 'zero',
        target: 'tcp 10.0.0.1:80',
        reason: /add it first/,
      })
    },
  },
  {
    name: 'a namespace without traffic has counted nothing, and has no connections',
    async run({ open }) {
      const lvs = await open()
      await lvs.info()
      assert.deepEqual([...new Set(Object.values(await lvs.globalStatistics()))], [0n])
      const cpus = await lvs.cpuStatistics()
      assert.ok(cpus.size > 0, 'there is at least one CPU')
      assert.deepEqual([...new Set([...cpus.values()].flatMap(row => Object.values(row)))], [0n])
      assert.deepEqual(await all(lvs.connections()), [])
      assert.deepEqual(await all(lvs.connections({ origin: true })), [])
    },
  },
  {
    name: 'sysctls are read with their types, and those of another kernel are undefined',
    async run({ open, kernel }) {
      const lvs = await open()
      await lvs.info()
      const sysctls = await lvs.sysctls()
      assert.equal(sysctls.conn_reuse_mode, 1)
      assert.deepEqual(sysctls.sync_threshold, [3, 50])
      assert.equal(sysctls.sync_version, 1)
      assert.equal('est_nice' in sysctls, kernel.estimationThreads)
      assert.equal('est_cpulist' in sysctls, kernel.estimationThreads)
      for (const name of SYSCTLS) assert.deepEqual(await lvs.sysctl(name), sysctls[name], name)
    },
  },
  {
    name: 'sysctls that are written are read back',
    async run({ open }) {
      const lvs = await open()
      await lvs.info()
      for (const [name, value] of Object.entries(WRITABLE) as [SysctlName, never][]) {
        await lvs.setSysctl(name, value)
        assert.deepEqual(await lvs.sysctl(name), value, name)
      }
      const { drop_entry, secure_tcp, sync_threshold } = await lvs.sysctls()
      assert.deepEqual({ drop_entry, secure_tcp, sync_threshold }, { drop_entry: 3, secure_tcp: 3, sync_threshold: [4, 60] })
    },
  },
  {
    name: 'a sysctl that the kernel has not got is refused with "not-supported" when it is written',
    async run({ open, kernel }) {
      const lvs = await open()
      await lvs.info()
      const missing = kernel.estimationThreads ? 'conn_max' : 'est_nice'
      assert.equal(await lvs.sysctl(missing), undefined)
      await refused(lvs.setSysctl(missing, 5), {
        problem: 'not-supported',
        code: 'ENOENT',
        operation: 'setSysctl',
        target: missing,
        reason: /no such sysctl, or the ip_vs module is not loaded \(modprobe ip_vs\)/,
      })
    },
  },
  {
    name: 'other files of the namespace can be read as text; one that is not there is undefined',
    async run({ open }) {
      const lvs = await open()
      await lvs.info()
      assert.match((await lvs.readFile('/proc/net/fib_trie')) ?? '', /127\.0\.0\.1/)
      assert.equal(await lvs.readFile('/proc/sys/net/ipv4/vs/sync_version'), '1\n')
      assert.equal(await lvs.readFile('/proc/sys/net/ipv4/vs/none'), undefined)
    },
  },
  {
    name: 'a pair of sync_threshold that makes no sense to the kernel is refused with "invalid"',
    async run({ open }) {
      const lvs = await open()
      await lvs.info()
      await refused(lvs.setSysctl('sync_threshold', [50, 3]), {
        problem: 'invalid',
        code: 'EINVAL',
        operation: 'setSysctl',
        target: 'sync_threshold',
        reason: /does not take "50 3"/,
      })
    },
  },
  {
    name: 'capabilities tell what the kernel can do, and leave nothing behind',
    async run({ open, kernel }) {
      const lvs = await open()
      const linux = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']
      assert.deepEqual(await lvs.capabilities(), {
        available: true,
        version: '1.2.1',
        ipv6: true,
        schedulers: linux.filter(scheduler => !kernel.without.includes(scheduler)),
        persistenceEngines: ['sip'],
        tunnels: ['ipip', 'gue', 'gre'],
        tunnelChecksums: true,
        mixedFamilies: true,
        statistics64: true,
      })
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
    },
  },
  {
    name: 'schedulers are asked after by name, and an unknown one is not there',
    async run({ open }) {
      const lvs = await open()
      assert.deepEqual(await lvs.schedulers(['wrr', 'nonesuch', 'mh']), ['wrr', 'mh'])
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
    },
  },
]
