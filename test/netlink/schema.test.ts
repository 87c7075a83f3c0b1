import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { attributes, be16, cstring, flag, nested, raw, s32, u8, u16, u32, u64 } from '../../lib/netlink/schema.js'

const inner = attributes({ weight: [1, s32], bytes: [2, u64] })
const outer = attributes({
  small: [1, u8],
  half: [2, u16],
  port: [3, be16],
  whole: [4, u32],
  name: [5, cstring],
  data: [6, raw],
  on: [7, flag],
  inner: [8, nested(inner)],
})

function encode(record: Parameters<typeof outer.encode>[1]): Uint8Array {
  const writer = new MessageWriter(16) // too small on purpose
  writer.bytes.fill(0xee)
  outer.encode(writer, record)
  return writer.written().slice()
}

function decode(bytes: Uint8Array, table = outer): unknown {
  const record = table.decode(new MessageReader(bytes), 0, bytes.length)
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

const everything = {
  small: 255,
  half: 65535,
  port: 8080,
  whole: 0xffffffff,
  name: 'wlc',
  data: Uint8Array.of(1, 2, 3),
  on: true as const,
  inner: { weight: -1, bytes: 0xffffffffffffffffn },
}

t.test('what is encoded is decoded again', async t => {
  const back = decode(encode(everything)) as typeof everything
  t.strictSame({ ...back, inner: { weight: back.inner.weight, bytes: back.inner.bytes } }, everything)
})

t.test('payloads are padded with zeros to 4 bytes, lengths are without padding', async t => {
  t.strictSame(Buffer.from(encode({ port: 0x1f90 })).toString('hex'), `0600${'0300'}1f900000`)
  t.strictSame(Buffer.from(encode({ name: 'rr' })).toString('hex'), `0700${'0500'}72720000`)
})

t.test('64-bit numbers keep every bit', async t => {
  for (const bytes of [0n, 1n, 0xffffffffn, 0x100000000n, 0x123456789abcdef0n, 0xffffffffffffffffn]) {
    const back = decode(encode({ inner: { bytes } })) as { inner: { bytes: bigint } }
    t.equal(back.inner.bytes, bytes)
  }
})

t.test('an attribute that the table does not know is kept, and written back byte for byte', async t => {
  const bytes = encode(everything)
  const part = outer.without('inner', 'data')
  const known = attributes({ small: [1, u8] })
  const writer = new MessageWriter(256)
  known.encode(writer, known.decode(new MessageReader(bytes), 0, bytes.length))
  t.strictSame(Buffer.from(writer.written()).toString('hex'), Buffer.from(bytes).toString('hex'))
  t.notOk('unknown' in (decode(bytes, part as typeof outer) as object), 'what was left out on purpose is not kept')
  t.notOk('inner' in (decode(bytes, part as typeof outer) as object))
})

t.test('broken input ends the record instead of the process', async t => {
  const bytes = encode(everything)
  for (let length = 0; length < bytes.length; length++) t.doesNotThrow(() => decode(bytes.slice(0, length)))
  t.strictSame(decode(Uint8Array.of(3, 0, 1, 0)), {}, 'a length below the header')
  t.strictSame(decode(Uint8Array.of(5, 0, 4, 0, 1, 0, 0, 0)), {}, 'a number of one byte where four belong')
})

t.test('a byte offset has a path', async t => {
  const bytes = encode({ small: 1, inner: { weight: 3, bytes: 1n } })
  const reader = new MessageReader(bytes)
  t.equal(outer.path(reader, 0, bytes.length, 0), 'small')
  t.equal(outer.path(reader, 0, bytes.length, 8), 'inner')
  t.equal(outer.path(reader, 0, bytes.length, 12), 'inner.weight')
  t.equal(outer.path(reader, 0, bytes.length, 20), 'inner.bytes')
  t.equal(outer.path(reader, 0, bytes.length, 999), undefined)
  t.equal(outer.nameOf(8), 'inner')
  t.equal(outer.nameOf(99), undefined)
})

t.test('unaligned input is read all the same', async t => {
  const bytes = encode(everything)
  const shifted = new Uint8Array(bytes.length + 1)
  shifted.set(bytes, 1)
  t.equal((decode(shifted.subarray(1)) as typeof everything).whole, 0xffffffff)
})
