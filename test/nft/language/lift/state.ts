/** What belongs to the packet and is not in it. Expressions as Linux tells them, statements as nft 1.1.3 prints them. */
import { bytes as x } from '../../support/bytes.js'
import type { LiftCase } from './case.js'

export const STATE: readonly LiftCase[] = [
  {
    name: 'ct state new,established, related, untracked',
    family: 'ip',
    expressions: [
      { kind: 'ct', destination: 1, key: 'state' },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('4e000000'), xor: x('00000000') },
      { kind: 'cmp', source: 1, operator: 'neq', data: x('00000000') },
    ],
    statements: [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related', 'new', 'untracked'] } }],
  },
  {
    name: 'ct original packets 1-4',
    family: 'ip',
    expressions: [
      { kind: 'ct', destination: 1, key: 'packets', direction: 'original' },
      { kind: 'byteorder', source: 1, destination: 1, operator: 'hton', length: 8, size: 8 },
      { kind: 'range', source: 1, operator: 'eq', from: x('0000000000000001'), to: x('0000000000000004') },
    ],
    statements: [{ match: { op: '==', left: { ct: { key: 'packets', dir: 'original' } }, right: { range: [1, 4] } } }],
  },
  {
    name: 'meta iifname "dummy*"',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'iifname', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('64756d6d79') },
    ],
    statements: [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'dummy*' } }],
  },
  {
    name: 'meta iifname "dummy\\*"',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'iifname', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('64756d6d792a00000000000000000000') },
    ],
    statements: [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'dummy\\*' } }],
  },
  {
    name: 'meta hour != "09:00"-"17:00"',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'hour', destination: 1 },
      { kind: 'byteorder', source: 1, destination: 1, operator: 'hton', length: 4, size: 4 },
      { kind: 'range', source: 1, operator: 'neq', from: x('00007e90'), to: x('0000ef10') },
    ],
    statements: [{ match: { op: 'in', left: { meta: { key: 'hour' } }, right: { range: ['17:00', '09:00'] } } }],
  },
  {
    name: 'meta skuid gt 3000 accept',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'skuid', destination: 1 },
      { kind: 'byteorder', source: 1, destination: 1, operator: 'hton', length: 4, size: 4 },
      { kind: 'cmp', source: 1, operator: 'gt', data: x('00000bb8') },
      { kind: 'immediate', destination: 0, data: { verdict: 'accept' } },
    ],
    statements: [{ match: { op: '>', left: { meta: { key: 'skuid' } }, right: 3000 } }, { accept: null }],
  },
  {
    name: 'fib saddr . iif oif exists',
    family: 'ip',
    expressions: [
      { kind: 'fib', destination: 1, result: 'oif', flags: ['saddr', 'iif', 'present'] },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01000000') },
    ],
    statements: [{ match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, right: true } }],
  },
  {
    name: 'socket transparent 1',
    family: 'ip',
    expressions: [
      { kind: 'socket', key: 'transparent', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01') },
    ],
    statements: [{ match: { op: '==', left: { socket: { key: 'transparent' } }, right: 1 } }],
  },
  {
    name: 'ipsec out spnum 2 ip daddr 1.2.3.4',
    family: 'ip',
    expressions: [
      { kind: 'xfrm', destination: 1, key: 'ip daddr', direction: 'out', spnum: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('01020304') },
    ],
    statements: [
      { match: { op: '==', left: { ipsec: { key: 'daddr', family: 'ip', dir: 'out', spnum: 2 } }, right: '1.2.3.4' } },
    ],
  },
  {
    name: 'rt ip nexthop 192.168.0.1',
    family: 'ip',
    expressions: [
      { kind: 'rt', key: 'ip nexthop', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('c0a80001') },
    ],
    statements: [{ match: { op: '==', left: { rt: { key: 'nexthop', family: 'ip' } }, right: '192.168.0.1' } }],
  },
  {
    name: 'osf ttl loose name "Linux"',
    family: 'ip',
    expressions: [
      { kind: 'osf', ttl: 'loose', flags: [], destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('4c696e75780000000000000000000000') },
    ],
    statements: [{ match: { op: '==', left: { osf: { key: 'name', ttl: 'loose' } }, right: 'Linux' } }],
  },
]
