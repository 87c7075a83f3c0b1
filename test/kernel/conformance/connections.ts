/** What only packets make: connections and counters. Client, director and server share one namespace here; traffic/ sets them apart. */
import assert from 'node:assert/strict'
import { type Connection, open } from '../../../lib/ipvs/index.js'
import type { Case, LinuxContext } from '../support/case.js'
import { all, eventually } from '../support/expect.js'
import { ip } from '../support/linux.js'
import type { Orders } from '../traffic/peer.js'
import { startPeer } from '../traffic/remote.js'

interface Place {
  readonly virtual: string
  readonly real: string
  readonly prefix: number
}
const PLACES: readonly Place[] = [
  { virtual: '10.0.0.1', real: '10.0.0.2', prefix: 32 },
  { virtual: '2001:db8::1', real: '2001:db8::2', prefix: 128 },
]
const PORT = 8080

/** Somebody in the namespace who serves at the real servers' addresses, and asks. */
async function peerOf({ netns, sh, after }: LinuxContext): Promise<Orders> {
  const addresses = PLACES.flatMap(({ virtual, real, prefix }) => [virtual, real].map(address => `${address}/${prefix}`))
  await ip(
    netns,
    addresses.map(address => `address add ${address} dev lo ${address.includes(':') ? 'nodad' : ''}`),
  )
  const peer = startPeer(netns)
  after(() => sh(`ip netns pids ${netns} | xargs -r kill`))
  await peer.serve(
    'one',
    PLACES.map(({ real }) => real),
    PORT,
  )
  return peer
}

async function tcp(context: LinuxContext, place: Place, peer: Orders): Promise<void> {
  const { virtual, real } = place
  const lvs = await context.open()
  const vs = { protocol: 'tcp', address: virtual, port: 80 } as const
  await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
  await lvs.addRealServer(vs, { address: real, port: PORT })
  const { held, answer } = await peer.hold({ ...vs, from: virtual })
  assert.equal(answer.server, 'one')
  const connections = await all(lvs.connections({ origin: true }))
  const [connection, ...others] = connections.filter(({ virtual: to }) => to.address === virtual)
  assert.deepEqual(others, [])
  assert.ok(connection && connection.client.port > 1024 && connection.expires > 0 && connection.expires <= 900)
  assert.deepEqual(connection, {
    protocol: 'tcp',
    client: { address: virtual, port: connection.client.port },
    virtual: { address: virtual, port: 80 },
    destination: { address: real, port: PORT },
    state: 'ESTABLISHED',
    expires: connection.expires,
    synchronised: false,
  })
  // Up to Linux 6.1 counters are what the estimator saw last, every two seconds.
  await eventually('the connection is counted', async () => {
    const [rs] = await lvs.listRealServers(vs, { statistics: true }).toArray()
    assert.deepEqual([rs?.activeConnections, rs?.inactiveConnections], [1, 0])
    const statistics = (await lvs.getVirtualServer(vs))?.statistics
    return rs?.statistics?.connections === 1n && statistics?.connections === 1n && statistics.outgoingBytes > 40n
  })
  await peer.release(held)
  await eventually('the connection is not active any more', async () => {
    const [rs] = await lvs.listRealServers(vs).toArray()
    return rs?.activeConnections === 0
  })
}

/** Zero is a mark that the kernel subtracts, but not from what it keeps for each CPU. */
async function zero(context: LinuxContext): Promise<void> {
  const lvs = await context.open()
  const onCpus = async () => [...(await lvs.cpuStatistics()).values()].reduce((sum, { connections }) => sum + connections, 0n)
  await eventually('the CPUs together have counted what the namespace has', async () => {
    const { connections } = await lvs.globalStatistics()
    return connections > 0n && connections === (await onCpus())
  })
  const before = await onCpus()
  await lvs.zero()
  const counted = await lvs.listVirtualServers({ statistics: true }).toArray()
  assert.deepEqual([...new Set(counted.map(vs => vs.statistics?.connections))], [0n])
  assert.equal((await lvs.globalStatistics()).connections, 0n)
  assert.equal(await onCpus(), before)
  await lvs.flush()
}

async function udp(context: LinuxContext, { virtual, real }: Place, peer: Orders): Promise<void> {
  const lvs = await context.open()
  const vs = { protocol: 'udp', address: virtual, port: 53 } as const
  await lvs.addVirtualServer({ ...vs, scheduler: 'rr', persistence: { timeout: 60 } })
  await lvs.addRealServer(vs, { address: real, port: PORT })
  const [answer] = await peer.ask({ ...vs, from: virtual }, 1)
  assert.equal(answer?.server, 'one')
  const connections = (await all(lvs.connections())).filter(
    ({ protocol, virtual: to }) => protocol === 'udp' && to.address === virtual,
  )
  const templates = connections.filter(({ client }) => client.port === 0)
  assert.deepEqual([connections.length, templates.length], [2, 1])
  for (const { client, destination, state } of connections) {
    assert.deepEqual([client.address, destination], [virtual, { address: real, port: PORT }])
    assert.match(state, client.port === 0 ? /^(NONE|ASSURED)$/ : /^UDP$/)
  }
  const [rs] = await lvs.listRealServers(vs).toArray()
  assert.equal(rs?.persistentConnections, 1)
}

/** One of each kind. */
const rows: Connection[] = [
  {
    protocol: 'tcp',
    client: at('192.0.2.9', 40000),
    virtual: at('10.0.0.1', 80),
    destination: at('10.1.0.1', 8080),
    state: 'SYN_RECV',
    expires: 59,
  },
  {
    protocol: 'tcp',
    client: at('2001:db8::9', 40000),
    virtual: at('2001:db8::1', 443),
    destination: at('2001:db8:1::1', 8443),
    state: 'FIN_WAIT',
    expires: 119,
  },
  {
    protocol: 'sctp',
    client: at('192.0.2.9', 1),
    virtual: at('10.0.0.1', 3868),
    destination: at('10.1.0.1', 3868),
    state: 'ESTABLISHED',
    expires: 899,
  },
  {
    protocol: 'udp',
    client: at('192.0.2.0', 0),
    virtual: at('10.0.0.1', 5060),
    destination: at('10.1.0.1', 5060),
    state: 'NONE',
    expires: 60,
    engine: 'sip',
    engineData: 'some call id',
  },
]

function at(address: string, port: number): Connection['client'] {
  return { address, port }
}

export const cases: readonly Case[] = [
  {
    name: 'the connection table is read as it stands in /proc: every protocol, both families, and the data of an engine',
    needs: 'memory',
    async run({ open, memory }) {
      const lvs = await open()
      for (const [i, row] of rows.entries()) memory.addConnection({ ...row, synchronised: i % 2 === 1 })
      assert.deepEqual(await all(lvs.connections()), rows)
      const origins = (await all(lvs.connections({ origin: true }))).map(({ synchronised }) => synchronised)
      assert.deepEqual(origins, [false, true, false, true])
    },
  },
  {
    name: 'a master tells a backup of its connections, which says that they were synchronised',
    needs: 'linux',
    async run(context) {
      const { netns } = context
      const backup = await context.another()
      await ip(netns, [`link add sync0 type veth peer name sync0 netns ${backup}`])
      for (const [i, name] of [netns, backup].entries())
        await ip(name, [`address add 192.0.2.${1 + i}/24 dev sync0`, 'link set sync0 up'])
      await using standby = await open({ netns: { name: backup } })
      const lvs = await context.open()
      await standby.startSyncDaemon({ role: 'backup', interface: 'sync0', syncId: 7 })
      await lvs.startSyncDaemon({ role: 'master', interface: 'sync0', syncId: 7 })
      await lvs.setSysctl('sync_threshold', [1, 2])
      const peer = await peerOf(context)
      const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
      await lvs.addVirtualServer({ ...vs, scheduler: 'rr' })
      await lvs.addRealServer(vs, { address: '10.0.0.2', port: PORT })
      const { held } = await peer.hold({ ...vs, from: '10.0.0.1' })
      await eventually('the backup knows of the connection', async () => {
        await peer.askHeld(held)
        const known = await all(standby.connections({ origin: true }))
        return known.some(({ destination, synchronised }) => destination.address === '10.0.0.2' && synchronised)
      })
      assert.deepEqual(
        (await all(lvs.connections({ origin: true }))).map(({ synchronised }) => synchronised),
        [false],
      )
      await peer.release(held)
      await standby.stopSyncDaemon('backup')
      await lvs.stopSyncDaemon('master')
    },
  },
  {
    name: 'connections are shown with their ends, states and times, and counted in 64 bits: TCP, UDP, templates, IPv4 and IPv6',
    needs: 'linux',
    async run(context) {
      const peer = await peerOf(context)
      for (const place of PLACES) {
        await tcp(context, place, peer)
        await udp(context, place, peer)
      }
      await zero(context)
    },
  },
]
