/** Sets and maps. Expressions as Linux tells them, statements as nft 1.1.3 prints them. */
import { bytes as x } from '../../support/bytes.js'
import type { LiftCase } from './case.js'

export const SETS: readonly LiftCase[] = [
  {
    name: 'dnat ip to tcp dport map { 22 : 1.2.3.4 . 80 }',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'lookup', set: '__map24', source: 1, destination: 1, flags: [] },
      {
        kind: 'nat',
        type: 'dnat',
        family: 'ip',
        addressMin: 1,
        addressMax: 1,
        portMin: 9,
        portMax: 9,
        flags: ['map-ips', 'proto-specified'],
      },
    ],
    sets: [
      {
        set: { name: '__map24', key: 'inet_service', data: ['ipv4_addr', 'inet_service'], flags: ['anonymous', 'constant'] },
        elements: [{ key: 22, data: ['1.2.3.4', 80] }],
      },
    ],
    statements: [
      {
        dnat: {
          family: 'ip',
          addr: {
            map: { key: { payload: { protocol: 'tcp', field: 'dport' } }, data: { set: [[22, { concat: ['1.2.3.4', 80] }]] } },
          },
        },
      },
    ],
  },
  {
    name: 'ip dscp {cs1, cs2, cs3, af11, af12, ef, be}',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 1, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('fc'), xor: x('00') },
      { kind: 'lookup', set: '__set115', source: 1, flags: [] },
    ],
    sets: [
      {
        set: { name: '__set115', key: 'dscp', flags: ['anonymous', 'constant'] },
        elements: [{ key: 32 }, { key: x('40') }, { key: x('60') }, { key: 40 }, { key: 48 }, { key: x('b8') }, { key: 0 }],
      },
    ],
    statements: [
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'dscp' } },
          right: { set: ['cs0', 'cs1', 'af11', 'af12', 'cs2', 'cs3', 'ef'] },
        },
      },
    ],
  },
  {
    name: 'ip saddr . tcp dport vmap @m_vconcat',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'payload', destination: 9, base: 'transport', offset: 2, length: 2 },
      { kind: 'lookup', set: 'm_vconcat', source: 1, destination: 0, flags: [] },
    ],
    sets: [{ set: { name: 'm_vconcat', key: ['ipv4_addr', 'inet_service'], data: 'verdict' }, elements: [] }],
    statements: [
      {
        vmap: {
          key: { concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, { payload: { protocol: 'tcp', field: 'dport' } }] },
          data: '@m_vconcat',
        },
      },
    ],
  },
  {
    name: 'ip saddr vmap { 10.0.0.0/8 : accept, 1.2.3.4 : drop, * : continue }',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'lookup', set: '__map55', source: 1, destination: 0, flags: [] },
    ],
    sets: [
      {
        set: { name: '__map55', key: 'ipv4_addr', data: 'verdict', flags: ['anonymous', 'constant', 'interval'] },
        elements: [
          { key: '10.0.0.0/8', data: { verdict: 'accept' } },
          { key: '1.2.3.4', data: { verdict: 'drop' } },
          { key: '*', data: { verdict: 'continue' } },
        ],
      },
    ],
    statements: [
      {
        vmap: {
          key: { payload: { protocol: 'ip', field: 'saddr' } },
          data: {
            set: [
              ['1.2.3.4', { drop: null }],
              [{ prefix: { addr: '10.0.0.0', len: 8 } }, { accept: null }],
              ['*', { continue: null }],
            ],
          },
        },
      },
    ],
  },
  {
    name: 'ip saddr != @s_addr',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'lookup', set: 's_addr', source: 1, flags: ['invert'] },
    ],
    sets: [{ set: { name: 's_addr', key: 'ipv4_addr', flags: ['timeout', 'dynamic'], size: 65535 }, elements: [] }],
    statements: [{ match: { op: '!=', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@s_addr' } }],
  },
  {
    name: 'add @s_addr { ip saddr timeout 5s counter }',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      {
        kind: 'dynset',
        key: 1,
        operation: 'add',
        set: 's_addr',
        timeout: 5000,
        expression: { kind: 'counter', bytes: 0n, packets: 0n },
        flags: [],
      },
    ],
    sets: [{ set: { name: 's_addr', key: 'ipv4_addr', flags: ['timeout', 'dynamic'], size: 65535 }, elements: [] }],
    statements: [
      {
        set: {
          op: 'add',
          elem: { elem: { val: { payload: { protocol: 'ip', field: 'saddr' } }, timeout: 5 } },
          set: '@s_addr',
          stmt: [{ counter: null }],
        },
      },
    ],
  },
  {
    name: 'update @m_addr { ip saddr : 1.2.3.4 }',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'immediate', destination: 2, data: x('01020304') },
      { kind: 'dynset', key: 1, data: 2, operation: 'update', set: 'm_addr', timeout: 0, flags: [] },
    ],
    sets: [
      { set: { name: 'm_addr', key: 'ipv4_addr', data: 'ipv4_addr', flags: ['timeout', 'dynamic'], size: 65535 }, elements: [] },
    ],
    statements: [
      { map: { op: 'update', elem: { payload: { protocol: 'ip', field: 'saddr' } }, data: '1.2.3.4', map: '@m_addr' } },
    ],
  },
  {
    name: 'counter name ip saddr map { 192.168.2.2 : "cnt", 1.1.1.1 : "cnt2"}',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
      { kind: 'objref', source: 1, set: '__objmap5' },
    ],
    sets: [
      {
        set: { name: '__objmap5', key: 'ipv4_addr', objects: 'counter', flags: ['anonymous', 'constant'] },
        elements: [
          { key: '1.1.1.1', object: 'cnt2' },
          { key: '192.168.2.2', object: 'cnt' },
        ],
      },
    ],
    statements: [
      {
        counter: {
          map: {
            key: { payload: { protocol: 'ip', field: 'saddr' } },
            data: {
              set: [
                ['1.1.1.1', 'cnt2'],
                ['192.168.2.2', 'cnt'],
              ],
            },
          },
        },
      },
    ],
  },
  {
    name: 'numgen inc mod 10 vmap { 0-4 : accept, 5-9: drop }',
    family: 'ip',
    expressions: [
      { kind: 'numgen', destination: 1, modulus: 10, type: 'inc', offset: 0 },
      { kind: 'byteorder', source: 1, destination: 1, operator: 'hton', length: 4, size: 4 },
      { kind: 'lookup', set: '__map5', source: 1, destination: 0, flags: [] },
    ],
    sets: [
      {
        set: {
          name: '__map5',
          key: { type: 'integer', length: 4, order: 'host' },
          data: 'verdict',
          flags: ['anonymous', 'constant', 'interval'],
        },
        elements: [
          { key: { from: 5, to: 9 }, data: { verdict: 'drop' } },
          { key: { from: 0, to: 4 }, data: { verdict: 'accept' } },
        ],
      },
    ],
    statements: [
      {
        vmap: {
          key: { numgen: { mode: 'inc', mod: 10, offset: 0 } },
          data: {
            set: [
              [{ range: [0, 4] }, { accept: null }],
              [{ range: [5, 9] }, { drop: null }],
            ],
          },
        },
      },
    ],
  },
]
