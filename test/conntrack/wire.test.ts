/** Messages, byte by byte, and a reader that keeps calm whatever it is given. */
import t from 'tap'
import { checkFilter } from '../../lib/conntrack/filter.js'
import { checkFlow, checkKey, readFlow, writeFlow } from '../../lib/conntrack/flow.js'
import { questionAttributes } from '../../lib/conntrack/wire.js'
import { MessageReader, MessageWriter } from '../../lib/netlink/index.js'

function bytesOf(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter(64)
  // Memory that was used before: what is not written must not be told.
  writer.bytes.fill(0xff)
  write(writer)
  return Buffer.from(writer.written()).toString('hex')
}

const hex = (...parts: string[]): string => parts.join('').replaceAll(' ', '')

const little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
const original = {
  protocol: 'udp',
  source: '10.0.0.1',
  destination: '10.96.0.10',
  sourcePort: 5353,
  destinationPort: 53,
} as const
const tuple = hex(
  '1400 0180 0800 0100 0a000001 0800 0200 0a60000a',
  '1c00 0280 0500 0100 11000000 0600 0200 14e90000 0600 0300 00350000',
)

t.test('messages', { skip: !little && 'the bytes are those of a little-endian machine' }, async t => {
  t.equal(
    bytesOf(writer => writeFlow(writer, checkKey({ original, zone: 7, id: 0x01020304 }))),
    hex('02 00 0000', '3400 0180', tuple, '0800 0c00 01020304', '0600 1200 00070000'),
    'a key',
  )
  t.equal(
    bytesOf(writer =>
      questionAttributes.encode(writer, checkFilter({ protocol: 'udp', original: { destination: '10.96.0.10' } }).attributes),
    ),
    hex(
      '1c00 0180 0c00 0180 0800 0200 0a60000a 0c00 0280 0500 0100 11000000',
      '1000 0280 0c00 0280 0500 0100 11000000',
      '1400 1980 0800 0100 0a000000 0800 0200 08000000',
    ),
    'a filter that the kernel understands',
  )
  t.equal(
    bytesOf(writer =>
      questionAttributes.encode(writer, checkFilter({ original: { destinationPort: 53 }, mark: 1, mask: 3 }).attributes),
    ),
    hex('0800 0800 00000001', '0800 1500 00000003'),
    'without a family it can not compare tuples',
  )
})

t.test('what was written is read', async t => {
  const writer = new MessageWriter(512)
  const config = {
    original: { ...original, protocol: 'tcp' as const },
    reply: { protocol: 'tcp' as const, source: '10.1.0.7', destination: '10.0.0.1', sourcePort: 8053, destinationPort: 5353 },
    timeout: 120,
    state: 'established' as const,
    status: ['seen-reply', 'assured'] as const,
    mark: 0xffff_ffff,
    zone: 3,
    labels: [0, 9, 64, 127],
  }
  writeFlow(writer, checkFlow(config))
  const reader = new MessageReader(writer.written())
  t.strictSame(readFlow(reader, 0, reader.end), { family: 'ipv4', ...config, status: ['seen-reply', 'assured', 'confirmed'] })
})

t.test('the reader gives nothing, or a flow, for any bytes', async t => {
  const writer = new MessageWriter(512)
  writeFlow(writer, checkFlow({ original, timeout: 120 }))
  const whole = writer.written().slice()
  let state = 4711
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  let flows = 0
  for (let i = 0; i < 20_000; i++) {
    const bytes = whole.slice(0, 4 * random(whole.length / 4 + 1))
    for (let j = random(4); j > 0 && bytes.length > 0; j--) bytes[random(bytes.length)] = random(256)
    const reader = new MessageReader(bytes)
    if (readFlow(reader, 0, reader.end)) flows++
  }
  t.ok(flows > 100 && flows < 20_000, `${flows}`)
})
