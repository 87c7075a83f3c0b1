import t from 'tap'
import { addressOf, cidrOf, contains, outermost } from '../../lib/service/index.js'

t.test('addresses have one form', async t => {
  const cases: readonly [string, string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['010.001.002.003', '10.1.2.3'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['FD00:0:0::1', 'fd00::1'],
    ['10.0.0', undefined],
    ['10.0.0.256', undefined],
    ['web', undefined],
    ['', undefined],
  ]
  for (const [text, address] of cases) t.equal(addressOf(text), address, text)
})

t.test('ranges hold the addresses that begin as they do', async t => {
  const cases: readonly [range: string, address: string, holds: boolean][] = [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['10.0.0.128/25', '10.0.0.128', true],
    ['10.0.0.128/25', '10.0.0.127', false],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/9', 'fd80::1', false],
    ['::/0', '10.0.0.1', false],
  ]
  for (const [range, address, holds] of cases) {
    const cidr = cidrOf(range)
    t.equal(cidr && contains(cidr, address), holds, `${address} in ${range}`)
  }
  for (const bad of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/9', 'x/8', '10.0.0.0/-1'])
    t.equal(cidrOf(bad), undefined, bad)
  t.equal(cidrOf('10.1.2.3/8')?.text, '10.0.0.0/8')
  t.equal(cidrOf('fd00:1:2:3::/32')?.text, 'fd00:1::/32')
})

t.test('of ranges that lie in one another the outermost are left', async t => {
  const cases: readonly [ranges: readonly string[], left: readonly string[]][] = [
    [[], []],
    [['10.0.0.0/8'], ['10.0.0.0/8']],
    [
      ['10.1.0.0/16', '10.0.0.0/8', '11.0.0.0/8', '10.1.2.3/32', '10.0.0.0/8'],
      ['10.0.0.0/8', '11.0.0.0/8'],
    ],
    [
      ['fd00::/64', '0.0.0.0/0', 'fd00::/48', '192.0.2.0/24'],
      ['0.0.0.0/0', 'fd00::/48'],
    ],
  ]
  for (const [ranges, left] of cases) {
    const cidrs = ranges.map(cidrOf).filter(cidr => cidr !== undefined)
    t.same(
      outermost(cidrs).map(({ text }) => text),
      left,
      ranges.join(),
    )
  }
})
