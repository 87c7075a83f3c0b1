/** Virtual servers through the client: what was written is read back as it was written. */
import assert from 'node:assert/strict'
import type { Persistence, SchedulerFlag, VirtualServer, VirtualServerConfig, VirtualServerKey } from '../../../lib/ipvs/index.js'
import type { AnywhereCase, Case } from '../support/case.js'
import { keysOf, withoutStatistics } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const dns = { protocol: 'udp', address: '10.0.0.1', port: 53 } as const
const web6 = { protocol: 'tcp', address: '2001:db8::1', port: 80 } as const
const mark = { firewallMark: 5, family: 'ipv4' } as const

/** Writes a virtual server and reads it in every way that there is. */
function readBack(name: string, written: VirtualServerConfig, expected: VirtualServer): AnywhereCase {
  return {
    name,
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(written)
      const [got] = withoutStatistics([await lvs.getVirtualServer(written)])
      assert.deepEqual(got, expected, 'one')
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [expected], 'the list')
      const { virtualServers } = await lvs.snapshot()
      assert.deepEqual(virtualServers, [{ ...expected, realServers: [] }], 'the snapshot')
      const plan = await lvs.plan([written])
      assert.equal(plan.toString(), 'nothing to do', 'it is as it was desired')
    },
  }
}

const keys: [words: string, key: VirtualServerKey, read?: VirtualServerKey][] = [
  ['TCP on IPv4', web],
  ['UDP on IPv4', dns],
  ['SCTP on IPv4', { protocol: 'sctp', address: '10.0.0.1', port: 3868 }],
  ['TCP on IPv6', web6],
  ['UDP on IPv6', { protocol: 'udp', address: '2001:db8::1', port: 53 }],
  ['SCTP on IPv6', { protocol: 'sctp', address: '2001:db8::1', port: 3868 }],
  ['port 1', { ...web, port: 1 }],
  ['port 65535', { ...web, port: 65535 }],
  ['port 256, whose bytes are no palindrome', { ...web, port: 256 }],
  ['an IPv6 address in another spelling', { ...web6, address: '2001:0DB8:0:0::0001' }, web6],
  ['an IPv4-mapped IPv6 address', { ...web6, address: '::ffff:10.0.0.1' }],
  ['an IPv6 address that begins like an IPv4 one', { ...web6, address: '2001:db8::' }],
  ['all bits of an address', { ...web6, address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' }],
  ['the address 255.255.255.255', { ...web, address: '255.255.255.255' }],
  ['firewall mark 1 on IPv4', { firewallMark: 1, family: 'ipv4' }],
  ['firewall mark 1 on IPv6', { firewallMark: 1, family: 'ipv6' }],
  ['firewall mark 2147483648, which ipvsadm prints as negative', { firewallMark: 0x80000000, family: 'ipv4' }],
  ['firewall mark 4294967295 on IPv4', { firewallMark: 0xffffffff, family: 'ipv4' }],
  ['firewall mark 4294967295 on IPv6', { firewallMark: 0xffffffff, family: 'ipv6' }],
]

const flagTable: [scheduler: string, flags: SchedulerFlag[]][] = [
  ['sh', ['sh-fallback']],
  ['sh', ['sh-port']],
  ['sh', ['sh-fallback', 'sh-port']],
  ['mh', ['mh-fallback']],
  ['mh', ['mh-port']],
  ['mh', ['mh-fallback', 'mh-port']],
  ['rr', ['flag-1']],
  ['rr', ['flag-2']],
  ['rr', ['flag-3']],
  ['wrr', ['flag-1', 'flag-2', 'flag-3']],
]

const persistenceTable: [words: string, key: VirtualServerKey, Persistence, read?: VirtualServer['persistence']][] = [
  ['360 seconds unless it is told otherwise', web, {}, { timeout: 360 }],
  ['1 second', web, { timeout: 1 }],
  ['10800 seconds', web, { timeout: 10800 }],
  ['4294967 seconds, the longest', web, { timeout: 4_294_967 }],
  ['a dotted mask', web, { timeout: 60, netmask: '255.255.255.0' }],
  [
    'a prefix length on IPv4, which is a dotted mask to the kernel',
    web,
    { timeout: 60, netmask: 20 },
    { timeout: 60, netmask: '255.255.240.0' },
  ],
  ['prefix length 0 on IPv4, one client in all', web, { timeout: 60, netmask: 0 }, { timeout: 60, netmask: '0.0.0.0' }],
  ['prefix length 32 on IPv4, which is the default', web, { timeout: 60, netmask: 32 }, { timeout: 60 }],
  ['the mask 255.255.255.255, which is the default', web, { timeout: 60, netmask: '255.255.255.255' }, { timeout: 60 }],
  ['a mask with holes, which the kernel takes', web, { timeout: 60, netmask: '255.0.255.0' }],
  ['a prefix length on IPv6', web6, { timeout: 60, netmask: 64 }],
  ['prefix length 1 on IPv6', web6, { timeout: 60, netmask: 1 }],
  ['prefix length 127 on IPv6', web6, { timeout: 60, netmask: 127 }],
  ['prefix length 128 on IPv6, which is the default', web6, { timeout: 60, netmask: 128 }, { timeout: 60 }],
  ['a mask for a firewall mark', mark, { timeout: 60, netmask: '255.255.0.0' }],
  ['a prefix length for an IPv6 firewall mark', { firewallMark: 5, family: 'ipv6' }, { timeout: 60, netmask: 56 }],
  ['the engine sip', dns, { timeout: 60, engine: 'sip' }],
  ['engine and mask together', dns, { timeout: 60, engine: 'sip', netmask: '255.255.255.0' }],
]

export const cases: readonly Case[] = [
  ...keys.map(([words, key, read = key]) =>
    readBack(
      `a virtual server is read back as it was written: ${words}`,
      { ...key, scheduler: 'rr' },
      {
        ...read,
        scheduler: 'rr',
      },
    ),
  ),
  readBack('a virtual server that says nothing more has the scheduler wlc', web, { ...web, scheduler: 'wlc' }),
  readBack('a virtual server can have no scheduler', { ...web, scheduler: 'none' }, { ...web, scheduler: 'none' }),
  ...flagTable.map(([scheduler, schedulerFlags]) =>
    readBack(
      `the scheduler ${scheduler} keeps its flags ${schedulerFlags.join(', ')}`,
      { ...web, scheduler, schedulerFlags },
      {
        ...web,
        scheduler,
        schedulerFlags,
      },
    ),
  ),
  ...persistenceTable.map(([words, key, persistence, read = persistence as NonNullable<VirtualServer['persistence']>]) =>
    readBack(
      `persistence is read back: ${words}`,
      { ...key, scheduler: 'rr', persistence },
      {
        ...key,
        scheduler: 'rr',
        persistence: read,
      },
    ),
  ),
  readBack(
    'one-packet scheduling is kept for UDP',
    { ...dns, scheduler: 'rr', onePacket: true },
    {
      ...dns,
      scheduler: 'rr',
      onePacket: true,
    },
  ),
  readBack(
    'one-packet scheduling is kept for a firewall mark',
    { ...mark, scheduler: 'rr', onePacket: true },
    {
      ...mark,
      scheduler: 'rr',
      onePacket: true,
    },
  ),
  readBack(
    'port 0 stands for every port, with persistence',
    { ...web, port: 0, scheduler: 'rr', persistence: { timeout: 60 } },
    { ...web, port: 0, scheduler: 'rr', persistence: { timeout: 60 } },
  ),
  readBack(
    'mask, timeout and engine of a virtual server that is not persistent are kept, though they do nothing',
    { ...dns, scheduler: 'rr', dormantPersistence: { timeout: 30, netmask: '255.255.255.0', engine: 'sip' } },
    { ...dns, scheduler: 'rr', dormantPersistence: { timeout: 30, netmask: '255.255.255.0', engine: 'sip' } },
  ),
  {
    name: 'every scheduler of Linux that the kernel has been built with serves, under its own name',
    async run({ open, kernel }) {
      const lvs = await open()
      const linux = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']
      const there = linux.filter(scheduler => !kernel.without.includes(scheduler))
      for (const [i, scheduler] of there.entries()) {
        const key = { ...web, port: 1000 + i }
        await lvs.addVirtualServer({ ...key, scheduler })
        assert.equal((await lvs.getVirtualServer(key))?.scheduler, scheduler)
      }
      assert.deepEqual(await lvs.schedulers(), there)
    },
  },
  {
    name: 'virtual servers that differ in protocol, address, port, family or mark alone are different ones',
    async run({ open }) {
      const lvs = await open()
      const keys: VirtualServerKey[] = [
        web,
        { ...web, protocol: 'udp' },
        { ...web, protocol: 'sctp' },
        { ...web, address: '10.0.0.2' },
        { ...web, port: 81 },
        web6,
        { ...web6, address: '::ffff:10.0.0.1' },
        mark,
        { ...mark, firewallMark: 6 },
        { ...mark, family: 'ipv6' },
      ]
      for (const key of keys) await lvs.addVirtualServer({ ...key, scheduler: 'rr' })
      assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), keysOf(keys))
      for (const key of keys) assert.equal(await lvs.removeVirtualServer(key), true)
      assert.deepEqual(await lvs.listVirtualServers().toArray(), [])
    },
  },
  {
    name: 'an update replaces the configuration: what is left out becomes the default, and the real servers stay',
    async run({ open }) {
      const lvs = await open()
      const rich: VirtualServerConfig = {
        ...dns,
        scheduler: 'sh',
        schedulerFlags: ['sh-port'],
        onePacket: true,
        persistence: { timeout: 60, netmask: '255.255.255.0', engine: 'sip' },
      }
      await lvs.addVirtualServer(rich)
      await lvs.addRealServer(dns, { address: '10.1.0.1', port: 53 })
      await lvs.updateVirtualServer({ ...dns, scheduler: 'wrr' })
      const [got] = withoutStatistics([await lvs.getVirtualServer(dns)])
      assert.deepEqual(got, { ...dns, scheduler: 'wrr' })
      assert.equal((await lvs.listRealServers(dns).toArray()).length, 1)
    },
  },
  {
    name: 'what was read can be changed and written: nothing is lost on the way',
    async run({ open }) {
      const lvs = await open()
      const written: VirtualServerConfig = {
        ...dns,
        scheduler: 'mh',
        schedulerFlags: ['mh-fallback', 'mh-port'],
        persistence: { timeout: 77, netmask: '255.255.0.0', engine: 'sip' },
      }
      await lvs.addVirtualServer(written)
      const read = await lvs.getVirtualServer(dns)
      assert.ok(read)
      await lvs.updateVirtualServer(read)
      const [again] = withoutStatistics([await lvs.getVirtualServer(dns)])
      assert.deepEqual(again, written)
    },
  },
  {
    name: 'ensure adds a virtual server, and the second time changes it',
    async run({ open }) {
      const lvs = await open()
      await lvs.ensureVirtualServer({ ...web, scheduler: 'rr' })
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'rr')
      await lvs.ensureVirtualServer({ ...web, scheduler: 'wrr' })
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'wrr')
      assert.equal((await lvs.listVirtualServers().toArray()).length, 1)
    },
  },
  {
    name: 'removing tells whether it was there, and takes the real servers with it',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      await lvs.addRealServer(web, { address: '10.1.0.1', port: 80 })
      assert.equal(await lvs.removeVirtualServer(web), true)
      assert.equal(await lvs.removeVirtualServer(web), false)
      await lvs.addVirtualServer(web)
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [])
    },
  },
  {
    name: 'a virtual server that is not there is read as undefined',
    async run({ open }) {
      const lvs = await open()
      assert.equal(await lvs.getVirtualServer(web), undefined)
      assert.equal(await lvs.getVirtualServer(mark), undefined)
    },
  },
  {
    name: 'a new virtual server has counted nothing, in 64 bits',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      const statistics = (await lvs.getVirtualServer(web))?.statistics
      assert.ok(statistics)
      assert.equal(Object.keys(statistics).length, 10)
      for (const value of Object.values(statistics)) assert.equal(value, 0n)
      const [listed] = await lvs.listVirtualServers({ statistics: true }).toArray()
      assert.deepEqual(listed?.statistics, statistics)
    },
  },
]
