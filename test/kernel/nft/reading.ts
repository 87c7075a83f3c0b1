/** Lists, and single objects. */
import assert from 'node:assert/strict'
import type { Command } from '../../../lib/nft/index.js'
import type { Case } from './case.js'

const table = { family: 'inet', name: 'web' } as const
const other = { family: 'ip', name: 'web' } as const
const chain = { family: 'inet', table: 'web', name: 'in' } as const
const counter = { kind: 'counter', bytes: 0n, packets: 0n } as const

const ruleset: readonly Command[] = [
  { add: { table } },
  { add: { table: other } },
  { add: { chain } },
  { add: { chain: { ...chain, name: 'out' } } },
  { add: { chain: { ...chain, family: 'ip' } } },
  { add: { rule: { family: 'inet', table: 'web', chain: 'in', expressions: [counter], comment: 'first' } } },
  { add: { rule: { family: 'inet', table: 'web', chain: 'in', expressions: [], comment: 'second' } } },
  { add: { rule: { family: 'inet', table: 'web', chain: 'out', expressions: [], comment: 'third' } } },
  { add: { object: { family: 'inet', table: 'web', type: 'counter', name: 'c' } } },
  { add: { set: { family: 'inet', table: 'web', name: 's', key: 'ipv4_addr' } } },
]

export const cases: readonly Case[] = [
  {
    name: 'lists have what the filter lets through, whichever fields the kernel filters by',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const count = async (list: Promise<readonly unknown[]>) => (await list).length
      assert.equal(await count(nf.tables()), 2)
      assert.equal(await count(nf.tables({ family: 'ip' })), 1)
      assert.equal(await count(nf.tables({ table: 'web' })), 2)
      assert.equal(await count(nf.tables({ table: 'none' })), 0)
      assert.equal(await count(nf.chains()), 3)
      assert.equal(await count(nf.chains({ family: 'inet', table: 'web' })), 2)
      assert.equal(await count(nf.chains({ table: 'none' })), 0)
      assert.deepEqual((await nf.rules()).map(({ comment }) => comment).sort(), ['first', 'second', 'third'])
      assert.deepEqual(
        (await nf.rules({ ...chain, chain: 'in' })).map(({ comment }) => comment),
        ['first', 'second'],
      )
      assert.equal(await count(nf.rules({ table: 'none', family: 'inet' })), 0)
      assert.equal(await count(nf.sets({ table: 'web' })), 1)
      assert.equal(await count(nf.sets({ family: 'ip', table: 'web' })), 0)
      assert.equal(await count(nf.objects({ type: 'counter' })), 1)
      assert.equal(await count(nf.objects({ type: 'quota' })), 0)
      assert.equal(await count(nf.objects({ family: 'inet', table: 'none' })), 0)
      assert.equal(await count(nf.flowtables({ family: 'inet', table: 'none' })), 0)
    },
  },
  {
    name: 'tables of one name in several families: without a family, all of them are meant',
    async run({ open }) {
      const nf = await open()
      const families = ['inet', 'ip', 'ip6'] as const
      for (const family of families)
        await nf.commit([
          { add: { table: { family, name: 'web' } } },
          { add: { chain: { family, table: 'web', name: `only ${family}` } } },
          { add: { chain: { family, table: 'web', name: 'in' } } },
          { add: { rule: { family, table: 'web', chain: `only ${family}`, expressions: [] } } },
          { add: { rule: { family, table: 'web', chain: 'in', expressions: [] } } },
        ])
      const of = (list: readonly { readonly family: string }[]) => [...new Set(list.map(({ family }) => family))].sort()
      assert.equal((await nf.rules({ table: 'web' })).length, 6)
      assert.deepEqual(of(await nf.rules({ table: 'web', chain: 'in' })), families)
      assert.deepEqual(of(await nf.rules({ table: 'web', chain: 'only ip' })), ['ip'])
      assert.deepEqual(of((await nf.snapshot({ table: 'web' })).rules), families)
      for await (const { changes } of nf.watch({ table: 'web', initial: true })) {
        assert.equal(changes.filter(({ object }) => object === 'rule').length, 6)
        break
      }
    },
  },
  {
    name: 'what was read is found again by its name and by its handle',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      for (const table of await nf.tables()) {
        assert.deepEqual(await nf.getTable({ family: table.family, name: table.name }), table)
        assert.deepEqual(await nf.getTable({ family: table.family, handle: table.handle ?? 0 }), table)
      }
      for (const chain of await nf.chains()) {
        const { family, table, name, handle = 0 } = chain
        assert.deepEqual(await nf.getChain({ family, table, name }), chain)
        assert.deepEqual(await nf.getChain({ family, table, handle }), chain)
        assert.deepEqual(await nf.getChain(chain), chain)
      }
      for (const rule of await nf.rules()) {
        const { handle = 0 } = rule
        const { after: _, ...rest } = { after: 0, ...(await nf.getRule({ ...rule, handle })) }
        const { after: __, ...listed } = { after: 0, ...rule }
        assert.deepEqual(rest, listed)
      }
      for (const object of await nf.objects()) {
        const { family, table, type, name, handle = 0 } = object
        assert.deepEqual(await nf.getObject({ family, table, type, name }), object)
        assert.deepEqual(await nf.getObject({ family, table, type, handle }), object)
      }
    },
  },
  {
    name: 'what is not there is undefined, where its table is not there as well',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      for (const table of ['web', 'none']) {
        const key = { family: 'inet', table, name: 'none' } as const
        assert.equal(await nf.getChain(key), undefined)
        assert.equal(await nf.getSet(key), undefined)
        assert.equal(await nf.getObject({ ...key, type: 'quota' }), undefined)
        assert.equal(await nf.getFlowtable(key), undefined)
        assert.equal(await nf.getChain({ family: 'inet', table, handle: 999 }), undefined)
        assert.equal(await nf.getRule({ family: 'inet', table, chain: 'in', handle: 999 }), undefined)
        assert.equal(await nf.getRule({ family: 'inet', table, chain: 'none', handle: 999 }), undefined)
      }
      assert.equal(await nf.getTable({ family: 'inet', name: 'none' }), undefined)
      assert.equal(await nf.getTable({ family: 'inet', handle: 999 }), undefined)
    },
  },
  {
    name: 'a key that names nothing is refused before the kernel is asked',
    async run({ open }) {
      const nf = await open()
      await assert.rejects(nf.getChain({ family: 'inet', table: 'web' } as never), /^TypeError: name: is missing/)
      await assert.rejects(nf.getChain({ family: 'inet', name: 'in' } as never), /^TypeError: table: is missing/)
      await assert.rejects(nf.getTable({ name: 'web' } as never), /^TypeError: family: is missing/)
      await assert.rejects(nf.getRule({ ...chain, chain: 'in' } as never), /^TypeError: handle: is missing/)
      await assert.rejects(nf.getObject({ ...chain } as never), /^TypeError: type: is missing/)
      await assert.rejects(nf.getTable(undefined as never), /^TypeError: undefined: give an object/)
      await assert.rejects(nf.rules({ family: 'ipv4' as 'ip' }), /^TypeError: family: "ipv4": give one of inet/)
    },
  },
  {
    name: 'who may not ask is told what is needed',
    needs: 'linux',
    async run({ netns, sh }) {
      const script = `import('${new URL('../../../lib/nft/index.js', import.meta.url)}').then(async ({ open }) => {
        const nf = await open()
        await nf.tables().then(() => console.log('allowed'), ({ problem, message }) => console.log(problem, message))
        await nf.close()
      })`
      const printed = await sh(
        `ip netns exec ${netns} setpriv --reuid 65534 --clear-groups --inh-caps=-all ${process.execPath} -e "${script}"`,
      )
      assert.match(printed, /^not-permitted tables: CAP_NET_ADMIN is needed: run as root.* \(EPERM\)/)
    },
  },
]
