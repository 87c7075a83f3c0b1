import t from 'tap'
import type { json } from '../../lib/nft/index.js'
import { planDocument } from '../../lib/nft/plan/plan.js'
import { kept } from '../../lib/nft/plan/sequence.js'

const of = { family: 'inet', table: 'web' } as const
const table = { table: { family: 'inet', name: 'web' } } as const
const chain = { chain: { ...of, name: 'a' } } as const
const port = (dport: number): json.Statement => ({
  match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: dport },
})
const accept = { accept: null } as const
const counter = (packets: number): json.Statement => ({ counter: { packets, bytes: 10 * packets } })
const rule = (expr: readonly json.Statement[], handle?: number, more: object = {}): json.RulesetObject => ({
  rule: { ...of, chain: 'a', expr, ...(handle === undefined ? {} : { handle }), ...more },
})
const set = { set: { ...of, name: 's', type: 'ipv4_addr' } } as const
const map = { map: { ...of, name: 'm', type: 'inet_service', map: 'verdict' } } as const
const jump = { jump: { target: 'b' } } as const

const plan = (wanted: readonly unknown[], there: readonly unknown[]): unknown =>
  planDocument({ nftables: wanted } as json.Document, { nftables: there } as json.Document).nftables

t.test('plans have what differs, and nothing else', async t => {
  const b = { chain: { ...of, name: 'b' } }
  const base = { ...chain.chain, type: 'filter', hook: 'input', prio: 0, policy: 'accept' }
  const cases: readonly [name: string, wanted: readonly unknown[], there: readonly unknown[], commands: readonly unknown[]][] = [
    ['the same', [table, chain, rule([port(80)])], [{ metainfo: {} }, table, chain, rule([port(80)], 4)], []],
    ['counters that counted', [table, chain, rule([{ counter: null }])], [table, chain, rule([counter(3)], 4)], []],
    ['a table that is not there', [table, chain, rule([accept])], [], [{ add: table }, { add: chain }, { add: rule([accept]) }]],
    ['tables that are not named', [table], [table, { table: { family: 'ip', name: 'other' } }], []],
    [
      'a rule in front',
      [table, chain, rule([port(1)]), rule([port(2)])],
      [table, chain, rule([port(2)], 7)],
      [{ insert: rule([port(1)], 7) }],
    ],
    [
      'two rules in front',
      [table, chain, rule([port(0)]), rule([port(1)]), rule([port(2)])],
      [table, chain, rule([port(2)], 7)],
      [{ insert: rule([port(0)], 7) }, { insert: rule([port(1)], 7) }],
    ],
    [
      'a rule at the end',
      [table, chain, rule([port(2)]), rule([port(3)])],
      [table, chain, rule([port(2)], 7)],
      [{ add: rule([port(3)]) }],
    ],
    [
      'a rule less',
      [table, chain, rule([port(3)])],
      [table, chain, rule([port(2)], 7), rule([port(3)], 8)],
      [{ delete: { rule: { ...of, chain: 'a', handle: 7 } } }],
    ],
    [
      'a rule with another comment',
      [table, chain, rule([port(3)], undefined, { comment: 'b' })],
      [table, chain, rule([port(3)], 8, { comment: 'a' })],
      [{ delete: { rule: { ...of, chain: 'a', handle: 8 } } }, { add: rule([port(3)], undefined, { comment: 'b' }) }],
    ],
    [
      'another policy',
      [table, { chain: { ...base, policy: 'drop' } }],
      [table, { chain: { ...base, handle: 1 } }],
      [{ add: { chain: { ...base, policy: 'drop' } } }],
    ],
    [
      'another priority: the chain anew, with its rules',
      [table, { chain: { ...base, prio: 5 } }, rule([accept])],
      [table, { chain: base }, rule([accept], 9)],
      [
        { delete: { rule: { ...of, chain: 'a', handle: 9 } } },
        { delete: { chain: { ...of, name: 'a' } } },
        { add: { chain: { ...base, prio: 5 } } },
        { add: rule([accept]) },
      ],
    ],
    [
      'elements that come and go',
      [table, { set: { ...set.set, elem: ['10.0.0.1', '10.0.0.3'] } }],
      [table, { set: { ...set.set, handle: 3, elem: ['10.0.0.1', { elem: { val: '10.0.0.2', comment: 'two' } }] } }],
      [
        { delete: { element: { ...of, name: 's', elem: ['10.0.0.2'] } } },
        { add: { element: { ...of, name: 's', elem: ['10.0.0.3'] } } },
      ],
    ],
    [
      'what is left of time-outs',
      [table, { set: { ...set.set, elem: ['10.0.0.1'] } }],
      [table, { set: { ...set.set, elem: [{ elem: { val: '10.0.0.1', expires: 5 } }] } }],
      [],
    ],
    [
      'what a key is mapped to',
      [table, { map: { ...map.map, elem: [[80, { drop: null }]] } }],
      [table, { map: { ...map.map, elem: [[80, accept]] } }],
      [
        { delete: { element: { ...of, name: 'm', elem: [[80, accept]] } } },
        { add: { element: { ...of, name: 'm', elem: [[80, { drop: null }]] } } },
      ],
    ],
    [
      'a set of another type: anew, with the rules that look into it',
      [
        table,
        chain,
        { set: { ...set.set, type: 'ipv6_addr' } },
        rule([{ match: { op: '==', left: { payload: { protocol: 'ip6', field: 'saddr' } }, right: '@s' } }]),
        rule([accept]),
      ],
      [
        table,
        chain,
        set,
        rule([{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@s' } }], 5),
        rule([accept], 6),
      ],
      [
        { delete: { rule: { ...of, chain: 'a', handle: 5 } } },
        { delete: { set: { ...of, name: 's' } } },
        { add: { set: { ...set.set, type: 'ipv6_addr' } } },
        { insert: rule([{ match: { op: '==', left: { payload: { protocol: 'ip6', field: 'saddr' } }, right: '@s' } }], 6) },
      ],
    ],
    [
      'a chain that goes, and the element that led there',
      [table, { map: { ...map.map, elem: [[22, accept]] } }],
      [
        table,
        b,
        {
          map: {
            ...map.map,
            elem: [
              [22, accept],
              [80, jump],
            ],
          },
        },
      ],
      [{ delete: { element: { ...of, name: 'm', elem: [[80, jump]] } } }, { delete: { chain: { ...of, name: 'b' } } }],
    ],
    [
      'a chain that is made anew: rules and elements that lead there as well',
      [table, { chain: { ...b.chain, comment: 'new' } }, chain, { map: { ...map.map, elem: [[80, jump]] } }, rule([jump])],
      [table, b, chain, { map: { ...map.map, elem: [[80, jump]] } }, rule([jump], 4)],
      [
        { delete: { rule: { ...of, chain: 'a', handle: 4 } } },
        { delete: { element: { ...of, name: 'm', elem: [[80, jump]] } } },
        { delete: { chain: { ...of, name: 'b' } } },
        { add: { chain: { ...b.chain, comment: 'new' } } },
        { add: { element: { ...of, name: 'm', elem: [[80, jump]] } } },
        { add: rule([jump]) },
      ],
    ],
    [
      'a table that sleeps',
      [{ table: { ...table.table, flags: ['dormant'] } }, chain],
      [table, chain],
      [{ add: { table: { ...table.table, flags: ['dormant'] } } }],
    ],
    [
      'a table with another comment: all of it anew',
      [{ table: { ...table.table, comment: 'b' } }, chain],
      [{ table: { ...table.table, comment: 'a' } }, chain],
      [{ delete: table }, { add: { table: { ...table.table, comment: 'b' } } }, { add: chain }],
    ],
    [
      'a counter that counted',
      [table, { counter: { ...of, name: 'c', packets: 0, bytes: 0 } }],
      [table, { counter: { ...of, name: 'c', handle: 2, packets: 5, bytes: 50 } }],
      [],
    ],
  ]
  for (const [name, wanted, there, commands] of cases) t.same(plan(wanted, there), commands, name)
})

t.test('as many rules stay as can, in their order', async t => {
  const cases: readonly [wanted: string, there: string, stay: number][] = [
    ['abc', 'abc', 3],
    ['bca', 'abc', 2],
    ['xaybzc', 'abc', 3],
    ['', 'abc', 0],
    ['aab', 'ab', 2],
    ['cba', 'abc', 1],
    ['abcdefgh', 'hgfedcba', 1],
    ['acbd', 'abcd', 3],
  ]
  for (const [wanted, there, stay] of cases) {
    const places = kept([...wanted], [...there])
    const found = places.filter(place => place !== undefined)
    t.equal(found.length, stay, `${there} to ${wanted}`)
    t.same(
      found,
      found.toSorted((a, b) => a - b),
    )
    t.ok(places.every((place, i) => place === undefined || there[place] === wanted[i]))
  }
})
