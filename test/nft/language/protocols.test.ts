import t from 'tap'
import type * as json from '../../../lib/nft/json/index.js'
import type { Family } from '../../../lib/nft/types.js'
import { fromRegister, toRegister } from '../../../lib/nft/vocabulary/bytes.js'
import { EXTENSION_HEADERS } from '../../../lib/nft/vocabulary/exthdr.js'
import { fieldNamed, PROTOCOLS, protocolNamed } from '../../../lib/nft/vocabulary/protocols.js'
import { typeOf, typesOf } from '../../../lib/nft/vocabulary/type-of.js'

const payload = (protocol: string, field: string): json.Expression => ({ payload: { protocol, field } })

/** Where nft loads fields from (`nft --debug=netlink`). */
const FIELDS: readonly (readonly [protocol: string, field: string, offset: number, bits: number, type: string])[] = [
  ['ether', 'type', 96, 16, 'ether_type'],
  ['vlan', 'pcp', 0, 3, 'integer'],
  ['vlan', 'dei', 3, 1, 'integer'],
  ['vlan', 'cfi', 3, 1, 'integer'],
  ['vlan', 'id', 4, 12, 'integer'],
  ['arp', 'daddr ip', 192, 32, 'ipv4_addr'],
  ['ip', 'dscp', 8, 6, 'dscp'],
  ['ip', 'ecn', 14, 2, 'ecn'],
  ['ip', 'frag-off', 48, 16, 'integer'],
  ['ip', 'daddr', 128, 32, 'ipv4_addr'],
  ['ip6', 'dscp', 4, 6, 'dscp'],
  ['ip6', 'flowlabel', 12, 20, 'integer'],
  ['ip6', 'daddr', 192, 128, 'ipv6_addr'],
  ['icmp', 'gateway', 32, 32, 'integer'],
  ['icmpv6', 'max-delay', 32, 16, 'integer'],
  ['icmpv6', 'taddr', 64, 128, 'ipv6_addr'],
  ['comp', 'flags', 8, 8, 'bitmask'],
  ['tcp', 'doff', 96, 4, 'integer'],
  ['tcp', 'flags', 104, 8, 'tcp_flag'],
  ['dccp', 'type', 67, 4, 'dccp_pkttype'],
  ['gre', 'version', 13, 3, 'integer'],
  ['vxlan', 'vni', 32, 24, 'integer'],
]

t.test('fields of headers stand where nft loads them from', async t => {
  for (const [name, field, offset, bits, type] of FIELDS) {
    const protocol = protocolNamed(name)
    const found = protocol && fieldNamed(protocol, field)
    t.match(found, { offset, bits, type: { name: type } }, `${name} ${field}`)
  }
})

t.test('what tells the next header is a field, and what comes next is a protocol', async t => {
  for (const { name, next, upper, checksum, fields } of PROTOCOLS) {
    if (next !== undefined)
      t.ok(
        fields.some(field => field.name === next),
        `${name} ${next}`,
      )
    if (checksum !== undefined)
      t.ok(
        fields.some(field => field.name === checksum.field),
        `${name} ${checksum.field}`,
      )
    for (const [, protocol] of upper) t.ok(protocolNamed(protocol), `${protocol} in ${name}`)
  }
})

t.test('of routing headers that could be meant the one comes first that nft prints', async t => {
  const names = EXTENSION_HEADERS.filter(header => header.type === 43).map(header => header.name)
  t.strictSame(names, ['rt', 'srh', 'rt2', 'rt0'])
})

interface Row {
  readonly of: json.Expression
  readonly type?: string
  readonly bits?: number
  readonly order?: string
  readonly family?: Family
}
const TYPES: readonly Row[] = [
  { of: payload('tcp', 'dport'), type: 'inet_service', bits: 16, order: 'network' },
  { of: { payload: { base: 'nh', offset: 8, len: 12 } }, type: 'integer', bits: 12, order: 'network' },
  { of: { meta: { key: 'mark' } }, type: 'mark', bits: 32, order: 'host' },
  { of: { meta: { key: 'protocol' } }, type: 'ether_type', bits: 16, order: 'network' },
  { of: { meta: { key: 'ibriport' } }, type: 'ifname', bits: 128 },
  { of: { meta: { key: 'time' } }, type: 'time', bits: 64, order: 'host' },
  { of: { meta: { key: 'random' } }, type: 'integer', bits: 32, order: 'network' },
  { of: { ct: { key: 'expiration' } }, type: 'time', bits: 32, order: 'host' },
  { of: { ct: { key: 'saddr', dir: 'original' } }, type: 'ipv4_addr', bits: 32, family: 'ip' },
  { of: { ct: { key: 'saddr', dir: 'original' } }, type: 'ipv6_addr', bits: 128, family: 'ip6' },
  { of: { ct: { key: 'saddr', dir: 'original', family: 'ip6' } }, type: 'ipv6_addr', bits: 128 },
  { of: { ct: { key: 'ip6 daddr', dir: 'reply' } }, type: 'ipv6_addr', bits: 128 },
  { of: { ct: { key: 'saddr', dir: 'original' } } },
  { of: { rt: { key: 'nexthop', family: 'ip' } }, type: 'ipv4_addr', bits: 32 },
  { of: { fib: { result: 'type', flags: 'daddr' } }, type: 'fib_addrtype', bits: 32, order: 'host' },
  { of: { socket: { key: 'cgroupv2', level: 1 } }, type: 'cgroupsv2', bits: 64 },
  { of: { osf: { key: 'name' } }, type: 'string', bits: 128 },
  { of: { ipsec: { key: 'spi', dir: 'in' } }, type: 'integer', bits: 32, order: 'network' },
  { of: { numgen: { mode: 'inc', mod: 3 } }, type: 'integer', bits: 32, order: 'host' },
  { of: { exthdr: { name: 'frag', field: 'frag-off' } }, type: 'integer', bits: 13 },
  { of: { exthdr: { name: 'frag' } }, type: 'boolean', bits: 1 },
  { of: { 'tcp option': { name: 'mptcp', field: 'subtype' } }, type: 'integer', bits: 4 },
  { of: { 'tcp option': { base: 9, offset: 8, len: 16 } }, type: 'integer', bits: 16 },
  { of: { 'ip option': { name: 'rr', field: 'addr' } }, type: 'ipv4_addr', bits: 32 },
  { of: { 'sctp chunk': { name: 'data', field: 'tsn' } }, type: 'integer', bits: 32 },
  { of: { 'dccp option': { type: 4 } }, type: 'boolean', bits: 1 },
  { of: { '&': [{ meta: { key: 'mark' } }, 7] }, type: 'mark', bits: 32 },
  { of: { '<<': [payload('ip', 'dscp'), 2] }, type: 'integer', bits: 6 },
  { of: { prefix: { addr: payload('ip', 'saddr') as json.Selector, len: 8 } }, type: 'ipv4_addr', bits: 32 },
  { of: { set: [{ elem: { val: payload('ip', 'saddr') } }] }, type: 'ipv4_addr', bits: 32 },
  { of: '10.0.0.1' },
  { of: 7 },
  { of: { map: { key: payload('ip', 'saddr'), data: '@m' } } },
  { of: payload('tcp', 'nothing') },
  { of: payload('nothing', 'dport') },
]

t.test('an expression has the type that nft describe tells, or none', async t => {
  for (const { of, type, bits, order, family = 'inet' } of TYPES) {
    const shape = typeOf(of, family)
    const what = JSON.stringify(of)
    t.equal(shape?.type.name, type, what)
    if (bits !== undefined) t.equal(shape?.bits, bits, what)
    if (order !== undefined) t.equal(shape?.order, order, what)
  }
})

t.test('a concatenation has the types of its components', async t => {
  const concat: json.Expression = { concat: [payload('ip', 'saddr'), '@nothing', { meta: { key: 'mark' } }] }
  t.strictSame(
    typesOf(concat, 'inet').map(shape => shape?.type.name),
    ['ipv4_addr', undefined, 'mark'],
  )
  t.equal(typeOf(concat, 'inet'), undefined)
})

t.test('a constant stands in a register in its order, and is read again', async t => {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  t.strictSame([...toRegister(0x0102n, 16, 'network')], [1, 2])
  t.strictSame([...toRegister(0x0102n, 16, 'host')], little ? [2, 1] : [1, 2])
  t.strictSame([...toRegister(5n, 12, 'network')], [0, 5])
  for (const order of ['network', 'host', 'none'] as const)
    for (const value of [0n, 1n, 0x1234_5678n, 0xffff_ffff_ffff_ffffn])
      t.equal(fromRegister(toRegister(value, 64, order), 64, order), value, `${value} ${order}`)
  t.equal(fromRegister(Uint8Array.of(1, 2, 9, 9), 16, 'network'), 0x0102n)
})
