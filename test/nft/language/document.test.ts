/** Documents of libnftables JSON: what commands do, what is listed, what comes back. */
import t from 'tap'
import { type json, type NftClient, open } from '../../../lib/nft/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'

const table = { family: 'inet', name: 't' } as const
const of = { family: 'inet', table: 't' } as const
const chain = { ...of, name: 'c' } as const
const mark = (value: number): json.Statement => ({ match: { op: '==', left: { meta: { key: 'mark' } }, right: value } })
const rule = (value: number, place: Partial<json.Rule> = {}): json.Rule => ({ ...of, chain: 'c', ...place, expr: [mark(value)] })

async function client(...commands: json.Document['nftables']): Promise<NftClient> {
  const nf = await open({ transport: memoryKernel() })
  await nf.apply({ nftables: [{ add: { table } }, { add: { chain } }, ...commands] })
  return nf
}

/** The objects of a listing, without what the kernel numbers. */
async function objectsOf(nf: NftClient, kind: string): Promise<unknown[]> {
  const { nftables } = await nf.ruleset()
  return nftables.flatMap(item => (kind in item ? [withoutHandle((item as Record<string, object>)[kind] as object)] : []))
}

function withoutHandle(object: object): object {
  const { handle: _handle, ...rest } = object as { readonly handle?: number }
  return rest
}

const marksOf = async (nf: NftClient): Promise<unknown[]> =>
  (await nf.ruleset()).nftables.flatMap(item =>
    'rule' in item ? item.rule.expr.map(statement => (statement as json.MatchStatement).match.right) : [],
  )

/** Each is listed as it was given, in the field order of `nft -j`. */
const OBJECTS: readonly (readonly [kind: string, object: object])[] = [
  ['table', { family: 'inet', name: 't' }],
  ['table', { family: 'ip', name: 'sleeping', flags: 'dormant', comment: 'not yet' }],
  ['chain', { family: 'inet', table: 't', name: 'plain', comment: 'a chain' }],
  ['chain', { family: 'inet', table: 't', name: 'base', type: 'filter', hook: 'input', prio: -5, policy: 'drop' }],
  ['chain', { family: 'netdev', table: 'n', name: 'lo', dev: 'lo', type: 'filter', hook: 'ingress', prio: 0, policy: 'accept' }],
  ['counter', { family: 'inet', name: 'hits', table: 't', comment: 'all', packets: 3, bytes: 4 }],
  ['quota', { family: 'inet', name: 'month', table: 't', bytes: 1000, used: 5, inv: true }],
  ['limit', { family: 'inet', name: 'pace', table: 't', rate: 10, per: 'minute', burst: 20 }],
  [
    'limit',
    {
      family: 'inet',
      name: 'bytes',
      table: 't',
      rate: 2,
      per: 'hour',
      inv: true,
      rate_unit: 'mbytes',
      burst: 1,
      burst_unit: 'kbytes',
    },
  ],
  ['ct helper', { family: 'inet', name: 'ftp', table: 't', type: 'ftp', protocol: 'tcp', l3proto: 'ip' }],
  ['ct timeout', { family: 'inet', name: 'slow', table: 't', protocol: 'udp', l3proto: 'ip', policy: { replied: 7 } }],
  [
    'ct expectation',
    { family: 'inet', name: 'next', table: 't', protocol: 'tcp', dport: 99, timeout: 60000, size: 3, l3proto: 'ip' },
  ],
  ['synproxy', { family: 'inet', name: 'shield', table: 't', mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] }],
  ['flowtable', { family: 'inet', name: 'fast', table: 't', hook: 'ingress', prio: 5, dev: 'lo' }],
  [
    'set',
    {
      family: 'inet',
      name: 's',
      table: 't',
      type: 'mark',
      comment: 'few',
      policy: 'memory',
      size: 9,
      flags: ['timeout'],
      timeout: 5,
    },
  ],
  [
    'set',
    {
      family: 'inet',
      name: 's',
      table: 't',
      type: ['ipv4_addr', 'mark'],
      flags: ['interval'],
      elem: [{ concat: ['192.0.2.1', 5] }],
    },
  ],
  ['set', { family: 'inet', name: 's', table: 't', type: { typeof: { ct: { key: 'mark' } } }, elem: [7] }],
  ['map', { family: 'inet', name: 'm', table: 't', type: 'mark', map: 'counter', stmt: [{ counter: null }] }],
]

for (const [kind, object] of OBJECTS)
  t.test(`${kind} ${JSON.stringify(object)} is listed as it was added`, async t => {
    await using nf = await client({ add: { table: { family: 'netdev', name: 'n' } } })
    await nf.apply({ nftables: [{ [kind]: object } as unknown as json.RulesetObject] })
    const found = (await objectsOf(nf, kind)).map(listed => JSON.stringify(listed))
    t.ok(found.includes(JSON.stringify(object)), found.join('\n'))
  })

t.test('a listing has its version first, then each table: chains, objects, sets, rules', async t => {
  await using nf = await client(
    { add: { rule: rule(1) } },
    { add: { set: { ...of, name: 's', type: 'mark' } } },
    { add: { counter: { ...of, name: 'n' } } },
    { add: { table: { family: 'ip', name: 'u' } } },
  )
  const { nftables } = await nf.ruleset()
  t.strictSame(nftables[0], { metainfo: { version: '1.1.3', release_name: 'ts-ipvs', json_schema_version: 1 } })
  t.strictSame(
    nftables.slice(1).flatMap(item => Object.keys(item)),
    ['table', 'chain', 'counter', 'set', 'rule', 'table'],
  )
  t.strictSame(
    (await nf.ruleset({ family: 'ip' })).nftables.slice(1).map(item => Object.keys(item)[0]),
    ['table'],
  )
})

const PLACES: readonly (readonly [title: string, command: json.Command, marks: readonly number[]])[] = [
  ['add puts a rule behind the others', { add: { rule: rule(9) } }, [1, 2, 3, 9]],
  ['add with an index puts it behind that one', { add: { rule: rule(9, { index: 0 }) } }, [1, 9, 2, 3]],
  ['insert puts it before the others', { insert: { rule: rule(9) } }, [9, 1, 2, 3]],
  ['insert with an index puts it before that one', { insert: { rule: rule(9, { index: 2 }) } }, [1, 2, 9, 3]],
]
for (const [title, command, marks] of PLACES)
  t.test(title, async t => {
    await using nf = await client({ add: { rule: rule(1) } }, { add: { rule: rule(2) } }, { add: { rule: rule(3) } })
    await nf.apply({ nftables: [command] })
    t.strictSame(await marksOf(nf), marks)
  })

t.test('an index counts the rules that the same document has added', async t => {
  await using nf = await client()
  await nf.apply({
    nftables: [
      { add: { rule: rule(1) } },
      { add: { rule: rule(2) } },
      { add: { rule: rule(9, { index: 0 }) } },
      { insert: { rule: rule(8, { index: 1 }) } },
    ],
  })
  t.strictSame(await marksOf(nf), [1, 8, 9, 2])
})

t.test('rules are replaced and deleted by their handles, inserted before one; add takes no notice of a handle', async t => {
  await using nf = await client({ add: { rule: rule(1) } }, { add: { rule: rule(2) } })
  const handles = (await nf.ruleset()).nftables.flatMap(item => ('rule' in item ? [item.rule.handle as number] : []))
  const [first = 0, second = 0] = handles
  await nf.apply({
    nftables: [{ replace: { rule: { ...rule(5), handle: first } } }, { insert: { rule: rule(4, { handle: second }) } }],
  })
  t.strictSame(await marksOf(nf), [5, 4, 2])
  await nf.apply({
    nftables: [{ delete: { rule: { ...of, chain: 'c', handle: second } } }, { add: { rule: rule(7, { handle: 4711 }) } }],
  })
  t.strictSame(await marksOf(nf), [5, 4, 7])
})

t.test('create fails where add does not, destroy does not where delete fails', async t => {
  await using nf = await client()
  await nf.apply({ nftables: [{ add: { table } }, { destroy: { chain: { ...of, name: 'none' } } }] })
  await t.rejects(nf.apply({ nftables: [{ create: { table } }] }), {
    code: 'EEXIST',
    failures: [{ path: 'nftables[0].create.table' }],
  })
  await t.rejects(nf.apply({ nftables: [{ delete: { chain: { ...of, name: 'none' } } }] }), { code: 'ENOENT' })
})

t.test('flush empties chains, tables, sets, and the ruleset, which may be filled in the same transaction', async t => {
  await using nf = await client({ add: { rule: rule(1) } }, { add: { set: { ...of, name: 's', type: 'mark', elem: [1] } } })
  await nf.apply({ nftables: [{ flush: { set: { ...of, name: 's' } } }, { flush: { chain } }] })
  t.strictSame(await marksOf(nf), [])
  t.strictSame(await objectsOf(nf, 'set'), [{ family: 'inet', name: 's', table: 't', type: 'mark' }])
  await nf.apply({ nftables: [{ flush: { ruleset: null } }, { add: { table: { family: 'ip', name: 'new' } } }] })
  t.strictSame(await objectsOf(nf, 'table'), [{ family: 'ip', name: 'new' }])
})

t.test('a chain gets another name', async t => {
  await using nf = await client()
  await nf.apply({ nftables: [{ rename: { chain: { ...chain, newname: 'd' } } }] })
  t.strictSame(await objectsOf(nf, 'chain'), [{ family: 'inet', table: 't', name: 'd' }])
})

t.test('list answers with a part of the ruleset as it is afterwards, one document for each command', async t => {
  await using nf = await client({ add: { rule: rule(1) } })
  const { answers } = await nf.apply({
    nftables: [{ list: { tables: null } }, { add: { table: { family: 'ip', name: 'u' } } }, { list: { chain } }],
  })
  t.strictSame(
    answers.map(({ nftables }) => nftables.map(item => Object.keys(item)[0])),
    [
      ['metainfo', 'table', 'table'],
      ['metainfo', 'chain', 'rule'],
    ],
  )
})

t.test('reset answers with what was counted', async t => {
  await using nf = await client({ add: { counter: { ...of, name: 'n', packets: 5, bytes: 6 } } })
  const { answers } = await nf.apply({ nftables: [{ reset: { counters: null } }] })
  t.match(answers[0]?.nftables[1], { counter: { name: 'n', packets: 5, bytes: 6 } })
  t.match(await objectsOf(nf, 'counter'), [{ name: 'n', packets: 0, bytes: 0 }])
})

t.test('echo gives the document back with the handles of what was added', async t => {
  await using nf = await client()
  const { document } = await nf.apply(
    { nftables: [{ add: { rule: rule(1) } }, { table: { family: 'ip', name: 'u' } }] },
    { echo: true },
  )
  const { nftables } = await nf.ruleset()
  const handle = nftables.flatMap(item => ('rule' in item ? [item.rule.handle] : []))[0]
  t.strictSame(document?.nftables[0], { add: { rule: { ...rule(1), handle } } })
  t.match(document?.nftables[1], { table: { name: 'u', handle: Number } })
})

t.test('check finds what apply would, and changes nothing', async t => {
  await using nf = await client()
  await nf.check({ nftables: [{ add: { rule: rule(1) } }] })
  t.strictSame(await marksOf(nf), [])
  await t.rejects(nf.check({ nftables: [{ delete: { rule: { ...of, chain: 'c', handle: 99 } } }] }), {
    name: 'TransactionError',
    path: 'nftables[0].delete.rule',
  })
})

t.test('a whole listing has what nft -j leaves out, and applied again it is the same', async t => {
  const elem: json.SetItem = {
    elem: { val: 7, timeout: 4.5, stmt: [{ counter: { packets: 1, bytes: 2 } }, { quota: { val: 9 } }] },
  }
  await using nf = await client({
    add: {
      set: {
        ...of,
        name: 's',
        type: 'mark',
        flags: ['timeout'],
        timeout: 5.5,
        stmt: [{ counter: null }, { quota: { val: 9 } }],
        elem: [elem],
      },
    },
  })
  const whole = await nf.ruleset({ whole: true })
  t.match(
    whole.nftables.find(item => 'set' in item),
    { set: { timeout: 5.5, elem: [{ elem: { timeout: 4.5, stmt: [{ counter: { packets: 1 } }, {}] } }] } },
  )
  t.match(
    (await nf.ruleset()).nftables.find(item => 'set' in item),
    { set: { timeout: 5, elem: [{ elem: { timeout: 4, counter: { packets: 1 } } }] } },
  )
  await using other = await open({ transport: memoryKernel() })
  await other.apply(whole)
  const text = (listing: string): string => listing.replaceAll(/expires \S+/g, '')
  t.equal(text(await other.rulesetText()), text(await nf.rulesetText()))
})

t.test('of a whole listing nothing is planned: ranges that maps map to, and fields of the first of several messages', async t => {
  const field = (protocol: string, name: string): json.Expression => ({ payload: { protocol, field: name } })
  const messages = { set: ['echo-request', 'echo-reply'] }
  const expr: json.Statement[] = [
    { match: { op: '==', left: field('icmpv6', 'type'), right: messages } },
    { match: { op: '==', left: field('icmpv6', 'id'), right: 9 } },
  ]
  await using nf = await client(
    { add: { map: { ...of, name: 'm', type: 'mark', map: 'ipv4_addr', interval: true } } },
    { add: { rule: { ...of, chain: 'c', expr } } },
  )
  const whole = await nf.ruleset({ whole: true })
  t.match(
    whole.nftables.find(item => 'map' in item),
    { map: { interval: true } },
  )
  t.same((await nf.plan(whole)).document.nftables, [])
  await nf.apply({ nftables: [{ flush: { ruleset: null } }, ...whole.nftables] })
  t.same((await nf.plan(whole)).document.nftables, [])
})

t.test('a document is made anew where others changed what it depends on', async t => {
  const kernel = memoryKernel()
  await using nf = await open({ transport: kernel })
  await using others = await open({ transport: kernel })
  await nf.apply({
    nftables: [
      { add: { table } },
      { add: { set: { ...of, name: 's', type: 'mark', flags: ['interval'], 'auto-merge': true, elem: [1] } } },
    ],
  })
  const read = nf.snapshot.bind(nf)
  let times = 0
  nf.snapshot = async filter => {
    const snapshot = await read(filter)
    if (times++ === 0) await others.apply({ nftables: [{ add: { element: { ...of, name: 's', elem: [3] } } }] })
    return snapshot
  }
  await nf.apply({ nftables: [{ add: { element: { ...of, name: 's', elem: [2] } } }] })
  t.match(await objectsOf(nf, 'set'), [{ elem: [{ range: [1, 3] }] }])
})

t.test('a chain without a name stands in the rule that jumps to it, as text', async t => {
  await using nf = await client()
  const inner: json.Rule = { ...rule(7), comment: 'deep' }
  await nf.apply({ nftables: [{ add: { chain: { ...of, name: 'd' } } }, { add: { rule: { ...inner, chain: 'd' } } }] })
  const [expressions = [], jump] = [
    (await nf.rules({ chain: 'd' }))[0]?.expressions,
    { kind: 'immediate', destination: 0, data: { verdict: 'jump', chainId: 1 } } as const,
  ]
  await nf.commit([
    { add: { chain: { ...of, name: '__chain%d', flags: ['binding'], id: 1 } } },
    { add: { rule: { ...of, chain: '', chainId: 1, expressions, comment: 'deep' } } },
    { add: { rule: { ...of, chain: 'c', expressions: [jump] } } },
  ])
  const { nftables } = await nf.ruleset()
  t.match(
    nftables.find(item => 'rule' in item && item.rule.chain === 'c'),
    { rule: { expr: ['jump {\n\t\t\tmeta mark 0x00000007 comment "deep"\n\t\t}'] } },
  )
  t.notOk(nftables.some(item => 'chain' in item && item.chain.name.startsWith('__')))
})
