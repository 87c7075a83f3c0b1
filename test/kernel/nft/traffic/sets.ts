/** Sets that packets change, and whose elements go with time. */
import assert from 'node:assert/strict'
import type { NftSet } from '../../../../lib/nft/index.js'
import { eventually } from '../../support/expect.js'
import type { Case } from '../case.js'
import { dport, l4proto, loadAddress, nfproto, verdict } from './idioms.js'
import { addressOf, CLIENT, nameOf, network, SERVER_PORT, TABLE, tally, target, type Written } from './network.js'

const FORWARD = { type: 'filter', hook: 'forward', priority: 'filter' } as const
const table = { family: TABLE.family, table: TABLE.name }
const server = (from?: string) => target('udp', addressOf(1, 'ip'), SERVER_PORT, from)
const ANSWERED = { [nameOf(1)]: 1 }
const DROPPED = { silence: 1 }

const clients = (timeout: number): NftSet => ({
  ...table,
  name: 'clients',
  key: 'ipv4_addr',
  size: 1024,
  flags: ['dynamic', 'timeout'],
  timeout,
})

const dropKnown: Written = {
  says: 'ip saddr @clients drop',
  does: [...nfproto('ip'), loadAddress('ip', 'saddr'), { kind: 'lookup', set: 'clients', source: 1 }, verdict('drop')],
}

const remember = (operation: 'add' | 'update', extra: string, timeout?: number): Written => ({
  says: `udp dport ${SERVER_PORT} ${operation} @clients { ip saddr${extra} }`,
  does: [
    ...dport('udp', SERVER_PORT),
    ...nfproto('ip'),
    loadAddress('ip', 'saddr'),
    { kind: 'dynset', set: 'clients', operation, key: 1, ...(timeout !== undefined && { timeout }) },
  ],
})

export const cases: readonly Case[] = [
  {
    name: 'a packet adds its sender to a set, the next one is dropped, and when the time is over it goes through again',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      await write({ forward: { ...FORWARD, rules: [dropKnown, remember('add', '')] } }, [{ add: { set: clients(4) } }])
      assert.deepEqual(tally(await burst(server(), 1)), ANSWERED)
      assert.deepEqual(tally(await burst(server(), 1)), DROPPED)
      assert.match(await context.inside('nft list set inet web clients'), new RegExp(`elements = \\{ ${CLIENT.ip} .*expires`))
      assert.deepEqual(tally(await burst(server('192.0.2.99'), 1)), ANSWERED, 'another sender')
      await eventually('the element has gone', async () => tally(await burst(server(), 1))[nameOf(1)] === 1)
    },
  },
  {
    name: 'a packet adds its sender with a time of its own',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      await write({ forward: { ...FORWARD, rules: [dropKnown, remember('add', ' timeout 4s', 4000)] } }, [
        { add: { set: clients(3600) } },
      ])
      assert.deepEqual(tally(await burst(server(), 1)), ANSWERED)
      assert.deepEqual(tally(await burst(server(), 1)), DROPPED)
      await eventually('the element has gone', async () => tally(await burst(server(), 1))[nameOf(1)] === 1)
    },
  },
  {
    name: 'an element that was added with a time-out drops until then, one without drops on',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const set: NftSet = { ...table, name: 'clients', key: 'ipv4_addr', flags: ['timeout'] }
      const elements = [{ key: CLIENT.ip, timeout: 4 }, { key: '192.0.2.99' }]
      const nf = await write({ forward: { ...FORWARD, rules: [dropKnown] } }, [
        { add: { set } },
        { add: { elements: { set, elements } } },
      ])
      assert.deepEqual(tally(await burst(server(), 1)), DROPPED)
      await eventually('the element has gone', async () => tally(await burst(server(), 1))[nameOf(1)] === 1)
      assert.deepEqual(tally(await burst(server('192.0.2.99'), 1)), DROPPED)
      await nf.commit([{ delete: { elements: { set, elements: [{ key: '192.0.2.99' }] } } }])
      assert.deepEqual(tally(await burst(server('192.0.2.99'), 1)), ANSWERED)
    },
  },
  {
    name: 'ranges and prefixes of a set hold for their first and last address, and for none beside them',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const set: NftSet = { ...table, name: 'clients', key: 'ipv4_addr', flags: ['interval'] }
      const elements = [{ key: { from: '192.0.2.10', to: '192.0.2.12' } }, { key: '192.0.2.64/30' }, { key: '192.0.2.20' }]
      await write({ forward: { ...FORWARD, rules: [dropKnown] } }, [{ add: { set } }, { add: { elements: { set, elements } } }])
      const dropped: number[] = []
      const asked = [9, 10, 11, 12, 13, 19, 20, 21, 63, 64, 67, 68]
      for (const last of asked) if (tally(await burst(server(`192.0.2.${last}`), 1)).silence) dropped.push(last)
      assert.deepEqual(dropped, [10, 11, 12, 20, 64, 67])
    },
  },
  {
    name: 'ranges in concatenations hold for an address and a port at once',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const set: NftSet = { ...table, name: 'clients', key: ['ipv4_addr', 'inet_service'], flags: ['interval'] }
      const elements = [
        { key: ['192.0.2.0/28', { from: SERVER_PORT - 10, to: SERVER_PORT + 10 }] },
        { key: ['192.0.2.16/28', { from: 1, to: SERVER_PORT - 1 }] },
      ]
      const rule: Written = {
        says: 'ip saddr . udp dport @clients drop',
        does: [
          ...l4proto('udp'),
          ...nfproto('ip'),
          loadAddress('ip', 'saddr'),
          { kind: 'payload', base: 'transport', offset: 2, length: 2, destination: 9 },
          { kind: 'lookup', set: 'clients', source: 1 },
          verdict('drop'),
        ],
      }
      await write({ forward: { ...FORWARD, rules: [rule] } }, [{ add: { set } }, { add: { elements: { set, elements } } }])
      assert.deepEqual(tally(await burst(server('192.0.2.15'), 1)), DROPPED)
      assert.deepEqual(tally(await burst(server('192.0.2.16'), 1)), ANSWERED)
    },
  },
  {
    name: 'each element counts the packets of its own',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const set: NftSet = { ...table, name: 'clients', key: 'ipv4_addr', expressions: [{ kind: 'counter' }] }
      const elements = [{ key: CLIENT.ip }, { key: '192.0.2.99' }]
      const rule: Written = {
        says: 'ip saddr @clients',
        does: [...nfproto('ip'), loadAddress('ip', 'saddr'), { kind: 'lookup', set: 'clients', source: 1 }],
      }
      await write({ forward: { ...FORWARD, rules: [rule] } }, [{ add: { set } }, { add: { elements: { set, elements } } }])
      await burst(server(), 3)
      await burst(server('192.0.2.99'), 2)
      const listed = await context.inside('nft list set inet web clients')
      assert.match(listed, /192\.0\.2\.20 counter packets 3 bytes 123/)
      assert.match(listed, /192\.0\.2\.99 counter packets 2 bytes 82/)
    },
  },
]
