import t from 'tap'
import { BadValue } from '../../../lib/netlink/schema.js'
import type { Expression } from '../../../lib/nft/expressions/index.js'
import type * as json from '../../../lib/nft/json/index.js'
import { type LowerContext, type LoweredRule, lowerRule } from '../../../lib/nft/lower/index.js'
import type { Family, NftSet } from '../../../lib/nft/types.js'

const SETS: Readonly<Record<string, Partial<NftSet>>> = {
  hosts: { key: 'ipv4_addr', flags: ['interval'] },
  marks: { key: 'mark', flags: ['interval'] },
  seen: { key: 'ipv4_addr', flags: ['dynamic', 'timeout'] },
  backends: { key: 'ipv4_addr', data: ['ipv4_addr', 'inet_service'] },
}

function contextOf(family: Family, type?: string): LowerContext {
  let id = 0
  return {
    family,
    table: 't',
    chain: { type },
    setNamed: name => (Object.hasOwn(SETS, name) ? ({ family, table: 't', name, ...SETS[name] } as NftSet) : undefined),
    nextId: () => ++id,
    devices: { indexOf: name => (name === 'lo' ? 1 : undefined), nameOf: () => undefined },
  }
}

const lower = (family: Family, statements: unknown, type?: string): LoweredRule =>
  lowerRule(statements as json.Statement[], contextOf(family, type))

/** An expression in a line: its kind, and its fields in the order of their names. */
function told({ kind, ...fields }: Expression): string {
  const value = (given: unknown): string => {
    if (given instanceof Uint8Array) return Buffer.from(given).toString('hex')
    if (Array.isArray(given)) return given.map(value).join(',')
    if (given === null || typeof given !== 'object') return String(given)
    return 'kind' in given ? `(${told(given as Expression)})` : Object.values(given).map(value).join(' ')
  }
  const known = Object.entries(fields).filter(([, field]) => field !== undefined && !(Array.isArray(field) && field.length === 0))
  return [kind, ...known.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${name}=${value(field)}`)].join(' ')
}

const match = (left: unknown, right: unknown, op = '=='): unknown => ({ match: { op, left, right } })
const field = (protocol: string, name: string, tunnel?: string): unknown => ({ payload: { protocol, field: name, tunnel } })
const meta = (key: string): unknown => ({ meta: { key } })
const ct = (key: string): unknown => ({ ct: { key } })
const set = (...items: unknown[]): unknown => ({ set: items })
const TCP = ['meta destination=1 key=l4proto', 'cmp data=06 operator=eq source=1']
const IPV4 = ['meta destination=1 key=nfproto', 'cmp data=02 operator=eq source=1']
const eq = (data: string): string => `cmp data=${data} operator=eq source=1`
const load = (base: string, offset: number, length: number): string =>
  `payload base=${base} destination=1 length=${length} offset=${offset}`
const mask = (bits: string, xor = bits.replaceAll(/./g, '0')): string =>
  `bitwise destination=1 length=${bits.length / 2} mask=${bits} operator=mask-xor source=1 xor=${xor}`

type Case = readonly [family: Family, statements: readonly unknown[], expressions: readonly string[]]

/** What nft 1.1.3 makes of each, on a machine whose numbers begin with their least byte. */
const CASES: Readonly<Record<string, Case>> = {
  'a field needs matches on the protocols below it': [
    'inet',
    [match(field('tcp', 'dport'), 22)],
    [...TCP, load('transport', 2, 2), eq('0016')],
  ],
  'what was matched is not matched again': [
    'inet',
    [match(meta('l4proto'), 'tcp'), match(field('tcp', 'dport'), 22)],
    [...TCP, load('transport', 2, 2), eq('0016')],
  ],
  'in ip the network layer is known': ['ip', [match(field('ip', 'ttl'), 5)], [load('network', 8, 1), eq('05')]],
  'devices of all kinds meet in netdev': [
    'netdev',
    [match(field('ip', 'ttl'), 5)],
    ['meta destination=1 key=protocol', eq('0800'), load('network', 8, 1), eq('05')],
  ],
  'behind the tag of a VLAN the tag says what follows': [
    'bridge',
    [match(field('vlan', 'id'), 5), match(field('ip', 'ttl'), 5)],
    [load('link', 12, 2), eq('8100'), load('link', 14, 2), mask('0fff'), eq('0005')].concat([
      load('link', 16, 2),
      eq('0800'),
      load('network', 8, 1),
      eq('05'),
    ]),
  ],
  'messages of ICMP have fields by their type': [
    'ip',
    [match(field('icmp', 'mtu'), 1400)],
    ['meta destination=1 key=l4proto', eq('01'), load('transport', 0, 1), eq('03'), load('transport', 6, 2), eq('0578')],
  ],
  'neighbouring fields are compared at once': [
    'ip',
    [match(field('tcp', 'dport'), 2), match(field('tcp', 'sport'), 1)],
    [...TCP, load('transport', 0, 4), eq('00010002')],
  ],
  'what counts stands between them': [
    'ip',
    [match(field('ip', 'ttl'), 2), { counter: null }, match(field('ip', 'protocol'), 'tcp')],
    [load('network', 8, 1), eq('02'), 'counter bytes=0 packets=0', load('network', 9, 1), eq('06')],
  ],
  'of a prefix of whole bytes only those are loaded': [
    'ip',
    [match(field('ip', 'saddr'), { prefix: { addr: '10.1.0.0', len: 16 } })],
    [load('network', 12, 2), eq('0a01')],
  ],
  'other prefixes are masked': [
    'ip',
    [match(field('ip', 'saddr'), { prefix: { addr: '10.128.0.0', len: 9 } })],
    [load('network', 12, 4), mask('ff800000'), eq('0a800000')],
  ],
  'parts of bytes are masked, and constants shifted': [
    'ip',
    [match(field('ip', 'dscp'), 'cs1')],
    [load('network', 1, 1), mask('fc'), eq('20')],
  ],
  'ranges are compared in the order of the network': [
    'ip',
    [match(meta('mark'), { range: [5, 10] }, '!=')],
    [
      'meta destination=1 key=mark',
      'byteorder destination=1 length=4 operator=hton size=4 source=1',
      'range from=00000005 operator=neq source=1 to=0000000a',
    ],
  ],
  'one of several flags': [
    'ip',
    [match(ct('state'), ['established', 'related'], 'in')],
    ['ct destination=1 key=state', mask('06000000'), 'cmp data=00000000 operator=neq source=1'],
  ],
  'beginnings of names': ['ip', [match(meta('iifname'), 'eth*')], ['meta destination=1 key=iifname', eq('657468')]],
  'a set of one element is a comparison': [
    'ip',
    [match(field('ip', 'ttl'), set(5), '!=')],
    [load('network', 8, 1), 'cmp data=05 operator=neq source=1'],
  ],
  'sets are looked up': [
    'ip',
    [match(field('ip', 'saddr'), '@hosts', '!=')],
    [load('network', 12, 4), 'lookup flags=invert set=hosts source=1'],
  ],
  'keys of intervals are in the order of the network': [
    'ip',
    [match(meta('mark'), '@marks')],
    [
      'meta destination=1 key=mark',
      'byteorder destination=1 length=4 operator=hton size=4 source=1',
      'lookup set=marks source=1',
    ],
  ],
  'concatenations stand in steps of 4 bytes': [
    'ip',
    [match({ concat: [field('ip', 'saddr'), field('tcp', 'dport')] }, set({ concat: ['192.0.2.1', 22] }))],
    [
      ...TCP,
      load('network', 12, 4),
      'payload base=transport destination=9 length=2 offset=2',
      'lookup set=__set%d setId=1 source=1',
    ],
  ],
  'calculations with constants are one': [
    'ip',
    [{ mangle: { key: meta('mark'), value: { '|': [{ '&': [meta('mark'), 0xffffff00] }, 5] } } }],
    ['meta destination=1 key=mark', mask('00ffffff', '05000000'), 'meta key=mark source=1'],
  ],
  'two values are combined in two registers': [
    'ip',
    [{ mangle: { key: meta('mark'), value: { '|': [meta('mark'), ct('mark')] } } }],
    [
      'meta destination=1 key=mark',
      'ct destination=2 key=mark',
      'bitwise destination=1 length=4 operator=or source=1 source2=2',
      'meta key=mark source=1',
    ],
  ],
  "numbers of packets become the machine's": [
    'ip',
    [{ mangle: { key: meta('mark'), value: field('tcp', 'dport') } }],
    [...TCP, load('transport', 2, 2), 'byteorder destination=1 length=2 operator=ntoh size=2 source=1', 'meta key=mark source=1'],
  ],
  'fields under a checksum are written as 16 bits': [
    'ip',
    [{ mangle: { key: field('ip', 'ttl'), value: 5 } }],
    [
      load('network', 8, 2),
      mask('00ff', '0500'),
      'payload base=network checksumOffset=10 checksumType=internet length=2 offset=8 source=1',
    ],
  ],
  'addresses are under the checksums of transport protocols, too': [
    'ip',
    [{ mangle: { key: field('ip', 'daddr'), value: '192.0.2.1' } }],
    [
      'immediate data=c0000201 destination=1',
      'payload base=network checksumFlags=pseudo-header checksumOffset=10 checksumType=internet length=4 offset=16 source=1',
    ],
  ],
  'an answer comes before everything else for whom it can be': [
    'inet',
    [{ log: null }, { reject: { type: 'tcp reset' } }],
    [...TCP, 'log level=warn', 'reject type=tcp reset'],
  ],
  'addresses and ports by one map': [
    'ip',
    [match(meta('l4proto'), 'tcp'), { dnat: { addr: { map: { key: field('ip', 'daddr'), data: '@backends' } } } }],
    [
      ...TCP,
      load('network', 16, 4),
      'lookup destination=1 set=backends source=1',
      'nat addressMin=1 family=ip portMin=9 type=dnat',
    ],
  ],
  'elements by packets': [
    'inet',
    [{ set: { op: 'update', elem: { elem: { val: field('ip', 'saddr'), timeout: 60 } }, set: '@seen' } }],
    [...IPV4, load('network', 12, 4), 'dynset key=1 operation=update set=seen timeout=60000'],
  ],
  'within tunnels': [
    'inet',
    [match(field('udp', 'dport'), 4789), match(field('ip', 'ttl', 'vxlan'), 5)],
    [
      'meta destination=1 key=l4proto',
      eq('11'),
      load('transport', 2, 2),
      eq('12b5'),
      ...['(meta destination=1 key=protocol)', `(${load('network', 8, 1)})`].flatMap((inner, i) => [
        `inner expression=${inner} flags=header-size,link,network,transport headerSize=8 number=0 type=vxlan`,
        eq(i === 0 ? '0800' : '05'),
      ]),
    ],
  ],
  'hours over midnight are all but those between': [
    'ip',
    [match(meta('hour'), { range: ['23:00', '01:00'] })],
    [
      'meta destination=1 key=hour',
      'byteorder destination=1 length=4 operator=hton size=4 source=1',
      'range from=00000e10 operator=neq source=1 to=00014370',
    ],
  ],
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

t.test('statements become the expressions that nft makes', { skip: !LITTLE && 'the table is of the other order' }, async t => {
  const zone = process.env.TZ
  process.env.TZ = 'UTC'
  for (const [name, [family, statements, expressions]] of Object.entries(CASES))
    t.strictSame(lower(family, statements, 'nat').expressions.map(told), expressions, name)
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

t.test('sets without a name come with their elements', async t => {
  const { sets } = lower('ip', [match(field('tcp', 'dport'), set(22, 23, { range: [80, 90] }))])
  const bytes = (number: number): Uint8Array => Uint8Array.of(number >> 8, number & 255)
  t.strictSame(sets, [
    {
      set: {
        family: 'ip',
        table: 't',
        name: '__set%d',
        id: 1,
        key: 'inet_service',
        flags: ['anonymous', 'constant', 'interval'],
        autoMerge: true,
      },
      elements: [{ key: { from: bytes(22), to: bytes(23) } }, { key: { from: bytes(80), to: bytes(90) } }],
    },
  ])
})

t.test('a verdict map is a map without a name', async t => {
  const { sets, expressions } = lower('ip', [
    { vmap: { key: field('ip', 'dscp'), data: set(['cs1', { jump: { target: 'x' } }]) } },
  ])
  t.strictSame(expressions.map(told).at(-1), 'lookup destination=0 set=__map%d setId=1 source=1')
  t.strictSame(sets[0]?.elements, [{ key: Uint8Array.of(0x20), data: { verdict: 'jump', chain: 'x' } }])
})

t.test('a meter is a set of its own', async t => {
  const { sets, expressions } = lower('ip', [
    { meter: { name: 'm', key: field('ip', 'saddr'), size: 9, stmt: { limit: { rate: 1, per: 'minute' } } } },
  ])
  t.match(sets[0]?.set, { name: 'm', key: 'ipv4_addr', flags: ['dynamic'], size: 9 })
  t.match(expressions.at(-1), { kind: 'dynset', set: 'm', operation: 'add', expression: { kind: 'limit', unit: 60n } })
})

t.test('numbers in concatenations are kept with the set, for nft can not list them otherwise', async t => {
  const key = { concat: [field('vlan', 'id'), field('ip', 'saddr')] }
  const { sets } = lower('bridge', [match(key, set({ concat: [5, '192.0.2.1'] }))])
  t.match(sets[0]?.set.userData, [{ type: 3 }])
})

/** What is refused, and where. */
const REFUSED: Readonly<Record<string, readonly [family: Family, statements: unknown, message: RegExp]>> = {
  'an unknown statement': ['ip', [{ acept: null }], /^\[0\].acept: there is no such statement: did you mean accept\?$/],
  'no list': ['ip', {}, /^: .*give a list of statements$/],
  'an unknown field of a statement': ['ip', [{ log: { prefx: 'x' } }], /^\[0\].log.prefx: .*did you mean prefix\?$/],
  'an unknown expression': ['ip', [match({ mata: {} }, 1)], /^\[0\].match.left.mata: .*did you mean meta\?$/],
  'an unknown protocol': ['ip', [match(field('icmpv', 'type'), 1)], /^\[0\].match.left.payload.protocol: .*did you mean icmp\?$/],
  'an unknown field': ['ip', [match(field('tcp', 'dprt'), 1)], /^\[0\].match.left.payload.field: .*did you mean dport\?$/],
  'an unknown key': ['ip', [match(meta('mrk'), 1)], /^\[0\].match.left.meta.key: .*did you mean mark\?$/],
  'an unknown word': ['ip', [match(ct('state'), 'establisht')], /^\[0\].match.right: .*did you mean established\?$/],
  'too great a number': ['ip', [match(field('tcp', 'dport'), 65536)], /^\[0\].match.right: 65536: give 0 to 65535$/],
  'a comparison of nothing': ['ip', [{ match: { op: '==', left: meta('mark') } }], /^\[0\].match.right: is missing/],
  'a comparison without an operator': ['ip', [{ match: { left: meta('mark'), right: 1 } }], /^\[0\].match.op: is missing/],
  'constants on both sides': ['ip', [match(5, 5)], /^\[0\].match.left: /],
  'a set that there is not': [
    'ip',
    [match(field('ip', 'saddr'), '@nowhere')],
    /^\[0\].match.right: there is no set @nowhere in table ip t: add it before/,
  ],
  'a set of other keys': [
    'ip',
    [match(field('tcp', 'dport'), '@seen')],
    /^\[0\].match.right: "@seen": has keys of the type ipv4_addr, but what is looked up is inet_service$/,
  ],
  'another protocol than before': [
    'ip',
    [match(field('tcp', 'dport'), 1), match(field('udp', 'dport'), 1)],
    /^\[1\].match.left.payload: the rule is about tcp already, so it can not be about udp as well$/,
  ],
  'ARP in inet': ['inet', [match(field('arp', 'operation'), 1)], /^\[0\].match.left.payload: the rule is about inet/],
  'fields of other messages': [
    'ip',
    [match(field('icmp', 'type'), 'echo-request'), match(field('icmp', 'mtu'), 1)],
    /^\[1\].match.left.payload: icmp mtu is not in messages of type 8/,
  ],
  'addresses of either family': ['inet', [{ dnat: { addr: '192.0.2.1' } }], /^\[0\].dnat.family: is missing/],
  'ports of no protocol': ['ip', [{ dnat: { addr: '192.0.2.1', port: 80 } }], /^\[0\].dnat.port: ports need a match before them/],
  'a statement of another family': [
    'ip',
    [{ fwd: { dev: 'lo' } }],
    /^\[0\].fwd: fwd is not for the family ip: it is for netdev$/,
  ],
  'an answer to ARP': ['arp', [{ reject: null }], /^\[0\].reject: reject is not for the family arp/],
  'a key that can not be set': [
    'ip',
    [{ mangle: { key: meta('iif'), value: 1 } }],
    /^\[0\].mangle.key.meta.key: .*can not be set/,
  ],
  'a bad element': [
    'ip',
    [match(field('ip', 'saddr'), set('192.0.2.1', 'x'))],
    /^\[0\].match.right.set\[1\]: "x" is no ipv4_addr/,
  ],
  'an empty set': ['ip', [match(field('ip', 'saddr'), set())], /^\[0\].match.right.set: is empty/],
  'extensions of xtables': ['ip', [{ xt: null }], /^\[0\].xt: extensions of xtables can not be written/],
}

t.test('bad input is refused with its place', async t => {
  for (const [name, [family, statements, message]] of Object.entries(REFUSED)) {
    let refused = 'undefined'
    try {
      lower(family, statements, 'nat')
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      refused = `${error.path}: ${error.message}`
    }
    t.match(refused, message, name)
  }
})

t.test('translation is for chains of the type nat', async t => {
  t.throws(() => lower('ip', [{ masquerade: null }], 'filter'), /chains of the type nat/)
})
