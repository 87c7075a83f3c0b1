/** Headers of the network layer. */
import { fields } from '../fields.js'
import type { Protocol } from '../protocol.js'

export const NETWORK: readonly Protocol[] = [
  {
    name: 'arp',
    layer: 'network',
    upper: [],
    fields: fields(`
      htype integer 0 16
      ptype ether_type 16
      hlen integer 32 8
      plen integer 40 8
      operation arp_op 48
      saddr_ether ether_addr 64
      saddr_ip ipv4_addr 112
      daddr_ether ether_addr 144
      daddr_ip ipv4_addr 192`),
  },
  {
    name: 'ip',
    layer: 'network',
    next: 'protocol',
    checksum: { field: 'checksum' },
    upper: [
      [1, 'icmp'],
      [2, 'igmp'],
      [50, 'esp'],
      [51, 'ah'],
      [108, 'comp'],
      [17, 'udp'],
      [136, 'udplite'],
      [6, 'tcp'],
      [33, 'dccp'],
      [132, 'sctp'],
      [58, 'icmpv6'],
      [47, 'gre'],
    ],
    fields: fields(`
      version integer 0 4
      hdrlength integer 4 4
      dscp dscp 8
      ecn ecn 14
      length integer 16 16
      id integer 32 16
      frag-off raw 48 16
      ttl integer 64 8
      protocol inet_proto 72
      checksum integer 80 16
      saddr ipv4_addr 96
      daddr ipv4_addr 128`),
  },
  {
    name: 'ip6',
    layer: 'network',
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
      [1, 'icmp'],
      [2, 'igmp'],
      [58, 'icmpv6'],
      [47, 'gre'],
    ],
    fields: fields(`
      version integer 0 4
      dscp dscp 4
      ecn ecn 10
      flowlabel integer 12 20
      length integer 32 16
      nexthdr inet_proto 48
      hoplimit integer 56 8
      saddr ipv6_addr 64
      daddr ipv6_addr 192`),
  },
]
