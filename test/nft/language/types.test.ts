import t from 'tap'
import { BadValue } from '../../../lib/netlink/schema.js'
import type { Immediate } from '../../../lib/nft/json/index.js'
import { REJECT_CODES, typeNamed, typeNumbered } from '../../../lib/nft/vocabulary/types.js'
import type { Devices, ValueType } from '../../../lib/nft/vocabulary/value-type.js'

const devices: Devices = {
  indexOf: name => (name === 'eth0' ? 3 : undefined),
  nameOf: index => (index === 3 ? 'eth0' : undefined),
}
const known = (name: string): ValueType => {
  const type = name === 'date' ? typeNumbered(43) : typeNamed(name)
  if (type === undefined) throw new Error(`there is no type ${name}`)
  return type
}

/** What a `BadValue` says of a constant. */
function refusal(type: ValueType, given: Immediate): string | undefined {
  try {
    type.parse(given, type.bits, devices)
  } catch (error) {
    if (error instanceof BadValue) return error.message
    throw error
  }
  return undefined
}

/** What nft 1.1.3 makes of words and numbers. JSON: where it is not what was given. */
type Row = readonly [type: string, given: Immediate, value: bigint, text: string, json?: Immediate]
const CONSTANTS: readonly Row[] = [
  ['integer', 7, 7n, '7'],
  ['integer', '0x1f', 31n, '31', 31],
  ['integer', '0b101', 5n, '5', 5],
  ['integer', '017', 15n, '15', 15],
  ['integer', ' 8', 8n, '8', 8],
  ['integer', '18446744073709551615', 0xffff_ffff_ffff_ffffn, '18446744073709551615'],
  ['integer', '0x10000000000000000', 1n << 64n, '18446744073709551616'],
  ['ipv4_addr', '192.0.2.1', 0xc000_0201n, '192.0.2.1'],
  ['ipv6_addr', '2001:DB8:0::1', (0x2001_0db8n << 96n) | 1n, '2001:db8::1', '2001:db8::1'],
  ['ether_addr', '2:0:0:0:0:a', 0x0200_0000_000an, '02:00:00:00:00:0a', '02:00:00:00:00:0a'],
  ['ether_type', 'ip6', 0x86ddn, 'ip6'],
  ['ether_type', 'vlan', 0x8100n, '8021q', '8021q'],
  ['ether_type', 0x88cc, 0x88ccn, '0x88cc'],
  ['arp_op', 'nak', 10n, 'nak'],
  ['inet_proto', 'tcp', 6n, 'tcp'],
  ['inet_proto', 'icmpv6', 58n, 'ipv6-icmp', 'ipv6-icmp'],
  ['inet_proto', 253, 253n, '253'],
  ['inet_service', 443, 443n, '443'],
  ['icmp_type', 'echo-request', 8n, 'echo-request'],
  ['icmp_type', 77, 77n, '77'],
  ['icmp_code', 3, 3n, '3'],
  ['icmpv6_type', 'mld-listener-reduction', 132n, 'mld-listener-done', 'mld-listener-done'],
  ['igmp_type', 'leave-group', 23n, 'leave-group'],
  ['tcp_flag', 'syn', 2n, 'syn'],
  ['tcp_flag', 0x12, 0x12n, '0x12'],
  ['dccp_pkttype', 'closereq', 5n, 'closereq'],
  ['mh_type', 'home-test', 3n, 'home-test'],
  ['time', 90, 90_000n, '1m30s'],
  ['time', '1d2h3m4s', 93_784_000n, '1d2h3m4s', 93_784],
  ['time', 0, 0n, '0s'],
  ['date', '2026-01-31 10:00:00', BigInt(new Date(2026, 0, 31, 10).getTime()) * 1_000_000n, '"2026-01-31 10:00:00"'],
  ['day', 'Saturday', 6n, '"Saturday"'],
  ['mark', 16, 16n, '0x00000010'],
  ['iface_index', 'eth0', 3n, '"eth0"'],
  ['iface_index', 9, 9n, '9', '9'],
  ['iface_type', 'loopback', 772n, 'loopback'],
  ['realm', 9, 9n, '9', '9'],
  ['classid', '1:a', 0x1_000an, '1:a'],
  ['classid', 'root', 0xffff_ffffn, 'root'],
  ['classid', 'none', 0n, 'none'],
  ['uid', 1000, 1000n, '1000'],
  ['uid', 'root', 0n, '0', 0],
  ['ct_state', 'untracked', 64n, 'untracked'],
  ['ct_status', 'dnat', 32n, 'dnat'],
  ['ct_dir', 'reply', 1n, 'reply'],
  ['ct_event', 'seqadj', 256n, 'seqadj'],
  ['ct_label', 5, 32n, '5'],
  ['pkt_type', 'unicast', 0n, 'host', 'host'],
  ['dscp', 'be', 0n, 'cs0', 'cs0'],
  ['dscp', 63, 63n, '0x3f'],
  ['ecn', 'ce', 3n, 'ce'],
  ['fib_addrtype', 'local', 2n, 'local'],
  ['boolean', true, 1n, 'exists'],
  ['boolean', 'missing', 0n, 'missing', false],
  ['boolean', 2, 1n, 'exists', true],
  ['nf_proto', 'ipv6', 10n, 'ipv6'],
]

t.test('constants are read, printed as JSON and as text as nft does', async t => {
  for (const [name, given, value, text, json = given] of CONSTANTS) {
    const type = known(name)
    const bits = type.bits || 128
    const what = `${name} ${given}`
    t.equal(type.parse(given, bits, devices), value, what)
    t.equal(type.print(value, bits, devices), text, what)
    if (name !== 'integer' || value < 1n << 64n) t.equal(type.json(value, bits, devices), json, what)
  }
})

t.test('text is filled up with zeros, printed up to them and quoted', async t => {
  const ifname = known('ifname')
  const value = ifname.parse('lo', 128)
  t.equal(value, 0x6c6fn << 112n)
  t.equal(ifname.print(value, 128), '"lo"')
  t.equal(ifname.json(value, 128), 'lo')
  t.match(refusal(ifname, 'more-than-16-characters'), /give at most 16 bytes/)
})

t.test('an hour is of UTC for the kernel and local for people', async t => {
  const hour = known('hour')
  for (const text of ['00:00', '17:30', '23:59:59']) t.equal(hour.print(hour.parse(text, 32), 32), `"${text}"`)
  t.equal(hour.parse(3600, 32), 3600n)
  t.equal(hour.parse(90_000, 32), 90_000n, 'a number stands for itself, however long a day is')
})

t.test('codes of every ICMP are read as words, and listed as numbers', async t => {
  t.equal(known('icmpx_code').parse('admin-prohibited', 8), 3n)
  t.equal(known('icmpx_code').json(3n, 8), 3)
})

t.test('flags have their names from the lowest bit on, or none where a bit has no name', async t => {
  t.strictSame(known('tcp_flag').names?.(0x13n), ['fin', 'syn', 'ack'])
  t.strictSame(known('ct_state').names?.(0x0en), ['established', 'related', 'new'])
  t.equal(known('ct_state').names?.(0x80n), undefined)
})

t.test('as bounds of ranges words are numbers', async t => {
  const rows: readonly (readonly [string, Immediate, string])[] = [
    ['inet_proto', 'tcp', '6'],
    ['day', 'Monday', '1'],
    ['time', 90, '90s'],
    ['ether_type', 'ip', '0x0800'],
    ['dscp', 'cs1', '0x08'],
    ['classid', '1:2', '1:2'],
  ]
  for (const [name, given, text] of rows) {
    const type = known(name)
    t.equal(type.printNumber(type.parse(given, type.bits), type.bits), text, name)
  }
})

t.test('only reject has words for codes', async t => {
  t.equal(REJECT_CODES.icmp.print(3n, 8), 'port-unreachable')
  t.equal(REJECT_CODES.icmpv6.parse('reject-route', 8), 6n)
  t.equal(REJECT_CODES.icmpx.parse('host-unreachable', 8), 2n)
})

const REFUSED: readonly (readonly [type: string, given: Immediate, message: RegExp])[] = [
  ['ct_state', 'establishd', /"establishd" is no ct_state: did you mean established\?/],
  ['inet_service', 65_536, /65536: give 0 to 65535/],
  ['inet_service', -1, /-1 is no inet_service/],
  ['inet_service', 1.5, /1.5 is no inet_service/],
  ['ipv4_addr', '10.0.0.256', /"10.0.0.256" is no ipv4_addr: give an address, as "192.0.2.1"/],
  ['ipv6_addr', '10.0.0.1', /is no ipv6_addr/],
  ['ether_addr', '02:00:00:00:00:00:01', /give 6 bytes/],
  ['mark', true, /true is no mark/],
  ['dscp', 64, /give 0 to 63/],
  ['day', 7, /give a day, or 0 for Sunday to 6 for Saturday/],
  ['hour', '25:00', /is no hour: give text, as "17:30"/],
  ['date', 'tomorrow', /is no date/],
  ['time', '5 minutes', /is no time: give a number of seconds, or text, as "1d2h3m4s"/],
  ['iface_index', 'eth7', /there is no such network device/],
  ['ct_label', 128, /is no ct_label/],
  ['ifname', true, /give text/],
]

t.test('what is no constant of a type is refused with the remedy', async t => {
  for (const [name, given, message] of REFUSED) {
    const type = known(name)
    t.match(refusal(type, given), message, `${name} ${given}`)
  }
})

t.test('types are found by their words and their numbers; time is the word of durations', async t => {
  for (let number = 1; number <= 46; number++) {
    const type = typeNumbered(number)
    if (number !== 43) t.equal(type && typeNamed(type.name), type, String(number))
  }
  t.equal(typeNamed('time')?.number, 18)
  t.equal(typeNumbered(43)?.name, 'time')
  t.equal(typeNamed('nothing'), undefined)
  t.equal(typeNumbered(47), undefined)
})
