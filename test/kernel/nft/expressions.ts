/** Every expression with every attribute is written into a rule where it is legal, and read back. */
import assert from 'node:assert/strict'
import { release } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import {
  type BaseChain,
  type ChainType,
  type Command,
  type Expression,
  type Family,
  type Hook,
  type NftClient,
  TransactionError,
} from '../../../lib/nft/index.js'
import { optionOfExpression } from '../../../lib/nft/kernel-options.js'
import { type Case, type Context, Skip } from './case.js'
import { calculations } from './expressions/calculations.js'
import { bytes, type Group } from './expressions/group.js'
import { loads } from './expressions/loads.js'
import { objects } from './expressions/objects.js'
import { statements } from './expressions/statements.js'

/** Fills all registers: the kernel refuses rules that read one before. */
const FILL: readonly Expression[] = [1, 2, 3, 4].map(destination => ({ kind: 'immediate', destination, data: bytes(16) }))

/** The table, its chains, and what the group uses. */
function setupOf({ place, uses = [] }: Group): Command[] {
  const [family, hook, type] = place.split(' ') as [Family, Hook, ChainType]
  const key = { family, table: 'e' } as const
  const base = (name: string): BaseChain => ({ ...key, name, type, hook, ...(family === 'netdev' && { devices: ['lo'] }) })
  return [
    { add: { table: { family, name: 'e' } } },
    { add: { chain: base('first') } },
    { add: { chain: base('second') } },
    { add: { chain: { ...key, name: 'target' } } },
    ...uses.map((add): Command => ({ add })),
  ]
}

const familyOf = ({ place }: Group): Family => place.split(' ')[0] as Family

const ruleOf = (group: Group, chain: string, expression: Expression): Command => ({
  add: { rule: { family: familyOf(group), table: 'e', chain, expressions: [...FILL, expression] } },
})

/** Asks the kernel whether it has an expression, by letting it try a rule with it. */
async function probe(nf: NftClient, group: Group): Promise<void> {
  const [first] = group.variants
  assert.ok(first)
  await nf.check([...setupOf(group), ruleOf(group, 'first', first)]).catch(error => {
    const code = error instanceof TransactionError ? error.failures[0]?.code : undefined
    if (code !== 'ENOENT' && code !== 'EOPNOTSUPP' && code !== 'ENOTSUP') throw error
    throw new Skip(`need CONFIG_${group.option ?? optionOfExpression(first.kind, familyOf(group))?.option} (${code})`)
  })
}

/** Adds a rule for each, and reads what they became. */
async function pass(nf: NftClient, group: Group, setup: readonly Command[], chain: string, given: readonly Expression[]) {
  await nf.commit([...setup, ...given.map(expression => ruleOf(group, chain, expression))]).catch(error => {
    if (!(error instanceof TransactionError)) throw error
    const refused = error.failures.map(({ index, code }) => `${code}: ${shown(given[(index ?? 0) - setup.length])}`)
    throw new Error(`refused in chain ${chain}:\n${refused.join('\n')}`)
  })
  const rules = (await nf.rules({ table: 'e' })).filter(rule => rule.chain === chain)
  assert.equal(rules.length, given.length)
  return rules.map(({ expressions }) => {
    assert.deepEqual(expressions.slice(0, FILL.length), FILL)
    assert.equal(expressions.length, FILL.length + 1)
    return expressions[FILL.length] as Expression
  })
}

function compare(given: readonly Expression[], read: readonly Expression[], expected: readonly Expression[]): void {
  const wrong = given.flatMap((expression, i) =>
    isDeepStrictEqual(read[i], expected[i])
      ? []
      : [`written ${shown(expression)}\n   read ${shown(read[i])}\n   not  ${shown(expected[i])}`],
  )
  if (wrong.length > 0) throw new Error(`not as expected:\n${wrong.join('\n')}`)
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, v) => {
    if (typeof v === 'bigint') return `${v}n`
    return v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v
  })
}

const numbersOf = (text: string): number[] => text.split('.').map(part => Number.parseInt(part, 10))

/** Whether a release is of this version or a newer one. */
function isSince(release: string, version: string): boolean {
  const [major = 0, minor = 0] = numbersOf(release)
  const [since = 0, sinceMinor = 0] = numbersOf(version)
  return major > since || (major === since && minor >= sinceMinor)
}

async function writeAndRead({ open, kernel }: Context, group: Group): Promise<void> {
  if (kernel === 'linux' && group.since && !isSince(release(), group.since)) throw new Skip(`need Linux ${group.since}`)
  const nf = await open()
  await probe(nf, group)
  const { variants, told = given => given } = group
  const read = await pass(nf, group, setupOf(group), 'first', variants)
  compare(variants, read, variants.map(told))
  // What is read can be written, and is the same then. An anonymous set belongs to one rule.
  const again = read.filter(expression => !(expression.kind === 'lookup' && expression.set.startsWith('__')))
  compare(again, await pass(nf, group, [], 'second', again), again)
}

export const cases: readonly Case[] = [...calculations, ...loads, ...objects, ...statements].map(group => ({
  name: `expressions are read as they were written: ${group.name}`,
  run: context => writeAndRead(context, group),
}))
