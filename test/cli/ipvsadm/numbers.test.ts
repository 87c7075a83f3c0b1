import t from 'tap'
import { dottedQuad, leadingNumber, wholeNumber } from '../../../lib/cli/ipvsadm/numbers.js'

t.test('a whole number is read as strtol does, and has to be in range', async t => {
  for (const [text, expected] of [
    ['0', 0],
    ['5', 5],
    [' \t5', 5],
    ['+5', 5],
    ['007', 7],
    ['10', 10],
    ['11', undefined],
    ['-1', undefined],
    ['', undefined],
    ['5 ', undefined],
    ['5x', undefined],
    ['0x5', undefined],
    ['1e1', undefined],
    ['99999999999999999999999', undefined],
  ] as const)
    t.equal(wholeNumber(text, 0, 10), expected, JSON.stringify(text))
})

t.test('the number that a text begins with is read as atoi does', async t => {
  for (const [text, expected] of [
    ['64abc', 64],
    [' 12', 12],
    ['-3', -3],
    ['abc', 0],
    ['', 0],
  ] as const)
    t.equal(leadingNumber(text), expected, JSON.stringify(text))
})

t.test('an IPv4 address is read as inet_aton does', async t => {
  for (const [text, expected] of [
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.772', '1.2.3.4'],
    ['1.131844', '1.2.3.4'],
    ['16909060', '1.2.3.4'],
    ['0x01020304', '1.2.3.4'],
    ['01.02.03.04', '1.2.3.4'],
    ['0x1.0x2.0x3.0x4', '1.2.3.4'],
    ['255.255.255.255', '255.255.255.255'],
    ['4294967295', '255.255.255.255'],
    ['0', '0.0.0.0'],
    ['24', '0.0.0.24'],
    ['1.2.3.4 and more', '1.2.3.4'],
    ['4294967296', undefined],
    ['1.2.3.256', undefined],
    ['1.2.65536', undefined],
    ['256.1', undefined],
    ['1.2.3.4.5', undefined],
    ['1.2.3.', undefined],
    ['1..2', undefined],
    ['08', undefined],
    ['1.2.3.x', undefined],
    ['', undefined],
    ['host', undefined],
  ] as const)
    t.equal(dottedQuad(text), expected, JSON.stringify(text))
})
