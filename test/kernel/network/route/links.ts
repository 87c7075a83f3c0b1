/** Devices: made, read, changed, moved, removed. */
import assert from 'node:assert/strict'
import type { Link } from '../../../../lib/route/index.js'
import { refused } from '../../support/expect.js'
import type { Case } from '../case.js'

interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly mtu: number
  readonly operstate: string
  readonly address: string
  readonly flags: readonly string[]
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string }
}

const brief = ({ index, name, mtu, state, address, kind, up }: Link) => ({ index, name, mtu, state, address, kind, up })

export const cases: readonly Case[] = [
  {
    name: 'links: lo is the first device, by its name as by its index',
    async run({ route }) {
      const client = await route()
      const [lo] = await client.links()
      assert.deepEqual(
        { index: lo?.index, name: lo?.name, type: lo?.type, up: lo?.up, mtu: lo?.mtu, address: lo?.address },
        { index: 1, name: 'lo', type: 'loopback', up: true, mtu: 65536, address: '00:00:00:00:00:00' },
      )
      assert.deepEqual(lo?.flags, ['up', 'loopback', 'running', 'lower-up'])
      assert.deepEqual(await client.getLink('lo'), lo)
      assert.deepEqual(await client.getLink(1), lo)
    },
  },
  {
    name: 'links: a device that is not there is undefined',
    async run({ route }) {
      const client = await route()
      assert.equal(await client.getLink('nowhere'), undefined)
      assert.equal(await client.getLink(4711), undefined)
      assert.equal(await client.removeLink('nowhere'), false)
    },
  },
  {
    name: 'links: a veth is made with its peer, with address and MTU, and removed with it',
    async run({ route }) {
      const client = await route()
      await client.addLink({
        name: 'a0',
        kind: 'veth',
        address: '02:00:00:00:00:01',
        mtu: 1400,
        peer: { name: 'a1', address: '02:00:00:00:00:02', mtu: 1400 },
      })
      const a0 = await client.getLink('a0')
      const a1 = await client.getLink('a1')
      assert.equal(a0?.kind, 'veth')
      assert.equal(a0?.address, '02:00:00:00:00:01')
      assert.equal(a1?.address, '02:00:00:00:00:02')
      assert.deepEqual([a0?.mtu, a1?.mtu, a0?.up], [1400, 1400, false])
      assert.deepEqual([a0?.link, a1?.link], [a1?.index, a0?.index])
      assert.equal(await client.removeLink('a0'), true)
      assert.deepEqual(
        (await client.links()).map(({ name }) => name),
        ['lo'],
      )
    },
  },
  {
    name: 'links: a device is set up and down, renamed, and becomes a port of a bridge, and none again',
    async run({ route }) {
      const client = await route()
      await client.addLink({ name: 'br', kind: 'bridge', up: true })
      await client.addLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' }, up: true, master: 'br' })
      const bridge = await client.getLink('br')
      assert.deepEqual([bridge?.kind, bridge?.up], ['bridge', true])
      assert.equal((await client.getLink('a0'))?.master, bridge?.index)
      await client.changeLink('a0', { master: null, mtu: 1300 })
      const a0 = await client.getLink('a0')
      assert.deepEqual([a0?.master, a0?.mtu, a0?.up], [undefined, 1300, true])
      await client.changeLink('a0', { up: false })
      await client.changeLink('a0', { name: 'b0' })
      assert.deepEqual([(await client.getLink('b0'))?.up, await client.getLink('a0')], [false, undefined])
      assert.equal(await client.removeLink('br'), true)
    },
  },
  {
    name: 'links: both ends up have a carrier',
    async run({ route }) {
      const client = await route()
      await client.addLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' }, up: true })
      assert.equal((await client.getLink('a0'))?.flags.includes('lower-up'), false)
      await client.changeLink('a1', { up: true })
      const link = await client.getLink('a0')
      assert.deepEqual([link?.flags.includes('lower-up'), link?.state], [true, 'up'])
    },
  },
  {
    name: 'links: a name that is taken, and a kind that there is not, are told',
    async run({ route }) {
      const client = await route()
      await client.addLink({ name: 'br', kind: 'bridge' })
      await refused(client.addLink({ name: 'br', kind: 'bridge' }), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addLink',
        target: 'bridge br',
        reason: /there is a device of that name/,
      })
      await refused(client.addLink({ name: 'x0', kind: 'no-such-kind' }), {
        problem: 'not-supported',
        code: 'ENOTSUP',
        reason: /no such kind of device/,
      })
      await refused(client.changeLink('nowhere', { up: true }), {
        problem: 'no-such-interface',
        code: 'ENODEV',
        operation: 'changeLink',
        target: 'nowhere',
        reason: /there is no device nowhere/,
      })
      await refused(client.addLink({ name: 'a0', kind: 'veth', master: 'nowhere' }), {
        problem: 'no-such-interface',
        code: 'ENODEV',
        reason: /no device nowhere/,
      })
    },
  },
  {
    name: 'links: they are those that `ip link` shows',
    needs: 'linux',
    async run({ route, inside }) {
      const client = await route()
      await client.addLink({ name: 'br', kind: 'bridge', up: true })
      await client.addLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' }, up: true, master: 'br' })
      await client.changeLink('a1', { up: true, mtu: 1234 })
      const shown = (JSON.parse(await inside('ip -j -d link')) as IpLink[]).map(link => ({
        index: link.ifindex,
        name: link.ifname,
        mtu: link.mtu,
        state: link.operstate.toLowerCase().replace('lowerlayerdown', 'lower-layer-down'),
        address: link.address,
        kind: link.linkinfo?.info_kind,
        up: link.flags.includes('UP'),
      }))
      assert.deepEqual((await client.links()).map(brief), shown)
      assert.equal(shown.length, 4)
    },
  },
  {
    name: 'links: a device is moved to another namespace by its name, process or path',
    needs: 'linux',
    async run({ route, another, sh }) {
      const client = await route()
      const name = await another()
      await client.addLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' } })
      await client.moveLink('a1', { name })
      assert.equal(await client.getLink('a1'), undefined)
      const there = JSON.parse(await sh(`ip -n ${name} -j link show a1`)) as IpLink[]
      assert.equal(there[0]?.ifname, 'a1')
      await refused(client.moveLink('a0', { name: 'no-such-namespace' }), {
        problem: 'no-such-namespace',
        code: 'ENOENT',
        reason: /there is no such namespace/,
      })
      await client.moveLink('a0', { path: `/run/netns/${name}` })
      assert.deepEqual(
        (await client.links()).map(link => link.name),
        ['lo'],
      )
    },
  },
]
