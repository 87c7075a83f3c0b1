/** Elements of sets and maps: from JSON to the kernel's, and back as `nft -j` prints them. */
import t from 'tap'
import { type json, open } from '../../../lib/nft/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'

const set = { family: 'ip', table: 't', name: 's' } as const
type Settings = Partial<Omit<json.Map, keyof typeof set>>

/** What a set lists that was added so, and to which `commands` were applied. */
async function listed(settings: Settings, ...commands: json.Command[]): Promise<unknown> {
  await using nf = await open({ transport: memoryKernel() })
  const kind = settings.map === undefined ? 'set' : 'map'
  const objects = [
    { add: { table: { family: 'ip', name: 't' } } },
    { add: { chain: { family: 'ip', table: 't', name: 'c' } } },
    { add: { counter: { family: 'ip', table: 't', name: 'hits' } } },
    { add: { [kind]: { ...set, ...settings } } },
  ] as unknown as json.Command[]
  await nf.apply({ nftables: objects })
  for (const command of commands) await nf.apply({ nftables: [command] })
  const { nftables } = await nf.ruleset()
  const object = nftables.find(item => kind in item) as Record<string, { readonly elem?: unknown }>
  return JSON.parse(JSON.stringify(object[kind]?.elem, (key, value) => (key === 'expires' ? undefined : value)))
}

type Case = readonly [title: string, settings: Settings, given: readonly json.SetItem[], expected?: unknown]
const ADDRESS: Settings = { type: 'ipv4_addr' }
const RANGES: Settings = { type: 'ipv4_addr', flags: ['interval'] }
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } })

/** Without `expected`, they are listed as they were given. */
const CASES: readonly Case[] = [
  ['addresses, in the order of their numbers', ADDRESS, ['10.0.0.2', '10.0.0.1'], ['10.0.0.1', '10.0.0.2']],
  ['ports by their number or their word', { type: 'inet_service' }, ['http', 22, '0x1bb'], [22, 80, 443]],
  ['names, in the order of the bytes from the last', { type: 'ifname' }, ['eth0', 'lo'], ['lo', 'eth0']],
  ['marks', { type: 'mark' }, [1, 255]],
  ['protocols by their words', { type: 'inet_proto' }, [6, 'udp'], ['tcp', 'udp']],
  ['several flags', { type: 'tcp_flag' }, [{ '|': ['syn', 'ack'] }, 'fin'], ['fin', { '|': ['syn', 'ack'] }]],
  ['a list of flags', { type: 'tcp_flag' }, [['syn', 'ack', 'fin']], [{ '|': ['fin', 'syn', 'ack'] }]],
  ['a set within a set', ADDRESS, [{ set: ['10.0.0.1', { set: ['10.0.0.2'] }] }], ['10.0.0.1', '10.0.0.2']],
  ['prefixes, ranges and one address', RANGES, [prefix('10.0.0.0', 8), { range: ['192.0.2.1', '192.0.2.9'] }, '198.51.100.1']],
  ['a prefix whose address has more bits', RANGES, [prefix('10.1.2.3', 8)], [prefix('10.0.0.0', 8)]],
  ['a range that is a prefix', RANGES, [{ range: ['10.0.0.0', '10.0.0.255'] }], [prefix('10.0.0.0', 24)]],
  ['all addresses', RANGES, [prefix('0.0.0.0', 0)]],
  ['the first and the last', RANGES, ['0.0.0.0', '255.255.255.255']],
  ['an interval given twice', RANGES, ['10.0.0.1', '10.0.0.1'], ['10.0.0.1']],
  ['a range of ports to the last', { type: 'inet_service', flags: ['interval'] }, [{ range: [1, 7] }, { range: [1024, 65535] }]],
  ['names that begin so', { type: 'ifname', flags: ['interval'] }, ['eth*', 'lo']],
  [
    'six bits: to the last that a byte has',
    { type: 'dscp', flags: ['interval'] },
    [{ range: [1, 63] }],
    [{ range: ['lephb', 255] }],
  ],
  [
    'concatenations, in the order of the bytes from the last',
    { type: ['ipv4_addr', 'inet_service'] },
    [{ concat: ['10.0.0.1', 443] }, { concat: ['10.0.0.2', 80] }],
    [{ concat: ['10.0.0.2', 80] }, { concat: ['10.0.0.1', 443] }],
  ],
  [
    'concatenations of ranges',
    { type: ['ipv4_addr', 'inet_service'], flags: ['interval'] },
    [{ concat: [prefix('10.0.0.0', 8), { range: [80, 90] }] }, { concat: ['192.0.2.1', 53] }],
  ],
  [
    'the element for all that no other is for, at the end',
    { ...ADDRESS, map: 'mark' },
    [
      ['*', 2],
      ['10.0.0.1', 1],
    ],
    [
      ['10.0.0.1', 1],
      ['*', 2],
    ],
  ],
  ['a comment', ADDRESS, [{ elem: { val: '10.0.0.1', comment: 'a router' } }]],
  [
    'time-outs, in whole seconds',
    { ...ADDRESS, flags: ['timeout'], timeout: 60 },
    [{ elem: { val: '10.0.0.1', timeout: 7 } }, '10.0.0.2'],
    [{ elem: { val: '10.0.0.1', timeout: 7 } }, { elem: { val: '10.0.0.2' } }],
  ],
  [
    'counters go on where they stood',
    { ...ADDRESS, stmt: [{ counter: null }] },
    [{ elem: { val: '10.0.0.1', counter: { packets: 3, bytes: 4 } } }],
  ],
  [
    'verdicts',
    { type: 'inet_service', map: 'verdict' },
    [
      [22, { accept: null }],
      [23, { jump: { target: 'c' } }],
      [24, { goto: { target: 'c' } }],
      [25, { return: null }],
    ],
  ],
  ['objects', { ...ADDRESS, map: 'counter' }, [['10.0.0.1', 'hits']]],
  ['concatenated data', { ...ADDRESS, map: ['ipv4_addr', 'inet_service'] }, [['10.0.0.1', { concat: ['192.0.2.1', 8080] }]]],
  ['ranges as data', { ...ADDRESS, map: 'ipv4_addr' }, [['10.0.0.1', { range: ['192.0.2.1', '192.0.2.9'] }]]],
  [
    'one value among ranges as data is a prefix',
    { ...ADDRESS, map: 'ipv4_addr' },
    [
      ['10.0.0.1', prefix('192.0.2.0', 24)],
      ['10.0.0.2', '192.0.2.1'],
    ],
    [
      ['10.0.0.1', prefix('192.0.2.0', 24)],
      ['10.0.0.2', prefix('192.0.2.1', 32)],
    ],
  ],
  ['types that an expression gives', { type: { typeof: { payload: { protocol: 'vlan', field: 'id' } } } }, [2, 4094]],
]

const change = (verb: 'add' | 'delete', ...elem: json.SetItem[]): json.Command =>
  ({ [verb]: { element: { ...set, elem } } }) as unknown as json.Command

for (const [title, settings, given, expected = given] of CASES)
  t.test(title, async t => {
    t.strictSame(await listed({ ...settings, elem: given }), expected, 'with the set')
    if (settings.map === undefined) t.strictSame(await listed(settings, change('add', ...given)), expected, 'behind it')
  })

const PORTS: Settings = { type: 'inet_service', flags: ['interval'], 'auto-merge': true }
const range = (from: number, to: number) => ({ range: [from, to] as const })

const MERGED: readonly (readonly [title: string, before: readonly json.SetItem[], command: json.Command, expected: unknown])[] = [
  ['intervals that overlap', [range(1, 10)], change('add', range(5, 20)), [range(1, 20)]],
  ['intervals that adjoin', [range(1, 10)], change('add', 11), [range(1, 11)]],
  ['one that closes a gap', [range(1, 4), range(6, 9)], change('add', 5), [range(1, 9)]],
  ['one that is within another', [range(1, 10)], change('add', 5), [range(1, 10)]],
  ['one apart from the others', [range(1, 4)], change('add', 6), [range(1, 4), 6]],
  ['the middle of an interval is taken out', [range(1, 10)], change('delete', range(4, 5)), [range(1, 3), range(6, 10)]],
  ['its beginning', [range(1, 10)], change('delete', range(1, 5)), [range(6, 10)]],
  ['its end', [range(1, 10)], change('delete', 10), [range(1, 9)]],
  ['all of it', [range(1, 10), 12], change('delete', range(1, 10)), [12]],
  [
    'the one that is added says what the whole has',
    [{ elem: { val: range(1, 4), comment: 'old' } }],
    change('add', { elem: { val: range(5, 9), comment: 'new' } }),
    [{ elem: { val: range(1, 9), comment: 'new' } }],
  ],
]

for (const [title, before, command, expected] of MERGED)
  t.test(`auto-merge: ${title}`, async t => {
    t.strictSame(await listed({ ...PORTS, elem: before }, command), expected)
  })

t.test('a set that does not merge refuses what overlaps, and takes what is there already', async t => {
  const plain: Settings = { type: 'inet_service', flags: ['interval'], elem: [range(1, 10)] }
  await t.rejects(listed(plain, change('add', range(5, 10))), {
    name: 'RangeError',
    message: 'nftables[0].add.element.elem[0]: overlaps another interval: delete that first, or give the set "auto-merge"',
  })
  t.strictSame(await listed(plain, change('add', range(1, 10), 12)), [range(1, 10), 12])
})
