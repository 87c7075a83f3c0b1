import t from 'tap'
import { formatTable } from '../../lib/ipvs/text.js'

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
