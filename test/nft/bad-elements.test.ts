import t from 'tap'
import { BadValue } from '../../lib/netlink/schema.js'
import type { Element, Elements } from '../../lib/nft/types.js'
import { addresses, endpoints, ranges, readAll, write } from './objects/element-lists.js'

type Set = Elements['set']

/** What is refused. */
function refused(set: unknown, elements: readonly unknown[]): string | undefined {
  try {
    write(set as Set, elements as Element[])
    return undefined
  } catch (error) {
    if (error instanceof BadValue) return `${error.path}: ${error.message}`
    throw error
  }
}

const OVERLAPPING: Readonly<Record<string, readonly [keys: unknown[], message: RegExp]>> = {
  'one within another': [
    ['10.0.0.0/8', '12.0.0.0/8', '10.1.0.0/16'],
    /^elements\[2\].key: "10.1.0.0\/16": overlaps elements\[0\].key, "10.0.0.0\/8"$/,
  ],
  'the one before': [
    ['10.1.0.0/16', '1.0.0.0', '10.0.0.0/8'],
    /^elements\[2\].key: .* overlaps elements\[0\].key, "10.1.0.0\/16"$/,
  ],
  'twice the same': [
    ['10.0.0.1', '10.0.0.2', '10.0.0.1'],
    /^elements\[2\].key: "10.0.0.1": overlaps elements\[0\].key, "10.0.0.1"$/,
  ],
  'the end of one and the beginning of another': [
    [
      { from: '10.0.0.1', to: '10.0.0.5' },
      { from: '10.0.0.5', to: '10.0.0.6' },
    ],
    /^elements\[1\].key: .*overlaps elements\[0\].key/,
  ],
  'at the end of all': [['255.0.0.0/8', '1.0.0.0', '255.255.255.255'], /^elements\[2\].key: .*overlaps elements\[0\].key/],
}

for (const [what, [keys, message]] of Object.entries(OVERLAPPING))
  t.test(`intervals of one command that overlap are refused, and both are named: ${what}`, async t => {
    t.match(
      refused(
        ranges,
        keys.map(given => ({ key: given })),
      ),
      message,
    )
    t.equal(refused({ ...ranges, flags: [] }, [{ key: '10.0.0.1' }, { key: '10.0.0.1' }]), undefined, 'only intervals')
  })

/** Numbers that look random, and are always the same. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state
  }
}

t.test('intervals in any order that touch each other are taken, and of those that overlap by one the two are found', async t => {
  const random = numbers(7)
  const next = (below: number): number => random.next().value % below
  for (let round = 0; round < 10; round++) {
    const count = 2 + next(700)
    const keys: { from: number; to: number }[] = []
    for (let at = 0; keys.length < count; ) {
      const from = at + next(2) * next(5)
      keys.push({ from, to: from + next(4) })
      at = (keys.at(-1)?.to ?? 0) + 1
    }
    const order = keys.map(range => ({ range, by: next(1 << 30) })).sort((a, b) => a.by - b.by)
    const set: Set = { ...ranges, key: 'mark' }
    const shuffled = order.map(({ range }): Element => ({ key: range.from === range.to ? range.from : range }))
    t.strictSame(readAll(set, write(set, shuffled)), shuffled)
    const [first, second] = [next(count), next(count)]
    if (first === second) continue
    const victim = order[first]?.range as { from: number; to: number }
    const twice = shuffled.map((given, i): Element => (i === second ? { key: victim.to } : given))
    t.match(refused(set, twice), /^elements\[\d+\].key: .*: overlaps elements\[\d+\].key, /)
    const [, a, b] = /\[(\d+)\].*\[(\d+)\]/.exec(refused(set, twice) ?? '') ?? []
    t.strictSame(
      [Number(b), Number(a)].sort((x, y) => x - y),
      [first, second].sort((x, y) => x - y),
    )
  }
})

t.test('what can not be an element is refused with its place', async t => {
  const verdicts = { ...addresses, data: 'verdict' }
  const cases: readonly (readonly [set: unknown, element: unknown, message: RegExp])[] = [
    [addresses, null, /^elements\[1\]: null: give an element, as \{ key: … \}$/],
    [addresses, {}, /^elements\[1\].key: is missing$/],
    [addresses, { key: '10.0.0' }, /^elements\[1\].key: "10.0.0": give an IPv4 address/],
    [addresses, { key: new Uint8Array(5) }, /^elements\[1\].key: 5 bytes: give /],
    [addresses, { key: '10.0.0.0/8' }, /^elements\[1\].key: .*prefixes are for sets with the flag "interval", and for data/],
    [
      addresses,
      { key: { from: '10.0.0.1', to: '10.0.0.2' } },
      /^elements\[1\].key: .*: ranges are for sets with the flag "interval"/,
    ],
    [addresses, { key: '10.0.0.1', data: 5 }, /^elements\[1\].data: it is no map to data$/],
    [addresses, { key: '10.0.0.1', object: 'x' }, /^elements\[1\].object: it is no map to objects$/],
    [
      addresses,
      { key: '10.0.0.1', timeout: -1 },
      /^elements\[1\].timeout: -1: give seconds, 0 or from 0\.001 to 18446744073\.708$/,
    ],
    [addresses, { key: '10.0.0.1', flags: 1 }, /^elements\[1\].flags: 1: 1 and 2 have fields of their own$/],
    [addresses, { key: '10.0.0.1', comment: 'x'.repeat(200) }, /^elements\[1\].comment: .*is too long/],
    [addresses, { key: '10.0.0.1', tiemout: 5 }, /^elements\[1\].tiemout: there is no such field/],
    [verdicts, { key: '10.0.0.1' }, /^elements\[1\].data: is missing: it is a map$/],
    [verdicts, { key: '10.0.0.1', data: 5 }, /^elements\[1\].data: 5: give a verdict, as \{ verdict: 'accept' \}$/],
    [verdicts, { key: '10.0.0.1', data: { verdict: 'jump' } }, /^elements\[1\].data.chain: is missing/],
    [{ ...addresses, objects: 'counter' }, { key: '10.0.0.1' }, /^elements\[1\].object: is missing: it is a map$/],
    [
      { ...addresses, objects: 'counter' },
      { key: '10.0.0.1', data: 5, object: 'x' },
      /^elements\[1\].data: it is no map to data$/,
    ],
    [
      { ...addresses, data: 'mark' },
      { key: '10.0.0.1', data: { from: 1, to: 2 } },
      /^elements\[1\].data: .*give a whole number.*: ranges are for .* data with dataInterval$/,
    ],
    [endpoints, { key: ['10.0.0.1', 'tcp'], data: ['10.0.0.1', 80] }, /^elements\[1\].key: .*has 2 values: give 3$/],
    [endpoints, { key: ['10.0.0.1', 'tcp', 99999], data: ['10.0.0.1', 80] }, /^elements\[1\].key\[2\]: 99999: give /],
    [endpoints, { key: ['10.0.0.1', 'tcp', 80], data: ['x', 80] }, /^elements\[1\].data\[0\]: "x": give /],
  ]
  for (const [set, bad, message] of cases) {
    const good: unknown =
      set === endpoints
        ? { key: ['10.0.0.9', 'tcp', 80], data: ['10.0.0.1', 80] }
        : set === verdicts
          ? { key: '10.0.0.9', data: { verdict: 'drop' } }
          : 'objects' in (set as Set)
            ? { key: '10.0.0.9', object: 'c' }
            : 'data' in (set as Set)
              ? { key: '10.0.0.9', data: 5 }
              : { key: '10.0.0.9' }
    t.match(refused(set, [good, bad]), message)
  }
})

t.test('what can not be their set is refused', async t => {
  const cases: readonly (readonly [set: unknown, message: RegExp])[] = [
    [{ ...addresses, name: undefined }, /^set.name: is missing$/],
    [{ ...addresses, table: undefined }, /^set.table: is missing$/],
    [{ ...addresses, key: undefined }, /^set.key: is missing: give the type of the keys$/],
    [{ ...addresses, key: ['mark', 'x'] }, /^set.key\[1\]: "x": give one of /],
    [{ ...addresses, data: 'x' }, /^set.data: "x": give one of /],
    [{ ...addresses, flags: ['x'] }, /^set.flags\[0\]: "x": give one of /],
  ]
  for (const [set, message] of cases) t.match(refused(set, [{ key: '10.0.0.1' }]), message)
})
