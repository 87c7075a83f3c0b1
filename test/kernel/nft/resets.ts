/** Counters that are read and set back. */
import assert from 'node:assert/strict'
import { type Command, NetlinkError, type NftClient } from '../../../lib/nft/index.js'
import { type Case, Skip } from './case.js'

const of = { family: 'inet', table: 'web' } as const
const counted = { kind: 'counter', packets: 3n, bytes: 30n } as const
const zero = { kind: 'counter', packets: 0n, bytes: 0n } as const
const set = { ...of, name: 's', key: 'ipv4_addr', expressions: [zero] } as const

const ruleset: readonly Command[] = [
  { add: { table: { family: 'inet', name: 'web' } } },
  { add: { table: { family: 'ip', name: 'web' } } },
  { add: { chain: { ...of, name: 'a' } } },
  { add: { chain: { ...of, name: 'b' } } },
  { add: { chain: { family: 'ip', table: 'web', name: 'a' } } },
  { add: { rule: { ...of, chain: 'a', expressions: [counted], comment: '1' } } },
  { add: { rule: { ...of, chain: 'a', expressions: [counted], comment: '2' } } },
  { add: { rule: { ...of, chain: 'b', expressions: [counted], comment: '3' } } },
  { add: { rule: { family: 'ip', table: 'web', chain: 'a', expressions: [counted], comment: '4' } } },
  { add: { object: { ...of, type: 'counter', name: 'c', packets: 3n, bytes: 30n } } },
  { add: { object: { ...of, type: 'counter', name: 'd', packets: 4n, bytes: 40n } } },
  { add: { object: { ...of, type: 'quota', name: 'c', bytes: 1000n, used: 10n } } },
  { add: { set } },
  { add: { elements: { set, elements: ['10.0.0.1', '10.0.0.2'].map(key => ({ key, expressions: [counted] })) } } },
]

/** Waits for a reset that this kernel need not know. */
async function known<T>(reset: Promise<T>): Promise<T> {
  try {
    return await reset
  } catch (error) {
    if (error instanceof NetlinkError && error.problem === 'not-supported') throw new Skip(error.reason)
    throw error
  }
}

/** Comments of the rules that still have their counts. */
async function counting(nf: NftClient): Promise<string> {
  const rules = await nf.rules()
  return rules
    .filter(({ expressions: [first] }) => first?.kind === 'counter' && first.packets === 3n)
    .map(({ comment }) => comment)
    .sort()
    .join()
}

export const cases: readonly Case[] = [
  {
    name: 'counters of rules are set back, only of those that were asked for, and returned as they were',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const rules = await nf.rules({ ...of, chain: 'a' })
      assert.equal(await counting(nf), '1,2,3,4')
      const [first] = rules
      assert.deepEqual(await known(nf.resetRules({ ...of, chain: 'a', handle: first?.handle ?? 0 })), [first])
      assert.equal(await counting(nf), '2,3,4')
      const before = await nf.rules({ ...of, chain: 'a' })
      assert.deepEqual(await nf.resetRules({ ...of, chain: 'a' }), before)
      assert.equal(await counting(nf), '3,4')
      await nf.resetRules({ family: 'inet' })
      assert.equal(await counting(nf), '4')
      await nf.resetRules()
      assert.equal(await counting(nf), '')
      assert.deepEqual(await nf.resetRules({ ...of, chain: 'none' }), [])
      assert.deepEqual(await nf.resetRules({ ...of, chain: 'a', handle: 999 }), [])
    },
  },
  {
    name: 'of tables of one name in several families the counters of all are set back, and of no other table',
    async run({ open }) {
      const nf = await open()
      await nf.commit([
        ...ruleset,
        { add: { table: { family: 'ip', name: 'other' } } },
        { add: { chain: { family: 'ip', table: 'other', name: 'a' } } },
        { add: { rule: { family: 'ip', table: 'other', chain: 'a', expressions: [counted], comment: '5' } } },
      ])
      assert.equal((await known(nf.resetRules({ table: 'web', chain: 'a' }))).length, 3)
      assert.equal(await counting(nf), '3,5')
      assert.equal((await nf.resetRules({ table: 'web' })).length, 4)
      assert.equal(await counting(nf), '5')
      assert.equal((await nf.resetObjects({ table: 'web' })).length, 3)
    },
  },
  {
    name: 'a reset that the kernel would take for a larger one is refused',
    async run({ open }) {
      const nf = await open()
      await assert.rejects(nf.resetRules({ chain: 'a' }), /^TypeError: table: is missing/)
      await assert.rejects(nf.resetRules({ table: 'web', handle: 1 }), /^TypeError: family: is missing/)
      await assert.rejects(nf.resetRules({ family: 'inet', table: 'web', handle: 1 }), /^TypeError: chain: is missing/)
      await assert.rejects(nf.resetObjects({ name: 'c' }), /^TypeError: table: is missing/)
      await assert.rejects(nf.resetObjects({ ...of, name: 'c' }), /^TypeError: type: is missing/)
    },
  },
  {
    name: 'objects are set back and returned as they were',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const all = await nf.objects()
      const counter = all.find(({ name, type }) => name === 'c' && type === 'counter')
      assert.deepEqual(await nf.resetObjects({ ...of, type: 'counter', name: 'c' }), [counter])
      assert.deepEqual(await nf.getObject({ ...of, type: 'counter', name: 'c' }), { ...counter, packets: 0n, bytes: 0n })
      assert.equal((await nf.resetObjects({ type: 'counter' })).length, 2)
      const quota = await nf.getObject({ ...of, type: 'quota', name: 'c' })
      assert.ok(quota?.type === 'quota')
      assert.equal(quota.used, 10n)
      assert.equal((await nf.resetObjects()).length, 3)
      const after = await nf.getObject(quota)
      assert.deepEqual(after, { ...quota, used: 0n })
      assert.deepEqual(await nf.resetObjects({ family: 'inet', table: 'none' }), [])
    },
  },
  {
    name: 'counters of elements are set back and returned as they were',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const counts = async () =>
        Object.fromEntries(
          (await nf.elements(set).toArray()).map(({ key, expressions: [it] = [] }) => [
            key,
            it?.kind === 'counter' ? it.packets : it,
          ]),
        )
      const one = await known(nf.resetElements(set, ['10.0.0.1', '10.0.0.3']))
      assert.deepEqual(one, [{ key: '10.0.0.1', expressions: [counted] }])
      assert.deepEqual(await counts(), { '10.0.0.1': 0n, '10.0.0.2': 3n })
      const all = await nf.resetElements({ ...of, name: 's' })
      assert.deepEqual(all.map(({ key }) => key).sort(), ['10.0.0.1', '10.0.0.2'])
      assert.deepEqual(await counts(), { '10.0.0.1': 0n, '10.0.0.2': 0n })
      await assert.rejects(nf.resetElements({ ...of, name: 'none' }), { problem: 'no-such-object' })
    },
  },
]
