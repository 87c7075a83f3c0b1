/** Transactions that need something read first. */
import assert from 'node:assert/strict'
import { type Command, TransactionError } from '../../../lib/nft/index.js'
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
        assert.match(error.message, /there is no chain a in table inet web/)
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
]
