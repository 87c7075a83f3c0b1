import t from 'tap'
import { describeRealServer, realServerFromWire, realServerToWire } from '../../lib/ipvs/real-server.js'
import { syncDaemonFromWire, syncDaemonToWire } from '../../lib/ipvs/sync-daemon.js'
import type { RealServerConfig, SyncDaemonConfig, VirtualServerConfig } from '../../lib/ipvs/types.js'
import {
  describeVirtualServer,
  sameVirtualServer,
  virtualServerFromWire,
  virtualServerToWire,
} from '../../lib/ipvs/virtual-server.js'

const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const v6 = { protocol: 'udp', address: '2001:db8::1', port: 53 } as const
const mark = { firewallMark: 7, family: 'ipv6' } as const
const rs = { address: '10.1.0.1', port: 8080 } as const

t.test('a virtual server comes back from its record as it was written', async t => {
  const table: [written: VirtualServerConfig, read?: object][] = [
    [vs, { ...vs, scheduler: 'wlc' }],
    [
      { ...vs, scheduler: 'rr', persistence: {} },
      { ...vs, scheduler: 'rr', persistence: { timeout: 360 } },
    ],
    [{ ...vs, port: 0, scheduler: 'rr', persistence: { timeout: 4294967, netmask: '255.255.0.255' } }],
    [
      { ...vs, scheduler: 'rr', persistence: { timeout: 1, netmask: 24 } },
      { ...vs, scheduler: 'rr', persistence: { timeout: 1, netmask: '255.255.255.0' } },
    ],
    [
      { ...vs, scheduler: 'rr', persistence: { timeout: 1, netmask: 0 } },
      { ...vs, scheduler: 'rr', persistence: { timeout: 1, netmask: '0.0.0.0' } },
    ],
    [{ ...v6, scheduler: 'rr', persistence: { timeout: 9, netmask: 64, engine: 'sip' } }],
    [{ ...v6, scheduler: 'sh', schedulerFlags: ['sh-fallback', 'sh-port'], onePacket: true }],
    [{ ...v6, scheduler: 'mh', schedulerFlags: ['mh-fallback', 'mh-port', 'flag-3'] }],
    [{ ...mark, scheduler: 'own', schedulerFlags: ['flag-1', 'flag-2', 'flag-3'], onePacket: true }],
    [{ ...mark, firewallMark: 0xffffffff, scheduler: 'none' }],
    [{ ...vs, scheduler: 'rr', dormantPersistence: { netmask: '255.255.255.0' } }],
    [
      { ...v6, address: '2001:DB8:0::1', scheduler: 'rr' },
      { ...v6, scheduler: 'rr' },
    ],
  ]
  for (const [written, read = written] of table) {
    const record = virtualServerToWire(written)
    const back = virtualServerFromWire(record)
    t.strictSame(back, read, describeVirtualServer(written))
    t.ok(sameVirtualServer(record, virtualServerToWire(back)), 'and is the same when it is written again')
  }
})

t.test('a real server comes back from its record as it was written', async t => {
  const counts = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 }
  const defaults = { weight: 1, forwarding: 'masquerade', upperThreshold: 0, lowerThreshold: 0, ...counts }
  const table: RealServerConfig[] = [
    rs,
    { ...rs, weight: 0 },
    { ...rs, weight: 0x7fffffff, upperThreshold: 0x7fffffff, lowerThreshold: 0x7fffffff },
    { ...rs, forwarding: 'direct-route' },
    { ...rs, forwarding: 'local' },
    { ...rs, forwarding: 'bypass' },
    { address: 'fd00::5', port: 0, forwarding: 'tunnel', tunnel: { type: 'ipip' } },
    { ...rs, forwarding: 'tunnel', tunnel: { type: 'gue', port: 65535 } },
    { ...rs, forwarding: 'tunnel', tunnel: { type: 'gue', port: 1, checksum: 'remote-checksum' } },
    { ...rs, forwarding: 'tunnel', tunnel: { type: 'gre', checksum: 'checksum' } },
  ]
  for (const written of table)
    t.strictSame(realServerFromWire(realServerToWire(written), 2), { ...defaults, ...written }, describeRealServer(written))
  t.strictSame(realServerFromWire(realServerToWire({ ...rs, forwarding: 'tunnel' }), 2).tunnel, { type: 'ipip' })
})

t.test('what the kernel keeps and this library has no word for is told as a number', async t => {
  const record = realServerToWire({ ...rs, forwarding: 'tunnel' })
  t.equal(realServerFromWire({ ...record, forwarding: 7 }, 2).forwarding, 7)
  t.strictSame(realServerFromWire({ ...record, tunnelType: 9, tunnelPort: 1, tunnelFlags: 0xffff }, 2).tunnel, {
    type: 9,
    port: 1,
    flags: 0xffff,
  })
  const service = virtualServerToWire(vs)
  t.equal((virtualServerFromWire({ ...service, protocol: 50 }) as { protocol: unknown }).protocol, 50)
  t.equal(virtualServerFromWire({ ...service, flags: { flags: 0xffffffff, mask: 0xffffffff } }).otherFlags, 0xffffffc0)
})

t.test('bits that are not ours are no difference, bits that are ours are', async t => {
  const record = virtualServerToWire(vs)
  t.ok(sameVirtualServer(record, { ...record, flags: { flags: 0x42, mask: 0xffffffff } }))
  for (const change of [
    { scheduler: 'rr' },
    { flags: { flags: 4, mask: 0 } },
    { timeout: 5 },
    { netmask: Uint8Array.of(255, 0, 0, 0) },
    { persistenceEngine: 'sip' },
  ])
    t.notOk(sameVirtualServer(record, { ...record, ...change }), `${Object.keys(change)}`)
})

t.test('bad virtual servers are refused with the field and the remedy', async t => {
  const table: [unknown, RegExp][] = [
    [undefined, /virtualServer: undefined is no object/],
    [{ ...vs, protocol: 'icmp' }, /virtualServer\.protocol: "icmp" is not known: give 'tcp', 'udp', 'sctp'/],
    [{ ...vs, protocol: 50 }, /virtualServer\.protocol: IPVS balances/],
    [{ ...vs, protocol: undefined }, /virtualServer\.protocol: it is missing: give 'tcp', 'udp', 'sctp'/],
    [{ ...vs, address: '10.0.0' }, /virtualServer\.address: "10\.0\.0" is no address/],
    [{ ...vs, address: '10.0.0.1/24' }, /without brackets, prefix length or zone/],
    [{ ...vs, address: 7 }, /virtualServer\.address: 7 is no address/],
    [{ ...vs, port: 65536 }, /virtualServer\.port: 65536 is out of range: give a whole number from 0 to 65535/],
    [{ ...vs, port: 1.5 }, /virtualServer\.port: 1\.5/],
    [{ ...vs, port: '80' }, /virtualServer\.port: "80" is no number/],
    [{ ...vs, port: 0 }, /port 0 stands for every port, and that needs persistence/],
    [{ ...vs, onePacket: true }, /one-packet scheduling is for UDP/],
    [{ ...vs, onePacket: 'yes' }, /neither true nor false/],
    [{ ...vs, scheduler: '' }, /virtualServer\.scheduler/],
    [{ ...vs, scheduler: 'a-name-too-long-for-it' }, /1 to 15 ASCII/],
    [{ ...vs, scheduler: 'r r' }, /virtualServer\.scheduler/],
    [{ ...vs, scheduler: 'rr', schedulerFlags: ['sh-port'] }, /'sh-port' belongs to the scheduler sh, not rr/],
    [{ ...vs, schedulerFlags: ['nope'] }, /schedulerFlags: "nope" is not known/],
    [{ ...vs, schedulerFlags: 'sh-port' }, /give a list/],
    [{ ...vs, persistence: { timeout: 0 } }, /persistence\.timeout: 0 is out of range: give a whole number from 1 to 4294967/],
    [{ ...vs, persistence: { timeout: 4294968 } }, /persistence\.timeout/],
    [{ ...vs, persistence: { netmask: '255.255.255' } }, /persistence\.netmask/],
    [{ ...vs, persistence: { netmask: 33 } }, /persistence\.netmask/],
    [{ ...v6, persistence: { netmask: 0 } }, /persistence\.netmask: 0 is out of range: give a whole number from 1 to 128/],
    [{ ...vs, persistence: { engine: '' } }, /persistence\.engine/],
    [{ ...vs, persistence: { timeuot: 5 } }, /persistence\.timeuot: there is no such field: did you mean timeout/],
    [{ ...vs, persistence: {}, dormantPersistence: {} }, /not both/],
    [{ ...vs, firewallMark: 1, family: 'ipv4' }, /both a firewallMark and an address/],
    [{ firewallMark: 0, family: 'ipv4' }, /firewallMark: 0 is out of range/],
    [{ firewallMark: 0x100000000, family: 'ipv4' }, /firewallMark/],
    [{ firewallMark: 1 }, /virtualServer\.family/],
    [{ ...vs, completelyDifferent: 1 }, /the fields are protocol/],
  ]
  for (const [bad, message] of table) t.throws(() => virtualServerToWire(bad as VirtualServerConfig), { message })
})

t.test('bad real servers are refused with the field and the remedy', async t => {
  const table: [unknown, RegExp][] = [
    [{ ...rs, weight: -1 }, /realServer\.weight: -1 is out of range: give a whole number from 0 to 2147483647/],
    [{ ...rs, weight: 2 ** 31 }, /realServer\.weight/],
    [{ ...rs, weight: Number.NaN }, /realServer\.weight/],
    [{ ...rs, weight: 1n }, /realServer\.weight: 1n is no number/],
    [{ ...rs, port: -1 }, /realServer\.port/],
    [{ ...rs, address: 'localhost' }, /realServer\.address/],
    [{ ...rs, forwarding: 'nat' }, /realServer\.forwarding: "nat" is not known/],
    [{ ...rs, forwarding: 5 }, /realServer\.forwarding/],
    [{ ...rs, lowerThreshold: 5 }, /lowerThreshold: 5 is above the upperThreshold 0/],
    [{ ...rs, upperThreshold: 2 ** 31 }, /upperThreshold/],
    [{ ...rs, tunnel: { type: 'gue', port: 5 } }, /it is for forwarding 'tunnel'/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'gue' } }, /tunnel\.port/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'gue', port: 0 } }, /tunnel\.port: 0/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'ipip', port: 5 } }, /only gue has a port/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'ipip', checksum: 'none' } }, /ipip has no checksum/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'gre', checksum: 'remote-checksum' } }, /give 'none', 'checksum'/],
    [{ ...rs, forwarding: 'tunnel', tunnel: { type: 'vxlan' } }, /tunnel\.type/],
    [{ ...rs, wieght: 1 }, /did you mean weight/],
  ]
  for (const [bad, message] of table) t.throws(() => realServerToWire(bad as RealServerConfig), { message })
})

t.test('synchronisation daemons', async t => {
  const daemon = {
    role: 'backup',
    interface: 'eth0',
    syncId: 255,
    maximumLength: 1400,
    group: 'ff02::81',
    port: 8848,
    ttl: 3,
  } as const
  t.strictSame(syncDaemonFromWire(syncDaemonToWire(daemon)), daemon)
  const table: [object, RegExp][] = [
    [{ role: 'primary' }, /daemon\.role: "primary" is not known: give 'master', 'backup'/],
    [{ interface: 'a-very-long-interface' }, /daemon\.interface/],
    [{ syncId: 256 }, /daemon\.syncId: 256 is out of range/],
    [{ maximumLength: 65508 }, /daemon\.maximumLength/],
    [{ group: '10.0.0.1' }, /10\.0\.0\.1 is no multicast address/],
    [{ group: 'fe80::1' }, /no multicast address/],
    [{ port: 0 }, /daemon\.port/],
    [{ ttl: 256 }, /daemon\.ttl/],
  ]
  for (const [change, message] of table)
    t.throws(() => syncDaemonToWire({ ...daemon, ...change } as SyncDaemonConfig), { message })
})
