import { isIPv4, isIPv6 } from 'node:net'
import t from 'tap'
import { canonicalAddress, familyOf, formatEndpoint, maskOfPrefix } from '../../lib/netlink/address.js'

t.test('addresses have one canonical form', async t => {
  const table: [text: string, canonical: string | undefined][] = [
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['10.100.9.1', '10.100.9.1'],
    ['010.0.0.1', undefined],
    ['256.0.0.1', undefined],
    ['1.2.3', undefined],
    ['1.2.3.4.5', undefined],
    ['1.2.3.4 ', undefined],
    ['1..2.3', undefined],
    ['', undefined],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::1.2.3.4', '::1.2.3.4'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['1:2:3:4:5:6:7:1.2.3.4', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['1::2::3', undefined],
    [':::', undefined],
    [':1', undefined],
    ['1:', undefined],
    ['12345::', undefined],
    ['fe80::1%eth0', undefined],
    ['[::1]', undefined],
    ['g::', undefined],
  ]
  for (const [text, canonical] of table) t.equal(canonicalAddress(text), canonical, JSON.stringify(text))
})

t.test('what is accepted is what Node accepts, for random texts', async t => {
  let seed = 12345
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  const pieces = ['0', '1', 'ff', 'abcd', '12345', ':', '::', ':', ':', '.', '255', '256', '1.2.3.4', 'g', '00']
  const disagree: string[] = []
  for (let i = 0; i < 50000; i++) {
    const text = Array.from({ length: random(16) }, () => pieces[random(pieces.length)]).join('')
    if ((canonicalAddress(text) !== undefined) !== (isIPv4(text) || isIPv6(text))) disagree.push(text)
  }
  t.strictSame(disagree, [])
})

t.test('canonical addresses are fixed points, for random bytes', async t => {
  const wrong: string[] = []
  for (let i = 0; i < 5000; i++) {
    const words = Array.from({ length: 8 }, (_, w) => ((i >> w) & 1 ? ((i * 7919 + w * 104729) & 0xffff).toString(16) : '0'))
    const canonical = canonicalAddress(words.join(':')) ?? ''
    if (canonicalAddress(canonical) !== canonical || !isIPv6(canonical)) wrong.push(words.join(':'))
  }
  t.strictSame(wrong, [])
})

t.test('prefix lengths become masks', async t => {
  for (const [prefix, mask] of [
    [0, '0.0.0.0'],
    [1, '128.0.0.0'],
    [23, '255.255.254.0'],
    [32, '255.255.255.255'],
  ] as const)
    t.equal(maskOfPrefix(prefix), mask)
})

t.test('families and endpoints', async t => {
  t.equal(familyOf('::1'), 'ipv6')
  t.equal(familyOf('10.0.0.1'), 'ipv4')
  t.equal(formatEndpoint('::1', 80), '[::1]:80')
  t.equal(formatEndpoint('10.0.0.1', 80), '10.0.0.1:80')
})
