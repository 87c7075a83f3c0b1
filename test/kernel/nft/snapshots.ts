/** Snapshots, and what is made again of them. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { nativeTransport } from '../../../lib/netlink/index.js'
import { type Command, type Element, type NftClient, recreate, type Snapshot } from '../../../lib/nft/index.js'
import type { Case } from './case.js'
import { ruleset as nftRuleset } from './ruleset.js'

const of = { family: 'inet', table: 'web' } as const
const accept = { kind: 'immediate', destination: 0, data: { verdict: 'accept' } } as const
const counter = { kind: 'counter', packets: 7n, bytes: 70n } as const
const address = { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 } as const

/** A bit of everything. */
const ruleset: readonly Command[] = [
  { add: { table: { family: 'inet', name: 'web', comment: 'hé' } } },
  { add: { table: { family: 'ip6', name: 'web', flags: ['dormant'] } } },
  { add: { object: { ...of, type: 'counter', name: 'hits', packets: 3n, bytes: 30n } } },
  { add: { chain: { ...of, name: 'base', hook: 'input', priority: 'filter + 3', policy: 'drop' } } },
  { add: { chain: { ...of, name: 'other', comment: 'regular' } } },
  { add: { chain: { ...of, name: '', flags: ['binding'], id: 11 } } },
  { add: { set: { ...of, name: 'plain', key: 'ipv4_addr', comment: 'named' } } },
  {
    add: {
      elements: {
        set: { ...of, name: 'plain', key: 'ipv4_addr' },
        elements: [{ key: '10.0.0.1', comment: 'first' }, { key: '10.0.0.2' }],
      },
    },
  },
  { add: { set: { ...of, name: 'empty', key: 'inet_service', flags: ['interval'] } } },
  { add: { set: { ...of, name: '__map%d', key: 'inet_service', data: 'verdict', flags: ['anonymous', 'constant'], id: 1 } } },
  {
    add: {
      elements: {
        set: { ...of, name: '__map%d', key: 'inet_service', data: 'verdict', id: 1 },
        elements: [
          { key: 80, data: { verdict: 'jump', chain: 'other' } },
          { key: 22, data: { verdict: 'accept' } },
        ],
      },
    },
  },
  { add: { rule: { ...of, chain: '', chainId: 11, expressions: [counter] } } },
  { add: { rule: { ...of, chain: '', chainId: 11, expressions: [accept] } } },
  {
    add: {
      rule: {
        ...of,
        chain: 'base',
        expressions: [{ kind: 'immediate', destination: 0, data: { verdict: 'jump', chainId: 11 } }],
        comment: 'unnamed',
      },
    },
  },
  {
    add: {
      rule: {
        ...of,
        chain: 'base',
        expressions: [
          { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
          { kind: 'lookup', set: '__map%d', setId: 1, source: 1, destination: 0 },
        ],
      },
    },
  },
  {
    add: {
      rule: {
        ...of,
        chain: 'other',
        expressions: [address, { kind: 'lookup', set: 'plain', source: 1 }, { kind: 'objref', type: 'counter', name: 'hits' }],
      },
    },
  },
]

/** What two rulesets have in common that are the same: handles and the numbers of what has no name are the kernel's. */
function comparable({ generation: _, ...snapshot }: Snapshot): unknown {
  const byKey = (a: Element, b: Element) => (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1)
  const elements = snapshot.elements.map(({ set, elements }) => ({ set, elements: elements.slice().sort(byKey) }))
  return JSON.parse(
    JSON.stringify({ ...snapshot, elements }, (field, value) => {
      if (['handle', 'after', 'expires'].includes(field)) return undefined
      if (typeof value === 'bigint') return `${value}n`
      return typeof value === 'string' ? value.replace(/^(__\w+?)\d+$/, '$1N') : value
    }),
  )
}

const sorted = (values: readonly string[]): string[] => values.slice().sort()

async function clear(nf: NftClient): Promise<void> {
  await nf.commit((await nf.tables()).map(table => ({ delete: { table } })))
}

export const cases: readonly Case[] = [
  {
    name: 'a snapshot has everything, and is of one generation',
    async run({ open }) {
      const nf = await open()
      const { generation } = await nf.commit(ruleset)
      const snapshot = await nf.snapshot()
      assert.equal(snapshot.generation, generation)
      assert.equal(snapshot.consistent, true)
      assert.deepEqual(sorted(snapshot.tables.map(({ family }) => family)), ['inet', 'ip6'])
      assert.equal(snapshot.chains.length, 3)
      assert.equal(snapshot.rules.length, 5)
      assert.deepEqual(sorted(snapshot.sets.map(({ name }) => name)), ['__map0', 'empty', 'plain'])
      assert.equal(snapshot.objects.length, 1)
      const plain = snapshot.elements.find(({ set }) => set.name === 'plain')
      assert.deepEqual(sorted(plain?.elements.map(({ key }) => String(key)) ?? []), ['10.0.0.1', '10.0.0.2'])
      assert.deepEqual(sorted(snapshot.elements.map(({ set }) => set.name)), ['__map0', 'plain'])
      for (const list of ['tables', 'chains', 'rules', 'sets', 'objects', 'flowtables'] as const)
        assert.deepEqual(snapshot[list], await nf[list](), list)
    },
  },
  {
    name: 'a snapshot is of a family, of a table, without elements',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const ip6 = await nf.snapshot({ family: 'ip6' })
      assert.deepEqual([ip6.tables.length, ip6.chains.length, ip6.sets.length], [1, 0, 0])
      const table = await nf.snapshot({ family: 'inet', table: 'web', elements: false })
      assert.deepEqual([table.tables.length, table.rules.length, table.sets.length, table.elements.length], [1, 5, 3, 0])
      const none = await nf.snapshot({ family: 'inet', table: 'none' })
      assert.deepEqual(comparable(none), {
        consistent: true,
        tables: [],
        chains: [],
        rules: [],
        sets: [],
        objects: [],
        flowtables: [],
        elements: [],
      })
    },
  },
  {
    name: 'what a snapshot has is made again, unnamed chains and anonymous sets as well',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const before = await nf.snapshot()
      await clear(nf)
      await nf.commit(await recreate(before))
      const after = await nf.snapshot()
      assert.deepEqual(comparable(after), comparable(before))
      await clear(nf)
      await nf.commit(await recreate(after))
    },
  },
  {
    name: 'a snapshot that others keep changing is either consistent or says that it is not',
    async run({ open }) {
      const nf = await open()
      const other = await open()
      const set = { ...of, name: 'big', key: 'ipv4_addr' } as const
      const keys = Array.from({ length: 4000 }, (_, i) => ({ key: `10.0.${i >> 8}.${i & 255}` }))
      await nf.commit([{ add: { table: { family: 'inet', name: 'web' } } }, { add: { set } }])
      // Its pauses grow until a snapshot has the time to be read.
      let stop = false
      const changing = (async () => {
        for (let pause = 1; !stop; pause++) {
          await other.commit([{ add: { elements: { set, elements: keys } } }])
          await setTimeout(pause)
          await other.commit([{ flush: { set } }])
          await setTimeout(pause)
        }
      })()
      const sizes = new Set<number>()
      try {
        for (const end = performance.now() + 60_000; sizes.size < 2 && performance.now() < end; ) {
          const { consistent, elements } = await nf.snapshot()
          if (consistent) sizes.add(elements[0]?.elements.length ?? 0)
        }
      } finally {
        stop = true
        await changing
      }
      assert.deepEqual([...sizes].sort(), [0, keys.length])
    },
  },
  {
    name: 'nft prints the same of a ruleset that was made of a snapshot',
    needs: 'linux',
    async run({ open, inside, another, sh }) {
      const nf = await open()
      await inside(`nft -f - <<'END'\n${nftRuleset}END`)
      const elsewhere = await another()
      const second = await open({ transport: nativeTransport({ name: elsewhere }) })
      await second.commit(await recreate(await nf.snapshot()))
      const withoutTimes = (text: string) => text.replaceAll(/ expires \w+/g, '')
      const printed = withoutTimes(await inside('nft list ruleset'))
      assert.equal(withoutTimes(await sh(`ip netns exec ${elsewhere} nft list ruleset`)), printed)
      assert.ok(printed.length > 2000)
    },
  },
]
