/** Kernels that are older, smaller or stricter than those at hand. */
import assert from 'node:assert/strict'
import { type IpvsClient, open } from '../../../lib/ipvs/index.js'
import { type MemoryKernelOptions, memoryKernel } from '../../../lib/testing/index.js'
import type { Case, MemoryCase } from '../support/case.js'
import { type Refusal, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const web6 = { protocol: 'tcp', address: '2001:db8::1', port: 80 } as const

const lacking: [words: string, kernel: MemoryKernelOptions, expected: Record<string, unknown>][] = [
  ['before Linux 4.1 counters have 32 bits', { statistics64: false }, { statistics64: false, available: true }],
  ['before Linux 5.2 there is no tunnel but ipip', { tunnels: ['ipip'] }, { tunnels: ['ipip'], tunnelChecksums: false }],
  ['before Linux 5.3 gue has no checksums', { tunnels: ['ipip', 'gue'] }, { tunnels: ['ipip', 'gue'], tunnelChecksums: false }],
  ['a kernel may have few schedulers', { schedulers: ['rr', 'mh', 'own'] }, { schedulers: ['rr', 'mh'] }],
  ['a kernel may have no persistence engine', { persistenceEngines: [] }, { persistenceEngines: [] }],
  ['a kernel may have IPv6 switched off', { ipv6: false }, { ipv6: false, mixedFamilies: false, available: true }],
]

const refusing: [words: string, kernel: MemoryKernelOptions, call: (lvs: IpvsClient) => Promise<unknown>, Refusal][] = [
  [
    'without CAP_NET_ADMIN every command is refused with "not-permitted"',
    { permitted: 'no' },
    lvs => lvs.info(),
    { problem: 'not-permitted', code: 'EPERM', operation: 'info', reason: /CAP_NET_ADMIN is needed: run as root/ },
  ],
  [
    'without CAP_NET_ADMIN an operation is refused with "not-permitted"',
    { permitted: 'no' },
    lvs => lvs.addVirtualServer(web),
    { problem: 'not-permitted', code: 'EPERM', operation: 'addVirtualServer', reason: /CAP_NET_ADMIN is needed: run as root/ },
  ],
  [
    'without the module every command is refused with "family-unavailable"',
    { ipvs: false },
    lvs => lvs.addVirtualServer(web),
    { problem: 'family-unavailable', code: 'ENOENT', operation: 'addVirtualServer', reason: /modprobe ip_vs/ },
  ],
  [
    'with IPv6 switched off an IPv6 virtual server is refused with "family-disabled"',
    { ipv6: false },
    lvs => lvs.addVirtualServer(web6),
    { problem: 'family-disabled', code: 'EAFNOSUPPORT', operation: 'addVirtualServer', reason: /IPv6 switched off/ },
  ],
  [
    'where no interface was ever up, adding an IPv4 real server tells to set lo up',
    { loopbackUp: false },
    async lvs => {
      await lvs.addVirtualServer(web)
      await lvs.addRealServer(web, { address: '10.1.0.1', port: 80 })
    },
    { problem: 'invalid', code: 'EINVAL', operation: 'addRealServer', reason: /`ip link set lo up` first/ },
  ],
]

export const cases: readonly Case[] = [
  ...lacking.map(
    ([words, options, expected]): MemoryCase => ({
      name: `capabilities are found out by doing: ${words}`,
      needs: 'memory',
      async run() {
        await using lvs = await open({ transport: memoryKernel(options) })
        const found: object = await lvs.capabilities()
        assert.deepEqual(Object.fromEntries(Object.entries(found).filter(([name]) => name in expected)), expected)
        assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
      },
    }),
  ),
  ...refusing.map(
    ([name, options, call, expected]): MemoryCase => ({
      name,
      needs: 'memory',
      async run() {
        await using lvs = await open({ transport: memoryKernel(options) })
        await refused(call(lvs), expected)
      },
    }),
  ),
  {
    name: 'where IPVS can not be used capabilities say so, with the reason',
    needs: 'memory',
    async run() {
      for (const [options, problem] of [
        [{ ipvs: false }, 'family-unavailable'],
        [{ permitted: 'no' }, 'not-permitted'],
      ] as const) {
        await using lvs = await open({ transport: memoryKernel(options) })
        const { available, reason, schedulers } = await lvs.capabilities()
        assert.deepEqual({ available, problem: reason?.problem, schedulers }, { available: false, problem, schedulers: [] })
      }
    },
  },
  {
    name: 'counters of 32 bits are read where there are no others',
    needs: 'memory',
    async run() {
      const kernel = memoryKernel({ statistics64: false })
      await using lvs = await open({ transport: kernel })
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      kernel.setCounters({ connections: 7n, incomingBytes: 5_000_000_000n }, web)
      const statistics = (await lvs.getVirtualServer(web))?.statistics
      assert.deepEqual([statistics?.connections, statistics?.incomingBytes], [7n, 5_000_000_000n])
    },
  },
  {
    name: 'counters of 64 bits are read whole',
    needs: 'memory',
    async run() {
      const kernel = memoryKernel()
      await using lvs = await open({ transport: kernel })
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { address: '10.1.0.1', port: 80 })
      const huge = 0xfedcba9876543210n
      kernel.setCounters({ connections: huge, outgoingByteRate: 1n }, web)
      kernel.setCounters({ incomingPackets: huge, activeConnections: 3, inactiveConnections: 4, persistentConnections: 5 }, web, {
        address: '10.1.0.1',
        port: 80,
      })
      const [vs] = (await lvs.snapshot({ statistics: true })).virtualServers
      assert.deepEqual([vs?.statistics?.connections, vs?.statistics?.outgoingByteRate], [huge, 1n])
      const { statistics, activeConnections, inactiveConnections, persistentConnections } = vs?.realServers[0] ?? {}
      assert.deepEqual(
        [statistics?.incomingPackets, activeConnections, inactiveConnections, persistentConnections],
        [huge, 3, 4, 5],
      )
    },
  },
]
