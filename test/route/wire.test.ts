/** Messages, byte by byte, as iproute2 sends them, and readers that keep calm whatever they are given. */
import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/index.js'
import { checkAddress, readAddress, writeAddress } from '../../lib/route/addresses.js'
import { checkNewLink, readLink, writeNewLink } from '../../lib/route/links.js'
import { checkNewRoute, readRoute, writeRoute } from '../../lib/route/routes.js'
import { checkNewRule, readRule, writeRule } from '../../lib/route/rules.js'

function bytesOf(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter(64)
  // Memory that was used before: what is not written must not be told.
  writer.bytes.fill(0xff)
  write(writer)
  return Buffer.from(writer.written()).toString('hex')
}

/** The pieces of a message, without what stands between them. */
const hex = (...parts: string[]): string => parts.join('').replaceAll(' ', '')

const little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

t.test('messages', { skip: !little && 'the bytes are those of a little-endian machine' }, async t => {
  t.equal(
    bytesOf(writer => writeRoute(writer, checkNewRoute({ destination: '10.96.0.0/12', type: 'local', device: 'lo' }), () => 1)),
    // family 2, 12 bits, table 255, protocol boot, scope host, type local
    hex('02 0c 00 00 ff 03 fe 02 00000000', '0800 0100 0a600000', '0800 0400 01000000', '0800 0f00 ff000000'),
    'ip route add local 10.96.0.0/12 dev lo',
  )
  t.equal(
    bytesOf(writer => {
      const nexthops = [
        { gateway: '10.1.0.2', device: 7 },
        { gateway: '10.1.0.3', weight: 3 },
      ]
      writeRoute(writer, checkNewRoute({ destination: '0.0.0.0/0', nexthops, table: 1000 }), Number)
    }),
    hex(
      '02 00 00 00 00 03 00 01 00000000',
      '2400 0900',
      '1000 00 00 07000000 0800 0500 0a010002',
      '1000 00 02 00000000 0800 0500 0a010003',
      '0800 0f00 e8030000',
    ),
    'ip route add default table 1000 nexthop via 10.1.0.2 dev … nexthop via 10.1.0.3 weight 3',
  )
  t.equal(
    bytesOf(writer =>
      writeRoute(writer, checkNewRoute({ destination: '10.9.0.0/16', gateway: 'fe80::1', device: 'a' }), () => 7),
    ),
    hex(
      '02 10 00 00 fe 03 00 01 00000000',
      '0800 0100 0a090000',
      '0800 0400 07000000',
      '0800 0f00 fe000000',
      '1600 1200 0a00 fe800000000000000000000000000001 0000',
    ),
    'ip route add 10.9.0.0/16 via inet6 fe80::1 dev …',
  )
  t.equal(
    bytesOf(writer => writeAddress(writer, checkAddress({ device: 'a', address: '10.1.0.1', prefixLength: 24 }), 7, true)),
    hex('02 18 00 00 07000000', '0800 0100 0a010001', '0800 0200 0a010001', '0800 0800 00000000'),
    'ip addr add 10.1.0.1/24 dev …',
  )
  t.equal(
    bytesOf(writer => {
      const rule = {
        family: 'ipv4',
        priority: 100,
        mark: 0x4000,
        mask: 0x4000,
        table: 100,
        destinationPorts: { from: 80, to: 443 },
      } as const
      writeRule(writer, checkNewRule(rule))
    }),
    hex(
      '02 00 00 00 64 00 00 01 00000000',
      '0800 0600 64000000',
      '0800 0a00 00400000',
      '0800 0f00 64000000',
      '0800 1000 00400000',
      '0500 1500 03000000',
      '0800 1800 5000 bb01',
    ),
    'ip rule add pref 100 fwmark 0x4000/0x4000 dport 80-443 table 100',
  )
  t.equal(
    bytesOf(writer => writeNewLink(writer, checkNewLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' } }), undefined)),
    hex(
      '00000000 00000000 00000000 00000000',
      '0700 0300 61300000',
      '3000 1280 0900 0100 7665746800 000000',
      '2000 0200 1c00 0100 00000000 00000000 00000000 00000000',
      '0700 0300 61310000',
    ),
    'ip link add a0 type veth peer name a1',
  )
})

t.test('readers give nothing, or an object, for any bytes', async t => {
  const nexthops = [
    { gateway: '10.1.0.2', device: 7 },
    { gateway: 'fe80::1', device: 8 },
  ]
  const pairs = [
    [
      readLink,
      (writer: MessageWriter) => writeNewLink(writer, checkNewLink({ name: 'a0', kind: 'veth', peer: { name: 'a1' } }), 3),
    ],
    [
      readAddress,
      (writer: MessageWriter) =>
        writeAddress(writer, checkAddress({ device: 7, address: '10.1.0.1', validLifetime: 9 }), 7, true),
    ],
    [
      readRoute,
      (writer: MessageWriter) => writeRoute(writer, checkNewRoute({ destination: '10.0.0.0/8', nexthops, mtu: 1400 }), Number),
    ],
    [
      readRule,
      (writer: MessageWriter) => writeRule(writer, checkNewRule({ from: '10.0.0.0/8', table: 7, users: { from: 1, to: 2 } })),
    ],
  ] as const
  let state = 4711
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  for (const [read, write] of pairs) {
    const writer = new MessageWriter(512)
    write(writer)
    let objects = 0
    for (let i = 0; i < 5000; i++) {
      const bytes = writer.written().slice(0, 4 * random(writer.offset / 4 + 1))
      for (let j = random(4); j > 0 && bytes.length > 0; j--) bytes[random(bytes.length)] = random(256)
      const reader = new MessageReader(bytes)
      if (read(reader, 0, reader.end)) objects++
    }
    t.ok(objects > 100 && objects < 5000, `${read.name}: ${objects}`)
  }
})
