/** Reading elements: all of a set, and single ones. */
import assert from 'node:assert/strict'
import type { Command, NftClient } from '../../../lib/nft/index.js'
import { between } from '../support/between.js'
import type { Case } from './case.js'

const of = { family: 'inet', table: 'web' } as const
const table: Command = { add: { table: { family: 'inet', name: 'web' } } }
const big = { ...of, name: 'big', key: 'ipv4_addr' } as const

const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }))

async function withSet(nf: NftClient, count: number): Promise<void> {
  await nf.commit([table, { add: { set: big } }, { add: { elements: { set: big, elements: addresses(count) } } }])
}

export const cases: readonly Case[] = [
  {
    name: 'elements: a set of several pages is read whole, whether its types are given or not',
    async run({ open }) {
      const nf = await open()
      await withSet(nf, 20_000)
      for (const set of [big, { ...of, name: 'big' }]) {
        const keys = new Set<unknown>()
        const list = nf.elements(set)
        assert.equal(list.consistent, undefined)
        for await (const { key } of list) keys.add(key)
        assert.equal(keys.size, 20_000)
        assert.equal(list.consistent, true)
      }
      assert.equal((await nf.elements(big).toArray()).length, 20_000)
    },
  },
  {
    name: 'elements: a set without any is empty, one that is not there is an error',
    async run({ open }) {
      const nf = await open()
      await withSet(nf, 0)
      assert.deepEqual(await nf.elements(big).toArray(), [])
      for (const set of [
        { ...big, name: 'none' },
        { ...of, name: 'none' },
      ])
        await assert.rejects(nf.elements(set).toArray(), { problem: 'no-such-object', code: 'ENOENT' })
      await assert.rejects(nf.elements({ ...of } as never).toArray(), /^TypeError: name: is missing/)
    },
  },
  {
    name: 'elements: other calls go on while a set is read, and what they change shows',
    async run({ open }) {
      const nf = await open()
      await withSet(nf, 20_000)
      const list = nf.elements(big)
      let count = 0
      for await (const _ of list) if (++count === 1) await nf.commit([{ add: { table: { family: 'ip', name: 'other' } } }])
      assert.equal(list.consistent, false)
      assert.equal((await nf.tables()).length, 2)
    },
  },
  {
    name: 'elements: a reading that is left in the middle holds up nothing',
    async run({ open }) {
      const nf = await open()
      await withSet(nf, 20_000)
      for (let i = 0; i < 20; i++) for await (const _ of nf.elements(big)) break
      const reading = nf.elements(big)[Symbol.asyncIterator]()
      await reading.next()
      await nf.close()
      await assert.rejects(async () => {
        for (;;) if ((await reading.next()).done) return
      }, /closed/)
    },
  },
  {
    name: 'single elements come in the order of their keys, undefined where there is none',
    async run({ open }) {
      const nf = await open()
      await withSet(nf, 3000)
      const keys = ['10.0.0.1', '10.9.0.0', '10.0.0.0', '10.9.0.1']
      assert.deepEqual(await nf.getElements(big, keys), [{ key: '10.0.0.1' }, undefined, { key: '10.0.0.0' }, undefined])
      assert.deepEqual(await nf.getElements(big, []), [])
      const many = addresses(3000)
      assert.deepEqual(
        await nf.getElements(
          { ...of, name: 'big' },
          many.map(({ key }) => key),
        ),
        many,
      )
      await assert.rejects(nf.getElements({ ...big, name: 'none' }, ['10.0.0.1']), { problem: 'no-such-object' })
      await assert.rejects(nf.getElements(big, ['10.0.0.1', 'x']), /^TypeError: keys\[1\]: "x"/)
      await assert.rejects(nf.getElements(big, '10.0.0.1' as never), /^TypeError: keys: "10.0.0.1": give a list of keys/)
    },
  },
  {
    name: 'a key within an interval finds the interval',
    async run({ open }) {
      const nf = await open()
      const set = { ...of, name: 'ranges', key: 'ipv4_addr', flags: ['interval'] } as const
      const [prefix, range, open_] = [
        { key: '10.0.0.0/8' },
        { key: { from: '192.168.1.1', to: '192.168.1.77' } },
        { key: '255.0.0.0/8' },
      ]
      await nf.commit([table, { add: { set } }, { add: { elements: { set, elements: [prefix, range, open_] } } }])
      const pairs = [
        ['10.0.0.0', prefix],
        ['10.2.3.4', prefix],
        ['10.255.255.255', prefix],
        ['11.0.0.0', undefined],
        ['0.0.0.0', undefined],
        [{ from: '192.168.1.7', to: '192.168.1.9' }, range],
        ['192.168.1.78', undefined],
        ['255.0.0.7', open_],
        ['255.255.255.255', open_],
      ] as const
      assert.deepEqual(
        await nf.getElements(
          set,
          pairs.map(([key]) => key),
        ),
        pairs.map(([, element]) => element),
      )
    },
  },
  {
    name: 'an interval is found as it is, whatever adjoins it and wherever its end is; a range of two intervals is in none',
    async run({ open }) {
      const nf = await open()
      await nf.commit([table])
      const ports: readonly (readonly [number, number])[][] = [
        [
          [0, 0],
          [1, 1],
          [2, 3],
          [5, 5],
          [6, 9],
        ],
        [
          [1, 4],
          [5, 9],
          [10, 0xffff],
        ],
        [
          [0, 7],
          [9, 9],
          [0xfffe, 0xfffe],
          [0xffff, 0xffff],
        ],
      ]
      for (const [i, intervals] of ports.entries()) {
        const set = { ...of, name: `ports${i}`, key: 'inet_service', flags: ['interval'] } as const
        const elements = intervals.map(([from, to]) => ({ key: from === to ? from : { from, to } }))
        await nf.commit([{ add: { set } }, { add: { elements: { set, elements } } }])
        const values = [...Array.from({ length: 13 }, (_, value) => value), 0xfffd, 0xfffe, 0xffff]
        const ranges = values.flatMap(from => values.filter(to => to >= from).map(to => [from, to] as const))
        const expected = ranges.map(([from, to]) => elements[intervals.findIndex(it => it[0] <= from && to <= it[1])])
        assert.deepEqual(
          await nf.getElements(
            set,
            ranges.map(([from, to]) => (from === to ? from : { from, to })),
          ),
          expected,
        )
      }
    },
  },
  {
    name: 'a key within the ranges of a concatenation finds them',
    async run({ open }) {
      const nf = await open()
      const set = { ...of, name: 'ranges', key: ['ipv4_addr', 'inet_service'], data: 'mark', flags: ['interval'] } as const
      const element = { key: ['10.0.0.0/8', { from: 1, to: 1023 }], data: 7 }
      await nf.commit([table, { add: { set } }, { add: { elements: { set, elements: [element] } } }])
      assert.deepEqual(
        await nf.getElements(set, [
          ['10.1.1.1', 80],
          ['10.1.1.1', 8080],
        ]),
        [element, undefined],
      )
      assert.deepEqual(await nf.elements(set).toArray(), [element])
    },
  },
  {
    name: 'elements: the kernel is asked for one page more than the one that is looked at, and no further',
    async run({ open, transport }) {
      let pages = 0
      const nf = await open({ transport: between(transport(), { before: ({ kind }) => kind === 'page' && pages++ }) })
      await withSet(nf, 20_000)
      pages = 0
      let count = 0
      const asked: number[] = []
      for await (const page of nf.elements(big).pages()) {
        count += page.length
        await new Promise(resolve => setTimeout(resolve, 10))
        asked.push(pages)
      }
      assert.equal(count, 20_000)
      assert.ok(asked.length >= 3, `${asked.length} pages`)
      assert.deepEqual(
        asked,
        asked.map((_, i) => Math.min(i + 2, asked.length)),
      )
    },
  },
]
