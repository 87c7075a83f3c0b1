/** Every expression with every attribute is written into a rule where it is legal, and read back. */
import assert from 'node:assert/strict'
import type { BaseChain, ChainType, Command, Expression, Family, Hook, NftClient, Rule } from '../../../lib/nft/index.js'
import { TransactionError } from '../../../lib/nft/index.js'
import { optionOfExpression } from '../../../lib/nft/kernel-options.js'
import { type Case, type Context, Skip } from './case.js'
import { calculations } from './expressions/calculations.js'
import { bytes, type Group } from './expressions/group.js'
import { loads } from './expressions/loads.js'
import { statements } from './expressions/statements.js'

/** Fills all registers: the kernel refuses rules that read one before. */
const FILL: readonly Expression[] = [1, 2, 3, 4].map(destination => ({ kind: 'immediate', destination, data: bytes(16) }))

interface Place {
  readonly family: Family
  readonly setup: readonly Command[]
  rule(expression: Expression): Rule
}

function placeOf(text: string): Place {
  const [family, hook, type] = text.split(' ') as [Family, Hook, ChainType]
  const key = { family, table: 'e' } as const
  const chain: BaseChain = { ...key, name: 'c', type, hook, ...(family === 'netdev' && { devices: ['lo'] }) }
  return {
    family,
    setup: [{ add: { table: { family, name: 'e' } } }, { add: { chain } }, { add: { chain: { ...key, name: 'target' } } }],
    rule: expression => ({ ...key, chain: 'c', expressions: [...FILL, expression] }),
  }
}

/** Asks the kernel whether it has an expression, by letting it try a rule with it. */
async function probe(nf: NftClient, place: Place, { option, variants }: Group): Promise<void> {
  const [first] = variants
  assert.ok(first)
  await nf.check([...place.setup, { add: { rule: place.rule(first) } }]).catch(error => {
    const refused =
      error instanceof TransactionError && ['ENOENT', 'EOPNOTSUPP', 'ENOTSUP'].includes(error.failures[0]?.code ?? '')
    if (!refused) throw error
    throw new Skip(`CONFIG_${option ?? optionOfExpression(nameOf(first), place.family)?.option}: ${error.failures[0]?.code}`)
  })
}

const nameOf = (expression: Expression): string => (expression.kind === 'opaque' ? expression.name : expression.kind)

async function writeAndRead({ open }: Context, group: Group): Promise<void> {
  const nf = await open()
  const place = placeOf(group.place ?? 'inet input filter')
  await probe(nf, place, group)
  const commands = [...place.setup, ...group.variants.map(variant => ({ add: { rule: place.rule(variant) } }))]
  await nf.commit(commands).catch(error => {
    if (!(error instanceof TransactionError)) throw error
    const refused = error.failures.map(
      ({ index, code }) => `${code}: ${shown(group.variants[(index ?? 0) - place.setup.length])}`,
    )
    throw new Error(`refused:\n${refused.join('\n')}`)
  })
  const rules = (await nf.rules({ table: 'e' })).filter(({ chain }) => chain === 'c')
  assert.equal(rules.length, group.variants.length)
  const wrong: string[] = []
  for (const [i, given] of group.variants.entries()) {
    const read = rules[i]?.expressions.slice(FILL.length)
    const told = group.told?.(given) ?? given
    try {
      assert.deepStrictEqual(read, [told])
    } catch {
      wrong.push(`written ${shown(given)}\n   read ${shown(read?.[0])}\n   not  ${shown(told)}`)
    }
  }
  if (wrong.length > 0) throw new Error(`not as expected:\n${wrong.join('\n')}`)
  // What is read can be written.
  await nf.check(rules.map(({ handle, after, ...rule }) => ({ add: { rule } }))).catch(error => {
    throw new Error(`what was read is refused: ${error.message}`)
  })
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, v) => {
    if (typeof v === 'bigint') return `${v}n`
    return v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v
  })
}

export const cases: readonly Case[] = [...calculations, ...loads, ...statements].map(group => ({
  name: `expressions are read as they were written: ${group.name}`,
  run: context => writeAndRead(context, group),
}))
