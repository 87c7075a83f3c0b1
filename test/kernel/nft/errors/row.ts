/** Commands that the kernel refuses, and what the error says of each. */
import assert from 'node:assert/strict'
import { type Command, type Failure, type NftClient, type Problem, TransactionError } from '../../../../lib/nft/index.js'
import type { Case, Context } from '../case.js'

export interface Row {
  /** What is refused. */
  readonly what: string
  /** Carried out before. */
  readonly before?: readonly Command[] | undefined
  readonly commands: readonly Command[]
  readonly code: string
  readonly problem: Problem
  /** `commands[1].add.chain.name`; only the command where the kernel does not say more; undefined for the transaction as a whole. */
  readonly at: string | undefined
  /** In the message. */
  readonly says: RegExp
  /** The kernel notices it only when it is to carry it out: a trial finds nothing. */
  readonly late?: boolean | undefined
  /** The failures' indexes, those that follow from others negative and counted from -1. Default: only the first. */
  readonly failures?: readonly number[] | undefined
}

export const inTable = { family: 'inet', table: 'web' } as const

/** A ruleset in which something is used by everything that can use it. */
export const ruleset: readonly Command[] = [
  { add: { table: { family: 'inet', name: 'web' } } },
  { add: { chain: { ...inTable, name: 'base', hook: 'input', priority: 0 } } },
  { add: { chain: { ...inTable, name: 'plain' } } },
  { add: { chain: { ...inTable, name: 'used' } } },
  { add: { set: { ...inTable, name: 'addresses', key: 'ipv4_addr' } } },
  { add: { object: { ...inTable, name: 'hits', type: 'counter' } } },
  {
    add: {
      rule: {
        ...inTable,
        chain: 'base',
        expressions: [
          { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
          { kind: 'lookup', source: 1, set: 'addresses' },
          { kind: 'objref', type: 'counter', name: 'hits' },
          { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'used' } },
        ],
      },
    },
  },
]

/** One case for all rows: each is refused as it says, and leaves the ruleset as it was. */
export function refusing(name: string, rows: readonly Row[]): Case {
  return {
    name,
    async run(context: Context) {
      const nf = await context.open()
      await nf.commit(ruleset)
      for (const row of rows) await check(nf, row)
    },
  }
}

async function check(nf: NftClient, row: Row): Promise<void> {
  if (row.before) await nf.commit(row.before)
  const before = await nf.snapshot()
  const error = await refused(nf, row)
  const { code, problem, target, outcome, applied } = error
  assert.deepEqual(
    { code, problem, target, outcome, applied },
    { code: row.code, problem: row.problem, target: row.at, outcome: 'rolled-back', applied: 'no' },
    `${row.what}: ${error.message}`,
  )
  assert.match(error.message, row.says, row.what)
  assert.match(error.message, /; nothing was changed \(E[A-Z0-9]+\)$/, row.what)
  if (row.failures) assert.deepEqual(error.failures.map(indexOf), row.failures, row.what)
  for (const { reason } of error.failures) assert.doesNotMatch(reason, /undefined|\[object|null/, row.what)
  // The generation is part of it: not even a transaction without effect was made.
  assert.deepEqual(await nf.snapshot(), before, row.what)
  if (row.late) await nf.check(row.commands)
  else await assert.rejects(nf.check(row.commands), { code, target }, `${row.what}, tried only`)
}

const indexOf = ({ index = Number.NaN, cascaded }: Failure): number => (cascaded ? -1 - index : index)

async function refused(nf: NftClient, { commands, what }: Row): Promise<TransactionError> {
  try {
    await nf.commit(commands)
  } catch (error) {
    if (error instanceof TransactionError) return error
    throw new Error(`${what}: ${String(error)}`, { cause: error })
  }
  return assert.fail(`${what}: it was carried out`)
}
