/** Tables that belong to a client. */
import assert from 'node:assert/strict'
import { type Command, type NftClient, TransactionError } from '../../../lib/nft/index.js'
import { between, gate } from '../support/between.js'
import { type Case, Skip } from './case.js'

const owned = { family: 'inet', name: 'mine', flags: ['owner'] } as const
const persisting = { ...owned, flags: ['owner', 'persist'] } as const
const chain: Command = { add: { chain: { family: 'inet', table: 'mine', name: 'c' } } }

const isRefused = (error: unknown): boolean =>
  error instanceof TransactionError && error.code === 'EPERM' && error.problem === 'owned' && error.outcome === 'rolled-back'

/** Adds a table that stays. */
async function persist(nf: NftClient): Promise<void> {
  try {
    await nf.commit([{ add: { table: persisting } }])
  } catch (error) {
    if (error instanceof TransactionError && error.problem === 'not-supported')
      throw new Skip('the kernel lacks persisting tables (Linux 6.9)')
    throw error
  }
}

export const cases: readonly Case[] = [
  {
    name: 'a table with an owner is changed by its owner only, read by all, and goes with its owner',
    async run({ open }) {
      const [owner, other] = [await open(), await open()]
      await owner.commit([{ add: { table: owned } }])
      const table = await other.getTable(owned)
      assert.deepEqual(table?.flags, ['owner'])
      assert.ok((table?.owner ?? 0) > 0)
      await assert.rejects(other.commit([chain]), isRefused)
      await assert.rejects(other.commit([{ delete: { table: owned } }]), isRefused)
      await owner.commit([chain])
      assert.equal((await other.chains({ table: 'mine' })).length, 1)
      await other.flushRuleset('all')
      assert.deepEqual(await other.getTable(owned), { ...table, use: 1 })
      await owner.close()
      assert.equal(await other.getTable(owned), undefined)
    },
  },
  {
    name: 'a table that persists stays when its owner closes, is changed by nobody, and is taken over by who adds it again',
    async run({ open }) {
      const [first, second, third] = [await open(), await open(), await open()]
      await persist(first)
      await first.commit([chain])
      await assert.rejects(second.commit([{ add: { table: persisting } }]), isRefused)
      await first.close()
      assert.equal((await second.chains({ table: 'mine' })).length, 1)
      await second.commit([{ add: { table: persisting } }])
      await second.commit([{ flush: { chain: { family: 'inet', table: 'mine', name: 'c' } } }])
      await assert.rejects(third.commit([{ delete: { table: owned } }]), isRefused)
      await second.commit([{ delete: { table: owned } }])
      assert.equal(await third.getTable(owned), undefined)
    },
  },
  {
    name: 'a transaction that was given up does not cost its table',
    async run({ open, transport }) {
      const other = await open()
      const held = gate()
      let holding = false
      const after = ({ kind }: { kind: string }) => (holding && kind === 'page' ? held.opened : undefined)
      const owner = await open({ transport: between(transport(), { after }) })
      await owner.commit([{ add: { table: owned } }])
      const before = await other.getTable(owned)
      holding = true
      await assert.rejects(owner.commit([chain], { deadline: 0.1 }), { code: 'ERR_DEADLINE', outcome: 'unknown' })
      const aborting = new AbortController()
      const aborted = owner.commit([chain], { signal: aborting.signal })
      setTimeout(() => aborting.abort(), 50)
      await assert.rejects(aborted, { code: 'ABORT_ERR' })
      holding = false
      held.open()
      await owner.commit([{ add: { chain: { family: 'inet', table: 'mine', name: 'd' } } }])
      assert.deepEqual((await other.chains()).map(({ name }) => name).sort(), ['c', 'd'])
      assert.equal((await other.getTable(owned))?.owner, before?.owner)
      await assert.rejects(other.commit([chain]), isRefused)
    },
  },
]
