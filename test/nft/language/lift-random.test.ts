/**
 * Rules that no tool writes: none makes lifting throw or hang, and none comes out as something that JSON can not hold. LIFT_SEED chooses
 * other ones, LIFT_COUNT how many.
 */
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Expression } from '../../../lib/nft/expressions/index.js'
import { liftRule } from '../../../lib/nft/lift/index.js'
import type { Family } from '../../../lib/nft/types.js'
import { Random } from '../../kernel/support/random.js'
import type { LiftCase } from './lift/case.js'
import { HEADERS } from './lift/headers.js'
import { PIECES } from './lift/pieces.js'
import { SETS } from './lift/sets.js'
import { STATE } from './lift/state.js'
import { STATEMENTS } from './lift/statements.js'

const SEED = Number(process.env.LIFT_SEED ?? 20260901)
const COUNT = Number(process.env.LIFT_COUNT ?? 5000)
const FAMILIES: readonly Family[] = ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev']
const CASES: readonly LiftCase[] = [...HEADERS, ...PIECES, ...STATE, ...SETS, ...STATEMENTS]
const EXPRESSIONS = CASES.flatMap(({ expressions }) => expressions)
const NAMED = new Map(CASES.flatMap(({ sets = [] }) => sets.map(named => [named.set.name, named] as const)))
const REGISTERS = [0, 1, 2, 3, 4, 8, 9, 10, 12, 13, 23, 24]
const IS_REGISTER = /^(source2?|destination|key|data|address.*|port.*|device)$/

const random = new Random(SEED)
t.setTimeout(600_000)

/** Another value of the same kind. */
function changed(value: unknown, field: string): unknown {
  if (typeof value === 'number')
    return IS_REGISTER.test(field) ? random.of(REGISTERS) : random.of([value + 1, value ^ 1, random.below(256), 0, 0xffff_ffff])
  if (typeof value === 'bigint') return value + BigInt(random.below(1000))
  if (typeof value === 'boolean') return !value
  if (value instanceof Uint8Array) {
    const bytes = value.slice(0, 1 + random.below(value.length))
    bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  }
  if (Array.isArray(value)) return random.below(2) === 0 ? [...value, random.below(64)] : value.slice(1)
  return value
}

function mutated(expressions: readonly Expression[]): Expression[] {
  const list = [...expressions]
  const at = random.below(list.length)
  const chosen = list[at] as Expression
  switch (random.below(6)) {
    case 0:
      list.splice(at, 1)
      break
    case 1:
      list.splice(at, 0, random.of(EXPRESSIONS))
      break
    case 2:
      list.splice(at, 1)
      list.splice(random.below(list.length + 1), 0, chosen)
      break
    default: {
      const field = random.of(Object.keys(chosen))
      const value = changed(chosen[field as keyof Expression], field)
      list[at] = { ...chosen, [field]: value } as Expression
    }
  }
  return list
}

function randomRule(): readonly Expression[] {
  let list: readonly Expression[] =
    random.below(3) > 0 ? random.of(CASES).expressions : [random.of(EXPRESSIONS), random.of(EXPRESSIONS)]
  for (let changes = random.below(4); changes >= 0 && list.length > 0; changes--) list = mutated(list)
  return list
}

t.test('random rules are lifted, or stay as they are', async t => {
  t.comment(`seed ${SEED}, ${COUNT} rules`)
  let lifted = 0
  for (let i = 0; i < COUNT; i++) {
    const expressions = randomRule()
    const family = random.of(FAMILIES)
    const setNamed = (name: string) => {
      const found = NAMED.get(name)
      return found && { set: { family, table: 't', ...found.set }, elements: found.elements }
    }
    const statements = liftRule({ expressions }, { family, setNamed })
    const [first] = statements
    if (first !== undefined && 'bytecode' in first) {
      if (statements.length !== 1 || first.bytecode !== expressions) t.fail(`rule ${i} is not the one that was given`)
      continue
    }
    lifted++
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(statements)), statements))
      t.fail(`rule ${i} is no JSON: ${JSON.stringify(statements)}`)
  }
  t.ok(lifted > COUNT / 10, `${lifted} were lifted`)
  t.ok(lifted < COUNT, 'not all')
})
