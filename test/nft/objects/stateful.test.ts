import t from 'tap'
import { readObject, writeObject, writeObjectKey } from '../../../lib/nft/objects/stateful.js'
import type { ObjectType, StatefulObject } from '../../../lib/nft/types.js'
import { attribute, fromHex, hex, readBack, refusal, written } from './harness.js'

const NESTED = 0x8000
const common = { family: 'inet', table: 't', name: 'o' } as const

/** An object, the number of its type, and its data as it stands in the message. */
const objects: readonly [object: StatefulObject, type: string, data: string][] = [
  [{ ...common, type: 'counter' }, '01', ''],
  [
    { ...common, type: 'counter', bytes: 5n, packets: 3n },
    '01',
    attribute(1, '0000000000000005') + attribute(2, '0000000000000003'),
  ],
  [
    { ...common, type: 'quota', bytes: 1000n, flags: ['over'], used: 10n },
    '02',
    attribute(1, '00000000000003e8') + attribute(2, '00000001') + attribute(4, '000000000000000a'),
  ],
  [
    { ...common, type: 'ct helper', helper: 'ftp', layer3: 'ip6', protocol: 6 },
    '03',
    attribute(1, '66747000') + attribute(2, '000a') + attribute(3, '06'),
  ],
  [
    { ...common, type: 'limit', rate: 10n, unit: 60n, burst: 7, of: 'bytes', flags: ['invert'] },
    '04',
    attribute(1, '000000000000000a') +
      attribute(2, '000000000000003c') +
      attribute(3, '00000007') +
      attribute(4, '00000001') +
      attribute(5, '00000001'),
  ],
  [{ ...common, type: 'connlimit', count: 9, flags: ['invert'] }, '05', attribute(1, '00000009') + attribute(2, '00000001')],
  [{ ...common, type: 'tunnel', data: fromHex(attribute(1, '0000002a')) }, '06', attribute(1, '0000002a')],
  [
    { ...common, type: 'ct timeout', layer3: 'inet', protocol: 17, policy: { 1: 30, 2: 0xffffffff } },
    '07',
    attribute(1, '0001') + attribute(2, '11') + attribute(3 | NESTED, attribute(1, '0000001e') + attribute(2, 'ffffffff')),
  ],
  [{ ...common, type: 'ct timeout', protocol: 17, policy: {} }, '07', attribute(2, '11') + attribute(3 | NESTED, '')],
  [{ ...common, type: 'secmark', context: 'a:b' }, '08', attribute(1, '613a6200')],
  [
    // The time-out alone is in the machine's order.
    { ...common, type: 'ct expectation', layer3: 'ip', protocol: 6, port: 5432, timeout: 30, size: 3 },
    '09',
    attribute(1, '0002') + attribute(2, '06') + attribute(3, '1538') + attribute(4, '1e000000') + attribute(5, '03'),
  ],
  [
    { ...common, type: 'synproxy', mss: 1460, windowScale: 7, flags: ['mss', 'window-scale', 'sack-permitted', 'timestamp', 32] },
    '0a',
    attribute(1, '05b4') + attribute(2, '07') + attribute(3, '0000002f'),
  ],
  [{ ...common, type: 99, data: fromHex('') }, '63', ''],
]

for (const [object, type, data] of objects) {
  t.test(`${object.type} is written as the kernel reads it, and read again`, async t => {
    const bytes = written(writer => writeObject(writer, object))
    t.equal(hex(bytes), attribute(1, '7400') + attribute(2, '6f00') + attribute(3, `000000${type}`) + attribute(4 | NESTED, data))
    t.strictSame(
      readBack(bytes, (...where) => readObject('inet', ...where)),
      object,
    )
  })
}

t.test('comments, other user data and attributes that are not known are kept where they stood', async t => {
  const object: StatefulObject = {
    ...common,
    type: 'counter',
    packets: 1n,
    comment: 'hé',
    userData: [{ type: 7, data: new Uint8Array([1, 2]) }],
    unknown: [
      { type: 33, data: new Uint8Array([3]) },
      { type: 44, data: new Uint8Array([4, 5]), within: 'data' },
    ],
  }
  const bytes = written(writer => writeObject(writer, object))
  t.equal(
    hex(bytes),
    attribute(1, '7400') +
      attribute(2, '6f00') +
      attribute(3, '00000001') +
      attribute(4 | NESTED, attribute(2, '0000000000000001') + attribute(44, '0405')) +
      attribute(8, '000468c3a90007020102') +
      attribute(33, '03'),
  )
  t.strictSame(
    readBack(bytes, (...where) => readObject('inet', ...where)),
    object,
  )
})

t.test('data that are no attributes are kept', async t => {
  const broken = attribute(3, '00000002') + attribute(4, 'ffff')
  const { data } = readBack(fromHex(broken), (...where) => readObject('ip', ...where)) as { data?: Uint8Array }
  t.equal(data && hex(data), 'ffff')
})

t.test('a time-out of a width that no kernel has is kept', async t => {
  const policy = attribute(1, '001e')
  const bytes = fromHex(attribute(3, '00000007') + attribute(4, attribute(2, '11') + attribute(3 | NESTED, policy)))
  const object = readBack(bytes, (...where) => readObject('ip', ...where))
  t.match(object, { type: 'ct timeout', data: fromHex(attribute(2, '11') + attribute(3 | NESTED, policy)) })
  const rewritten = written(writer => writeObject(writer, { ...(object as StatefulObject), ...common }))
  t.ok(hex(rewritten).includes(attribute(3 | NESTED, policy)), 'and written back')
})

t.test('what the kernel tells is not written', async t => {
  const object: StatefulObject = { ...common, type: 'counter' }
  t.strictSame(
    written(writer => writeObject(writer, { ...object, handle: 5, use: 2 })),
    written(writer => writeObject(writer, object)),
  )
})

t.test('a key has the type beside the name or the handle', async t => {
  const type = attribute(3, '00000001')
  t.equal(
    hex(written(writer => writeObjectKey(writer, { ...common, type: 'counter' }))),
    attribute(1, '7400') + attribute(2, '6f00') + type,
  )
  t.equal(
    hex(written(writer => writeObjectKey(writer, { table: 't', type: 'counter', handle: 5 }))),
    attribute(1, '7400') + type + attribute(6, '0000000000000005'),
  )
})

const refused: readonly [fields: Record<string, unknown>, path: string, message: RegExp][] = [
  [{ type: 'coutner' }, 'type', /"coutner": give one of counter, quota/],
  [{ type: 'toString' }, 'type', /give one of/],
  [{ type: 'counter', packets: -1n }, 'packets', /give a bigint/],
  [{ type: 'counter', rate: 1n }, 'rate', /no such field: the fields are bytes, packets/],
  [{ type: 'quota' }, 'bytes', /missing/],
  [{ type: 'limit', rate: 1n }, 'unit', /missing/],
  [{ type: 'limit', rate: 1n, unit: 1n, of: 'frames' }, 'of', /packets, bytes/],
  [{ type: 'ct helper', helper: 'a-helper-of-17-by', protocol: 6 }, 'helper', /too long: at most 15/],
  [{ type: 'ct helper', helper: 'ftp', protocol: 256 }, 'protocol', /from 0 to 255/],
  [{ type: 'ct timeout', protocol: 6, policy: { established: 9 } }, 'policy.established', /no state/],
  [{ type: 'ct timeout', protocol: 6, policy: { 3: -1 } }, 'policy.3', /whole number/],
  [{ type: 'ct timeout', protocol: 6, policy: [1] }, 'policy', /give an object/],
  [{ type: 'ct expectation', protocol: 6, port: 65536, timeout: 1, size: 1 }, 'port', /from 0 to 65535/],
  [{ type: 'tunnel' }, 'data', /Uint8Array/],
  [{ type: 'counter', comment: 'x'.repeat(128) }, 'comment', /at most 127/],
]

for (const [fields, path, message] of refused) {
  t.test(`refused: ${fields.type as ObjectType} at ${path}, ${message.source}`, async t => {
    t.match(
      refusal(writer => writeObject(writer, { ...common, ...fields } as StatefulObject)),
      { path, message },
    )
  })
}

t.test('a key without name and handle would mean any', async t => {
  t.equal(refusal(writer => writeObjectKey(writer, { table: 't', type: 'counter' }))?.path, 'name')
})
