/** Real servers through the client: what was written is read back as it was written. */
import assert from 'node:assert/strict'
import type { Forwarding, RealServer, RealServerConfig, Tunnel, VirtualServerKey } from '../../../lib/ipvs/index.js'
import type { AnywhereCase, Case } from '../support/case.js'
import { withoutStatistics } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const web6 = { protocol: 'tcp', address: '2001:db8::1', port: 80 } as const
const mark = { firewallMark: 5, family: 'ipv4' } as const
const mark6 = { firewallMark: 5, family: 'ipv6' } as const
const server = { address: '10.1.0.1', port: 80 } as const
const server6 = { address: '2001:db8:1::1', port: 80 } as const

/** What the kernel says of a real server that nobody said more about. */
const idle = {
  weight: 1,
  forwarding: 'masquerade',
  upperThreshold: 0,
  lowerThreshold: 0,
  activeConnections: 0,
  inactiveConnections: 0,
  persistentConnections: 0,
} as const

/** Writes a real server and reads it in every way that there is. */
function readBack(words: string, vs: VirtualServerKey, written: RealServerConfig, read: Partial<RealServer> = {}): AnywhereCase {
  return {
    name: `a real server is read back as it was written: ${words}`,
    async run({ open }) {
      const lvs = await open()
      const expected = { ...idle, ...written, ...read }
      await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
      await lvs.addRealServer(vs, written)
      const [got] = withoutStatistics([await lvs.getRealServer(vs, written)])
      assert.deepEqual(got, expected, 'one')
      assert.deepEqual(await lvs.listRealServers(vs).toArray(), [expected], 'the list')
      const { virtualServers } = await lvs.snapshot()
      assert.deepEqual(virtualServers[0]?.realServers, [expected], 'the snapshot')
      const plan = await lvs.plan([{ ...vs, scheduler: 'rr', realServers: [written] }])
      assert.equal(plan.toString(), 'nothing to do', 'it is as it was desired')
    },
  }
}

const tunnels: [words: string, tunnel: Tunnel, read?: Tunnel][] = [
  ['ipip', { type: 'ipip' }],
  ['gue', { type: 'gue', port: 6080 }],
  ['gue on port 1', { type: 'gue', port: 1 }],
  ['gue on port 65535', { type: 'gue', port: 65535 }],
  ['gue on port 256, whose bytes are no palindrome', { type: 'gue', port: 256 }],
  ['gue that says it has no checksum', { type: 'gue', port: 6080, checksum: 'none' }, { type: 'gue', port: 6080 }],
  ['gue with a checksum', { type: 'gue', port: 6080, checksum: 'checksum' }],
  ['gue with a remote checksum', { type: 'gue', port: 6080, checksum: 'remote-checksum' }],
  ['gre', { type: 'gre' }],
  ['gre that says it has no checksum', { type: 'gre', checksum: 'none' }, { type: 'gre' }],
  ['gre with a checksum', { type: 'gre', checksum: 'checksum' }],
]

const methods: Forwarding[] = ['masquerade', 'local', 'direct-route', 'bypass']
const ipip = { type: 'ipip' } as const

export const cases: readonly Case[] = [
  readBack('no more than its key, so weight 1 and masquerading', web, server),
  ...[0, 1, 65535, 65536, 0x7fffffff].map(weight => readBack(`weight ${weight}`, web, { ...server, weight })),
  ...[0, 1, 256, 65535].map(port => readBack(`port ${port} behind port 80`, web, { ...server, port })),
  readBack('thresholds', web, { ...server, upperThreshold: 100, lowerThreshold: 50 }),
  readBack('an upper threshold alone', web, { ...server, upperThreshold: 1 }),
  readBack('thresholds that are the same', web, { ...server, upperThreshold: 7, lowerThreshold: 7 }),
  readBack('the highest thresholds', web, { ...server, upperThreshold: 0x7fffffff, lowerThreshold: 0x7fffffff }),
  ...methods.map(forwarding => readBack(`forwarding ${forwarding}`, web, { ...server, forwarding })),
  ...methods.map(forwarding => readBack(`forwarding ${forwarding} on IPv6`, web6, { ...server6, forwarding })),
  readBack('forwarding tunnel, which is ipip', web, { ...server, forwarding: 'tunnel' }, { tunnel: ipip }),
  ...tunnels.map(([words, tunnel, read = tunnel]) =>
    readBack(`the tunnel ${words}`, web, { ...server, forwarding: 'tunnel', tunnel }, { tunnel: read }),
  ),
  readBack('a tunnel on IPv6', web6, { ...server6, forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080 } }),
  readBack('IPv6 behind IPv4, through a tunnel', web, { ...server6, forwarding: 'tunnel', tunnel: ipip }),
  readBack('IPv4 behind IPv6, through a tunnel', web6, { ...server, forwarding: 'tunnel', tunnel: ipip }),
  readBack('IPv6 behind an IPv4 firewall mark, through a tunnel', mark, {
    ...server6,
    port: 0,
    forwarding: 'tunnel',
    tunnel: ipip,
  }),
  readBack('an IPv6 address in another spelling', web6, { ...server6, address: '2001:0db8:0001:0::1' }, server6),
  readBack('an IPv6 address that begins like an IPv4 one', web6, { ...server6, address: 'a01:1::1' }),
  readBack('behind a firewall mark, with a port of its own', mark, { ...server, port: 8080 }),
  readBack('behind a firewall mark, with the port that the client asked for', mark, { ...server, port: 0 }),
  readBack('behind an IPv6 firewall mark', mark6, { ...server6, port: 0, forwarding: 'direct-route' }),
  readBack('this machine itself, which is masquerading to the kernel', web, { ...server, address: '127.0.0.1' }),
  {
    name: 'real servers that differ in address, port or family alone are different ones',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...mark, scheduler: 'rr' })
      const keys = [
        server,
        { ...server, port: 81 },
        { ...server, address: '10.1.0.2' },
        server6,
        { ...server6, address: 'a01:1::' },
      ]
      for (const key of keys) await lvs.addRealServer(mark, { ...key, forwarding: 'tunnel' })
      const read = (await lvs.listRealServers(mark).toArray()).map(({ address, port }) => ({ address, port }))
      assert.deepEqual(read, keys.toReversed(), 'the newest comes first')
      assert.equal(await lvs.removeRealServer(mark, { ...server6, address: 'a01:1::' }), true)
      assert.equal((await lvs.listRealServers(mark).toArray()).length, 4)
    },
  },
  {
    name: 'an update of a real server replaces its configuration: what is left out becomes the default',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, {
        ...server,
        weight: 9,
        upperThreshold: 10,
        lowerThreshold: 5,
        forwarding: 'tunnel',
        tunnel: { type: 'gue', port: 6080, checksum: 'checksum' },
      })
      await lvs.updateRealServer(web, { ...server, forwarding: 'tunnel' })
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [{ ...idle, ...server, forwarding: 'tunnel', tunnel: ipip }])
      await lvs.updateRealServer(web, server)
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [{ ...idle, ...server }])
    },
  },
  {
    name: 'a real server that was read can be changed and written: nothing is lost on the way',
    async run({ open }) {
      const lvs = await open()
      const written: RealServerConfig = {
        ...server,
        weight: 9,
        upperThreshold: 10,
        lowerThreshold: 5,
        forwarding: 'tunnel',
        tunnel: { type: 'gre', checksum: 'checksum' },
      }
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, written)
      const read = await lvs.getRealServer(web, server)
      assert.ok(read)
      await lvs.updateRealServer(web, { ...(read as RealServerConfig), weight: 3 })
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [{ ...idle, ...written, weight: 3 }])
    },
  },
  {
    name: 'ensure adds a real server, and the second time changes it',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.ensureRealServer(web, server)
      await lvs.ensureRealServer(web, { ...server, weight: 5 })
      assert.deepEqual(await lvs.listRealServers(web).toArray(), [{ ...idle, ...server, weight: 5 }])
    },
  },
  {
    name: 'removing a real server tells whether it was there, and so does a missing virtual server',
    async run({ open }) {
      const lvs = await open()
      assert.equal(await lvs.removeRealServer(web, server), false)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server)
      assert.equal(await lvs.removeRealServer(web, server), true)
      assert.equal(await lvs.removeRealServer(web, server), false)
    },
  },
  {
    name: 'a real server that is not there is read as undefined',
    async run({ open }) {
      const lvs = await open()
      assert.equal(await lvs.getRealServer(web, server), undefined, 'without its virtual server')
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      assert.equal(await lvs.getRealServer(web, server), undefined, 'with it')
    },
  },
  {
    name: 'a new real server has counted nothing, in 64 bits',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, server)
      const statistics = (await lvs.getRealServer(web, server))?.statistics
      assert.ok(statistics)
      assert.deepEqual([...new Set(Object.values(statistics))], [0n])
      const [listed] = await lvs.listRealServers(web, { statistics: true }).toArray()
      assert.deepEqual(listed?.statistics, statistics)
    },
  },
]
