/**
 * Statements that can not be where they stand: the family, the hook or the type of the chain forbids them, or what they name is not there.
 * Each is refused in a sentence with its place, and nothing is sent.
 */
import t from 'tap'
import { type Family, type json, open } from '../../../lib/nft/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'

const field = (protocol: string, name: string): object => ({ payload: { protocol, field: name } })
const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } })
const meta = (key: string): object => ({ meta: { key } })
const ct = (key: string, more: object = {}): object => ({ ct: { key, ...more } })
const set = (key: object, value: unknown): object => ({ mangle: { key, value } })
const tcp = match(meta('l4proto'), 'tcp')

/** A family, and what its chain `c` is of. */
type Place = readonly [family: Family, type: string, hook: string]
/** Statements of one rule, where the sentence says that it is wrong, and how the sentence goes on. */
type Row = readonly [statements: readonly unknown[], path: string, message: string]

const TABLES: readonly (readonly [place: Place, rows: readonly Row[]])[] = [
  [
    ['ip', 'filter', 'input'],
    [
      [[match(field('tcp', 'dport'), [22, 80])], '[0].match.right', '[22,80]: lists are of flags, which inet_service is not: '],
      [[match(field('tcp', 'dport'), 80, '!')], '[0].match.right', '"!": asks for flags, which inet_service is not: '],
      [
        [set(field('tcp', 'dport'), meta('mark'))],
        '[0].mangle.value',
        'is of the type mark: give a value of the type inet_service',
      ],
      [[set(meta('mark'), field('udp', 'length'))], '[0].mangle.value', 'is a number of 16 bits, and marks have 32: '],
      [[set(field('ip', 'dscp'), field('ip', 'dscp'))], '[0].mangle.value', 'is what is written: '],
      [[{ masquerade: null }], '[0].masquerade', 'masquerade is for chains of the type nat: this one is of the type filter'],
      [[{ redirect: null }], '[0].redirect', 'redirect is for chains of the type nat: this one is of the type filter'],
      [[{ dnat: { addr: '192.0.2.1' } }], '[0].dnat', 'dnat is for chains of the type nat: this one is of the type filter'],
      [[{ snat: { addr: '192.0.2.1' } }], '[0].snat', 'snat is for chains of the type nat: this one is of the type filter'],
      [[tcp, { tproxy: { port: 80 } }], '[1].tproxy', 'tproxy is for chains at the hooks prerouting: this one is at '],
      [[{ flow: { op: 'add', flowtable: '@f' } }], '[0].flow', 'flow is for chains at the hooks forward: this one is at '],
      [
        [set(meta('pkttype'), 'host')],
        '[0].mangle.value',
        'meta pkttype set is for chains at the hooks prerouting: this one is at ',
      ],
      [
        [match({ rt: { key: 'mtu' } }, 1)],
        '[0].match.right',
        'rt mtu is for chains at the hooks forward, output, postrouting: this one is at ',
      ],
      [
        [match({ fib: { result: 'type', flags: ['daddr', 'oif'] } }, 'local')],
        '[0].match.right',
        'fib type with oif is for chains at the hooks forward, output, postrouting: this one is at ',
      ],
      [
        [match({ ipsec: { key: 'reqid', dir: 'out' } }, 1)],
        '[0].match.right',
        'ipsec out is for chains at the hooks forward, output, postrouting: this one is at ',
      ],
      [[{ fwd: { dev: 1 } }], '[0].fwd', 'fwd is not for the family ip: it is for netdev'],
      [
        [match(meta('nfproto'), 'ipv4')],
        '[0].match.left.meta.key',
        'meta nfproto is only useful in the family inet: leave it out',
      ],
      [
        [match(field('ip6', 'saddr'), '::1')],
        '[0].match.left.payload',
        'the rule is about ip already, so it can not be about ip6',
      ],
      [[{ jump: null }], '[0].jump', 'null: give an object'],
      [[{ jump: {} }], '[0].jump.target', 'is missing: give a text'],
      [[{ accept: null, drop: null }], '[0]', '{"accept":null,"drop":null}: give an object with one field'],
      [[{ acept: null }], '[0].acept', 'there is no such statement: did you mean accept?'],
      [[{ xt: null }], '[0].xt', 'extensions of xtables can not be written: iptables-nft owns them'],
      [[{ counter: 5 }], '[0].counter', '5: give an object'],
      [[{ counter: { packet: 1 } }], '[0].counter.packet', 'there is no such field: did you mean packets?'],
      [[{ limit: { rate: 0, per: 'second' } }], '[0].limit.rate', '0: give a whole number from 1'],
      [[{ limit: { rate: '1/s' } }], '[0].limit.rate', '"1/s": give a whole number, above 2^53 as text or as a bigint'],
      [[{ limit: { rate: 1, per: 'secnd' } }], '[0].limit.per', '"secnd": did you mean second?'],
      [[{ limit: { rate: 1, per: 'day', rate_unit: 'kb' } }], '[0].limit.rate_unit', '"kb": '],
      [
        [{ limit: { rate: 1, rate_unit: 'bytes', burst: 1, burst_unit: 'packets' } }],
        '[0].limit.burst_unit',
        '"packets": the rate is of bytes: give bytes, kbytes or mbytes',
      ],
      [[{ quota: {} }], '[0].quota.val', 'is missing: give a number'],
      [[{ quota: { val: 2 ** 64 } }], '[0].quota.val', '18446744073709552000: give a whole number'],
      [[{ 'ct count': { val: -1 } }], '[0].ct count.val', '-1: give a whole number from 0'],
      [[{ log: { level: 'wrn' } }], '[0].log.level', '"wrn": did you mean warn?'],
      [[{ log: { group: 1, level: 'warn' } }], '[0].log.level', 'give group or level, not both'],
      [[{ log: { group: 70_000 } }], '[0].log.group', '70000: give a whole number from 0 to 65535'],
      [[{ log: { flags: ['tcp seq'] } }], '[0].log.flags[0]', '"tcp seq": '],
      [[{ reject: { type: 'icmpv4' } }], '[0].reject.type', '"icmpv4": did you mean icmpv6?'],
      [[{ reject: { type: 'icmp', expr: 'unreachable' } }], '[0].reject.expr', '"unreachable" is no icmp_code: '],
      [[{ reject: { type: 'tcp reset', expr: 1 } }], '[0].reject.expr', '1: a reset has no code'],
      [[{ reject: { type: 'icmpx' } }], '[0].reject.type', '"icmpx": is not for the family ip: give one of tcp reset, icmp'],
      [[{ accept: null }, { counter: null }], '[1]', 'stands behind accept, where a rule ends: put it before'],
      [[{ reject: null }, { drop: null }], '[1]', 'stands behind reject, where a rule ends: put it before'],
      [[{ queue: { num: 70_000 } }], '[0].queue.num', '70000: give 0 to 65535'],
      [[{ queue: { num: 5, flags: 'fanout' } }], '[0].queue.flags', 'fanout is for several queues: give them as '],
      [[{ dup: {} }], '[0].dup.addr', 'is missing: give where to'],
      [[{ dup: { addr: '::1' } }], '[0].dup.addr', '"::1" is no ipv4_addr: '],
      [[{ synproxy: { mss: 70_000 } }], '[0].synproxy.mss', '70000: give a whole number from 0 to 65535'],
      [[{ synproxy: { wscale: 15 } }], '[0].synproxy.wscale', '15: give a whole number from 0 to 14'],
    ],
  ],
  [
    ['ip', 'nat', 'prerouting'],
    [
      [[{ masquerade: null }], '[0].masquerade', 'masquerade is for chains at the hooks postrouting: this one is at prerouting'],
      [
        [{ snat: { addr: '192.0.2.1' } }],
        '[0].snat',
        'snat is for chains at the hooks postrouting, input: this one is at prerouting',
      ],
      [[{ dnat: { addr: '192.0.2.256' } }], '[0].dnat.addr', '"192.0.2.256" is no ipv4_addr: '],
      [[{ dnat: { addr: '::1', family: 'ip6' } }], '[0].dnat.family', '"ip6": the table is of the family ip'],
      [
        [{ dnat: { addr: '192.0.2.1', port: 80 } }],
        '[0].dnat.port',
        'ports need a match before them that says of which protocol',
      ],
      [[tcp, { dnat: { addr: '192.0.2.1', port: 70_000 } }], '[1].dnat.port', '70000: give 0 to 65535'],
      [[{ dnat: { addr: '192.0.2.1', flags: ['randm'] } }], '[0].dnat.flags[0]', '"randm": did you mean random?'],
      [[{ redirect: { addr: '192.0.2.1' } }], '[0].redirect.addr', 'there is no such field'],
      [[{ synproxy: null }], '[0].synproxy', 'synproxy is for chains at the hooks input, forward: this one is at '],
    ],
  ],
  [
    ['inet', 'filter', 'output'],
    [
      [[{ tproxy: { port: 80 } }], '[0].tproxy', 'needs a match before it that the packet is of tcp or udp'],
      [
        [match({ osf: { key: 'name' } }, 'Linux')],
        '[0].match.right',
        'osf is for chains at the hooks prerouting, input, forward: this one is at ',
      ],
      [
        [match({ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, 'lo')],
        '[0].match.right',
        'fib oif is for chains at the hooks prerouting, input, forward: this one is at ',
      ],
      [
        [match({ fib: { result: 'oif', flags: ['iif'] } }, 1)],
        '[0].match.left.fib.flags',
        '["iif"]: give one of saddr and daddr',
      ],
      [[match({ fib: { result: 'typ', flags: ['saddr'] } }, 1)], '[0].match.left.fib.result', '"typ": there is no such result'],
      [[match(ct('saddr', { dir: 'original' }), '::1')], '[0].match.left.ct.key', 'ct saddr can be of ip or of ip6 here'],
      [[match(ct('ip saddr'), '192.0.2.1')], '[0].match.left.ct.dir', 'is missing: ct ip saddr needs "original" or "reply"'],
      [[match(ct('state', { dir: 'reply' }), 'new')], '[0].match.left.ct.dir', '"reply": ct state has no direction'],
      [[match(ct('stat'), 'new')], '[0].match.left.ct.key', '"stat": there is no such key of ct: did you mean state?'],
      [[match(ct('state'), 'nw')], '[0].match.right', '"nw" is no ct_state: did you mean new?'],
      [[set(ct('state'), 'new')], '[0].mangle.key.ct.key', '"state": this key of ct can not be set'],
      [[set(meta('iif'), 'lo')], '[0].mangle.key.meta.key', '"iif": this key of meta can not be set'],
      [[set(field('ip', 'ttl'), 300)], '[0].mangle.value', '300: give 0 to 255'],
      [[{ mangle: { key: meta('mark') } }], '[0].mangle.value', 'is missing: give an expression'],
      [[set({ symhash: { mod: 2 } }, 1)], '[0].mangle.key', '{"symhash":{"mod":2}}: can not be changed: give '],
      [[match(meta('mrk'), 1)], '[0].match.left.meta.key', '"mrk": there is no such key of meta: did you mean mark?'],
      [[match(meta('mark'), 2 ** 32)], '[0].match.right', '4294967296: give 0 to 4294967295'],
      [[match(meta('mark'), -1)], '[0].match.right', '-1 is no mark: give a whole number from 0'],
      [[match(meta('mark'), { range: [1, 2] }, '<')], '[0].match.right', '"<": ranges are compared with "==" and "!=" only'],
      [[match(meta('mark'), { set: [1, 2] }, '<')], '[0].match.right', '"<": sets are looked up with "==" and "!=" only'],
      [[match(meta('mark'), 1, '=')], '[0].match.op', '"=": '],
      [[match(field('tcp', 'port'), 1)], '[0].match.left.payload.field', '"port": '],
      [[match(field('tpc', 'dport'), 1)], '[0].match.left.payload.protocol', '"tpc": '],
      [[match(field('tcp', 'dport'), 'htp')], '[0].match.right', '"htp" is no inet_service: did you mean '],
      [[match(field('icmp', 'type'), 'echo')], '[0].match.right', '"echo" is no icmp_type: '],
      [
        [match(field('ip', 'saddr'), { prefix: { addr: '192.0.2.0', len: 33 } })],
        '[0].match.right.prefix.len',
        '33: give a whole',
      ],
      [[match(field('ip', 'saddr'), { set: [] })], '[0].match.right.set', 'is empty: give an element at least'],
      [
        [tcp, match(field('udp', 'dport'), 53)],
        '[1].match.left.payload',
        'the rule is about tcp already, so it can not be about udp',
      ],
      [[match({ numgen: { mode: 'inc', mod: 0 } }, 1)], '[0].match.left.numgen.mod', '0: give a whole number from 1'],
      [[match({ numgen: { mode: 'rand', mod: 2 } }, 1)], '[0].match.left.numgen.mode', '"rand": '],
      [
        [match({ jhash: { mod: 2 } }, 1)],
        '[0].match.left.jhash.expr',
        'undefined: has no type of its own here: give an expression',
      ],
      [
        [match({ concat: [meta('mark')] }, 1)],
        '[0].match.left.concat',
        '[{"meta":{"key":"mark"}}]: give two expressions or more',
      ],
      [[match({ 'tcp option': { name: 'mss' } }, true)], '[0].match.left.tcp option.name', '"mss": there is no such TCP option'],
      [[match({ rt: { key: 'nexthop' } }, '::1')], '[0].match.left.rt.key', 'rt nexthop can be of ip or of ip6 here'],
      [[match(field('ip', 'saddr'), '@none')], '[0].match.right', 'there is no set @none in table inet t: add it before'],
      [[match(field('tcp', 'dport'), '@s')], '[0].match.right', '"@s": has keys of the type ipv4_addr, but what is looked up is'],
      [
        [{ set: { op: 'add', elem: field('ip', 'saddr'), set: 's' } }],
        '[0].set.set',
        '"s": give the name of a set of the table, as',
      ],
      [[{ set: { elem: field('ip', 'saddr'), set: '@s' } }], '[0].set.op', 'is missing: give "add", "update" or "delete"'],
      [[{ map: { op: 'add', elem: field('ip', 'saddr'), map: '@s', data: 1 } }], '[0].map.map', '"@s": maps its keys to nothing'],
      [[{ vmap: { key: meta('mark'), data: '@none' } }], '[0].vmap.data', 'there is no set @none in table inet t: add it before'],
      [[{ vmap: { key: meta('mark'), data: { set: [[1, 'accept']] } } }], '[0].vmap.data.set[0][1]', '"accept": give an object'],
      [[{ counter: { map: { key: meta('mark') } } }], '[0].counter.map.data', 'undefined: give an object'],
      [[{ dnat: { addr: '192.0.2.1' } }], '[0].dnat', 'dnat is for chains of the type nat: this one is of the type filter'],
    ],
  ],
  [
    ['netdev', 'filter', 'ingress'],
    [
      [[{ fwd: {} }], '[0].fwd.dev', 'is missing: give the name of a device'],
      [[{ fwd: { dev: 1, addr: '192.0.2.1' } }], '[0].fwd.family', 'is missing: it says what addr is, "ip" or "ip6"'],
      [[{ tproxy: { port: 80 } }], '[0].tproxy', 'tproxy is not for the family netdev: it is for ip, ip6, inet'],
      [
        [match({ ipsec: { key: 'reqid', dir: 'in' } }, 1)],
        '[0].match.left.ipsec',
        'ipsec is known in the families ip, ip6 and inet',
      ],
      [[match(meta('iif'), 'none0')], '[0].match.right', '"none0": there is no such network device: add it first'],
    ],
  ],
  [
    ['bridge', 'filter', 'forward'],
    [
      [[{ reject: null }], '[0].reject', 'reject is for chains at the hooks prerouting, input: this one is at '],
      [[{ dup: { addr: 1 } }], '[0].dup', 'dup is not for the family bridge: it is for ip, ip6, netdev'],
    ],
  ],
  [['arp', 'filter', 'input'], [[[{ reject: null }], '[0].reject', 'reject is not for the family arp: drop what is not wanted']]],
]

for (const [[family, type, hook], rows] of TABLES)
  t.test(`in a chain of ${family} of the type ${type} at the hook ${hook}`, async t => {
    await using nf = await open({ transport: memoryKernel() })
    const of = { family, table: 't' }
    const chain = { ...of, name: 'c', type, hook, prio: 0, ...(family === 'netdev' && { dev: 'lo' }) }
    const before = [
      { add: { table: { family, name: 't' } } },
      { add: { chain } },
      { add: { set: { ...of, name: 's', type: 'ipv4_addr' } } },
    ]
    await nf.apply({ nftables: before } as unknown as json.Document)
    const { generation } = await nf.snapshot()
    for (const [expr, path, message] of rows) {
      const document = { nftables: [{ add: { rule: { ...of, chain: 'c', expr } } }] } as unknown as json.Document
      const error = await nf.apply(document).then(
        () => new Error('it was applied'),
        (error: unknown) => error as Error,
      )
      const start = `nftables[0].add.rule.expr${path}: ${message}`
      t.equal(error.message.slice(0, start.length), start, JSON.stringify(expr))
      t.ok(error instanceof TypeError || error instanceof RangeError, `what is wrong is the caller's: ${error.name}`)
    }
    t.strictSame((await nf.snapshot()).generation, generation, 'nothing was sent')
  })
