/** Routes. */
import assert from 'node:assert/strict'
import type { Route, RouteConfig } from '../../../../lib/route/index.js'
import { refused } from '../../support/expect.js'
import type { Case } from '../case.js'
import { pair } from './addresses.js'

const text = ({ type, destination }: Route): string => `${type} ${destination}`

/** Routes that need nothing but a pair of devices with 10.1.0.1/24 and 2001:db8::1/64, and what is read of them besides what was written. */
const ROUTES: readonly { readonly route: RouteConfig; readonly read?: Partial<Route> }[] = [
  { route: { destination: '10.9.0.0/16', device: 'a0' }, read: { scope: 'link' } },
  { route: { destination: '10.9.0.0/16', gateway: '10.1.0.2' }, read: { device: 'a0' } },
  { route: { destination: '0.0.0.0/0', gateway: '10.1.0.2', device: 'a0', metric: 100, protocol: 'static' } },
  { route: { destination: '10.9.1.1', device: 'a0', source: '10.1.0.1' }, read: { destination: '10.9.1.1/32', scope: 'link' } },
  { route: { destination: '10.9.0.0/16', gateway: '192.0.2.1', device: 'a0', flags: ['onlink'] } },
  { route: { destination: '10.96.0.0/12', type: 'local', device: 'lo', protocol: 77 }, read: { table: 'local', scope: 'host' } },
  { route: { destination: '10.96.0.0/12', type: 'local', device: 'lo', table: 1000 }, read: { scope: 'host' } },
  { route: { destination: '10.9.0.0/16', type: 'blackhole' } },
  { route: { destination: '10.9.0.0/16', type: 'unreachable', table: 77 } },
  { route: { destination: '10.9.0.0/16', type: 'prohibit', metric: 5 } },
  { route: { destination: '10.9.0.0/16', type: 'throw', table: 0xffff_ffff } },
  { route: { destination: '10.9.0.0/16', device: 'a0', mtu: 1300, tos: 16 }, read: { scope: 'link' } },
  {
    route: {
      destination: '10.9.0.0/16',
      nexthops: [
        { gateway: '10.1.0.2', device: 'a0', weight: 1 },
        { gateway: '10.1.0.3', device: 'a0', weight: 200 },
      ],
    },
  },
  { route: { destination: '2001:db8:9::/48', gateway: '2001:db8::2', device: 'a0' } },
  { route: { destination: '2001:db8:9::/48', device: 'a0', metric: 7, table: 4096 } },
  {
    route: { destination: '2001:db8:9::1', type: 'local', device: 'lo' },
    read: { destination: '2001:db8:9::1/128', table: 'local' },
  },
  { route: { destination: '2001:db8:9::/48', type: 'unreachable' }, read: { device: 'lo' } },
  { route: { destination: '10.9.0.0/16', gateway: 'fe80::1', device: 'a0' } },
]

const described = ({ type = 'unicast', destination, table, gateway, nexthops }: RouteConfig): string =>
  [type, destination, table, gateway, nexthops && 'multipath'].filter(Boolean).join(' ')

async function prepared(client: Parameters<typeof pair>[0]): Promise<void> {
  await pair(client)
  await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
  await client.addAddress({ device: 'a0', address: '2001:db8::1', prefixLength: 64, flags: ['no-duplicate-detection'] })
}

const oneRoute = ROUTES.map(
  ({ route: wanted, read = {} }): Case => ({
    name: `routes: ${described(wanted)} is read as it was written, and removed by its key`,
    async run({ route }) {
      const client = await route()
      await prepared(client)
      await client.addRoute(wanted)
      const ipv6 = wanted.destination.includes(':')
      const expected = {
        family: ipv6 ? 'ipv6' : 'ipv4',
        type: 'unicast',
        table: 'main',
        protocol: 'boot',
        scope: 'global',
        ...(ipv6 && { metric: 1024 }),
        ...wanted,
        ...read,
      }
      const filter = { destination: wanted.destination, table: 'all' as const, ...(wanted.type && { type: wanted.type }) }
      const found = await client.routes(filter)
      assert.deepEqual(found, [expected])
      const [first] = found
      if (!first) return
      assert.equal(await client.removeRoute(first), true, 'by what was read')
      await client.addRoute(first)
      assert.deepEqual(await client.routes(filter), [expected], 'what was read can be written')
      const { destination, table, type, tos } = wanted
      assert.equal(await client.removeRoute({ destination, table, type, tos }), true, 'by its key')
      assert.equal(await client.removeRoute({ destination, table, type, tos }), false)
      assert.deepEqual(await client.routes(filter), [])
    },
  }),
)

export const cases: readonly Case[] = [
  ...oneRoute,
  {
    name: 'routes: they are filtered by family, table, type, protocol, device and destination',
    async run({ route }) {
      const client = await route()
      await prepared(client)
      const made: readonly RouteConfig[] = [
        { destination: '10.7.0.0/16', device: 'a0', protocol: 77 },
        { destination: '10.7.0.0/16', device: 'a1', table: 500 },
        { destination: '10.8.0.0/16', type: 'blackhole', protocol: 77 },
        { destination: '2001:db8:7::/48', device: 'a1', protocol: 77 },
        { destination: '10.96.0.0/12', type: 'local', device: 'lo', protocol: 77 },
      ]
      for (const one of made) await client.addRoute(one)
      const rows = [
        [{ protocol: 77 }, ['unicast 10.7.0.0/16', 'blackhole 10.8.0.0/16', 'unicast 2001:db8:7::/48']],
        [{ protocol: 77, family: 'ipv4' }, ['unicast 10.7.0.0/16', 'blackhole 10.8.0.0/16']],
        [
          { protocol: 77, table: 'all' },
          ['unicast 10.7.0.0/16', 'blackhole 10.8.0.0/16', 'local 10.96.0.0/12', 'unicast 2001:db8:7::/48'],
        ],
        [{ table: 'local', type: 'local', protocol: 77 }, ['local 10.96.0.0/12']],
        [{ table: 500 }, ['unicast 10.7.0.0/16']],
        [{ table: 501 }, []],
        [{ device: 'a1', table: 'all', destination: '10.7.0.0/16' }, ['unicast 10.7.0.0/16']],
        [{ destination: '10.8.0.0/16' }, ['blackhole 10.8.0.0/16']],
        [{ type: 'blackhole' }, ['blackhole 10.8.0.0/16']],
      ] as const
      for (const [filter, expected] of rows)
        assert.deepEqual((await client.routes(filter)).map(text).sort(), [...expected].sort(), JSON.stringify(filter))
    },
  },
  {
    name: 'routes: the second time it is there, and replacing it changes it',
    async run({ route }) {
      const client = await route()
      await prepared(client)
      const one = { destination: '10.7.0.0/16', gateway: '10.1.0.2' }
      await client.addRoute(one)
      await refused(client.addRoute({ ...one, gateway: '10.1.0.3' }), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addRoute',
        target: '10.7.0.0/16',
        reason: /`replaceRoute` changes it/,
      })
      await client.replaceRoute({ ...one, gateway: '10.1.0.3' })
      assert.deepEqual(
        (await client.routes({ destination: '10.7.0.0/16' })).map(({ gateway }) => gateway),
        ['10.1.0.3'],
      )
      await client.replaceRoute({ destination: '10.6.0.0/16', type: 'blackhole' })
      assert.equal((await client.routes({ destination: '10.6.0.0/16' })).length, 1, 'what is not there is added')
    },
  },
  {
    name: 'routes: of those with one destination the one is removed that was meant',
    async run({ route }) {
      const client = await route()
      await prepared(client)
      const one = { destination: '10.7.0.0/16', device: 'a0' }
      for (const metric of [10, 20, 30]) await client.addRoute({ ...one, metric })
      assert.equal(await client.removeRoute({ ...one, metric: 20 }), true)
      assert.equal(await client.removeRoute({ ...one, metric: 40 }), false)
      assert.equal(await client.removeRoute({ ...one, gateway: '10.1.0.2' }), false)
      assert.equal(await client.removeRoute({ destination: '10.7.0.0/16', device: 'nowhere' }), false)
      assert.deepEqual(
        (await client.routes({ destination: '10.7.0.0/16' })).map(({ metric }) => metric),
        [10, 30],
      )
      const six = { destination: '2001:db8:7::/48' }
      await client.addRoute({ ...six, device: 'a0' })
      assert.equal(await client.removeRoute({ ...six, type: 'unreachable' }), false, 'the kernel would take one of another type')
      assert.equal((await client.routes(six)).length, 1)
    },
  },
  {
    name: 'routes: a lookup tells the way, the source, and where there is none',
    async run({ route }) {
      const client = await route()
      await prepared(client)
      await client.addRoute({ destination: '192.0.2.0/24', gateway: '10.1.0.2' })
      const found = await client.lookup('192.0.2.9')
      assert.deepEqual(
        {
          destination: found?.destination,
          device: found?.device,
          gateway: found?.gateway,
          source: found?.source,
          table: found?.table,
        },
        { destination: '192.0.2.9/32', device: 'a0', gateway: '10.1.0.2', source: '10.1.0.1', table: 'main' },
      )
      assert.equal((await client.lookup('10.1.0.1'))?.type, 'local')
      await refused(client.lookup('203.0.113.1'), {
        problem: 'unreachable',
        code: 'ENETUNREACH',
        operation: 'lookup',
        target: '203.0.113.1',
        reason: /no route/,
      })
    },
  },
  {
    name: 'routes: a device that goes takes its routes with it',
    async run({ route }) {
      const client = await route()
      await prepared(client)
      await client.addRoute({ destination: '10.7.0.0/16', device: 'a0' })
      await client.removeLink('a0')
      assert.deepEqual(await client.routes({ family: 'ipv4' }), [])
    },
  },
  {
    name: 'routes: they are those that `ip route` shows',
    needs: 'linux',
    async run({ route, inside }) {
      const client = await route()
      await prepared(client)
      for (const { route: one } of ROUTES)
        await client.replaceRoute({ ...one, ...(one.metric === undefined && { metric: 4000 }) })
      for (const family of ['ipv4', 'ipv6'] as const) {
        const listed = JSON.parse(await inside(`ip -j ${family === 'ipv6' ? '-6' : '-4'} route show table all`)) as Shown[]
        const read = await client.routes({ table: 'all', family })
        assert.deepEqual(read.map(asShown).sort(), listed.map(shownOf).sort())
      }
    },
  },
]

interface Shown {
  readonly type?: string
  readonly dst: string
  readonly gateway?: string
  readonly via?: { readonly host: string }
  readonly dev?: string
  readonly table?: string
  readonly metric?: number
  readonly prefsrc?: string
  readonly nexthops?: readonly { readonly gateway: string; readonly weight: number }[]
}

const line = (...parts: readonly unknown[]): string => parts.filter(part => part !== undefined).join(' ')

function shownOf({ type = 'unicast', dst, gateway, via, dev, table = 'main', metric, prefsrc, nexthops }: Shown): string {
  const ways = nexthops?.map(({ gateway, weight }) => `${gateway}*${weight}`)
  return line(type, dst, gateway ?? via?.host, dev, table, metric, prefsrc, ways)
}

function asShown({ type, destination, gateway, device, table, metric, source, nexthops, family }: Route): string {
  const all = family === 'ipv6' ? '/128' : '/32'
  const dst = /^(0\.0\.0\.0|::)\/0$/.test(destination)
    ? 'default'
    : destination.endsWith(all)
      ? destination.slice(0, -all.length)
      : destination
  return line(
    type,
    dst,
    gateway,
    device,
    table,
    metric,
    source,
    nexthops?.map(({ gateway, weight }) => `${gateway}*${weight}`),
  )
}
