import t from 'tap'
import { readFlowtable, writeFlowtable, writeFlowtableKey } from '../../../lib/nft/objects/flowtable.js'
import type { Flowtable } from '../../../lib/nft/types.js'
import { attribute, hex, readBack, refusal, written } from './harness.js'

const NESTED = 0x8000
const names = attribute(1, '7400') + attribute(2, '6600')
const common = { family: 'inet', table: 't', name: 'f' } as const

t.test('a flowtable is written as nft writes it, and read again', async t => {
  const flowtable: Flowtable = {
    ...common,
    hook: 'ingress',
    priority: 7,
    devices: ['eth0', 'lo'],
    flags: ['hardware-offload', 'counter'],
  }
  const devices = attribute(1, '6574683000') + attribute(1, '6c6f00')
  const hook = attribute(1, '00000000') + attribute(2, '00000007') + attribute(3 | NESTED, devices)
  const bytes = written(writer => writeFlowtable(writer, { ...flowtable, priority: 'filter + 7', handle: 3, use: 1 }))
  t.equal(hex(bytes), names + attribute(3 | NESTED, hook) + attribute(7, '00000003'))
  t.strictSame(
    readBack(bytes, (...where) => readFlowtable('inet', ...where)),
    flowtable,
  )
})

t.test('without hook, priority and devices the kernel is still told the first two', async t => {
  const hook = attribute(1, '00000000') + attribute(2, '00000000')
  for (const devices of [undefined, []])
    t.equal(hex(written(writer => writeFlowtable(writer, { ...common, devices }))), names + attribute(3 | NESTED, hook))
})

t.test('a device that ends in * is a prefix', async t => {
  const hook = attribute(1, '00000000') + attribute(2, 'ffffffff') + attribute(3 | NESTED, attribute(2, '65746800'))
  const flowtable: Flowtable = { ...common, hook: 'ingress', priority: -1, devices: ['eth*'] }
  const bytes = written(writer => writeFlowtable(writer, flowtable))
  t.equal(hex(bytes), names + attribute(3 | NESTED, hook))
  t.strictSame(
    readBack(bytes, (...where) => readFlowtable('inet', ...where)),
    flowtable,
  )
})

t.test('what is not known is kept where it stood', async t => {
  const flowtable: Flowtable = {
    ...common,
    hook: 3,
    priority: 0,
    flags: [8],
    unknown: [
      { type: 33, data: new Uint8Array([3]) },
      { type: 44, data: new Uint8Array([4]), within: 'hook' },
    ],
  }
  const bytes = written(writer => writeFlowtable(writer, flowtable))
  const hook = attribute(1, '00000003') + attribute(2, '00000000') + attribute(44, '04')
  t.equal(hex(bytes), names + attribute(3 | NESTED, hook) + attribute(7, '00000008') + attribute(33, '03'))
  t.strictSame(
    readBack(bytes, (...where) => readFlowtable('inet', ...where)),
    flowtable,
  )
})

t.test('a key is a name or a handle, or some of its devices', async t => {
  t.equal(hex(written(writer => writeFlowtableKey(writer, { ...common, devices: ['eth0'] } as object as typeof common))), names)
  t.equal(hex(written(writer => writeFlowtableKey(writer, common))), names)
  t.equal(
    hex(written(writer => writeFlowtableKey(writer, { table: 't', handle: 5 }))),
    attribute(1, '7400') + attribute(5, '0000000000000005'),
  )
  t.equal(
    hex(written(writer => writeFlowtableKey(writer, { ...common, onlyDevices: ['lo'] }))),
    names + attribute(3 | NESTED, attribute(3 | NESTED, attribute(1, '6c6f00'))),
  )
})

t.test('what would mean something else is refused', async t => {
  t.equal(refusal(writer => writeFlowtableKey(writer, { ...common, onlyDevices: [] }))?.path, 'onlyDevices')
  t.equal(
    refusal(writer => writeFlowtableKey(writer, { ...common, onlyDevices: ['lo', 'a/very/long/name'] }))?.path,
    'onlyDevices[1]',
  )
  t.equal(
    refusal(writer => writeFlowtable(writer, { ...common, onlyDevices: ['lo'] } as object as Flowtable))?.path,
    'onlyDevices',
  )
  t.equal(refusal(writer => writeFlowtableKey(writer, { table: 't' }))?.path, 'name')
  t.equal(refusal(writer => writeFlowtable(writer, { ...common, hook: 'egress' as 'ingress' }))?.path, 'hook')
  t.equal(refusal(writer => writeFlowtable(writer, { ...common, devices: ['lo', 'a-name-of-16-byt'] }))?.path, 'devices[1]')
  t.equal(refusal(writer => writeFlowtable(writer, { ...common, devices: 'lo' as never }))?.path, 'devices')
  t.equal(refusal(writer => writeFlowtable(writer, { ...common, priority: 'dstnat' }))?.path, 'priority')
})
