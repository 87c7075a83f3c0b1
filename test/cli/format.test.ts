import t from 'tap'
import { count, human, localTime, seconds, styled } from '../../lib/cli/format.js'

t.test('a number has at most four characters, with a unit by powers of 1000', async t => {
  const table: [value: number, text: string][] = [
    [0, '0'],
    [0.04, '0'],
    [0.5, '0.5'],
    [7, '7'],
    [9.94, '9.9'],
    [9.96, '10'],
    [12.4, '12'],
    [999, '999'],
    [999.6, '1.0K'],
    [1000, '1.0K'],
    [1234, '1.2K'],
    [9960, '10K'],
    [34_567, '35K'],
    [999_999, '1.0M'],
    [5.6e9, '5.6G'],
    [1e18, '1.0E'],
  ]
  for (const [value, text] of table) t.equal(human(value), text, String(value))
})

t.test('seconds have a decimal where it says something', async t => {
  for (const [value, text] of [
    [0, '0 s'],
    [0.5, '0.5 s'],
    [2, '2 s'],
    [9.87, '9.9 s'],
    [12.34, '12 s'],
    [300, '300 s'],
  ] as const)
    t.equal(seconds(value), text)
})

t.test('one is one, and everything else is many', async t => {
  t.strictSame(
    [0, 1, 2].map(number => count(number, 'connection')),
    ['0 connections', '1 connection', '2 connections'],
  )
})

t.test('a local time names the same moment', async t => {
  const date = new Date(Date.UTC(2025, 10, 25, 17, 11, 33, 123))
  const text = localTime(date)
  t.match(text, /^2025-11-2\dT\d\d:\d\d:33\.123[+-]\d\d:\d\d$/)
  t.equal(new Date(text).getTime(), date.getTime())
})

t.test('a style is there only where colours are wanted', async t => {
  t.equal(styled('text', 'red', false), 'text')
  t.equal(styled('text', 'red', true), '\x1b[31mtext\x1b[0m')
})
