/** What `watch` tells, and when it ends. */
import assert from 'node:assert/strict'
import type { Command, NftClient, Rule, WatchEvent } from '../../../../lib/nft/index.js'
import { type Case, Skip } from '../case.js'
import { Mirror, next, summary } from './mirror.js'

const table = { family: 'inet', name: 'web' } as const
const chain = { family: 'inet', table: 'web', name: 'in' } as const
const of = { family: 'inet', table: 'web', chain: 'in' } as const
const verdict = (word: 'accept' | 'drop') => ({ kind: 'immediate', destination: 0, data: { verdict: word } }) as const
const rule = (comment: string, word: 'accept' | 'drop' = 'accept'): Rule => ({ ...of, expressions: [verdict(word)], comment })

const ruleset: readonly Command[] = [
  { add: { table } },
  { add: { chain: { ...chain, type: 'filter', hook: 'input', priority: 0, policy: 'accept' } } },
  { add: { rule: rule('first') } },
  { add: { object: { family: 'inet', table: 'web', type: 'counter', name: 'hits' } } },
]

/** Adds a rule to a table of this name, which every eighth time is a new one. */
function churn(name: string, i: number): readonly Command[] {
  const table = { family: 'inet', name } as const
  const chain = { family: 'inet', table: name, name: 'c' } as const
  const anew: readonly Command[] = i % 8 === 7 ? [{ add: { table } }, { delete: { table } }] : []
  const rule = { family: 'inet', table: name, chain: 'c', expressions: [], comment: `${i}` } as const
  return [...anew, { add: { table } }, { add: { chain } }, { add: { rule } }]
}

export const cases: readonly Case[] = [
  {
    name: 'each transaction is one event: its generation, whose it is, and its changes in order',
    async run({ open }) {
      const nf = await open()
      const other = await open()
      const events = nf.watch()
      const { generation } = await nf.commit(ruleset)
      const mine = await next(events)
      assert.equal(mine.generation, generation)
      assert.equal(mine.own, true)
      assert.equal(mine.resynchronised, false)
      assert.deepEqual(summary(mine), ['added table web', 'added chain in', 'added rule first', 'added object hits'])
      await other.commit([{ add: { rule: rule('second') } }, { add: { rule: rule('third') } }])
      const theirs = await next(events)
      assert.equal(theirs.own, false)
      assert.equal(theirs.generation, generation + 1)
      assert.deepEqual(summary(theirs), ['added rule second', 'added rule third'])
    },
  },
  {
    name: 'what is added is told as a listing has it, and what is removed as it was',
    async run({ open }) {
      const nf = await open()
      const events = nf.watch()
      await nf.commit(ruleset)
      const { changes } = await next(events)
      const [tables, chains, rules, objects] = await Promise.all([nf.tables(), nf.chains(), nf.rules(), nf.objects()])
      assert.deepEqual(
        changes.map(({ after }) => ({ ...after, use: undefined, after: undefined })),
        [...tables, ...chains, ...rules, ...objects].map(object => ({ ...object, use: undefined, after: undefined })),
      )
      await nf.commit([{ delete: { table } }])
      const gone = await next(events)
      assert.deepEqual(summary(gone), ['removed rule first', 'removed object hits', 'removed chain in', 'removed table web'])
      assert.deepEqual({ ...gone.changes[2]?.before, use: 0 }, { ...chains[0], use: 0 })
    },
  },
  {
    name: 'a change has the object before and after it: a policy, a name, a rule that is replaced',
    async run({ open }) {
      const nf = await open()
      const strict = { ...chain, type: 'filter', hook: 'input', priority: 0, policy: 'drop' } as const
      const { handles = [] } = await nf.commit([...ruleset, { add: { chain: { ...chain, name: 'regular' } } }], { handles: true })
      const regular = { ...chain, name: 'regular', handle: handles[4] }
      const events = nf.watch()
      const tell = async (commands: readonly Command[], field: string) => {
        await nf.commit(commands)
        return (await next(events)).changes.map(({ type, object, before, after }) => {
          const value = (state: object | undefined) => (state as Record<string, unknown> | undefined)?.[field]
          return [type, object, value(before), value(after)]
        })
      }
      assert.deepEqual(await tell([{ add: { chain: strict } }], 'policy'), [['changed', 'chain', 'accept', 'drop']])
      assert.deepEqual(await tell([{ rename: { chain: { ...regular, newName: 'renamed' } } }], 'name'), [
        ['changed', 'chain', 'regular', 'renamed'],
      ])
      const first = { ...rule('better', 'drop'), handle: handles[2] ?? 0 }
      const replaced = await tell([{ replace: { rule: first } }], 'comment')
      // Before Linux 6.18 the new rule has a handle of its own.
      assert.ok(
        [
          [['changed', 'rule', 'first', 'better']],
          [
            ['removed', 'rule', 'first', undefined],
            ['added', 'rule', undefined, 'better'],
          ],
        ].some(expected => JSON.stringify(expected) === JSON.stringify(replaced)),
        JSON.stringify(replaced),
      )
    },
  },
  {
    name: 'what is written again as it is, is no change',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const events = nf.watch()
      await nf.commit([{ add: { table } }, { add: { chain: { ...chain, type: 'filter', hook: 'input', priority: 0 } } }])
      await nf.commit([{ add: { rule: rule('second') } }])
      assert.deepEqual(summary(await next(events)), ['added rule second'])
    },
  },
  {
    name: 'what is destroyed is told as removed, and what was not there is not told',
    async run({ open }) {
      const nf = await open()
      if (!(await nf.capabilities()).destroy) throw new Skip('the kernel destroys nothing (Linux 6.3)')
      await nf.commit([...ruleset, { add: { set: { family: 'inet', table: 'web', name: 's', key: 'ipv4_addr' } } }])
      const events = nf.watch()
      await nf.commit([
        { destroy: { chain: { ...chain, name: 'absent' } } },
        { destroy: { set: { family: 'inet', table: 'web', name: 's' } } },
      ])
      assert.deepEqual(summary(await next(events)), ['removed set s'])
      await nf.commit([{ destroy: { chain } }])
      assert.deepEqual(summary(await next(events)), ['removed rule first', 'removed chain in'])
      await nf.commit([{ destroy: { table } }])
      assert.deepEqual(summary(await next(events)), ['removed object hits', 'removed table web'])
    },
  },
  {
    name: '20000 rules in one transaction are one event',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const events = nf.watch()
      const rules = Array.from({ length: 20_000 }, (_, i): Command => ({ add: { rule: rule(`${i}`) } }))
      const { generation } = await nf.commit(rules)
      const event = await next(events)
      assert.deepEqual([event.generation, event.resynchronised, event.changes.length], [generation, false, 20_000])
      assert.deepEqual(summary(event)[19_999], 'added rule 19999')
    },
  },
  {
    name: 'with `initial` what is there is told first, as added, also when it is nothing',
    async run({ open }) {
      const nf = await open()
      const empty = await next(nf.watch({ initial: true }))
      assert.deepEqual([empty.changes, empty.own, empty.resynchronised], [[], false, false])
      const { generation } = await nf.commit(ruleset)
      const events = nf.watch({ initial: true })
      const first = await next(events)
      assert.equal(first.generation, generation)
      assert.deepEqual(summary(first), ['added table web', 'added object hits', 'added chain in', 'added rule first'])
      await nf.commit([{ add: { rule: rule('second') } }])
      assert.deepEqual(summary(await next(events)), ['added rule second'])
    },
  },
  {
    name: 'a filter leaves out other families and other tables',
    async run({ open }) {
      const nf = await open()
      const here = nf.watch({ family: 'inet', table: 'web' })
      const named = nf.watch({ table: 'web' })
      const ip = nf.watch({ family: 'ip' })
      await nf.commit([{ add: { table: { family: 'ip', name: 'web' } } }])
      await nf.commit([{ add: { table: { family: 'inet', name: 'other' } } }])
      await nf.commit([...ruleset, { add: { chain: { family: 'ip', table: 'web', name: 'c' } } }])
      assert.deepEqual(summary(await next(here)), ['added table web', 'added chain in', 'added rule first', 'added object hits'])
      assert.deepEqual(summary(await next(named)), ['added table web'])
      assert.equal((await next(named)).changes.length, 5)
      assert.deepEqual([summary(await next(ip)), summary(await next(ip))], [['added table web'], ['added chain c']])
      const initial = await next(nf.watch({ family: 'ip', table: 'web', initial: true }))
      assert.deepEqual(summary(initial), ['added table web', 'added chain c'])
      const set = { family: 'inet', table: 'web', name: 's', key: 'ipv4_addr' } as const
      await nf.commit([{ add: { set } }])
      const late = nf.watch({ table: 'web' })
      await nf.commit([{ add: { elements: { set, elements: [{ key: '10.0.0.1' }] } } }])
      const { resynchronised, changes } = await next(late)
      assert.deepEqual([resynchronised, summary({ changes })], [false, ['added elements s']])
    },
  },
  {
    name: 'nothing is lost between what is there and what comes, and nothing told twice, while several write',
    async run({ open }) {
      const nf = await open()
      await nf.commit(ruleset)
      const watches: AsyncIterator<WatchEvent, void>[] = []
      const write = async (writer: NftClient, name: string) => {
        for (let i = 0; i < 40; i++) {
          if (i % 10 === 5) watches.push(writer.watch({ initial: true }))
          await writer.commit(churn(name, i))
        }
      }
      await Promise.all(['a', 'b', 'c'].map(async name => write(await open(), name)))
      const last = await nf.generation()
      for (const events of watches) {
        const mirror = new Mirror()
        while (mirror.generation !== last) mirror.apply(await next(events))
        await mirror.compare(nf)
      }
      assert.equal(watches.length, 12)
    },
  },
  {
    name: 'it ends when the loop is left, with its signal, and with the client, also while it waits',
    async run({ open }) {
      const nf = await open()
      const ended = { done: true, value: undefined }
      const returned = nf.watch()
      const waiting = returned.next()
      assert.deepEqual(await returned.return?.(), ended)
      assert.deepEqual(await waiting, ended)
      assert.deepEqual(await returned.next(), ended)

      const stop = new AbortController()
      const signalled = nf.watch({ signal: stop.signal }).next()
      setTimeout(() => stop.abort(), 10)
      assert.deepEqual(await signalled, ended)
      assert.deepEqual(await nf.watch({ signal: AbortSignal.abort() }).next(), ended)

      for await (const event of nf.watch({ initial: true })) {
        assert.equal(event.changes.length, 0)
        break
      }
      const open1 = nf.watch()
      const closed = open1.next()
      await nf.close()
      assert.deepEqual(await closed, ended)
      assert.throws(() => nf.watch(), { code: 'ERR_CLOSED' })
    },
  },
  {
    name: 'a wrong option is refused with its name',
    async run({ open }) {
      const nf = await open()
      const family = 'ipv4' as 'ip'
      assert.throws(() => nf.watch({ family }), { name: 'TypeError', message: /options\.family: "ipv4"/ })
      assert.throws(() => nf.watch({ table: 5 as unknown as string }), { name: 'TypeError', message: /options\.table: 5/ })
      assert.throws(() => nf.watch({ unread: 1000 }), {
        name: 'RangeError',
        message: /options\.unread: 1000: give bytes, from 65536/,
      })
    },
  },
]
