/** What puts something into a register. */
import type {
  Ct,
  Exthdr,
  Fib,
  Hash,
  Inner,
  Meta,
  Numgen,
  Osf,
  Payload,
  Rt,
  Socket,
  Tunnel,
  Xfrm,
} from '../../../../lib/nft/index.js'
import { group, REGISTERS, vary } from './group.js'

const WHOLE = REGISTERS.filter(register => register <= 4)
const MAXIMUM = 0xffff_ffff

const payload: Payload = { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 }
const { destination: _, ...rest } = payload
const change: Payload = { ...rest, source: 1, checksumType: 'internet', checksumOffset: 10, checksumFlags: ['pseudo-header'] }

const meta = (key: Meta['key']): Meta => ({ kind: 'meta', destination: 1, key })
const setMeta = (key: Meta['key']): Meta => ({ kind: 'meta', source: 1, key })
const ct = (key: Ct['key'], direction?: Ct['direction']): Ct => ({
  kind: 'ct',
  destination: 1,
  key,
  ...(direction !== undefined && { direction }),
})
const setCt = (key: Ct['key'], direction?: Ct['direction']): Ct => ({
  kind: 'ct',
  source: 1,
  key,
  ...(direction !== undefined && { direction }),
})
const DIRECTIONS = ['original', 'reply'] as const

const exthdr: Exthdr = { kind: 'exthdr', destination: 1, type: 0, offset: 0, length: 1, flags: [], operation: 'ipv6' }
const option: Exthdr = { ...exthdr, operation: 'tcpopt', type: 2, offset: 2, length: 2 }
const fib: Fib = { kind: 'fib', destination: 1, result: 'oif', flags: ['saddr'] }
const inner: Inner = {
  kind: 'inner',
  number: 0,
  type: 'vxlan',
  flags: ['header-size', 'link', 'network', 'transport'],
  headerSize: 8,
  expression: { kind: 'meta', destination: 1, key: 'l4proto' },
}
const numgen: Numgen = { kind: 'numgen', destination: 1, modulus: 3, type: 'inc', offset: 0 }
const jenkins: Hash = { kind: 'hash', source: 1, destination: 2, length: 4, modulus: 3, seed: 7, offset: 1, type: 'jenkins' }
const xfrm: Xfrm = { kind: 'xfrm', destination: 1, key: 'reqid', direction: 'in', spnum: 0 }

export const loads = [
  group(
    'payload: loads',
    vary(payload, {
      destination: REGISTERS,
      base: ['link', 'transport', 'inner'],
      offset: [0, 1, 255],
      length: [1, 2, 3, 8, 16, 17, 64],
    }),
  ),
  group('payload: offsets of 16 bits', vary(payload, { offset: [256, 65535] }), { since: '6.18' }),
  group(
    'payload: changes of the packet',
    vary(change, {
      source: REGISTERS,
      base: ['link', 'transport', 'inner'],
      offset: [0, 255],
      length: [1, 2, 16],
      checksumType: ['none'],
      checksumOffset: [0, 16, 255],
      checksumFlags: [[]],
    }),
  ),
  group('payload: a change of the packet without a checksum', [{ ...rest, source: 1 } as Payload], {
    told: given => ({ ...given, checksumType: 'none', checksumOffset: 0, checksumFlags: [] }),
  }),
  group('payload: the checksum of SCTP', [
    { ...rest, base: 'transport', source: 1, checksumType: 'sctp', checksumOffset: 8, checksumFlags: [] },
  ]),
  group('meta: keys', [
    ...WHOLE.map((destination): Meta => ({ ...meta('mark'), destination })),
    ...(
      [
        'length',
        'protocol',
        'priority',
        'mark',
        'iif',
        'oif',
        'iifname',
        'oifname',
        'iiftype',
        'oiftype',
        'skuid',
        'skgid',
        'nfproto',
        'l4proto',
        'pkttype',
        'cpu',
        'iifgroup',
        'oifgroup',
        'random',
        'iifkind',
        'oifkind',
        'time',
        'day',
        'hour',
        'sdif',
        'sdifname',
      ] as const
    ).map(meta),
  ]),
  group('meta: changes of the packet', [
    ...REGISTERS.map((source): Meta => ({ ...setMeta('mark'), source })),
    ...(['mark', 'priority', 'nftrace'] as const).map(setMeta),
  ]),
  group('meta: the type of the packet is changed', [setMeta('pkttype')], { place: 'inet prerouting filter' }),
  group('meta: whether there was IPsec', [meta('ipsec')], { option: 'XFRM' }),
  group('meta: realms', [meta('rtclassid')], { option: 'IP_ROUTE_CLASSID' }),
  group('meta: control groups', [meta('cgroup')], { option: 'CGROUP_NET_CLASSID' }),
  group('meta: security marks', [meta('secmark'), setMeta('secmark')], { option: 'NETWORK_SECMARK' }),
  group('meta: keys of bridges', (['ibrname', 'obrname', 'ibrpvid', 'ibrvproto'] as const).map(meta), {
    place: 'bridge prerouting filter',
    option: 'NFT_BRIDGE_META',
  }),
  group('meta: broute', [setMeta('broute')], { place: 'bridge prerouting filter', option: 'NFT_BRIDGE_META', since: '6.4' }),
  group('meta: ibrhwaddr', [meta('ibrhwaddr')], { place: 'bridge prerouting filter', option: 'NFT_BRIDGE_META', since: '6.18' }),
  group('ct: keys without a direction', [
    ...REGISTERS.map((destination): Ct => ({ ...ct('mark'), destination })),
    ...(
      [
        'state',
        'direction',
        'status',
        'mark',
        'expiration',
        'helper',
        'packets',
        'bytes',
        'avgpkt',
        'zone',
        'id',
        'l3proto',
        'protocol',
      ] as const
    ).map(key => ct(key)),
  ]),
  group(
    'ct: keys with a direction',
    DIRECTIONS.flatMap(direction =>
      (
        [
          'ip saddr',
          'ip daddr',
          'ip6 saddr',
          'ip6 daddr',
          'proto-src',
          'proto-dst',
          'packets',
          'bytes',
          'avgpkt',
          'zone',
        ] as const
      ).map(key => ct(key, direction)),
    ),
  ),
  group('ct: a direction that makes no difference', [ct('l3proto', 'original'), ct('protocol', 'reply')], {
    told: ({ direction, ...given }) => given,
  }),
  group(
    'ct: addresses of ip',
    DIRECTIONS.flatMap(direction => [ct('saddr', direction), ct('daddr', direction)]),
    {
      place: 'ip input filter',
    },
  ),
  group(
    'ct: addresses of ip6',
    DIRECTIONS.flatMap(direction => [ct('saddr', direction), ct('daddr', direction)]),
    {
      place: 'ip6 input filter',
    },
  ),
  group('ct: changes of the connection', [setCt('mark'), setCt('event')]),
  group('ct: labels', [ct('label'), setCt('label')], { option: 'NF_CONNTRACK_LABELS' }),
  group('ct: security marks', [ct('secmark'), setCt('secmark')], { option: 'NF_CONNTRACK_SECMARK' }),
  group('ct: zones are set', [setCt('zone'), ...DIRECTIONS.map(direction => setCt('zone', direction))], {
    place: 'inet prerouting filter',
    option: 'NF_CONNTRACK_ZONES',
  }),
  group(
    'exthdr: extension headers of IPv6',
    vary(exthdr, {
      destination: REGISTERS,
      type: [43, 44, 60, 255],
      offset: [1, 255],
      length: [2, 16, 64],
      flags: [['present']],
    }),
  ),
  group('exthdr: without an operation', vary(exthdr, { operation: [undefined], flags: [undefined] }).slice(1), {
    told: given => ({ ...given, flags: given.flags ?? [], operation: 'ipv6' }),
  }),
  group(
    'exthdr: options of TCP',
    vary(option, { destination: REGISTERS, type: [3, 8, 255], offset: [0, 255], length: [1, 4, 16] }).concat({
      ...option,
      offset: 0,
      length: 1,
      flags: ['present'],
    }),
  ),
  group(
    'exthdr: options of TCP are changed',
    [2, 4].flatMap(length =>
      REGISTERS.map((source): Exthdr => ({ kind: 'exthdr', source, type: 2, offset: 2, length, operation: 'tcpopt' })),
    ),
    { told: given => ({ ...given, flags: [] }) },
  ),
  group(
    'exthdr: options of TCP are removed',
    [2, 255].map((type): Exthdr => ({ kind: 'exthdr', type, operation: 'tcpopt' })),
    {
      told: given => ({ ...given, offset: 0, length: 0, flags: [] }),
    },
  ),
  group(
    'exthdr: options of IP',
    [7, 131, 137, 148].flatMap(type => vary({ ...exthdr, operation: 'ipv4', type }, { flags: [['present']] })),
    { place: 'ip input filter' },
  ),
  group(
    'exthdr: chunks of SCTP',
    vary({ ...exthdr, operation: 'sctp' }, { type: [13, 255], offset: [255], length: [4], flags: [['present']] }),
  ),
  group('exthdr: options of DCCP', vary({ ...exthdr, operation: 'dccp', flags: ['present'] }, { type: [1, 255] }), {
    option: 'NFT_EXTHDR_DCCP',
  }),
  group(
    'fib',
    [
      ...vary(fib, { destination: WHOLE, result: ['oifname', 'type'] }),
      ...(
        [
          ['daddr'],
          ['saddr', 'mark'],
          ['saddr', 'iif'],
          ['daddr', 'mark', 'iif'],
          ['saddr', 'mark', 'iif', 'present'],
          ['daddr', 'present'],
        ] as const
      ).map((flags): Fib => ({ ...fib, flags })),
    ],
    { place: 'inet prerouting filter' },
  ),
  group('fib: with the interface that packets leave by', [{ ...fib, result: 'type', flags: ['daddr', 'oif'] }], {
    place: 'inet output filter',
  }),
  group(
    'rt',
    (['ip nexthop', 'ip6 nexthop', 'mtu', 'ipsec'] as const).map((key): Rt => ({ kind: 'rt', destination: 1, key })),
    {
      place: 'inet forward filter',
    },
  ),
  group('rt: realms', [{ kind: 'rt', destination: 1, key: 'classid' } satisfies Rt], { option: 'IP_ROUTE_CLASSID' }),
  group(
    'socket',
    [
      ...REGISTERS.map((destination): Socket => ({ kind: 'socket', key: 'mark', destination })),
      ...(['transparent', 'wildcard'] as const).map((key): Socket => ({ kind: 'socket', key, destination: 1 })),
    ],
    { place: 'inet prerouting filter' },
  ),
  group(
    'socket: control groups',
    [1, 2, 255].map((level): Socket => ({ kind: 'socket', key: 'cgroupv2', destination: 1, level })),
    {
      place: 'inet prerouting filter',
      option: 'SOCK_CGROUP_DATA',
    },
  ),
  group(
    'tunnel',
    vary<Tunnel>(
      { kind: 'tunnel', key: 'path', destination: 1, mode: 'none' },
      { key: ['id'], destination: REGISTERS, mode: ['rx', 'tx'] },
    ),
    { place: 'netdev ingress filter' },
  ),
  group('tunnel: without a mode', [{ kind: 'tunnel', key: 'id', destination: 1 } as Tunnel], {
    place: 'netdev ingress filter',
    told: given => ({ ...given, mode: 'none' }),
  }),
  group(
    'xfrm',
    vary(xfrm, { destination: WHOLE, key: ['ip daddr', 'ip6 daddr', 'ip saddr', 'ip6 saddr', 'spi'], spnum: [1, 5] }),
  ),
  group('xfrm: packets that go out', vary({ ...xfrm, direction: 'out' }, { key: ['spi'] }), { place: 'inet output filter' }),
  group(
    'osf',
    vary<Osf>(
      { kind: 'osf', destination: 1, ttl: 'strict', flags: [] },
      { destination: WHOLE, ttl: ['loose', 'skip'], flags: [['version']] },
    ),
  ),
  group('numgen', vary(numgen, { destination: REGISTERS, modulus: [1, MAXIMUM], type: ['random'], offset: [1, 1000] })),
  group(
    'hash: jenkins',
    vary(jenkins, {
      source: REGISTERS,
      destination: REGISTERS,
      length: [1, 16, 64],
      modulus: [2, MAXIMUM],
      seed: [0, MAXIMUM],
      offset: [2],
    }),
  ),
  group(
    'hash: symmetric',
    vary<Hash>(
      { kind: 'hash', destination: 1, modulus: 3, offset: 5, type: 'symmetric' },
      { destination: REGISTERS, modulus: [2, MAXIMUM - 5] },
    ),
  ),
  group(
    'inner: tunnels',
    [
      ...vary(inner, { type: ['geneve', 'unspecified', 17], headerSize: [1, 64], flags: [['network'], ['header-size', 'link']] }),
      ...(['tunnel', 'link', 'network', 'transport'] as const).map(
        (base): Inner => ({ ...inner, expression: { kind: 'payload', destination: 1, base, offset: 0, length: 4 } }),
      ),
      { ...inner, expression: { kind: 'meta', destination: 1, key: 'protocol' } },
    ],
    { since: '6.18' },
  ),
]
