/** What a memory kernel keeps of what it was told, and how it lists it. */
import t from 'tap'
import type { MemoryKernelOptions } from '../../lib/testing/index.js'
import {
  type Attributes,
  addDest,
  addService,
  Booted,
  be16,
  boot,
  bootAfter,
  dest,
  destKey,
  flags,
  full,
  hex,
  ipv4,
  ipv6,
  key,
  marked,
  master,
  type Step,
  startMaster,
  text,
  u8,
  u16,
  u32,
  zeros,
} from './support.js'

const serviceOf = async (booted: Booted) => (await booted.do('getService', { service: key })).records[0]?.service
const destOf = async (booted: Booted) => (await booted.dump('getDest', { service: key })).records[0]?.destination

t.test('flags change under their mask, and a virtual server in the table is always marked so', async t => {
  const booted = await bootAfter([['newService', { service: { ...full, FLAGS: flags(5) } }]])
  const table: [Uint8Array, number][] = [
    [flags(8, 9), 0xe],
    [u32(0xff), 0xe], // without a mask
    [flags(0, 2), 0xe],
    [zeros(0), 0xe],
    [flags(0), 2],
    [flags(0xffffffff), 0xffffffff],
  ]
  for (const [FLAGS, expected] of table) {
    await booted.do('setService', { service: { ...full, FLAGS } })
    t.strictSame((await serviceOf(booted))?.flags, { flags: expected, mask: 0xffffffff })
  }
})

t.test('a time-out is kept in 32 bits of jiffies', async t => {
  const table = [
    [100, 50_000_000, 7_050_327],
    [250, 360, 360],
    [1000, 4_294_967, 4_294_967],
    [1000, 4_294_968, 0],
  ] as const
  for (const [hz, seconds, kept] of table) {
    const booted = await bootAfter([['newService', { service: { ...full, TIMEOUT: u32(seconds) } }]], { hz })
    t.equal((await serviceOf(booted))?.timeout, kept, `${seconds} s at ${hz} Hz`)
  }
})

t.test('addresses are 16 bytes, of which IPv4 fills four', async t => {
  for (const ADDR of [ipv4('10.0.0.1'), Uint8Array.of(10, 0, 0, 1, ...new Array(12).fill(9))]) {
    const booted = await bootAfter([['newService', { service: { ...full, ADDR } }]])
    t.equal(hex((await booted.dump('getService')).records[0]?.service?.address), `0a000001${'0'.repeat(24)}`)
  }
})

t.test('changing replaces: what is not named is gone', async t => {
  const gue = { ...dest, FWD_METHOD: u32(2), TUN_TYPE: u8(1), TUN_PORT: be16(6080), TUN_FLAGS: u16(1) }
  const booted = await bootAfter([
    ['newService', { service: { ...full, PE_NAME: text('sip') } }],
    ['newDest', { service: key, dest: gue }],
  ])
  t.equal((await serviceOf(booted))?.persistenceEngine, 'sip')
  t.match(await destOf(booted), { forwarding: 2, tunnelType: 1, tunnelPort: 6080, tunnelFlags: 1 })
  await booted.do('setService', { service: full })
  await booted.do('setDest', { service: key, dest })
  t.equal((await serviceOf(booted))?.persistenceEngine, undefined)
  t.match(await destOf(booted), { forwarding: 0, tunnelType: 0, tunnelPort: 0, tunnelFlags: 0 })
})

t.test('of the forwarding three bits are kept', async t => {
  for (const [sent, kept] of [
    [4, 4],
    [7, 7],
    [8, 0],
    [0x103, 3],
  ] as const) {
    const booted = await bootAfter([addService, ['newDest', { service: key, dest: { ...dest, FWD_METHOD: u32(sent) } }]])
    t.equal((await destOf(booted))?.forwarding, kept)
  }
})

t.test('a mark of 0 makes a virtual server of TCP 0.0.0.0:0', async t => {
  const booted = await bootAfter([['newService', { service: { ...full, FWMARK: u32(0) } }]])
  const service = (await booted.dump('getService')).records[0]?.service
  t.match(service, { firewallMark: undefined, protocol: 6, port: 0 })
  t.equal(hex(service?.address), '0'.repeat(32))
})

t.test('real servers come newest first, virtual servers by address before those by mark', async t => {
  const weighted = (weight: number): Step => [
    'newDest',
    { service: key, dest: { ...dest, PORT: be16(weight), WEIGHT: u32(weight) } },
  ]
  const booted = await bootAfter([['newService', { service: marked }], addService, weighted(1), weighted(2), weighted(3)])
  const { records } = await booted.dump('getDest', { service: key })
  t.strictSame(
    records.map(record => record.destination?.weight),
    [3, 2, 1],
  )
  const services = (await booted.dump('getService')).records
  t.strictSame(
    services.map(record => record.service?.firewallMark),
    [undefined, 5],
  )
})

t.test('real servers of what is not there, or is not named well, are an empty list', async t => {
  const booted = await bootAfter([addService, addDest])
  for (const service of [{ ...key, PORT: be16(1) }, { AF: u16(2) }, { ...key, AF: u16(9) }, {}, undefined])
    t.strictSame(await booted.dump('getDest', { service }), { code: 'OK', records: [] })
  t.equal((await booted.dump('getDest', { service: key })).records.length, 1)
})

t.test('a dump is refused before anything of it is read', async t => {
  t.equal((await boot({ permitted: 'no' }).dump('getService')).code, 'EPERM')
  t.equal((await boot().dump('getInfo')).code, 'ENOTSUP')
  t.equal((await boot().dump('getConfig')).code, 'ENOTSUP')
  t.equal((await boot().dump('newService')).code, 'ENOTSUP')
})

t.test('removing a virtual server removes its real servers, flushing removes all', async t => {
  const booted = await bootAfter([addService, addDest, ['delService', { service: key }], addService])
  t.strictSame((await booted.dump('getDest', { service: key })).records, [])
  await booted.do('newService', { service: marked })
  await booted.do('flush')
  t.strictSame((await booted.dump('getService')).records, [])
})

t.test('time-outs of 0, or that are not named, stay as they are', async t => {
  const booted = await bootAfter([['setConfig', { TIMEOUT_TCP: u32(77), TIMEOUT_TCP_FIN: u32(0) }]])
  t.match((await booted.do('getConfig')).records, [{ tcpTimeout: 77, tcpFinTimeout: 120, udpTimeout: 300 }])
})

t.test('a daemon is reported with what the kernel made of it', async t => {
  const group6 = ipv6('ff02:0:0:0:0:0:0:51')
  const table: [NonNullable<Attributes['daemon']>, maximumLength: number, port?: number, ttl?: number][] = [
    [{}, 1472],
    [{ SYNC_MAXLEN: u16(1), MCAST_PORT: u16(9999), MCAST_TTL: u8(5) }, 1, 9999, 5],
    [{ SYNC_MAXLEN: u16(65535) }, 65507],
    [{ STATE: u32(2) }, 65507],
    [{ STATE: u32(2), SYNC_MAXLEN: u16(1) }, 1024],
    [{ STATE: u32(2), MCAST_GROUP6: group6 }, 65487],
    [{ STATE: u32(2), MCAST_IFN: text('eth0') }, 1472],
    [{ MCAST_IFN: text('eth0'), MCAST_GROUP6: group6 }, 1452],
  ]
  for (const [attributes, maximumLength, port = 8848, ttl = 1] of table) {
    const start: Step = ['newDaemon', { daemon: { ...master, ...attributes } }]
    const daemon = (await (await bootAfter([start], { interfaces: { lo: 65536, eth0: 1400 } })).dump('getDaemon')).records[0]
      ?.daemon
    t.match(daemon, { maximumLength, port, ttl, syncId: 7 })
    t.strictSame([hex(daemon?.group), hex(daemon?.group6)], attributes.MCAST_GROUP6 ? ['', hex(group6)] : ['e0000051', ''])
  }
})

t.test('master comes before backup', async t => {
  const booted = await bootAfter([['newDaemon', { daemon: { ...master, STATE: u32(2) } }], startMaster])
  t.strictSame(
    (await booted.dump('getDaemon')).records.map(record => record.daemon?.state),
    [1, 2],
  )
})

t.test('older kernels know less of tunnels and of counters', async t => {
  const gue = { ...dest, FWD_METHOD: u32(2), TUN_TYPE: u8(1), TUN_PORT: be16(6080), TUN_FLAGS: u16(1) }
  const table: [MemoryKernelOptions, string[]][] = [
    [{}, ['statistics64', 'tunnelFlags', 'tunnelPort', 'tunnelType']],
    [{ tunnels: ['ipip', 'gue'] }, ['statistics64', 'tunnelPort', 'tunnelType']],
    [{ tunnels: ['ipip'], statistics64: false }, []],
  ]
  for (const [options, expected] of table) {
    const there = await destOf(await bootAfter([addService, ['newDest', { service: key, dest: gue }]], options))
    const names = Object.entries(there ?? {}).flatMap(([name, value]) =>
      value !== undefined && /tunnel|64/.test(name) ? [name] : [],
    )
    t.strictSame(names.sort(), expected)
  }
})

t.test('the version is 1.2.1, and the size of the connection table is as given', async t => {
  const { records } = await boot({ connectionTableSize: 65536 }).do('getInfo')
  t.match(records, [{ version: 0x010201, connectionTableSize: 65536 }])
})

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 8080 } as const

t.test('counters are as set, cut to 32 bits where they have no more, and can be zeroed', async t => {
  const booted = await bootAfter([addService, addDest])
  booted.kernel.setCounters({ connections: 0x1_0000_0002n, incomingBytes: 0x1_0000_0003n }, web)
  booted.kernel.setCounters({ outgoingPackets: 4n, activeConnections: 5, persistentConnections: 6 }, web, server)
  const service = await serviceOf(booted)
  t.match(service?.statistics64, { connections: 0x1_0000_0002n, incomingBytes: 0x1_0000_0003n, outgoingBytes: 0n })
  t.match(service?.statistics32, { connections: 2, incomingBytes: 0x1_0000_0003n })
  t.match(await destOf(booted), {
    activeConnections: 5,
    inactiveConnections: 0,
    persistentConnections: 6,
    statistics64: { outgoingPackets: 4n },
  })
  await booted.do('zero', { service: key })
  t.match((await serviceOf(booted))?.statistics64, { connections: 0n, incomingBytes: 0n })
  t.match(await destOf(booted), { activeConnections: 5, statistics64: { outgoingPackets: 0n } })
  t.throws(() => booted.kernel.setCounters({}, { ...web, port: 81 }), /no virtual server tcp 10.0.0.1:81/)
  t.throws(() => booted.kernel.setCounters({}, web, { ...server, port: 81 }), /no real server 10.1.0.1:81/)
})

t.test('connections count with their real server, and come back with it', async t => {
  const booted = await bootAfter([addService, addDest])
  const connection = {
    protocol: 'tcp',
    client: { address: '10.9.9.9', port: 1234 },
    virtual: web,
    destination: server,
    expires: 900,
  }
  const { end } = booted.kernel.addConnection({ ...connection, state: 'ESTABLISHED' })
  booted.kernel.addConnection({ ...connection, state: 'TIME_WAIT' })
  booted.kernel.addConnection({ ...connection, client: { address: '10.9.9.9', port: 0 }, state: 'ASSURED' })
  const counts = { activeConnections: 1, inactiveConnections: 1, persistentConnections: 1 }
  t.match(await destOf(booted), counts)
  await booted.do('delDest', { service: key, dest: destKey })
  await booted.do('newDest', { service: key, dest })
  t.match(await destOf(booted), counts)
  end()
  end()
  t.match(await destOf(booted), { ...counts, activeConnections: 0 })
})

t.test('a module that comes back has another number, and nothing in it', async t => {
  const booted = await bootAfter([addService])
  const { kernel } = booted
  kernel.reloadModule()
  t.strictSame(await booted.dump('getService'), { code: 'OK', records: [] }, 'a client asks for the number again')
  kernel.unloadModule()
  t.match(await booted.do('getInfo').catch((error: unknown) => error), { problem: 'family-unavailable' })
  kernel.loadModule()
  t.equal((await new Booted(kernel).do('getInfo')).code, 'OK')
})

t.test('a kernel without IPVS can get it', async t => {
  const booted = boot({ ipvs: false })
  t.match(await booted.do('getInfo').catch((error: unknown) => error), { problem: 'family-unavailable', code: 'ENOENT' })
  t.throws(() => booted.kernel.setCounters({}), /ip_vs is not loaded/)
  booted.kernel.loadModule()
  t.equal((await booted.do('getInfo')).code, 'OK')
})
