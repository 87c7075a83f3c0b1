/** Statements that do something. Expressions as Linux tells them, statements as nft 1.1.3 prints them. */
import { bytes as x } from '../../support/bytes.js'
import type { LiftCase } from './case.js'

export const STATEMENTS: readonly LiftCase[] = [
  {
    name: 'reject with icmpx type no-route',
    family: 'inet',
    expressions: [{ kind: 'reject', type: 'icmpx', code: 0 }],
    statements: [{ reject: { type: 'icmpx', expr: 'no-route' } }],
  },
  {
    name: 'meta nfproto ipv4 reject with icmp type host-unreachable',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'nfproto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('02') },
      { kind: 'reject', type: 'icmp', code: 1 },
    ],
    statements: [{ reject: { type: 'icmp', expr: 'host-unreachable' } }],
  },
  {
    name: 'tcp option maxseg size set 1440',
    family: 'inet',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('05a0') },
      { kind: 'exthdr', source: 1, type: 2, offset: 2, length: 2, flags: [], operation: 'tcpopt' },
    ],
    statements: [{ mangle: { key: { 'tcp option': { name: 'maxseg', field: 'size' } }, value: 1440 } }],
  },
  {
    name: 'reset tcp option maxseg',
    family: 'inet',
    expressions: [{ kind: 'exthdr', type: 2, offset: 0, length: 0, flags: [], operation: 'tcpopt' }],
    statements: [{ reset: { 'tcp option': { name: 'maxseg' } } }],
  },
  {
    name: 'meta l4proto 6 tproxy ip to 192.0.2.1:50080',
    family: 'inet',
    expressions: [
      { kind: 'meta', key: 'l4proto', destination: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'immediate', destination: 1, data: x('c0000201') },
      { kind: 'immediate', destination: 2, data: x('c3a0') },
      { kind: 'tproxy', family: 'ip', address: 1, port: 2 },
    ],
    statements: [
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } },
      { tproxy: { family: 'ip', addr: '192.0.2.1', port: 50080 } },
    ],
  },
  {
    name: 'ip dscp set af23',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 0, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('ff03'), xor: x('0058') },
      {
        kind: 'payload',
        source: 1,
        base: 'network',
        offset: 0,
        length: 2,
        checksumType: 'internet',
        checksumOffset: 10,
        checksumFlags: [],
      },
    ],
    statements: [{ mangle: { key: { payload: { protocol: 'ip', field: 'dscp' } }, value: 'af23' } }],
  },
  {
    name: 'ip dscp set ip dscp | 3',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 0, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('fff3'), xor: x('000c') },
      {
        kind: 'payload',
        source: 1,
        base: 'network',
        offset: 0,
        length: 2,
        checksumType: 'internet',
        checksumOffset: 10,
        checksumFlags: [],
      },
    ],
    statements: [
      {
        mangle: {
          key: { payload: { protocol: 'ip', field: 'dscp' } },
          value: { '|': [{ payload: { protocol: 'ip', field: 'dscp' } }, 3] },
        },
      },
    ],
  },
  {
    name: 'ip ttl set 3',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 8, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('00ff'), xor: x('0300') },
      {
        kind: 'payload',
        source: 1,
        base: 'network',
        offset: 8,
        length: 2,
        checksumType: 'internet',
        checksumOffset: 10,
        checksumFlags: [],
      },
    ],
    statements: [{ mangle: { key: { payload: { protocol: 'ip', field: 'ttl' } }, value: 3 } }],
  },
  {
    name: 'meta mark set ip dscp << 2 | 0x10',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 1, length: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'mask-xor', mask: x('fc'), xor: x('00') },
      { kind: 'bitwise', source: 1, destination: 1, length: 1, operator: 'rshift', data: x('02000000') },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'lshift', data: x('02000000') },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('efffffff'), xor: x('10000000') },
      { kind: 'meta', key: 'mark', source: 1 },
    ],
    statements: [
      {
        mangle: {
          key: { meta: { key: 'mark' } },
          value: { '|': [{ '<<': [{ payload: { protocol: 'ip', field: 'dscp' } }, 2] }, 16] },
        },
      },
    ],
  },
  {
    name: 'meta mark set jhash ip saddr . ip daddr mod 2 seed 0xdeadbeef',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 2, base: 'network', offset: 12, length: 4 },
      { kind: 'payload', destination: 13, base: 'network', offset: 16, length: 4 },
      { kind: 'hash', source: 2, destination: 1, length: 8, modulus: 2, seed: 3735928559, type: 'jenkins' },
      { kind: 'meta', key: 'mark', source: 1 },
    ],
    statements: [
      {
        mangle: {
          key: { meta: { key: 'mark' } },
          value: {
            jhash: {
              mod: 2,
              seed: 3735928559,
              expr: {
                concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, { payload: { protocol: 'ip', field: 'daddr' } }],
              },
            },
          },
        },
      },
    ],
  },
  {
    name: 'snat to 1.2.3.4 random,persistent',
    family: 'ip',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('01020304') },
      { kind: 'nat', type: 'snat', family: 'ip', addressMin: 1, addressMax: 1, flags: ['map-ips', 'random', 'persistent'] },
    ],
    statements: [{ snat: { addr: '1.2.3.4', flags: ['random', 'persistent'] } }],
  },
  {
    name: 'snat prefix to 10.0.0.0/8',
    family: 'ip',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('0a000000') },
      { kind: 'immediate', destination: 2, data: x('0affffff') },
      { kind: 'nat', type: 'snat', family: 'ip', addressMin: 1, addressMax: 2, flags: ['map-ips', 'netmap'] },
    ],
    statements: [{ snat: { addr: { prefix: { addr: '10.0.0.0', len: 8 } }, flags: 'netmap', type_flags: 'prefix' } }],
  },
  {
    name: 'ip protocol tcp redirect to :100',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 9, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('06') },
      { kind: 'immediate', destination: 1, data: x('0064') },
      { kind: 'redir', portMin: 1, portMax: 1, flags: ['proto-specified'] },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'protocol' } }, right: 'tcp' } },
      { redirect: { port: 100 } },
    ],
  },
  {
    name: 'masquerade random,persistent',
    family: 'ip',
    expressions: [{ kind: 'masq', flags: ['random', 'persistent'] }],
    statements: [{ masquerade: { flags: ['random', 'persistent'] } }],
  },
  {
    name: 'dup to 192.168.2.1 device "lo"',
    family: 'ip',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('c0a80201') },
      { kind: 'immediate', destination: 2, data: x('01000000') },
      { kind: 'dup', address: 1, device: 2 },
    ],
    statements: [{ dup: { addr: '192.168.2.1', dev: 'lo' } }],
  },
  {
    name: '@ih,58,6 set 0 @ih,86,6 set 0 @ih,170,22 set 0',
    family: 'ip',
    expressions: [
      { kind: 'payload', destination: 1, base: 'inner', offset: 6, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('ffc0'), xor: x('0000') },
      {
        kind: 'payload',
        source: 1,
        base: 'inner',
        offset: 6,
        length: 2,
        checksumType: 'none',
        checksumOffset: 0,
        checksumFlags: ['pseudo-header'],
      },
      { kind: 'payload', destination: 1, base: 'inner', offset: 10, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('fc0f'), xor: x('0000') },
      {
        kind: 'payload',
        source: 1,
        base: 'inner',
        offset: 10,
        length: 2,
        checksumType: 'none',
        checksumOffset: 0,
        checksumFlags: ['pseudo-header'],
      },
      { kind: 'payload', destination: 1, base: 'inner', offset: 20, length: 4 },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('ffc00000'), xor: x('00000000') },
      {
        kind: 'payload',
        source: 1,
        base: 'inner',
        offset: 20,
        length: 4,
        checksumType: 'none',
        checksumOffset: 0,
        checksumFlags: ['pseudo-header'],
      },
    ],
    statements: [
      { mangle: { key: { payload: { base: 'ih', offset: 58, len: 6 } }, value: 0 } },
      { mangle: { key: { payload: { base: 'ih', offset: 86, len: 6 } }, value: 0 } },
      { mangle: { key: { payload: { base: 'ih', offset: 170, len: 22 } }, value: 0 } },
    ],
  },
  {
    name: 'ct event set new,related,destroy,label',
    family: 'ip',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('07040000') },
      { kind: 'ct', source: 1, key: 'event' },
    ],
    statements: [{ mangle: { key: { ct: { key: 'event' } }, value: ['new', 'related', 'destroy', 'label'] } }],
  },
  {
    name: 'ct mark set ct mark or 0x10',
    family: 'ip',
    expressions: [
      { kind: 'ct', destination: 1, key: 'mark' },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('efffffff'), xor: x('10000000') },
      { kind: 'ct', source: 1, key: 'mark' },
    ],
    statements: [{ mangle: { key: { ct: { key: 'mark' } }, value: { '|': [{ ct: { key: 'mark' } }, 16] } } }],
  },
  {
    name: 'meta mark set meta mark and 0xffff0000 or 0x10',
    family: 'ip',
    expressions: [
      { kind: 'meta', key: 'mark', destination: 1 },
      { kind: 'bitwise', source: 1, destination: 1, length: 4, operator: 'mask-xor', mask: x('0000ffff'), xor: x('10000000') },
      { kind: 'meta', key: 'mark', source: 1 },
    ],
    statements: [
      { mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ '&': [{ meta: { key: 'mark' } }, 4294901776] }, 16] } } },
    ],
  },
  {
    name: 'log prefix "aaaaa-aaaaaa" group 2 snaplen 33',
    family: 'ip',
    expressions: [{ kind: 'log', prefix: 'aaaaa-aaaaaa', group: 2, snaplen: 33 }],
    statements: [{ log: { prefix: 'aaaaa-aaaaaa', group: 2, snaplen: 33 } }],
  },
  {
    name: 'log flags tcp sequence,options',
    family: 'ip',
    expressions: [{ kind: 'log', level: 'warn', flags: ['tcp sequence', 'tcp options'] }],
    statements: [{ log: { flags: ['tcp sequence', 'tcp options'] } }],
  },
  {
    name: 'limit rate over 1 kbytes/second burst 1 mbytes',
    family: 'ip',
    expressions: [{ kind: 'limit', rate: 1024n, unit: 1n, burst: 1048576, of: 'bytes', flags: ['invert'] }],
    statements: [{ limit: { rate: 1, burst: 1, per: 'second', inv: true, rate_unit: 'kbytes', burst_unit: 'mbytes' } }],
  },
  {
    name: 'quota over 2 mbytes used 1 kbytes',
    family: 'ip',
    expressions: [{ kind: 'quota', bytes: 2097152n, used: 1024n, flags: ['over'] }],
    statements: [{ quota: { val: 2, val_unit: 'mbytes', inv: true, used: 1, used_unit: 'kbytes' } }],
  },
  {
    name: 'ct count over 10',
    family: 'ip',
    expressions: [{ kind: 'connlimit', count: 10, flags: ['invert'] }],
    statements: [{ 'ct count': { val: 10, inv: true } }],
  },
  {
    name: 'synproxy mss 1460 wscale 5 timestamp sack-perm',
    family: 'ip',
    expressions: [{ kind: 'synproxy', mss: 1460, windowScale: 5, flags: ['mss', 'window-scale', 'sack-permitted', 'timestamp'] }],
    statements: [{ synproxy: { mss: 1460, wscale: 5, flags: ['timestamp', 'sack-perm'] } }],
  },
  {
    name: 'jump other',
    family: 'ip',
    expressions: [{ kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'other' } }],
    statements: [{ jump: { target: 'other' } }],
  },
  {
    name: 'notrack',
    family: 'ip',
    expressions: [{ kind: 'notrack' }],
    statements: [{ notrack: null }],
  },
  {
    name: 'ct helper set "hlp"',
    family: 'ip',
    expressions: [{ kind: 'objref', name: 'hlp', type: 'ct helper' }],
    statements: [{ 'ct helper': 'hlp' }],
  },
  {
    name: 'vlan id 1 vlan id set 2',
    family: 'bridge',
    expressions: [
      { kind: 'payload', destination: 1, base: 'link', offset: 12, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('8100') },
      { kind: 'payload', destination: 1, base: 'link', offset: 14, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('0fff'), xor: x('0000') },
      { kind: 'cmp', source: 1, operator: 'eq', data: x('0001') },
      { kind: 'payload', destination: 1, base: 'link', offset: 14, length: 2 },
      { kind: 'bitwise', source: 1, destination: 1, length: 2, operator: 'mask-xor', mask: x('f000'), xor: x('0002') },
      {
        kind: 'payload',
        source: 1,
        base: 'link',
        offset: 14,
        length: 2,
        checksumType: 'none',
        checksumOffset: 0,
        checksumFlags: [],
      },
    ],
    statements: [
      { match: { op: '==', left: { payload: { protocol: 'vlan', field: 'id' } }, right: 1 } },
      { mangle: { key: { payload: { protocol: 'vlan', field: 'id' } }, value: 2 } },
    ],
  },
  {
    name: 'fwd ip to 192.168.2.200 device "lo"',
    family: 'netdev',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('01000000') },
      { kind: 'immediate', destination: 2, data: x('c0a802c8') },
      { kind: 'fwd', device: 1, address: 2, family: 'ip' },
    ],
    statements: [{ fwd: { dev: 'lo', family: 'ip', addr: '192.168.2.200' } }],
  },
  {
    name: 'dup to "lo"',
    family: 'netdev',
    expressions: [
      { kind: 'immediate', destination: 1, data: x('01000000') },
      { kind: 'dup', device: 1 },
    ],
    statements: [{ dup: { addr: 'lo' } }],
  },
]
