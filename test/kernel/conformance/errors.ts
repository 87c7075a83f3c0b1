/** Every refusal of the kernel as an error to branch on, whose reason tells what to do. */
import assert from 'node:assert/strict'
import type { IpvsClient, RealServerConfig, VirtualServerKey } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { type Refusal, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const web6 = { protocol: 'tcp', address: '2001:db8::1', port: 80 } as const
const mark6 = { firewallMark: 5, family: 'ipv6' } as const
const server = { address: '10.1.0.1', port: 80 } as const

const noVirtualServer: Refusal = {
  problem: 'no-such-virtual-server',
  code: 'ESRCH',
  reason: /there is no such virtual server: add it first/,
}
const noRealServer: Refusal = { problem: 'no-such-real-server', code: 'ENOENT', reason: /no such real server: add it first/ }

/** Where nothing is there at all. */
const onNothing: [words: string, call: (lvs: IpvsClient) => Promise<unknown>, expected: Refusal][] = [
  ['updating', lvs => lvs.updateVirtualServer(web), { ...noVirtualServer, operation: 'updateVirtualServer' }],
  ['adding a real server', lvs => lvs.addRealServer(web, server), { ...noVirtualServer, operation: 'addRealServer' }],
  ['updating a real server', lvs => lvs.updateRealServer(web, server), { ...noVirtualServer, operation: 'updateRealServer' }],
  ['ensuring a real server', lvs => lvs.ensureRealServer(web, server), { ...noVirtualServer, operation: 'ensureRealServer' }],
  ['listing real servers', lvs => lvs.listRealServers(web).toArray(), { ...noVirtualServer, operation: 'listRealServers' }],
  [
    'listing real servers of a firewall mark',
    lvs => lvs.listRealServers(mark6).toArray(),
    { ...noVirtualServer, target: 'fwmark 5 ipv6' },
  ],
]

/** Real servers that no kernel takes. */
const notUnicast: [words: string, vs: VirtualServerKey, address: string][] = [
  ['0.0.0.0', web, '0.0.0.0'],
  ['multicast', web, '224.0.0.1'],
  ['broadcast', web, '255.255.255.255'],
  ['the IPv6 address ::', web6, '::'],
  ['IPv6 multicast', web6, 'ff02::1'],
  ['link-local IPv6 of somebody else', web6, 'fe80::1234'],
]

const elsewhere: [words: string, RealServerConfig][] = [
  ['another port', { ...server, port: 81 }],
  ['another address', { ...server, address: '10.1.0.2' }],
  ['another family', { address: 'a01:1::', port: 80, forwarding: 'tunnel' }],
]

export const cases: readonly Case[] = [
  {
    name: 'adding a virtual server that is there is refused with "exists"',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'wrr' }), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addVirtualServer',
        target: 'tcp 10.0.0.1:80',
        reason: /there already: update or ensure it/,
      })
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'rr', 'it is as it was')
    },
  },
  {
    name: 'adding a real server that is there is refused with "exists"',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      await lvs.addRealServer(web, server)
      await refused(lvs.addRealServer(web, { ...server, weight: 5 }), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addRealServer',
        target: 'tcp 10.0.0.1:80 → 10.1.0.1:80',
        reason: /has this real server already: update or ensure it/,
      })
    },
  },
  ...onNothing.map(
    ([words, call, expected]): Case => ({
      name: `${words} without the virtual server is refused with "no-such-virtual-server"`,
      run: async ({ open }) => {
        await refused(call(await open()), expected)
      },
    }),
  ),
  ...elsewhere.map(
    ([words, config]): Case => ({
      name: `updating a real server of ${words} is refused with "no-such-real-server"`,
      async run({ open }) {
        const lvs = await open()
        await lvs.addVirtualServer(web)
        await lvs.addRealServer(web, server)
        await refused(lvs.updateRealServer(web, config), { ...noRealServer, operation: 'updateRealServer' })
      },
    }),
  ),
  {
    name: 'an unknown scheduler is refused with "no-such-scheduler", which names the module',
    async run({ open }) {
      const lvs = await open()
      const expected: Refusal = {
        problem: 'no-such-scheduler',
        code: 'ENOENT',
        target: 'tcp 10.0.0.1:80',
        reason: /no scheduler nonesuch: load its module \(modprobe ip_vs_nonesuch\) or choose another/,
      }
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'nonesuch' }), { ...expected, operation: 'addVirtualServer' })
      await refused(lvs.ensureVirtualServer({ ...web, scheduler: 'nonesuch' }), { ...expected, operation: 'ensureVirtualServer' })
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await refused(lvs.updateVirtualServer({ ...web, scheduler: 'nonesuch' }), { ...expected, operation: 'updateVirtualServer' })
      assert.equal((await lvs.getVirtualServer(web))?.scheduler, 'rr', 'it is as it was')
    },
  },
  {
    name: 'an unknown persistence engine is refused with "no-such-persistence-engine", which names the module',
    async run({ open }) {
      const lvs = await open()
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'rr', persistence: { engine: 'nonesuch' } }), {
        problem: 'no-such-persistence-engine',
        code: 'ENOENT',
        operation: 'addVirtualServer',
        reason: /no persistence engine nonesuch \(modprobe ip_vs_pe_nonesuch\)/,
      })
    },
  },
  {
    name: 'an unknown scheduler with a persistence engine that there is, is not blamed on the engine',
    async run({ open }) {
      const lvs = await open()
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'nonesuch', persistence: { engine: 'sip' } }), {
        problem: 'no-such-scheduler',
        code: 'ENOENT',
        reason: /no scheduler nonesuch/,
      })
    },
  },
  ...notUnicast.map(
    ([words, vs, address]): Case => ({
      name: `a real server has to be unicast: ${words} is refused with "invalid", which names the address`,
      async run({ open }) {
        const lvs = await open()
        await lvs.addVirtualServer(vs)
        const error = await refused(lvs.addRealServer(vs, { address, port: 80 }), {
          problem: 'invalid',
          code: 'EINVAL',
          operation: 'addRealServer',
          reason: /is no unicast address that a real server can have/,
        })
        assert.ok(error.reason.startsWith(`realServer.address: ${address} `))
      },
    }),
  ),
  {
    name: 'a real server of another family without a tunnel is refused with "invalid", which tells to use one',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      for (const forwarding of ['masquerade', 'direct-route', 'local', 'bypass'] as const)
        await refused(lvs.addRealServer(web, { address: '2001:db8:1::1', port: 80, forwarding }), {
          problem: 'invalid',
          code: 'EINVAL',
          reason: /another family .* only be reached with forwarding 'tunnel'/,
        })
    },
  },
  {
    name: 'where no interface was ever up, adding an IPv4 real server tells to set lo up; IPv6 can be added',
    needs: 'linux',
    lo: 'down',
    async run({ open }) {
      const lvs = await open()
      await lvs.addVirtualServer(web)
      await refused(lvs.addRealServer(web, server), {
        problem: 'invalid',
        code: 'EINVAL',
        operation: 'addRealServer',
        reason: /no interface of this network namespace was ever up.*`ip link set lo up` first/,
      })
      await lvs.addVirtualServer(web6)
      await lvs.addRealServer(web6, { address: '2001:db8:1::1', port: 80 })
    },
  },
]
