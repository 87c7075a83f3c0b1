/** Addresses of devices. */
import assert from 'node:assert/strict'
import type { Address, RouteClient } from '../../../../lib/route/index.js'
import { refused } from '../../support/expect.js'
import type { Case } from '../case.js'

/** A pair of devices that is up. */
export async function pair(client: RouteClient): Promise<void> {
  await client.addLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' }, up: true })
  await client.changeLink('a1', { up: true })
}

const text = ({ device, address, prefixLength }: Address): string => `${device} ${address}/${prefixLength}`

interface IpAddress {
  readonly ifname: string
  readonly addr_info: readonly {
    readonly family: string
    readonly local: string
    readonly prefixlen: number
    readonly scope: string
    readonly label?: string
    readonly address?: string
    readonly noprefixroute?: boolean
  }[]
}

export const cases: readonly Case[] = [
  {
    name: 'addresses: lo has its own',
    async run({ route }) {
      const client = await route()
      const addresses = await client.addresses({ device: 'lo' })
      assert.deepEqual(addresses.map(text).sort(), ['lo 127.0.0.1/8', 'lo ::1/128'])
      const [first] = addresses
      assert.deepEqual([first?.family, first?.scope, first?.label, first?.flags], ['ipv4', 'host', 'lo', ['permanent']])
      assert.deepEqual(await client.addresses({ device: 1, family: 'ipv4' }), [first])
    },
  },
  {
    name: 'addresses: one is added, found by device and family, and removed',
    async run({ route }) {
      const client = await route()
      await pair(client)
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24, broadcast: '10.1.0.255', label: 'a0:1' })
      await client.addAddress({ device: 'a0', address: '2001:db8::1', prefixLength: 64, flags: ['no-duplicate-detection'] })
      assert.deepEqual(await client.addresses({ device: 'a0', family: 'ipv4' }), [
        {
          device: 'a0',
          family: 'ipv4',
          address: '10.1.0.1',
          prefixLength: 24,
          broadcast: '10.1.0.255',
          label: 'a0:1',
          scope: 'global',
          flags: ['permanent'],
        },
      ])
      const ipv6 = await client.addresses({ device: 'a0', family: 'ipv6' })
      assert.ok(ipv6.map(text).includes('a0 2001:db8::1/64'))
      assert.equal(await client.removeAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 }), true)
      assert.equal(await client.removeAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 }), false)
      assert.equal(await client.removeAddress({ device: 'a0', address: '2001:db8::1', prefixLength: 64 }), true)
      assert.equal(await client.removeAddress({ device: 'a0', address: '2001:db8::1', prefixLength: 64 }), false)
      assert.equal(await client.removeAddress({ device: 'nowhere', address: '10.1.0.1' }), false)
      assert.deepEqual(await client.addresses({ device: 'a0', family: 'ipv4' }), [])
    },
  },
  {
    name: 'addresses: without a prefix length it is the address alone',
    async run({ route }) {
      const client = await route()
      await client.addAddress({ device: 'lo', address: '10.96.0.10' })
      await client.addAddress({ device: 'lo', address: 'fd00::10' })
      assert.deepEqual((await client.addresses()).map(text).sort(), [
        'lo 10.96.0.10/32',
        'lo 127.0.0.1/8',
        'lo ::1/128',
        'lo fd00::10/128',
      ])
      assert.equal(await client.removeAddress({ device: 'lo', address: '10.96.0.10' }), true)
    },
  },
  {
    name: 'addresses: the second time it is there, and ensuring it changes its lifetimes',
    async run({ route }) {
      const client = await route()
      const address = { device: 'lo', address: '10.2.0.1', prefixLength: 32 }
      await client.addAddress(address)
      await refused(client.addAddress(address), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addAddress',
        target: '10.2.0.1/32 of lo',
        reason: /`ensureAddress` changes it/,
      })
      await client.ensureAddress(address)
      await client.ensureAddress({ ...address, validLifetime: 3600, preferredLifetime: 1800 })
      const found = (await client.addresses({ device: 'lo' })).find(({ address }) => address === '10.2.0.1')
      assert.ok((found?.validLifetime ?? 0) > 3500 && (found?.validLifetime ?? 0) <= 3600, `${found?.validLifetime}`)
      assert.ok((found?.preferredLifetime ?? 0) > 1700 && (found?.preferredLifetime ?? 0) <= 1800)
      assert.deepEqual(found?.flags, [])
    },
  },
  {
    name: 'addresses: one brings routes with it, without the network where a flag says so',
    async run({ route }) {
      const client = await route()
      await pair(client)
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      await client.addAddress({ device: 'a0', address: '10.2.0.1', prefixLength: 24, flags: ['no-prefix-route'] })
      const main = await client.routes({ family: 'ipv4' })
      assert.deepEqual(main, [
        {
          family: 'ipv4',
          destination: '10.1.0.0/24',
          type: 'unicast',
          table: 'main',
          device: 'a0',
          source: '10.1.0.1',
          protocol: 'kernel',
          scope: 'link',
        },
      ])
      const local = await client.routes({ table: 'local', type: 'local', family: 'ipv4', device: 'a0' })
      assert.deepEqual(
        local.map(({ destination }) => destination),
        ['10.1.0.1/32', '10.2.0.1/32'],
      )
      await client.removeAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      assert.deepEqual(await client.routes({ family: 'ipv4' }), [])
    },
  },
  {
    name: 'addresses: what was read is written elsewhere as it is',
    async run({ route }) {
      const client = await route()
      await pair(client)
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 31, peer: '10.1.0.0' })
      const [address] = await client.addresses({ device: 'a0', family: 'ipv4' })
      assert.deepEqual([address?.peer, address?.prefixLength], ['10.1.0.0', 31])
      if (!address) return
      await client.removeAddress(address)
      await client.addAddress(address)
      assert.deepEqual(await client.addresses({ device: 'a0', family: 'ipv4' }), [address])
    },
  },
  {
    name: 'addresses: they are those that `ip addr` shows',
    needs: 'linux',
    async run({ route, inside }) {
      const client = await route()
      await pair(client)
      await inside('ip addr add 10.1.0.1/24 brd + dev a0')
      await inside('ip addr add 10.1.0.2/24 dev a0 noprefixroute')
      await inside('ip addr add 10.3.0.1 peer 10.3.0.2/32 dev a1')
      await inside('ip addr add 2001:db8::5/64 dev a1 nodad')
      const shown = (JSON.parse(await inside('ip -j addr')) as IpAddress[]).flatMap(({ ifname, addr_info }) =>
        addr_info.map(info => ({
          device: ifname,
          family: info.family === 'inet6' ? 'ipv6' : 'ipv4',
          address: info.local,
          prefixLength: info.prefixlen,
          scope: info.scope,
          label: info.label,
          peer: info.address,
          bare: info.noprefixroute ?? false,
        })),
      )
      const key = (one: { address: string }): string => one.address
      const read = (await client.addresses()).map(({ device, family, address, prefixLength, scope, label, peer, flags }) => ({
        device,
        family,
        address,
        prefixLength,
        scope,
        label,
        peer,
        bare: flags.includes('no-prefix-route'),
      }))
      assert.deepEqual(
        read.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
        shown.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
      )
      assert.ok(read.length >= 6)
    },
  },
]
