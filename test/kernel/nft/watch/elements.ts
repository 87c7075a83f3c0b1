/** What `watch` tells of elements. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Element, Elements, NftSet } from '../../../../lib/nft/index.js'
import { type Case, Skip } from '../case.js'
import { next, summary } from './mirror.js'

const table = { family: 'inet', name: 'web' } as const
const of = { family: 'inet', table: 'web' } as const
const addresses: NftSet = { ...of, name: 'addresses', key: 'ipv4_addr' }
const prefixes: NftSet = { ...of, name: 'prefixes', key: 'ipv4_addr', flags: ['interval'] }
const services: NftSet = { ...of, name: 'services', key: ['ipv4_addr', 'inet_service'], data: 'verdict' }
const timed: NftSet = { ...of, name: 'timed', key: 'ipv4_addr', flags: ['timeout'] }

/** What changes tell of elements: type, set, keys, which come in no order. */
const keysIn = (changes: readonly Change[]): unknown[] =>
  changes.flatMap(change => {
    if (change.object !== 'elements') return []
    const { set, elements = [] } = change.after ?? change.before ?? {}
    return [[change.type, set?.name, elements.map(({ key }) => key).sort()]]
  })

const keys = (...list: string[]): Element[] => list.map(key => ({ key }))

export const cases: readonly Case[] = [
  {
    name: 'the elements of one set that a transaction changes are one change, with their types',
    async run({ open }) {
      const nf = await open()
      const events = nf.watch()
      const mapped = [{ key: ['10.0.0.1', 80], data: { verdict: 'accept' } }] as const
      await nf.commit([
        { add: { table } },
        { add: { set: addresses } },
        { add: { elements: { set: addresses, elements: keys('10.0.0.1', '10.0.0.2') } } },
        { add: { set: prefixes } },
        { add: { elements: { set: prefixes, elements: keys('10.0.0.0/8', '255.0.0.0/8') } } },
        { add: { set: services } },
        { add: { elements: { set: services, elements: mapped } } },
      ])
      const { changes } = await next(events)
      assert.deepEqual(keysIn(changes), [
        ['added', 'addresses', ['10.0.0.1', '10.0.0.2']],
        ['added', 'prefixes', ['10.0.0.0/8', '255.0.0.0/8']],
        ['added', 'services', [['10.0.0.1', 80]]],
      ])
      assert.deepEqual((changes[6]?.after as Elements | undefined)?.elements, mapped)

      await nf.commit([{ delete: { elements: { set: prefixes, elements: keys('10.0.0.0/8') } } }, { flush: { set: addresses } }])
      assert.deepEqual(keysIn((await next(events)).changes), [
        ['removed', 'prefixes', ['10.0.0.0/8']],
        ['removed', 'addresses', ['10.0.0.1', '10.0.0.2']],
      ])
    },
  },
  {
    name: 'a set that is removed takes its elements with it, and they are not told',
    async run({ open }) {
      const nf = await open()
      await nf.commit([
        { add: { table } },
        { add: { set: addresses } },
        { add: { elements: { set: addresses, elements: keys('10.0.0.1') } } },
      ])
      for (const elements of [false, true]) {
        const events = nf.watch({ elements })
        await nf.commit([{ delete: { set: addresses } }])
        assert.deepEqual(summary(await next(events)), ['removed set addresses'])
        await nf.commit([{ add: { set: addresses } }, { add: { elements: { set: addresses, elements: keys('10.0.0.1') } } }])
        assert.deepEqual(summary(await next(events)), ['added set addresses', 'added elements addresses'])
        await events[Symbol.asyncDispose]()
      }
    },
  },
  {
    name: 'with `elements` they are there at the beginning, and what came and went unseen is found',
    async run({ open }) {
      const nf = await open()
      await nf.commit([
        { add: { table } },
        { add: { set: addresses } },
        { add: { set: prefixes } },
        { add: { elements: { set: addresses, elements: keys('10.0.0.1', '10.0.0.2') } } },
        { add: { elements: { set: prefixes, elements: keys('10.0.0.0/8') } } },
      ])
      const events = nf.watch({ initial: true, elements: true, unread: 65536 })
      assert.deepEqual(keysIn((await next(events)).changes), [
        ['added', 'addresses', ['10.0.0.1', '10.0.0.2']],
        ['added', 'prefixes', ['10.0.0.0/8']],
      ])
      const flood = Array.from({ length: 5000 }, (_, i) => ({ key: `10.1.${i >> 8}.${i & 255}` }))
      await nf.commit([{ add: { elements: { set: addresses, elements: flood } } }])
      await nf.commit([
        { delete: { elements: { set: addresses, elements: [...flood.slice(0, -1), { key: '10.0.0.1' }] } } },
        { delete: { elements: { set: prefixes, elements: keys('10.0.0.0/8') } } },
        { add: { elements: { set: prefixes, elements: keys('10.0.0.0/9') } } },
      ])
      const lost = await next(events)
      assert.equal(lost.resynchronised, true)
      assert.deepEqual(keysIn(lost.changes), [
        ['removed', 'addresses', ['10.0.0.1']],
        ['added', 'addresses', ['10.1.19.135']],
        ['removed', 'prefixes', ['10.0.0.0/8']],
        ['added', 'prefixes', ['10.0.0.0/9']],
      ])
    },
  },
  {
    name: 'without `elements` those that came and went unseen are not looked for',
    async run({ open }) {
      const nf = await open()
      await nf.commit([{ add: { table } }, { add: { set: addresses } }])
      const events = nf.watch({ initial: true, unread: 65536 })
      assert.deepEqual(summary(await next(events)), ['added table web', 'added set addresses'])
      const flood = Array.from({ length: 5000 }, (_, i) => ({ key: `10.1.${i >> 8}.${i & 255}` }))
      await nf.commit([{ add: { elements: { set: addresses, elements: flood } } }])
      const lost = await next(events)
      assert.deepEqual([lost.resynchronised, lost.changes], [true, []])
    },
  },
  {
    name: 'with `elements` a new time-out is a change, and one that timed out and comes again is added',
    async run({ open }) {
      const nf = await open()
      const put = (timeout: number) =>
        nf.commit([{ add: { elements: { set: timed, elements: [{ key: '10.0.0.1', timeout }] } } }])
      await nf.commit([{ add: { table } }, { add: { set: timed } }])
      const events = nf.watch({ elements: true })
      await put(100)
      assert.deepEqual(summary(await next(events)), ['added elements timed'])
      await put(0.2)
      const [element] = await nf.elements(timed).toArray()
      if (element?.timeout === 100) throw new Skip('the kernel does not change time-outs of elements (Linux 6.12)')
      const { changes } = await next(events)
      assert.deepEqual(summary({ changes }), ['changed elements timed'])
      const timeouts = [changes[0]?.before, changes[0]?.after].map(state => (state as Elements).elements[0]?.timeout)
      assert.deepEqual(timeouts, [100, 0.2])
      await sleep(300)
      await put(100)
      assert.deepEqual(summary(await next(events)), ['added elements timed'])
    },
  },
  {
    name: 'sets that nft makes for a rule come and go with it, their elements are read by their types',
    needs: 'linux',
    async run({ open, inside }) {
      const nf = await open()
      await inside('nft add table inet web')
      await inside('nft add chain inet web in')
      const events = nf.watch({ initial: true })
      await next(events)
      await inside(`nft 'add rule inet web in ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } accept'`)
      const added = await next(events)
      assert.equal(added.process?.name, 'nft')
      assert.deepEqual(summary(added), ['added set __set0', 'added elements __set0', 'added rule'])
      assert.deepEqual(keysIn(added.changes), [
        [
          'added',
          '__set0',
          [
            ['10.0.0.1', 80],
            ['10.0.0.2', 443],
          ],
        ],
      ])
      await inside('nft flush chain inet web in')
      assert.deepEqual(summary(await next(events)), ['removed rule', 'removed set __set0'])
    },
  },
  {
    name: '100000 elements in one transaction are one change',
    async run({ open }) {
      const nf = await open()
      await nf.commit([{ add: { table } }, { add: { set: services } }])
      const events = nf.watch({ elements: true })
      const elements = Array.from({ length: 100_000 }, (_, i) => ({
        key: [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 80],
        data: { verdict: 'accept' },
      })) satisfies Element[]
      await nf.commit([{ add: { elements: { set: services, elements } } }])
      const { changes, resynchronised } = await next(events)
      assert.deepEqual([resynchronised, changes.length], [false, 1])
      assert.deepEqual((changes[0]?.after as Elements | undefined)?.elements, elements)
    },
  },
]
