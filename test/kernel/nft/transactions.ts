/** Transactions that need something read first. */
import assert from 'node:assert/strict'
import { type Command, TransactionError } from '../../../lib/nft/index.js'
import { between, type Call } from '../support/between.js'
import type { Case } from './case.js'

const table: Command = { add: { table: { family: 'inet', name: 'web' } } }
const chain = (name: string) => ({ family: 'inet', table: 'web', name }) as const
const other = (i: number): Command => ({ add: { table: { family: 'ip', name: `t${i}` } } })

export const cases: readonly Case[] = [
  {
    name: 'a chain is renamed by its name, as by its handle',
    async run({ open }) {
      const nf = await open()
      const { handles } = await nf.commit([table, { add: { chain: chain('a') } }, { add: { chain: chain('b') } }], {
        handles: true,
      })
      const rename: Command = { rename: { chain: { ...chain('a'), newName: 'c' } } }
      await nf.check([rename])
      await nf.commit([rename, { rename: { chain: { ...chain('b'), handle: handles?.[2], newName: 'd' } } }])
      assert.deepEqual((await nf.chains()).map(({ name }) => name).sort(), ['c', 'd'])
      assert.equal((await nf.getChain(chain('c')))?.handle, handles?.[1])
    },
  },
  {
    name: 'a chain that can not be renamed is named, and nothing was changed',
    async run({ open }) {
      const nf = await open()
      await nf.commit([table])
      const missing = nf.commit([other(1), { rename: { chain: { ...chain('a'), newName: 'b' } } }])
      await assert.rejects(missing, (error: unknown) => {
        assert.ok(error instanceof TransactionError)
        assert.match(error.message, /chain a of table inet web can not be renamed: it is not there/)
        const [failure] = error.failures
        assert.deepEqual([error.outcome, error.problem, failure?.index], ['rolled-back', 'no-such-object', 1])
        return true
      })
      const added = nf.commit([{ add: { chain: chain('a') } }, { rename: { chain: { ...chain('a'), newName: 'b' } } }])
      await assert.rejects(added, /^TypeError: commands\[1\]\.rename\.chain\.name: is added by the same transaction/)
      assert.deepEqual(await nf.chains(), [])
      assert.equal((await nf.tables()).length, 1)
    },
  },
  {
    name: 'a function that makes the commands is called again where others were faster',
    async run({ open }) {
      const nf = await open()
      const faster = await open()
      await nf.commit([other(0)])
      const seen: number[] = []
      const { generation } = await nf.commit(async given => {
        seen.push(given)
        const tables = await nf.tables()
        if (seen.length < 3) await faster.commit([other(seen.length)])
        return tables.map(({ family, name }): Command => ({ add: { chain: { family, table: name, name: 'made' } } }))
      })
      assert.equal(seen.length, 3)
      assert.ok(seen.every((value, i) => i === 0 || value === (seen[i - 1] ?? 0) + 1))
      assert.equal(generation, (seen[2] ?? 0) + 1)
      assert.deepEqual((await nf.chains()).map(({ table }) => table).sort(), ['t0', 't1', 't2'])
    },
  },
  {
    name: 'a function is called so often, so long, and while the signal is not aborted',
    async run({ open }) {
      const nf = await open()
      const faster = await open()
      let calls = 0
      const late = async () => {
        await faster.commit([other(++calls)])
        return [table]
      }
      await assert.rejects(nf.commit(late, { attempts: 3 }), { problem: 'generation-changed' })
      assert.equal(calls, 3)
      const never = () => new Promise<readonly Command[]>(() => {})
      await assert.rejects(nf.commit(never, { deadline: 0.05 }), { code: 'ERR_DEADLINE', applied: 'no' })
      const aborting = new AbortController()
      const aborted = nf.commit(never, { signal: aborting.signal })
      setTimeout(() => aborting.abort(), 10)
      await assert.rejects(aborted, { code: 'ABORT_ERR', applied: 'no' })
      await assert.rejects(
        nf.commit(async () => {
          throw new Error('of the function')
        }),
        /of the function/,
      )
      await assert.rejects(
        nf.commit(() => [table], { generation: 7 }),
        /^TypeError: options.generation/,
      )
      await assert.rejects(
        nf.commit(() => ({}) as never),
        /^TypeError: commands: \{\}: give a list/,
      )
      assert.equal(await nf.getTable({ family: 'inet', name: 'web' }), undefined)
    },
  },
  {
    name: 'transactions that are asked for at once are carried out in their order, and each is told what became of it',
    async run({ open }) {
      const nf = await open()
      const nowhere: Command = { add: { chain: { ...chain('a'), table: 'nowhere' } } }
      const refused = (i: number): readonly Command[] => [other(i), nowhere]
      const asked = [
        nf.commit(
          Array.from({ length: 300 }, (_, i) => other(i)),
          { handles: true },
        ),
        nf.commit(refused(300)),
        nf.commit([{ delete: { table: { family: 'ip', name: 't7' } } }, table]),
        nf.check(refused(301)),
        nf.commit([{ add: { chain: chain('a') } }], { handles: true }),
      ] as const
      const tables = nf.tables()
      const [first, wrong, third, tried, last] = await Promise.allSettled(asked)
      const there = await tables
      for (const { reason } of [wrong, tried] as readonly PromiseRejectedResult[]) {
        assert.equal(reason.failures.length, 1)
        assert.deepEqual([reason.failures[0].index, reason.failures[0].code], [1, 'ENOENT'])
      }
      assert.ok(first.status === 'fulfilled' && third.status === 'fulfilled' && last.status === 'fulfilled')
      assert.equal(third.value.generation, first.value.generation + 1)
      assert.equal(last.value.generation, third.value.generation + 1)
      assert.equal(there.length, 300, 'one went, and one came')
      assert.equal(there.find(({ name }) => name === 't299')?.handle, first.value.handles?.[299])
      assert.equal((await nf.getChain(chain('a')))?.handle, last.value.handles?.[0])
    },
  },
  {
    name: 'who commits is told when the kernel has all of it, and not of what can not be sent',
    async run({ open }) {
      const nf = await open()
      const told: string[] = []
      const onSent = () => told.push('sent')
      await nf.commit([table], { onSent }).then(() => told.push('committed'))
      await assert.rejects(nf.commit([table, { add: { chain: { ...chain('a'), table: 'nowhere' } } }], { onSent }), /nowhere/)
      assert.deepEqual(told, ['sent', 'committed', 'sent'])
      await assert.rejects(nf.commit([{ add: {} }] as never, { onSent }), TypeError)
      await assert.rejects(nf.commit([table], { onSent: 1 as never }), /options\.onSent: 1: give a function/)
      assert.equal(told.length, 3)
    },
  },
  {
    name: 'the ruleset is flushed as a whole or by family, of its generation where asked for, and never for want of a word',
    async run({ open }) {
      const nf = await open()
      const { generation } = await nf.commit([table, other(1), { add: { chain: chain('a') } }])
      await assert.rejects(nf.flushRuleset('ip', { generation: generation - 1 }), { problem: 'generation-changed' })
      await assert.rejects(nf.flushRuleset(undefined as never), /^TypeError: family: undefined: give one of/)
      await assert.rejects(nf.commit([{ delete: { table: {} } } as never]), /^TypeError/)
      await assert.rejects(nf.commit([{ delete: { table: { family: 'ip' } } } as never]), /^TypeError/)
      assert.equal((await nf.tables()).length, 2)
      assert.equal((await nf.flushRuleset('ip', { generation })).generation, generation + 1)
      assert.deepEqual(
        (await nf.tables()).map(({ family }) => family),
        ['inet'],
      )
      await nf.commit([other(2)])
      await nf.flushRuleset('all')
      assert.deepEqual(await nf.tables(), [])
      await nf.flushRuleset('all')
    },
  },
  {
    name: 'split: parts are of the size that is asked for, and nothing is lost between them',
    async run({ open, transport }) {
      const sizes: number[] = []
      const before = ({ kind, request }: Call) => kind === 'page' && request && sizes.push(request.length)
      const nf = await open({ transport: between(transport(), { before }) })
      const set = { family: 'inet', table: 'web', name: 's', key: 'ipv4_addr' } as const
      const elements = Array.from({ length: 10_000 }, (_, i) => ({ key: `10.0.${i >> 8}.${i & 255}` }))
      const tables = Array.from({ length: 500 }, (_, i) => other(i))
      const { generation: first } = await nf.commit([table])
      sizes.length = 0
      const { generation, handles } = await nf.commit([...tables, { add: { set } }, { add: { elements: { set, elements } } }], {
        split: { bytes: 8192 },
        handles: true,
      })
      // A message with elements may have 64 KiB.
      assert.ok(sizes.length > 4 && sizes.every(size => size <= 70_000), String(sizes))
      assert.ok(
        sizes.slice(0, 3).every(size => size <= 8192),
        String(sizes),
      )
      assert.equal(generation, first + sizes.length)
      assert.deepEqual(
        tables.map((_, i) => handles?.[i]),
        await Promise.all(tables.map(async (_, i) => (await nf.getTable({ family: 'ip', name: `t${i}` }))?.handle)),
      )
      assert.equal((await nf.elements(set).toArray()).length, elements.length)
    },
  },
  {
    name: 'split: what shares an id stays together',
    async run({ open, transport }) {
      let parts = 0
      const before = ({ kind, request }: Call) => kind === 'page' && request && parts++
      const nf = await open({ transport: between(transport(), { before }) })
      await nf.commit([table, { add: { chain: chain('a') } }])
      parts = 0
      const anonymous = (id: number): Command[] => {
        const set = {
          family: 'inet',
          table: 'web',
          name: '__set%d',
          key: 'inet_proto',
          flags: ['anonymous', 'constant'],
          id,
        } as const
        const load = { kind: 'meta', key: 'l4proto', destination: 1 } as const
        const lookup = { kind: 'lookup', set: '__set%d', setId: id, source: 1 } as const
        return [
          { add: { set } },
          { add: { elements: { set, elements: [{ key: 'tcp' }] } } },
          { add: { rule: { family: 'inet', table: 'web', chain: 'a', expressions: [load, lookup] } } },
        ]
      }
      await nf.commit([1, 2, 3, 4, 5].flatMap(anonymous), { split: { bytes: 1 } })
      assert.equal(parts, 5)
      assert.equal((await nf.sets()).length, 5)
    },
  },
  {
    name: 'split: what came before a failure stays, and the error says how much that is',
    async run({ open }) {
      const nf = await open()
      const { generation } = await nf.commit([table])
      const commands = [other(0), other(1), { delete: { chain: chain('none') } }, other(2)] as const
      await assert.rejects(nf.commit(commands, { split: { bytes: 1 } }), (error: unknown) => {
        assert.ok(error instanceof TransactionError)
        assert.deepEqual([error.committed, error.committedElements, error.outcome], [2, 0, 'rolled-back'])
        assert.equal(error.failures[0]?.index, 2)
        assert.match(error.message, /^commit commands\[2\]\S*: 2 commands were carried out; then .* nothing else was changed/)
        return true
      })
      assert.deepEqual((await nf.tables()).map(({ name }) => name).sort(), ['t0', 't1', 'web'])
      await assert.rejects(nf.commit([other(3), { add: { chain: chain('x') } }, 7 as never], { split: {} }), TypeError)
      await assert.rejects(nf.commit([other(3)], { generation, split: { bytes: 1 } }), {
        problem: 'generation-changed',
        committed: 0,
      })
      await assert.rejects(nf.commit([other(3)], { split: { bytes: 0 } }), /^RangeError: options.split.bytes: 0/)
      assert.equal(await nf.getTable({ family: 'ip', name: 't3' }), undefined)
    },
  },
  {
    name: 'split: a guard is kept from part to part',
    async run({ open, transport }) {
      const nf = await open()
      const faster = await open()
      const { generation } = await nf.commit([table])
      const before = async ({ kind, request, index }: Call) => {
        if (kind === 'page' && request && index === 1) await faster.commit([other(9)])
      }
      const slow = await open({ transport: between(transport(), { before }) })
      await assert.rejects(slow.commit([other(0), other(1)], { generation, split: { bytes: 1 } }), {
        problem: 'generation-changed',
        committed: 1,
      })
      assert.deepEqual((await nf.tables()).map(({ name }) => name).sort(), ['t0', 't9', 'web'])
    },
  },
  {
    name: 'what is larger than the kernel takes at once is refused with the number to raise, or split',
    async run({ open, transport }) {
      const sendBuffer = 4096
      const plain = between(transport(), {})
      const nf = await open({ transport: { ...plain, open: options => Object.assign(plain.open(options), { sendBuffer }) } })
      const commands = Array.from({ length: 300 }, (_, i) => other(i))
      await assert.rejects(nf.commit(commands), (error: unknown) => {
        assert.ok(error instanceof TransactionError)
        assert.deepEqual([error.code, error.problem, error.outcome], ['EMSGSIZE', 'too-large', 'rolled-back'])
        const [, bytes, needed] =
          /has (\d+) bytes.*allow it to be split.*net\.core\.wmem_max there to (\d+)/.exec(error.message) ?? []
        // The kernel grants twice of what is asked for, and keeps 32 bytes.
        assert.ok(2 * Number(needed) - 32 >= Number(bytes) && 2 * (Number(needed) - 1) - 32 < Number(bytes))
        return true
      })
      assert.deepEqual(await nf.tables(), [])
      await nf.commit(commands, { split: {} })
      assert.equal((await nf.tables()).length, 300)
      const joined = commands.map((_, i): Command => ({ add: { chain: { family: 'ip', table: `t${i}`, name: 'c', id: 1 } } }))
      await assert.rejects(nf.commit(joined, { split: {} }), /share ids have \d+ bytes/)
      assert.deepEqual(await nf.chains(), [])
    },
  },
]
