/** Receive buffers that hold a few answers: the others are dropped (ENOBUFS), and what became of the transaction is known all the same. */
import assert from 'node:assert/strict'
import type { Transport } from '../../../../lib/netlink/index.js'
import { type Command, TransactionError } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'

const table: Command = { add: { table: { family: 'inet', name: 'web' } } }
const chainIn = (name: string, i: number): Command => ({ add: { chain: { family: 'inet', table: name, name: `c${i}` } } })
const chains = (name: string): Command[] => Array.from({ length: 1000 }, (_, i) => chainIn(name, i))

/** The kernel grants the least that it does. */
function tiny(transport: Transport): Transport {
  return {
    open: options => transport.open({ ...options, receiveBuffer: 1 }),
    readFile: path => transport.readFile(path),
    writeFile: (path, text) => transport.writeFile(path, text),
    close: () => transport.close(),
  }
}

export const cases: readonly Case[] = [
  {
    name: 'more failures than the receive buffer holds: it is known that nothing was changed, and that there may be more of them',
    async run({ open, transport }) {
      const [nf, all] = [await open({ transport: tiny(transport()) }), await open()]
      await all.commit([table])
      const before = await all.snapshot()
      await assert.rejects(nf.commit(chains('other')), (error: unknown) => {
        assert.ok(error instanceof TransactionError)
        assert.deepEqual([error.code, error.problem, error.outcome], ['ENOENT', 'no-such-object', 'rolled-back'])
        assert.ok(error.failures.length > 0 && error.failures.length < 1000, String(error.failures.length))
        assert.deepEqual(
          error.failures.map(({ index }) => index),
          Array.from(error.failures.keys()),
        )
        assert.match(error.message, /, and there may be more, for the kernel dropped answers; nothing was changed/)
        return true
      })
      assert.deepEqual(await all.snapshot(), before)
    },
  },
  {
    name: 'more handles than the receive buffer holds: it is known that all was done, and none is told rather than some',
    async run({ open, transport }) {
      const [nf, all] = [await open({ transport: tiny(transport()) }), await open()]
      const { generation } = await nf.commit([table])
      assert.deepEqual(await nf.commit(chains('web'), { handles: true }), { generation: generation + 1 })
      assert.equal((await all.chains()).length, 1000)
      // What was dropped is not taken for an answer to the next ones.
      assert.deepEqual(await nf.commit([table], { handles: true }), { generation: generation + 1, handles: [undefined] })
      await assert.rejects(nf.commit([chainIn('other', 0)]), { code: 'ENOENT', outcome: 'rolled-back' })
    },
  },
  {
    name: 'a transaction of any size has one answer, which fits',
    async run({ open, transport }) {
      const nf = await open({ transport: tiny(transport()) })
      const { generation } = await nf.commit([table])
      assert.deepEqual(await nf.commit(chains('web')), { generation: generation + 1 })
      await nf.check(chains('web'))
    },
  },
]
