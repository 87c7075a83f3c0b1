/** Headers of ICMP and of IPsec: they stand where those of transport protocols do. */
import { fields } from '../fields.js'
import type { Protocol } from '../protocol.js'

export const MESSAGES: readonly Protocol[] = [
  {
    name: 'icmp',
    layer: 'transport',
    upper: [],
    checksum: { field: 'checksum' },
    fields: fields(`
      type icmp_type 0
      code icmp_code 8
      checksum integer 16 16
      id integer 32 16
      sequence integer 48 16
      gateway integer 32 32
      mtu integer 48 16`),
  },
  {
    name: 'igmp',
    layer: 'transport',
    upper: [],
    checksum: { field: 'checksum' },
    fields: fields(`
      type igmp_type 0
      mrt integer 8 8
      checksum integer 16 16
      group integer 32 32`),
  },
  {
    name: 'icmpv6',
    layer: 'transport',
    upper: [],
    checksum: { field: 'checksum', pseudoHeader: true },
    fields: fields(`
      type icmpv6_type 0
      code icmpv6_code 8
      checksum integer 16 16
      parameter-problem integer 32 32
      mtu integer 32 32
      id integer 32 16
      sequence integer 48 16
      max-delay integer 32 16
      taddr ipv6_addr 64
      daddr ipv6_addr 192`),
  },
  {
    name: 'ah',
    layer: 'transport',
    next: 'nexthdr',
    upper: [
      [50, 'esp'],
      [51, 'ah'],
      [108, 'comp'],
      [17, 'udp'],
      [136, 'udplite'],
      [6, 'tcp'],
      [33, 'dccp'],
      [132, 'sctp'],
    ],
    fields: fields(`
      nexthdr inet_proto 0
      hdrlength integer 8 8
      reserved integer 16 16
      spi integer 32 32
      sequence integer 64 32`),
  },
  {
    name: 'esp',
    layer: 'transport',
    upper: [],
    fields: fields(`
      spi integer 0 32
      sequence integer 32 32`),
  },
  {
    name: 'comp',
    layer: 'transport',
    next: 'nexthdr',
    upper: [
      [50, 'esp'],
      [51, 'ah'],
      [108, 'comp'],
      [17, 'udp'],
      [136, 'udplite'],
      [6, 'tcp'],
      [33, 'dccp'],
      [132, 'sctp'],
    ],
    fields: fields(`
      nexthdr inet_proto 0
      flags bitmask 8 8
      cpi integer 16 16`),
  },
]
