import t from 'tap'
import { type Command, type NftSet, type Rule, recreate, type Snapshot } from '../../lib/nft/index.js'

const of = { family: 'inet', table: 't' } as const
const nothing: Snapshot = {
  generation: 7,
  consistent: true,
  tables: [],
  chains: [],
  rules: [],
  sets: [],
  elements: [],
  objects: [],
  flowtables: [],
}
const rule = (fields: Partial<Rule>): Rule => ({ ...of, chain: 'c', handle: 9, after: 8, expressions: [], ...fields })
const anonymous: NftSet = {
  ...of,
  name: '__set3',
  key: 'ipv4_addr',
  flags: ['anonymous', 'constant'],
  handle: 4,
  use: 1,
  size: 2,
}

t.test('commands come in the order in which the kernel can take them', async t => {
  const set: NftSet = { ...of, name: 's', key: 'ipv4_addr' }
  const commands = await recreate({
    ...nothing,
    rules: [rule({})],
    elements: [{ set, elements: [{ key: '10.0.0.1' }] }],
    sets: [set],
    chains: [{ ...of, name: 'c' }],
    flowtables: [{ ...of, name: 'f' }],
    objects: [{ ...of, type: 'counter', name: 'o' }],
    tables: [{ family: 'inet', name: 't' }],
  })
  const words = commands.map(command => Object.keys('add' in command ? command.add : {})[0])
  t.strictSame(words, ['table', 'object', 'flowtable', 'chain', 'set', 'elements', 'rule'])
})

t.test('what the kernel only tells is left out', async t => {
  const commands = await recreate({
    ...nothing,
    tables: [{ family: 'inet', name: 't', handle: 1, use: 2, owner: 77, flags: ['owner'], comment: 'kept' }],
    chains: [{ ...of, name: 'c', handle: 3, use: 1, hook: 'input', priority: 0, policy: 'drop' }],
    sets: [{ ...of, name: 's', key: 'ipv4_addr', handle: 4, use: 0, backend: 'hash', count: 5, size: 6 }],
    objects: [
      { ...of, type: 'connlimit', name: 'o', handle: 5, use: 1, count: 9 },
      { ...of, type: 'quota', name: 'q', handle: 6, bytes: 10n, used: 11n, flags: ['over', 'depleted'] },
    ],
    rules: [rule({ comment: 'kept' })],
  })
  t.strictSame(commands, [
    { add: { table: { family: 'inet', name: 't', flags: ['owner'], comment: 'kept' } } },
    { add: { object: { ...of, type: 'connlimit', name: 'o', count: 9 } } },
    { add: { object: { ...of, type: 'quota', name: 'q', bytes: 10n, used: 11n, flags: ['over'] } } },
    { add: { chain: { ...of, name: 'c', hook: 'input', priority: 0, policy: 'drop' } } },
    { add: { set: { ...of, name: 's', key: 'ipv4_addr', size: 6 } } },
    { add: { rule: { ...of, chain: 'c', comment: 'kept', expressions: [] } } },
  ] satisfies Command[])
})

t.test('anonymous sets and maps get ids, and what looks into them those ids', async t => {
  const map: NftSet = { ...of, name: '__map3', key: 'mark', objects: 'counter', flags: ['anonymous'] }
  const elsewhere: NftSet = { ...anonymous, table: 'u' }
  const elements = [{ key: '10.0.0.1' }]
  const commands = await recreate({
    ...nothing,
    sets: [anonymous, map, elsewhere, { ...of, name: 'named', key: 'mark' }],
    elements: [{ set: anonymous, elements }],
    rules: [
      rule({ expressions: [{ kind: 'lookup', set: '__set3', source: 1 }] }),
      rule({ expressions: [{ kind: 'dynset', set: '__set3', key: 1, operation: 'add' }] }),
      rule({ expressions: [{ kind: 'objref', set: '__map3', source: 1 }] }),
      rule({ expressions: [{ kind: 'objref', type: 'counter', name: '__map3' }] }),
      rule({ expressions: [{ kind: 'lookup', set: 'named', source: 1 }] }),
      rule({ table: 'u', expressions: [{ kind: 'lookup', set: '__set3', source: 1 }] }),
    ],
  })
  const { handle: _, use: __, ...written } = anonymous
  t.strictSame(commands.slice(0, 5), [
    { add: { set: { ...written, name: '__set%d', id: 1 } } },
    { add: { set: { ...map, name: '__map%d', id: 2 } } },
    { add: { set: { ...written, table: 'u', name: '__set%d', id: 3 } } },
    { add: { set: { ...of, name: 'named', key: 'mark' } } },
    { add: { elements: { set: { ...written, name: '__set%d', id: 1 }, elements } } },
  ])
  t.strictSame(
    commands.slice(5).map(command => ('add' in command && 'rule' in command.add ? command.add.rule.expressions : [])),
    [
      [{ kind: 'lookup', set: '__set%d', setId: 1, source: 1 }],
      [{ kind: 'dynset', set: '__set%d', setId: 1, key: 1, operation: 'add' }],
      [{ kind: 'objref', set: '__map%d', setId: 2, source: 1 }],
      [{ kind: 'objref', type: 'counter', name: '__map3' }],
      [{ kind: 'lookup', set: 'named', source: 1 }],
      [{ kind: 'lookup', set: '__set%d', setId: 3, source: 1 }],
    ],
  )
})

t.test('an unnamed chain is complete before the rule that jumps to it', async t => {
  const jump = (chain: string) => ({ kind: 'immediate', destination: 0, data: { verdict: 'jump', chain } }) as const
  const commands = await recreate({
    ...nothing,
    chains: [
      { ...of, name: 'c' },
      { ...of, name: '__chain4', flags: ['binding'], use: 2 },
    ],
    rules: [
      rule({ expressions: [jump('__chain4')] }),
      rule({ expressions: [jump('c')] }),
      rule({ chain: '__chain4', comment: '1' }),
      rule({ chain: '__chain4', comment: '2' }),
    ],
  })
  t.strictSame(commands, [
    { add: { chain: { ...of, name: 'c' } } },
    { add: { chain: { ...of, name: '__chain4', flags: ['binding'], id: 1 } } },
    { add: { rule: { ...of, chain: '__chain4', chainId: 1, comment: '1', expressions: [] } } },
    { add: { rule: { ...of, chain: '__chain4', chainId: 1, comment: '2', expressions: [] } } },
    {
      add: {
        rule: { ...of, chain: 'c', expressions: [{ kind: 'immediate', destination: 0, data: { verdict: 'jump', chainId: 1 } }] },
      },
    },
    { add: { rule: { ...of, chain: 'c', expressions: [jump('c')] } } },
  ] satisfies Command[])
})

t.test('others get their turns meanwhile', async t => {
  let turns = 0
  let over = false
  const count = () => {
    turns++
    if (!over) setImmediate(count)
  }
  setImmediate(count)
  const rules = Array.from({ length: 100_000 }, (_, handle) => rule({ handle }))
  t.equal((await recreate({ ...nothing, rules })).length, rules.length)
  over = true
  t.ok(turns >= 3, `${turns} turns`)
})

t.test('a snapshot is not changed by that', async t => {
  const snapshot: Snapshot = {
    ...nothing,
    sets: [anonymous],
    rules: [rule({ expressions: [{ kind: 'lookup', set: '__set3', source: 1 }] })],
  }
  const before = structuredClone(snapshot)
  await recreate(snapshot)
  t.strictSame(snapshot, before)
})
