/** A table that belongs to another client. */
import assert from 'node:assert/strict'
import { type Command, TransactionError } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'
import { inTable } from './row.js'

const table = { family: 'inet', name: 'web' } as const
const set = { ...inTable, name: 'addresses', key: 'ipv4_addr' } as const
const chain = { ...inTable, name: 'in' } as const
const counter = { ...inTable, name: 'hits', type: 'counter' } as const

/** All that is tried, and the field that names the table, where the kernel points at it. */
const TRIED: readonly (readonly [command: Command, field: string | undefined])[] = [
  [{ add: { table } }, undefined],
  [{ add: { table: { ...table, flags: ['dormant'] } } }, undefined],
  [{ delete: { table } }, 'delete.table.name'],
  [{ flush: { table } }, 'flush.table.name'],
  [{ add: { chain: { ...chain, name: 'new' } } }, 'add.chain.table'],
  [{ add: { chain: { ...chain, hook: 'input', policy: 'drop' } } }, 'add.chain.table'],
  [{ delete: { chain } }, 'delete.chain.table'],
  [{ flush: { chain } }, 'flush.chain.table'],
  [{ rename: { chain: { ...chain, newName: 'out' } } }, 'rename.chain.table'],
  [{ add: { rule: { ...inTable, chain: 'in', expressions: [] } } }, 'add.rule.table'],
  [{ delete: { rule: { ...inTable, chain: 'in', handle: 1 } } }, 'delete.rule.table'],
  [{ add: { set: { ...set, name: 'new' } } }, 'add.set.table'],
  [{ delete: { set } }, 'delete.set.table'],
  [{ flush: { set } }, 'flush.set.table'],
  [{ add: { elements: { set, elements: [{ key: '10.0.0.2' }] } } }, 'add.elements.set.table'],
  [{ delete: { elements: { set, elements: [{ key: '10.0.0.1' }] } } }, 'delete.elements.set.table'],
  [{ add: { object: { ...counter, name: 'new' } } }, 'add.object.table'],
  [{ delete: { object: counter } }, 'delete.object.table'],
]

export const cases: readonly Case[] = [
  {
    name: 'what belongs to another client is refused with its owner, whatever is tried; nothing is changed',
    async run({ open }) {
      const [owner, other] = [await open(), await open()]
      await owner.commit([
        { add: { table: { ...table, flags: ['owner'] } } },
        { add: { chain } },
        { add: { set } },
        { add: { elements: { set, elements: [{ key: '10.0.0.1' }] } } },
        { add: { object: counter } },
      ])
      const before = await other.snapshot()
      const port = before.tables[0]?.owner
      for (const [command, field] of TRIED) {
        const tried = JSON.stringify(command)
        await assert.rejects(other.commit([command]), (error: unknown) => {
          assert.ok(error instanceof TransactionError, String(error))
          const { code, problem, outcome, target } = error
          const expected = {
            code: 'EPERM',
            problem: 'owned',
            outcome: 'rolled-back',
            target: field === undefined ? 'commands[0]' : `commands[0].${field}`,
          }
          assert.deepEqual({ code, problem, outcome, target }, expected, tried)
          assert.match(
            error.message,
            new RegExp(`table inet web belongs to the netlink socket with port ${port}, .*only its owner may change it`),
          )
          return true
        })
      }
      assert.deepEqual(await other.snapshot(), before)
    },
  },
]
