/** What does something with the packet or its connection. */
import type {
  Connlimit,
  Counter,
  Dup,
  Fwd,
  Last,
  Limit,
  Log,
  Masq,
  Match,
  Nat,
  Notrack,
  Queue,
  Quota,
  Redir,
  Reject,
  Synproxy,
  Target,
  Tproxy,
} from '../../../../lib/nft/index.js'
import { rejectCodes } from '../../../../lib/nft/index.js'
import { bytes, group, REGISTERS, vary } from './group.js'

const MAXIMUM = 0xffff_ffff
const MAXIMUM_64 = 0xffff_ffff_ffff_ffffn

const limit: Limit = { kind: 'limit', rate: 10n, unit: 1n, burst: 5, of: 'packets', flags: [] }
const quota: Quota = { kind: 'quota', bytes: 1000n, flags: [], used: 0n }
const nat: Nat = { kind: 'nat', type: 'dnat', family: 'ip', addressMin: 1, addressMax: 1, flags: ['map-ips'] }
const natPort: Nat = { ...nat, portMin: 2, portMax: 3, flags: ['map-ips', 'proto-specified'] }
const NAT_FLAGS = ['random', 'persistent', 'fully-random', 'proto-offset', 'netmap'] as const
const reset: Reject = { kind: 'reject', type: 'tcp reset' }
const rejects = (type: 'icmp' | 'icmpx', codes: Readonly<Record<string, number>>): Reject[] =>
  Object.values(codes).map(code => ({ kind: 'reject', type, code }))
const PORT_FLAGS = [['map-ips', 'proto-specified'] as const, ...NAT_FLAGS.map(flag => ['proto-specified', flag] as const)]
const synproxy: Synproxy = { kind: 'synproxy', mss: 1460, windowScale: 7, flags: ['mss', 'window-scale'] }
const queue: Queue = { kind: 'queue', number: 1, total: 2, flags: [] }

export const statements = [
  group(
    'counter',
    vary<Counter>(
      { kind: 'counter', bytes: 0n, packets: 0n },
      { bytes: [1n, MAXIMUM_64 >> 1n], packets: [1n, MAXIMUM_64 >> 1n] },
    ),
  ),
  group('counter: from nothing', [{ kind: 'counter' } as Counter], { told: given => ({ ...given, bytes: 0n, packets: 0n }) }),
  group(
    'limit',
    vary(limit, { rate: [1n, 1_000_000n], unit: [60n, 3600n, 86400n, 604800n], burst: [1, 1000], flags: [['invert']] }),
  ),
  group('limit: bytes', vary({ ...limit, of: 'bytes' }, { rate: [1n, 1n << 32n], burst: [0, 1 << 20], flags: [['invert']] })),
  group('limit: without a burst', [{ kind: 'limit', rate: 10n, unit: 60n } as Limit], {
    told: given => ({ ...given, burst: 5, of: 'packets', flags: [] }),
  }),
  group('quota', vary(quota, { bytes: [1n, 1n << 40n, MAXIMUM_64 >> 1n], flags: [['over']], used: [1n, 999n] })),
  group(
    'quota: used up',
    [
      { ...quota, used: 1000n },
      { ...quota, used: 1000n, flags: ['over'] },
    ],
    {
      told: given => ({ ...given, used: given.bytes, flags: [...(given.flags ?? []), 'depleted'] }),
    },
  ),
  group('connlimit', vary<Connlimit>({ kind: 'connlimit', count: 10 }, { count: [0, MAXIMUM], flags: [['invert']] })),
  group('connlimit: no flags', [{ kind: 'connlimit', count: 10, flags: [] }], { told: ({ flags, ...given }) => given }),
  group('last', [{ kind: 'last', used: false, milliseconds: 0 } satisfies Last as Last]),
  group(
    'log: to the log',
    vary<Log>(
      { kind: 'log', level: 'warn' },
      {
        level: ['emerg', 'alert', 'crit', 'err', 'notice', 'info', 'debug'],
        prefix: ['p', 'x'.repeat(127), 'é '],
        flags: [
          ['tcp sequence'],
          ['tcp options'],
          ['ip options'],
          ['skuid'],
          ['ether'],
          ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'],
        ],
      },
    ),
  ),
  group('log: to the audit log', [{ kind: 'log', level: 'audit' } as Log]),
  group('log: without a level', [{ kind: 'log' } as Log], { told: given => ({ ...given, level: 'warn' }) }),
  group(
    'log: to a group',
    vary<Log>(
      { kind: 'log', group: 1 },
      { group: [0, 65535], prefix: ['p'], snaplen: [0, 128, MAXIMUM], queueThreshold: [1, 65535] },
    ),
    {
      option: 'NETFILTER_NETLINK_LOG',
    },
  ),
  group('reject: inet', [reset, ...rejects('icmpx', rejectCodes.icmpx)]),
  group('reject: ip', [reset, ...rejects('icmp', rejectCodes.icmp)], { place: 'ip input filter' }),
  group('reject: ip6', [reset, ...rejects('icmp', rejectCodes.icmpv6)], { place: 'ip6 input filter' }),
  group('reject: the ICMP of one family within inet', [
    ...rejects('icmp', rejectCodes.icmp),
    ...rejects('icmp', rejectCodes.icmpv6),
  ]),
  group('reject: netdev', rejects('icmpx', rejectCodes.icmpx), { place: 'netdev ingress filter' }),
  group('reject: bridge', rejects('icmpx', rejectCodes.icmpx), { place: 'bridge input filter' }),
  group('queue', vary(queue, { number: [0, 65000], total: [1, 100], flags: [['bypass'], ['fanout'], ['bypass', 'fanout']] })),
  group(
    'queue: its number from a register',
    vary<Queue>({ kind: 'queue', source: 1, flags: [] }, { source: REGISTERS, flags: [['bypass']] }),
  ),
  group(
    'nat: destinations',
    [
      ...vary(nat, { addressMin: [2, 9], addressMax: [2, 9], flags: NAT_FLAGS.map(flag => ['map-ips', flag] as const) }),
      ...vary(natPort, {
        portMin: [3, 10],
        portMax: [2, 23],
        flags: NAT_FLAGS.map(flag => ['map-ips', 'proto-specified', flag] as const),
      }),
    ],
    { place: 'ip prerouting nat' },
  ),
  group(
    'nat: destinations without what the kernel adds',
    [{ kind: 'nat', type: 'dnat', family: 'ip', addressMin: 1, portMin: 2 } as Nat],
    {
      place: 'ip prerouting nat',
      told: ({ addressMin, portMin, ...given }) => ({
        ...given,
        addressMin,
        addressMax: addressMin,
        portMin,
        portMax: portMin,
        flags: ['map-ips', 'proto-specified'],
      }),
    },
  ),
  group('nat: sources', [{ ...natPort, type: 'snat' }], { place: 'ip postrouting nat' }),
  group('nat: IPv6', [{ ...natPort, family: 'ip6' }], { place: 'ip6 prerouting nat' }),
  group(
    'nat: families within inet',
    [
      natPort,
      { ...natPort, family: 'ip6' },
      { kind: 'nat', type: 'dnat', family: 'inet', portMin: 1, portMax: 1, flags: ['proto-specified'] },
    ],
    { place: 'inet prerouting nat' },
  ),
  group(
    'masq',
    vary<Masq>(
      { kind: 'masq', portMin: 1, portMax: 2, flags: ['proto-specified'] },
      {
        portMin: REGISTERS,
        portMax: REGISTERS,
        flags: PORT_FLAGS,
      },
    ),
    { place: 'inet postrouting nat' },
  ),
  group('masq: without anything', [{ kind: 'masq' } as Masq], { place: 'inet postrouting nat' }),
  group(
    'redir',
    vary<Redir>(
      { kind: 'redir', portMin: 1, portMax: 2, flags: ['proto-specified'] },
      {
        portMin: REGISTERS,
        portMax: REGISTERS,
        flags: PORT_FLAGS,
      },
    ),
    { place: 'inet prerouting nat' },
  ),
  group('redir: without anything', [{ kind: 'redir' } as Redir], { place: 'inet prerouting nat' }),
  group('dup: ip', [{ kind: 'dup', address: 1 } as Dup, { kind: 'dup', address: 1, device: 2 }], {
    place: 'ip prerouting filter',
  }),
  group('dup: ip6', [{ kind: 'dup', address: 1 } as Dup, { kind: 'dup', address: 1, device: 2 }], {
    place: 'ip6 prerouting filter',
  }),
  group(
    'dup: netdev',
    REGISTERS.map((device): Dup => ({ kind: 'dup', device })),
    { place: 'netdev ingress filter' },
  ),
  group(
    'fwd: to an interface',
    REGISTERS.map((device): Fwd => ({ kind: 'fwd', device })),
    { place: 'netdev ingress filter' },
  ),
  group(
    'fwd: to a neighbour',
    (['ip', 'ip6'] as const).map((family): Fwd => ({ kind: 'fwd', device: 1, address: 2, family })),
    {
      place: 'netdev ingress filter',
    },
  ),
  group('notrack', [{ kind: 'notrack' } as Notrack], { place: 'inet prerouting filter' }),
  group(
    'synproxy',
    vary(synproxy, {
      mss: [0, 65535],
      windowScale: [0, 14],
      flags: [['mss', 'window-scale', 'sack-permitted', 'timestamp'], []],
    }),
  ),
  group('synproxy: without anything', [{ kind: 'synproxy' } as Synproxy], {
    told: given => ({ ...given, mss: 0, windowScale: 0, flags: [] }),
  }),
  group(
    'tproxy',
    [
      { kind: 'tproxy', family: 'unspecified', port: 1 } as Tproxy,
      ...(['ip', 'ip6'] as const).flatMap((family): Tproxy[] => [
        { kind: 'tproxy', family, address: 1 },
        { kind: 'tproxy', family, port: 2 },
        { kind: 'tproxy', family, address: 1, port: 2 },
      ]),
    ],
    { place: 'inet prerouting filter' },
  ),
  group(
    'match: comment, and one of a structure of another length',
    [
      { kind: 'match', name: 'comment', revision: 0, info: bytes(256) } as Match,
      { kind: 'match', name: 'mark', revision: 1, info: Uint8Array.from([...bytes(8), 1, 0, 0, 0, 0, 0, 0, 0]) },
    ],
    { place: 'ip input filter' },
  ),
  group('target', [{ kind: 'target', name: 'MARK', revision: 2, info: bytes(8) } as Target], { place: 'ip input filter' }),
]
