/** Headers, and what nft adds before them. Expressions as Linux tells them, statements as nft 1.1.3 prints them. */
import { bytes as x } from '../../support/bytes.js'
import type { LiftCase } from './case.js'

export const HEADERS: readonly LiftCase[] = [
  {
    name: 'tcp dport 22',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0016') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } }],
  },
  {
    name: 'ip saddr 1.2.3.4',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '1.2.3.4' } }],
  },
  {
    name: 'ip6 saddr ::1',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a') },
      { kind: 'payload', destination: 1, base: 'network', offset: 8, length: 16 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('00000000000000000000000000000001') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'ip6', field: 'saddr' } }, right: '::1' } }],
  },
  {
    name: 'meta nfproto ipv4 icmp type echo-request',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 0, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('08') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'icmp', field: 'type' } }, right: 'echo-request' } }],
  },
  {
    name: 'ip protocol tcp tcp dport 22',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'payload', destination: 1, base: 'network', offset: 9, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0016') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'protocol' } }, right: 'tcp' } },
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } },
    ],
  },
  {
    name: 'meta nfproto ipv4 counter ip saddr 1.2.3.4',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'counter', bytes: 0n, packets: 0n },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
    ],
    statements: [
      { match: { op: '==', left: { meta: { key: 'nfproto' } }, right: 'ipv4' } },
      { counter: { packets: 0, bytes: 0 } },
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '1.2.3.4' } },
    ],
  },
  {
    name: 'ip saddr 1.2.3.4 tcp dport 22',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0016') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '1.2.3.4' } },
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } },
    ],
  },
  {
    name: 'exthdr hbh exists',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a') },
      { kind: 'exthdr', destination: 1, type: 0, offset: 0, length: 1, flags: ['present'], operation: 'ipv6' },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01') },
    ],
    statements: [{ match: { op: '==', left: { exthdr: { name: 'hbh' } }, right: true } }],
  },
  {
    name: 'udp dport 4789 vxlan ip saddr 10.141.11.2',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('11') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('12b5') },
      {
        kind: 'inner',
        number: 0,
        type: 'vxlan',
        flags: ['header-size', 'link', 'network', 'transport'],
        headerSize: 8,
        expression: { kind: 'meta', key: 'protocol', destination: 1 },
      },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0800') },
      {
        kind: 'inner',
        number: 0,
        type: 'vxlan',
        flags: ['header-size', 'link', 'network', 'transport'],
        headerSize: 8,
        expression: { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a8d0b02') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 4789 } },
      { match: { op: '==', left: { payload: { tunnel: 'vxlan', protocol: 'ip', field: 'saddr' } }, right: '10.141.11.2' } },
    ],
  },
  {
    name: 'vlan id 4094 vlan dei 1',
    family: 'bridge',
    expressions: [
      { kind: 'payload', destination: 1, base: 'link', offset: 12, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('8100') },
      { kind: 'payload', destination: 1, base: 'link', offset: 14, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('0fff'), xor: x('0000') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0ffe') },
      { kind: 'payload', destination: 1, base: 'link', offset: 14, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('10'), xor: x('00') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('10') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'vlan', field: 'id' } }, right: 4094 } },
      { match: { op: '==', left: { payload: { protocol: 'vlan', field: 'dei' } }, right: 1 } },
    ],
  },
  {
    name: 'ether type vlan ip saddr 10.0.0.1',
    family: 'bridge',
    expressions: [
      { kind: 'payload', destination: 1, base: 'link', offset: 12, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('8100') },
      { kind: 'payload', destination: 1, base: 'link', offset: 16, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0800') },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a000001') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'ether', field: 'type' } }, right: '8021q' } },
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '10.0.0.1' } },
    ],
  },
  {
    name: 'ether saddr & ff:ff:ff:00:00:00 == 00:11:22:00:00:00',
    family: 'bridge',
    expressions: [
      { kind: 'payload', destination: 1, base: 'link', offset: 6, length: 6 },
      {
        kind: 'bitwise',
        source: 1,
        destination: 1,
        length: 6,
        operator: 'mask-xor',
        mask: x('ffffff000000'),
        xor: x('000000000000'),
      },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('001122000000') },
    ],
    statements: [
      {
        match: {
          op: '==',
          left: { '&': [{ payload: { protocol: 'ether', field: 'saddr' } }, 'ff:ff:ff:00:00:00'] },
          right: '00:11:22:00:00:00',
        },
      },
    ],
  },
  {
    name: 'vlan id 1 ip saddr 10.0.0.0/23 udp dport 53',
    family: 'bridge',
    expressions: [
      { kind: 'payload', destination: 1, base: 'link', offset: 12, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('8100') },
      { kind: 'payload', destination: 1, base: 'link', offset: 14, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('0fff'), xor: x('0000') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0001') },
      { kind: 'payload', destination: 1, base: 'link', offset: 16, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0800') },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('fffffe00'), xor: x('00000000') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a000000') },
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('11') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0035') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'vlan', field: 'id' } }, right: 1 } },
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'saddr' } },
          right: { prefix: { addr: '10.0.0.0', len: 23 } },
        },
      },
      { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 53 } },
    ],
  },
  {
    name: 'meta protocol ip tcp dport 22',
    family: 'netdev',
    expressions: [
      { kind: 'meta', key: 'protocol', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0800') },
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0016') },
    ],
    statements: [
      { match: { op: '==', left: { meta: { key: 'protocol' } }, right: 'ip' } },
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } },
    ],
  },
  {
    name: 'arp operation request arp saddr ip 1.2.3.4',
    family: 'arp',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 6, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0001') },
      { kind: 'payload', destination: 1, base: 'network', offset: 14, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'arp', field: 'operation' } }, right: 'request' } },
      { match: { op: '==', left: { payload: { protocol: 'arp', field: 'saddr ip' } }, right: '1.2.3.4' } },
    ],
  },
]
