/** Documents that can not be: each is refused in a sentence with its place, and nothing is changed. */
import t from 'tap'
import { type json, type NftClient, open } from '../../../lib/nft/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'

const of = { family: 'inet', table: 't' }
const elements = (elem: unknown, name = 's'): unknown => ({ add: { element: { ...of, name, elem } } })
const rule = (rest: object): unknown => ({ add: { rule: { ...of, chain: 'c', ...rest } } })
const chain = (name: string, verb = 'add'): unknown => ({ [verb]: { chain: { ...of, name } } })
const setOf = (name: string): unknown => ({ add: { set: { ...of, name, type: 'ipv4_addr' } } })

/** What is told of each; nothing but the first command's path is put before it. */
const COMMANDS: readonly (readonly [command: unknown, error: 'TypeError' | 'RangeError', message: string | RegExp])[] = [
  [5, 'TypeError', 'nftables[0]: 5: give an object'],
  [{}, 'TypeError', /^nftables\[0\]: \{\}: give an object with one of the fields add, create, /],
  [{ ad: { table: {} } }, 'TypeError', 'nftables[0].ad: there is no such field: did you mean add?'],
  [{ add: { tabel: {} } }, 'TypeError', 'nftables[0].add.tabel: there is no such object: did you mean table?'],
  [{ add: null }, 'TypeError', 'nftables[0].add: null: give an object'],
  [{ create: { rule: {} } }, 'TypeError', 'nftables[0].create.rule: there is no create for it'],
  [{ insert: { chain: {} } }, 'TypeError', 'nftables[0].insert.chain: there is no insert for it'],
  [
    { metainfo: { json_schema_version: 2 } },
    'RangeError',
    /^nftables\[0\]\.metainfo\.json_schema_version: 2: this is the schema of a newer/,
  ],
  [{ table: { name: 'x' } }, 'TypeError', 'nftables[0].table.family: is missing: give one of ip, ip6, inet, arp, bridge, netdev'],
  [{ table: { family: 'ipv4', name: 'x' } }, 'TypeError', 'nftables[0].table.family: "ipv4": did you mean ip?'],
  [{ table: { family: 'ip' } }, 'TypeError', 'nftables[0].table.name: is missing: give a text'],
  [
    { set: { ...of, name: 'x', type: 'mark', interval: true } },
    'TypeError',
    'nftables[0].set.interval: only data of maps can be ranges: give "flags": ["interval"] for those of keys',
  ],
  [
    { table: { family: 'ip', name: 'x', flgs: [] } },
    'TypeError',
    'nftables[0].table.flgs: there is no such field: did you mean flags?',
  ],
  [
    { table: { family: 'ip', name: 'x', flags: ['dormnt'] } },
    'TypeError',
    'nftables[0].table.flags[0]: "dormnt": did you mean dormant?',
  ],
  [{ add: { chain: { ...of, name: 'd', policy: 'drop' } } }, 'TypeError', /add\.chain\.policy: only a base chain has one/],
  [
    { add: { chain: { ...of, name: 'd', hook: 'inptu' } } },
    'TypeError',
    'nftables[0].add.chain.hook: "inptu": did you mean input?',
  ],
  [{ add: { set: { ...of, name: 'n' } } }, 'TypeError', 'nftables[0].add.set.type: is missing: give the type of the keys'],
  [
    { add: { set: { ...of, name: 'n', type: 'ipv4_adr' } } },
    'TypeError',
    'nftables[0].add.set.type: "ipv4_adr" is no type: did you mean ipv4_addr?',
  ],
  [{ add: { set: { ...of, name: 'n', type: 'integer' } } }, 'TypeError', /add\.set\.type: "integer": has no length of its own/],
  [{ add: { set: { ...of, name: 'n', type: ['mark', 'x'] } } }, 'TypeError', /add\.set\.type\[1\]: "x" is no type/],
  [{ add: { set: { ...of, name: 'n', type: 'mark', map: 'mark' } } }, 'TypeError', /add\.set\.map: only a map has one/],
  [{ add: { map: { ...of, name: 'n', type: 'mark' } } }, 'TypeError', /add\.map\.map: is missing/],
  [
    { add: { counter: { ...of, name: 'n', packets: 1.5 } } },
    'TypeError',
    'nftables[0].add.counter.packets: 1.5: give a whole number, above 2^53 as text or as a bigint',
  ],
  [{ add: { limit: { ...of, name: 'n' } } }, 'TypeError', 'nftables[0].add.limit.rate: is missing: give a number'],
  [
    { add: { 'ct timeout': { ...of, name: 'n', protocol: 'tcp', policy: { open: 1 } } } },
    'TypeError',
    /policy\.open: there is no such state/,
  ],
  [
    elements(['192.0.2.1'], 'none'),
    'TypeError',
    'nftables[0].add.element.name: there is no set @none in table inet t: add it before',
  ],
  [elements(['x']), 'TypeError', /^nftables\[0\]\.add\.element\.elem\[0\]: "x" is no ipv4_addr/],
  [
    elements(['192.0.2.1', { prefix: { addr: '192.0.2.0', len: 33 } }]),
    'RangeError',
    /elem\[1\]\.prefix\.len: 33: give a whole number from 0 to 32/,
  ],
  [elements([{ range: ['192.0.2.9', '192.0.2.1'] }]), 'RangeError', /elem\[0\]\.range: .*: ends before it begins$/],
  [
    elements([{ prefix: { addr: '192.0.2.0', len: 24 } }]),
    'TypeError',
    /elem\[0\]: "192.0.2.0" to "192.0.2.255": ranges and prefixes are for sets with the flag/,
  ],
  [elements([{ concat: ['192.0.2.1', 5] }]), 'RangeError', /elem\[0\]\.concat: has 2 values: give 1, for the type is ipv4_addr/],
  [elements(['@other']), 'TypeError', /elem\[0\]: "@other": a named set can not stand here/],
  [elements([{ meta: { key: 'mark' } }]), 'TypeError', /elem\[0\]: .*: only constants can stand in sets/],
  [
    elements([{ elem: { val: '192.0.2.1', commnt: 'x' } }]),
    'TypeError',
    'nftables[0].add.element.elem[0].elem.commnt: there is no such field: did you mean comment?',
  ],
  [elements([5], 'm'), 'TypeError', /elem\[0\]: is missing: an element of a map is a pair/],
  [
    elements([[5, { jmp: { target: 'c' } }]], 'm'),
    'TypeError',
    'nftables[0].add.element.elem[0][1].jmp: there is no such field: did you mean jump?',
  ],
  [elements([[5, { jump: {} }]], 'm'), 'TypeError', 'nftables[0].add.element.elem[0][1].jump.target: is missing: give a text'],
  [rule({}), 'TypeError', 'nftables[0].add.rule.expr: is missing: give a list of statements'],
  [
    rule({ expr: [{ mach: {} }] }),
    'TypeError',
    'nftables[0].add.rule.expr[0].mach: there is no such statement: did you mean match?',
  ],
  [
    rule({ expr: [{ accept: null }], index: 3 }),
    'RangeError',
    'nftables[0].add.rule.index: 3: there is no such rule: the chain has no rules',
  ],
  [
    { replace: { rule: { ...of, chain: 'c', expr: [] } } },
    'TypeError',
    'nftables[0].replace.rule.handle: is missing: give a number',
  ],
  [{ delete: { rule: { ...of, chain: 'c' } } }, 'TypeError', 'nftables[0].delete.rule.handle: is missing: give a number'],
  [{ rename: { chain: { ...of, name: 'c' } } }, 'TypeError', 'nftables[0].rename.chain.newname: is missing: give a text'],
]

/** What rules and elements name has to be there before them. */
const NAMES: readonly (readonly [commands: readonly unknown[], message: string])[] = [
  [[rule({ expr: [], table: 'tt' })], 'nftables[0].add.rule.chain: there is no table inet tt: add it before'],
  [[rule({ expr: [], chain: 'none' })], 'nftables[0].add.rule.chain: there is no chain none in table inet t: add it before'],
  [
    [chain('later', 'delete'), rule({ expr: [{ jump: { target: 'later' } }] })],
    'nftables[1].add.rule.expr[0].jump.target: there is no chain later in table inet t: did you mean late?',
  ],
  [
    [rule({ expr: [{ goto: { target: 'services' } }] }), chain('services')],
    'nftables[0].add.rule.expr[0].goto.target: there is no chain services in table inet t: add it before',
  ],
  [
    [rule({ expr: [{ vmap: { key: { meta: { key: 'mark' } }, data: { set: [[1, { jump: { target: 'lat' } }]] } } }] })],
    'nftables[0].add.rule.expr[0].vmap.data.set: there is no chain lat in table inet t: did you mean late?',
  ],
  [
    [
      elements(
        [
          [1, { accept: null }],
          [2, { jump: { target: 'none' } }],
        ],
        'm',
      ),
    ],
    'nftables[0].add.element.elem[1]: there is no chain none in table inet t: add it before',
  ],
  [
    [elements(['192.0.2.1'], 'addresss')],
    'nftables[0].add.element.name: there is no set @addresss in table inet t: did you mean @address?',
  ],
  [
    [rule({ expr: [{ counter: 'web' }] })],
    'nftables[0].add.rule.expr[0].counter: there is no counter web in table inet t: did you mean webs?',
  ],
  [
    [rule({ expr: [{ quota: 'webs' }] })],
    'nftables[0].add.rule.expr[0].quota: there is no quota webs in table inet t: add it before',
  ],
  [
    [{ delete: { counter: { ...of, name: 'webs' } } }, rule({ expr: [{ counter: 'webs' }] })],
    'nftables[1].add.rule.expr[0].counter: there is no counter webs in table inet t: add it before',
  ],
  [
    [rule({ expr: [{ flow: { op: 'add', flowtable: '@fast' } }] })],
    'nftables[0].add.rule.expr[0].flow.flowtable: there is no flowtable @fast in table inet t: add it before',
  ],
  [[{ flush: { ruleset: null } }, rule({ expr: [] })], 'nftables[1].add.rule.chain: there is no table inet t: add it before'],
]

t.test('names of what is not there are refused with their place', async t => {
  await using nf = await client()
  await nf.apply({
    nftables: [chain('late'), chain('later'), { counter: { ...of, name: 'webs' } }, setOf('address')],
  } as unknown as json.Document)
  for (const [commands, message] of NAMES)
    await t.rejects(nf.apply({ nftables: commands } as unknown as json.Document), { name: 'TypeError', message }, message)
})

t.test('names of what the document has added, or the kernel has, are taken', async t => {
  await using nf = await client()
  await nf.apply({ nftables: [chain('old')] } as unknown as json.Document)
  const document = {
    nftables: [
      chain('new'),
      { add: { counter: { ...of, name: 'n' } } },
      rule({ expr: [{ counter: 'n' }, { jump: { target: 'new' } }] }),
      { rename: { chain: { ...of, name: 'old', newname: 'renamed' } } },
      rule({ expr: [{ goto: { target: 'old' } }] }),
      elements([[1, { jump: { target: 'new' } }]], 'm'),
    ],
  } as unknown as json.Document
  await nf.apply(document)
  await nf.apply({ nftables: [rule({ expr: [{ counter: 'n' }, { jump: { target: 'renamed' } }] })] } as unknown as json.Document)
  t.equal((await nf.snapshot()).rules.length, 3)
})

async function client(): Promise<NftClient> {
  const nf = await open({ transport: memoryKernel() })
  await nf.apply({
    nftables: [
      { add: { table: { family: 'inet', name: 't' } } },
      { add: { chain: { family: 'inet', table: 't', name: 'c' } } },
      { add: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr' } } },
      { add: { map: { family: 'inet', table: 't', name: 'm', type: 'mark', map: 'verdict' } } },
    ],
  })
  return nf
}

t.test('what can not be is refused with its place before anything is sent', async t => {
  await using nf = await client()
  const before = await nf.ruleset()
  for (const [command, name, message] of COMMANDS) {
    const good = { add: { counter: { ...of, name: 'never' } } }
    const document = { nftables: [command, good] } as unknown as json.Document
    await t.rejects(nf.apply(document), { name, message }, JSON.stringify(command))
    await t.rejects(nf.check(document), { name, message }, `check ${JSON.stringify(command)}`)
  }
  t.strictSame(await nf.ruleset(), before)
})

t.test('a document is an object with a list', async t => {
  await using nf = await client()
  await t.rejects(nf.apply({} as never), { name: 'TypeError', message: 'nftables: is missing: give the list of commands' })
  await t.rejects(nf.apply({ nftables: {} } as never), { name: 'TypeError', message: 'nftables: {}: give the list of commands' })
  await t.rejects(nf.apply([] as never), { name: 'TypeError', message: '[]: give an object' })
  await t.rejects(nf.apply({ nftables: [], x: 1 } as never), { name: 'TypeError', message: /^x: there is no such field/ })
})

t.test('what the kernel refuses is told with its place in the document', async t => {
  await using nf = await client()
  const document = {
    nftables: [
      { add: { counter: { ...of, name: 'n' } } },
      { create: { chain: { ...of, name: 'c' } } },
      elements(['192.0.2.1']),
      { delete: { element: { ...of, name: 's', elem: ['192.0.2.1', '192.0.2.2'] } } },
    ],
  } as unknown as json.Document
  await t.rejects(nf.apply(document), {
    name: 'TransactionError',
    outcome: 'rolled-back',
    path: 'nftables[1].create.chain',
    message: /nftables\[1\]\.create\.chain: chain c of table inet t can not be created/,
    failures: [{ path: 'nftables[1].create.chain' }, { path: 'nftables[3].delete.element.elem[1]' }],
  })
})
