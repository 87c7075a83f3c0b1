/** Addresses, options and pieces of the packet. Expressions as Linux tells them, statements as nft 1.1.3 prints them. */
import { bytes as x } from '../../support/bytes.js'
import type { LiftCase } from './case.js'

export const PIECES: readonly LiftCase[] = [
  {
    name: 'ip saddr 192.168.2.0/24',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 3 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('c0a802') },
    ],
    statements: [
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'saddr' } },
          right: { prefix: { addr: '192.168.2.0', len: 24 } },
        },
      },
    ],
  },
  {
    name: 'ip daddr 10.0.0.0/9',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 16, length: 4 },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('ff800000'), xor: x('00000000') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0a000000') },
    ],
    statements: [
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'daddr' } },
          right: { prefix: { addr: '10.0.0.0', len: 9 } },
        },
      },
    ],
  },
  {
    name: 'ip daddr 192.168.0.1-192.168.0.250',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 16, length: 4 },
      { kind: 'range', source: 1, operator: 'eq', from: x('c0a80001'), to: x('c0a800fa') },
    ],
    statements: [
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'daddr' } },
          right: { range: ['192.168.0.1', '192.168.0.250'] },
        },
      },
    ],
  },
  {
    name: 'ip dscp cs1',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 1, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('fc'), xor: x('00') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('20') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'dscp' } }, right: 'cs1' } }],
  },
  {
    name: 'ip frag-off & 0x1fff != 0x0',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 6, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('1fff'), xor: x('0000') },
      { kind: 'cmp', source: 1, operator: 'neq', data: x('0000') },
    ],
    statements: [{ match: { op: '!=', left: { '&': [{ payload: { protocol: 'ip', field: 'frag-off' } }, 8191] }, right: 0 } }],
  },
  {
    name: 'icmp type echo-request icmp id 1 icmp sequence 2',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 0, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('08') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 4, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('00010002') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'icmp', field: 'type' } }, right: 'echo-request' } },
      { match: { op: '==', left: { payload: { protocol: 'icmp', field: 'id' } }, right: 1 } },
      { match: { op: '==', left: { payload: { protocol: 'icmp', field: 'sequence' } }, right: 2 } },
    ],
  },
  {
    name: 'icmp mtu 33',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 0, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('03') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 6, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0021') },
    ],
    statements: [{ match: { op: '==', left: { payload: { protocol: 'icmp', field: 'mtu' } }, right: 33 } }],
  },
  {
    name: '@nh,8,8 0x5',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 1, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('05') },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'dscp' } }, right: 'lephb' } },
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'ecn' } }, right: 'ect1' } },
    ],
  },
  {
    name: '@th,160,32 0x02736c00',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'transport', offset: 20, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02736c00') },
    ],
    statements: [{ match: { op: '==', left: { payload: { base: 'th', offset: 160, len: 32 } }, right: 41118720 } }],
  },
  {
    name: 'tcp flags & syn != 0',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 13, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('02'), xor: x('00') },
      { kind: 'cmp', source: 1, operator: 'neq', data: x('00') },
    ],
    statements: [{ match: { op: 'in', left: { payload: { protocol: 'tcp', field: 'flags' } }, right: 'syn' } }],
  },
  {
    name: 'tcp flags ! fin,rst',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 13, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('05'), xor: x('00') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('00') },
    ],
    statements: [{ match: { op: '!', left: { payload: { protocol: 'tcp', field: 'flags' } }, right: ['fin', 'rst'] } }],
  },
  {
    name: 'tcp option mptcp subtype 0',
    family: 'ip',
    expressions: [
      { kind: 'exthdr', destination: 1, type: 30, offset: 2, length: 1, flags: [], operation: 'tcpopt' },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('f0'), xor: x('00') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('00') },
    ],
    statements: [{ match: { op: '==', left: { 'tcp option': { name: 'mptcp', field: 'subtype' } }, right: 'mp-capable' } }],
  },
  {
    name: 'ip option lsrr addr 1.2.3.4',
    family: 'ip',
    expressions: [
      { kind: 'exthdr', destination: 1, type: 131, offset: 3, length: 4, flags: [], operation: 'ipv4' },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
    ],
    statements: [{ match: { op: '==', left: { 'ip option': { name: 'lsrr', field: 'addr' } }, right: '1.2.3.4' } }],
  },
  {
    name: 'sctp chunk data tsn 5',
    family: 'ip',
    expressions: [
      { kind: 'exthdr', destination: 1, type: 0, offset: 4, length: 4, flags: [], operation: 'sctp' },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('00000005') },
    ],
    statements: [{ match: { op: '==', left: { 'sctp chunk': { name: 'data', field: 'tsn' } }, right: 5 } }],
  },
]
