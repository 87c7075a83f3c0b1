import t from 'tap'
import { formatRules } from '../../lib/ipvs/rules.js'
import { formatTable } from '../../lib/ipvs/text.js'
import type { Statistics } from '../../lib/ipvs/types.js'

const counts = { activeConnections: 3, inactiveConnections: 12, persistentConnections: 0 }
const rs = {
  address: '10.1.0.1',
  port: 8080,
  weight: 1,
  forwarding: 'masquerade',
  upperThreshold: 0,
  lowerThreshold: 0,
  ...counts,
} as const

t.test('the table is the one that ipvsadm -Ln prints', async t => {
  const text = formatTable(
    [
      {
        protocol: 'tcp',
        address: '10.0.0.1',
        port: 80,
        scheduler: 'rr',
        realServers: [rs, { ...rs, address: '10.1.0.2', forwarding: 'direct-route', weight: 100 }],
      },
      {
        protocol: 'udp',
        address: '2001:db8::1',
        port: 53,
        scheduler: 'sh',
        schedulerFlags: ['sh-fallback', 'sh-port'],
        persistence: { timeout: 360, netmask: 64, engine: 'sip' },
        onePacket: true,
        realServers: [{ ...rs, address: '2001:db8:1::5', port: 53, forwarding: 'tunnel' }],
      },
      { firewallMark: 7, family: 'ipv6', scheduler: 'wlc', realServers: [] },
    ],
    { version: '1.2.1', connectionTableSize: 4096 },
  )
  t.equal(
    text,
    [
      'IP Virtual Server version 1.2.1 (size=4096)',
      'Prot LocalAddress:Port Scheduler Flags',
      '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
      'TCP  10.0.0.1:80 rr',
      '  -> 10.1.0.1:8080                Masq    1      3          12        ',
      '  -> 10.1.0.2:8080                Route   100    3          12        ',
      'UDP  [2001:db8::1]:53 sh (sh-fallback,sh-port) persistent 360 mask 64 pe sip ops',
      '  -> [2001:db8:1::5]:53           Tunnel  1      3          12        ',
      'FWM  7 IPv6 wlc',
    ].join('\n'),
  )
})

/** Counters that all have the same value. */
function statistics(value: bigint): Statistics {
  const names = ['connections', 'incomingPackets', 'outgoingPackets', 'incomingBytes', 'outgoingBytes'] as const
  const rates = ['connectionRate', 'incomingPacketRate', 'outgoingPacketRate', 'incomingByteRate', 'outgoingByteRate'] as const
  return Object.fromEntries([...names, ...rates].map(name => [name, value])) as unknown as Statistics
}

t.test('counters fit their columns: in K from 100 million, in M from a billion, in G and T further on', async t => {
  for (const [value, expected, exact] of [
    [0n, '        0', '        0'],
    [99_999_999n, ' 99999999', ' 99999999'],
    [100_000_000n, '  100000K', ' 100000000'],
    [999_999_999n, '  999999K', ' 999999999'],
    [1_000_000_000n, '    1000M', ' 1000000000'],
    [99_999_999_999n, '   99999M', ' 99999999999'],
    [100_000_000_000n, '     100G', ' 100000000000'],
    [99_999_999_999_999n, '   99999G', ' 99999999999999'],
    [100_000_000_000_000n, '     100T', ' 100000000000000'],
    [18_446_744_073_709_551_615n, '18446744T', ' 18446744073709551615'],
  ] as const) {
    const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr', statistics: statistics(value) } as const
    const virtualServers = [{ ...vs, realServers: [{ ...rs, statistics: vs.statistics }] }]
    const lines = (exact: boolean) => formatTable(virtualServers, undefined, { view: 'statistics', exact }).split('\n').slice(2)
    const rows = (five: string) => [`TCP  10.0.0.1:80                 ${five}`, `  -> 10.1.0.1:8080               ${five}`]
    t.strictSame(lines(false), rows(expected.repeat(5)))
    t.strictSame(lines(true), rows(exact.repeat(5)), 'real servers have 64 bits, too')
  }
})

t.test('rates of real servers are told in full, but for bytes', async t => {
  const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr', statistics: statistics(1_000_000_000n) } as const
  const lines = formatTable([{ ...vs, realServers: [{ ...rs, statistics: vs.statistics }] }], undefined, { view: 'rates' })
  t.equal(lines.split('\n')[3], `  -> 10.1.0.1:8080               ${' 1000000000'.repeat(3)}${'    1000M'.repeat(2)}`)
})

t.test('names stand in for addresses and ports, and IPv4 is cut to its column', async t => {
  const names = { host: () => 'a-host-with-a-long-name.example', port: () => 'service' }
  const lines = formatTable(
    [{ protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr', realServers: [rs, { ...rs, address: '::1' }] }],
    undefined,
    { names },
  ).split('\n')
  t.equal(lines[2], 'TCP  a-host-with-a-long-name.exam rr')
  t.equal(lines[3], '  -> [a-host-with-a-long-name.example]:service Masq    1      3          12        ')
  t.equal(lines[4], '  -> a-host-with-a-long-name.exam Masq    1      3          12        ')
})

t.test('rules say all that ipvsadm has words for, and name what it has none for', async t => {
  const tcp = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' } as const
  const tunnel = { ...rs, forwarding: 'tunnel', port: 80 } as const
  const { text, lost } = formatRules(
    [
      {
        ...tcp,
        schedulerFlags: ['flag-1', 'flag-2'],
        persistence: { timeout: 60, netmask: '255.255.255.0', engine: 'sip' },
        realServers: [
          { ...tunnel, tunnel: { type: 'ipip' } },
          { ...tunnel, address: '10.1.0.2', tunnel: { type: 'gue', port: 6080, checksum: 'checksum' } },
          { ...tunnel, address: '10.1.0.3', tunnel: { type: 'gre' }, upperThreshold: 9, lowerThreshold: 8 },
          { ...rs, address: '10.1.0.4', forwarding: 'bypass' },
          { ...rs, address: '10.1.0.5', port: 80, forwarding: 'local' },
        ],
      },
      { ...tcp, port: 81, dormantPersistence: { netmask: '255.0.0.0', timeout: 5 }, realServers: [] },
      { firewallMark: 4_000_000_000, family: 'ipv6', scheduler: 'sh', onePacket: true, realServers: [] },
      { protocol: 50, address: '10.0.0.9', port: 1, scheduler: 'rr', realServers: [] },
    ],
    { lossless: true },
  )
  t.equal(
    text,
    [
      '-A -t 10.0.0.1:80 -s rr -p 60 -M 255.255.255.0 --pe sip -b flag-1,flag-2',
      '-a -t 10.0.0.1:80 -r 10.1.0.1:80 -i -w 1 --tun-type ipip',
      '-a -t 10.0.0.1:80 -r 10.1.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum',
      '-a -t 10.0.0.1:80 -r 10.1.0.3:80 -i -w 1 -x 9 -y 8 --tun-type gre --tun-nocsum',
      '-a -t 10.0.0.1:80 -r 10.1.0.5:80 -g -w 1',
      '-A -t 10.0.0.1:81 -s rr -M 255.0.0.0',
      '-A -f 4000000000 -6 -s sh -o',
    ].join('\n'),
  )
  t.strictSame(lost, [
    "-t 10.0.0.1:80 -r 10.1.0.4:8080: a real server with forwarding 'bypass'",
    "-t 10.0.0.1:80 -r 10.1.0.5:80: forwarding 'local', which is saved as direct routing",
    '-t 10.0.0.1:81: the time-out 5 of a virtual server that is not persistent',
    '--xxx-service 10.0.0.9:1: protocol 50',
  ])
})

t.test('rules tell what ipvsadm -R would refuse or change; lossless ones are without it', async t => {
  const tcp = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr', realServers: [] } as const
  const routed = { ...rs, forwarding: 'direct-route' } as const
  const tunnelled = { ...rs, address: '10.1.0.2', forwarding: 'tunnel' } as const
  for (const [vs, lost, kept] of [
    [{ ...tcp, persistence: { timeout: 2_678_400 } }, [], 1],
    [
      { ...tcp, persistence: { timeout: 2_678_401 }, realServers: [rs] },
      ['-t 10.0.0.1:80: the persistence time-out 2678401, for ipvsadm takes 1 to 2678400 seconds'],
      0,
    ],
    [
      { firewallMark: 5, family: 'ipv4', scheduler: 'rr', persistence: { timeout: 0 }, realServers: [] },
      ['-f 5: the persistence time-out 0, for ipvsadm takes 1 to 2678400 seconds'],
      0,
    ],
    [{ ...tcp, port: 0 }, ['-t 10.0.0.1:0: port 0 without persistence, which ipvsadm refuses'], 0],
    [{ ...tcp, port: 0, persistence: { timeout: 60 } }, [], 1],
    [
      { ...tcp, realServers: [rs, routed, tunnelled, { ...routed, port: 80 }] },
      [
        "-t 10.0.0.1:80 -r 10.1.0.1:8080: its port, for ipvsadm gives 'direct-route' that of the virtual server",
        "-t 10.0.0.1:80 -r 10.1.0.2:8080: its port, for ipvsadm gives 'tunnel' that of the virtual server",
      ],
      3,
    ],
    [{ firewallMark: 5, family: 'ipv4', scheduler: 'rr', realServers: [routed, tunnelled] }, [], 3],
  ] as const) {
    const lossless = formatRules([vs], { lossless: true })
    t.strictSame(lossless.lost, lost)
    t.equal(lossless.text.split('\n').filter(Boolean).length, kept)
    const all = formatRules([vs])
    t.strictSame(all.lost, lost)
    t.equal(all.text.split('\n').length, 1 + vs.realServers.length)
  }
})
