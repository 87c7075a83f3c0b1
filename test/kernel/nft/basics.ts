import assert from 'node:assert/strict'
import type { Case } from './case.js'

export const cases: readonly Case[] = [
  {
    name: 'tables, chains and rules are read as they were written',
    async run({ open }) {
      const nf = await open()
      const table = { family: 'inet', name: 'web', comment: 'hé' } as const
      const chain = {
        family: 'inet',
        table: 'web',
        name: 'in',
        type: 'filter',
        hook: 'input',
        priority: -5,
        policy: 'drop',
      } as const
      const rule = {
        family: 'inet',
        table: 'web',
        chain: 'in',
        expressions: [{ kind: 'counter', bytes: 7n, packets: 1n }],
      } as const
      const { handles } = await nf.commit([{ add: { table } }, { add: { chain } }, { add: { rule } }], { handles: true })
      assert.deepEqual(await nf.tables(), [{ ...table, handle: handles?.[0], use: 1 }])
      assert.deepEqual(await nf.chains(), [{ ...chain, handle: handles?.[1], use: 1 }])
      assert.deepEqual(await nf.rules(), [{ ...rule, handle: handles?.[2] }])
    },
  },
]
