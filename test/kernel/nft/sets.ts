import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Command, Element, Family, NftSet, TransactionError } from '../../../lib/nft/index.js'
import type { Case, Context } from './case.js'
import { PROGRAMS } from './programs.js'

const FAMILIES: readonly Family[] = ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev']

/** A set without what names it, and some of its elements. */
interface Form {
  readonly set: Omit<NftSet, 'family' | 'table' | 'name'>
  readonly elements: readonly Element[]
}

const counter = { kind: 'counter', packets: 5n, bytes: 100n } as const
const quota = { kind: 'quota', bytes: 1000n, used: 5n, flags: [] } as const

const FORMS: Readonly<Record<string, Form>> = {
  'a set': { set: { key: 'ipv4_addr' }, elements: [{ key: '10.0.0.1' }, { key: '10.0.0.2' }] },
  'a set with all that it can have': {
    set: {
      key: 'ipv6_addr',
      flags: ['timeout', 'dynamic'],
      timeout: 3600.5,
      gcInterval: 7.25,
      size: 100,
      policy: 'memory',
      comment: 'hé',
    },
    elements: [],
  },
  'comments of elements': { set: { key: 'mark' }, elements: [{ key: 1, comment: 'one' }, { key: 2 }] },
  'the element for all others': { set: { key: 'inet_service' }, elements: [{ key: '*', comment: 'others' }, { key: 80 }] },
  'a number in the order of the machine': {
    set: { key: { type: 'integer', length: 4, order: 'host' } },
    elements: [{ key: 1 }, { key: 0xffff_ffff }],
  },
  'a number in the order of the network': {
    set: { key: { type: 'integer', length: 2, order: 'network' } },
    elements: [{ key: 1 }, { key: 0x1234 }],
  },
  'a type that is not known': {
    set: { key: { type: 47, length: 3 } },
    elements: [{ key: new Uint8Array([1, 2, 3]) }],
  },
  'a concatenation': {
    set: { key: ['ifname', 'mark', 'inet_proto'] },
    elements: [{ key: ['eth0', 5, 'tcp'] }, { key: ['lo', 6, 200] }],
  },
  'ranges of addresses': {
    set: { key: 'ipv4_addr', flags: ['interval'] },
    elements: [
      { key: '0.0.0.0/8' },
      { key: '10.0.0.0/8' },
      { key: '11.0.0.0' },
      { key: { from: '11.0.0.1', to: '11.0.0.6' }, comment: 'six' },
      { key: { from: '240.0.0.1', to: '255.255.255.255' } },
    ],
  },
  'all there is': { set: { key: 'ipv6_addr', flags: ['interval'] }, elements: [{ key: '::/0' }] },
  'ranges of numbers': {
    set: { key: 'mark', flags: ['interval'], autoMerge: true },
    elements: [{ key: { from: 1, to: 5 } }, { key: { from: 6, to: 9 } }, { key: { from: 0xffff_fff0, to: 0xffff_ffff } }],
  },
  'names that begin alike': {
    set: { key: 'ifname', flags: ['interval'] },
    elements: [{ key: 'eth*' }, { key: 'lo' }],
  },
  'ranges of concatenations': {
    set: { key: ['ipv4_addr', 'inet_service', 'mark', 'ifname'], flags: ['interval'] },
    elements: [
      { key: ['10.0.0.0/8', { from: 80, to: 90 }, 5, 'eth*'] },
      { key: ['192.168.0.1', 443, { from: 1, to: 0xffff_ffff }, 'lo'], comment: 'one' },
    ],
  },
  'time-outs': {
    set: { key: 'ipv4_addr', flags: ['timeout'] },
    elements: [{ key: '10.0.0.1', timeout: 86400.5 }, { key: '10.0.0.2' }],
  },
  'time-outs of ranges': {
    set: { key: 'ipv4_addr', flags: ['interval', 'timeout'], timeout: 1000 },
    elements: [{ key: '10.0.0.0/24', timeout: 86400 }, { key: { from: '10.0.1.1', to: '10.0.1.3' } }],
  },
  'a counter for each element': {
    set: { key: 'ipv4_addr', expressions: [{ kind: 'counter', packets: 0n, bytes: 0n }] },
    elements: [{ key: '10.0.0.1', expressions: [counter] }],
  },
  'several expressions for each element': {
    set: { key: 'ipv4_addr', expressions: [{ kind: 'counter', packets: 0n, bytes: 0n }, quota] },
    elements: [{ key: '10.0.0.1', expressions: [counter, quota] }],
  },
  'a map': {
    set: { key: 'ipv4_addr', data: 'mark' },
    elements: [
      { key: '10.0.0.1', data: 5 },
      { key: '10.0.0.2', data: 0x100, comment: 'two' },
    ],
  },
  'a map of ranges': {
    set: { key: 'inet_service', data: 'ifname', flags: ['interval'] },
    elements: [
      { key: { from: 1, to: 5 }, data: 'lo' },
      { key: { from: 6, to: 65535 }, data: 'eth0' },
    ],
  },
  'a map of a concatenation to another': {
    set: { key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    elements: [{ key: ['10.96.0.1', 'tcp', 443], data: ['10.244.0.5', 8080] }],
  },
  'a map to ranges': {
    set: { key: 'ipv4_addr', data: 'ipv4_addr', dataInterval: true },
    elements: [
      { key: '10.0.0.1', data: '10.1.0.0/24' },
      { key: '10.0.0.2', data: { from: '10.1.0.5', to: '10.1.0.8' } },
      { key: '10.0.0.3', data: '10.1.0.7' },
    ],
  },
  'a map of ranges to ranges': {
    set: { key: ['ipv4_addr', 'inet_service'], data: ['ipv4_addr', 'inet_service'], dataInterval: true, flags: ['interval'] },
    elements: [{ key: ['10.0.0.0/8', 80], data: ['10.1.0.0/24', { from: 8080, to: 8090 }] }],
  },
  'a verdict map': {
    set: { key: 'mark', data: 'verdict' },
    elements: [
      { key: '*', data: { verdict: 'return' } },
      { key: 1, data: { verdict: 'accept' } },
      { key: 2, data: { verdict: 'jump', chain: 'c' } },
    ],
  },
  'a verdict map of ranges': {
    set: { key: 'ipv4_addr', data: 'verdict', flags: ['interval'] },
    elements: [
      { key: '10.0.0.0/8', data: { verdict: 'goto', chain: 'c' } },
      { key: '255.0.0.0/8', data: { verdict: 'drop' } },
    ],
  },
  'a map to objects': {
    set: { key: 'ipv4_addr', objects: 'counter' },
    elements: [
      { key: '10.0.0.1', object: 'c1' },
      { key: '10.0.0.2', object: 'c2' },
    ],
  },
  'a map of ranges to objects': {
    set: { key: 'ipv4_addr', objects: 'counter', flags: ['interval'] },
    elements: [{ key: '10.0.0.0/8', object: 'c1' }],
  },
}

/** In some order, whatever that of the kernel is, and whatever is left of a time-out. */
const sorted = (elements: readonly Element[]): string[] =>
  elements.map(({ expires: _expires, ...element }) => inspect(element, { depth: null, sorted: true })).sort()

/** Without what is only told. */
const ordinary = ({ handle: _handle, backend: _backend, count: _count, ...set }: NftSet): unknown => set

/** What a table needs for every form. */
const surroundings = (family: Family): Command[] => [
  { add: { table: { family, name: 't' } } },
  { add: { chain: { family, table: 't', name: 'c' } } },
  { add: { object: { family, table: 't', type: 'counter', name: 'c1' } } },
  { add: { object: { family, table: 't', type: 'counter', name: 'c2' } } },
]

async function writeAndRead({ open }: Context, form: Form): Promise<void> {
  const nf = await open()
  const sets = FAMILIES.map((family): NftSet => ({ family, table: 't', name: 's', ...form.set }))
  await nf.commit(FAMILIES.flatMap(surroundings))
  await nf.commit(sets.flatMap(set => [{ add: { set } }, { add: { elements: { set, elements: form.elements } } }]))
  const byFamily = (a: NftSet, b: NftSet): number => FAMILIES.indexOf(a.family) - FAMILIES.indexOf(b.family)
  assert.deepEqual((await nf.sets()).sort(byFamily).map(ordinary), sets)
  for (const set of sets) {
    assert.deepEqual(sorted(await nf.elements(set).toArray()), sorted(form.elements))
    const [first, ...others] = form.elements.map(({ key }) => ({ key }))
    if (!first) continue
    await nf.commit([{ delete: { elements: { set, elements: [first] } } }])
    assert.deepEqual(sorted(await nf.elements(set).toArray()), sorted(form.elements.slice(1)))
    await nf.commit([{ delete: { elements: { set, elements: others } } }])
    assert.deepEqual(await nf.elements(set).toArray(), [])
  }
  await nf.commit(sets.map(set => ({ delete: { set } })))
  assert.deepEqual(await nf.sets(), [])
}

const set: NftSet = { family: 'inet', table: 't', name: 's', key: 'ipv4_addr', flags: ['interval'] }

export const cases: readonly Case[] = [
  ...Object.entries(FORMS).map(
    ([name, form]): Case => ({
      name: `sets: ${name}: what is written in each family is read, and removed by its keys`,
      run: context => writeAndRead(context, form),
    }),
  ),
  {
    name: 'sets: what is written, each nft lists, and takes its own list again',
    needs: 'linux',
    async run({ open, inside, after, sh, netns, another }) {
      const nf = await open()
      await nf.commit(surroundings('ip'))
      const sets = Object.values(FORMS).map((form, i): NftSet => ({ family: 'ip', table: 't', name: `s${i}`, ...form.set }))
      // Nft has no words for types that it does not know, and its grammar none for more than one expression of an element.
      const listable = sets.filter(
        ({ key, expressions = [] }) => (typeof key === 'string' || Array.isArray(key)) && expressions.length < 2,
      )
      await nf.commit(
        listable.flatMap(set => [
          { add: { set } },
          { add: { elements: { set, elements: Object.values(FORMS)[sets.indexOf(set)]?.elements ?? [] } } },
        ]),
      )
      const empty = await another()
      const file = join(tmpdir(), `ts-ipvs-list-${netns}.nft`)
      after(() => sh(`rm -f ${file}`))
      for (const program of PROGRAMS) {
        const text = await inside(`${program} list ruleset`)
        await writeFile(file, text)
        await sh(`ip netns exec ${empty} ${program} -c -f ${file}`)
        for (const { name } of listable) assert.match(text, new RegExp(`(set|map) ${name} `))
      }
    },
  },
  {
    name: 'sets: one that has more types than its number is read, and written again it is the same',
    async run({ open }) {
      const nf = await open()
      await nf.commit([{ add: { table: { family: 'inet', name: 't' } } }, { add: { table: { family: 'ip', name: 't' } } }])
      const given: NftSet = { ...set, key: ['ipv4_addr', 'ipv4_addr', 'mark', 'mark', 'uid', 'gid'], unlistable: true }
      const elements: Element[] = [{ key: ['10.0.0.0/8', '10.0.0.1', 1, 2, 3, { from: 4, to: 5 }] }]
      await nf.commit([{ add: { set: given } }, { add: { elements: { set: given, elements } } }])
      const [read] = await nf.sets()
      assert.ok(read)
      // Of the first type two bits are left.
      assert.deepEqual(read.key, [{ type: 3, length: 4 }, 'ipv4_addr', 'mark', 'mark', 'uid', 'gid'])
      assert.equal(read.unlistable, true)
      const told = await nf.elements(read).toArray()
      const from = new Uint8Array([10, 0, 0, 0])
      const to = new Uint8Array([10, 255, 255, 255])
      assert.deepEqual(told, [{ key: [{ from, to }, '10.0.0.1', 1, 2, 3, { from: 4, to: 5 }] }])
      const other: NftSet = { ...read, family: 'ip' }
      await nf.commit([{ add: { set: other } }, { add: { elements: { set: other, elements: told } } }])
      const [again] = await nf.sets({ family: 'ip' })
      assert.ok(again)
      assert.deepEqual(ordinary(again), ordinary(other))
      assert.deepEqual(await nf.elements(given).toArray(), elements)
      assert.deepEqual(await nf.elements({ ...given, family: 'ip' }).toArray(), elements)
    },
  },
  {
    name: 'sets: what is anonymous is added with its elements and the rule that looks into it',
    async run({ open }) {
      const nf = await open()
      await nf.commit(surroundings('inet'))
      const anonymous: NftSet = { ...set, name: '__set%d', key: 'mark', flags: ['anonymous', 'constant'], id: 7 }
      await nf.commit([
        { add: { set: anonymous } },
        { add: { elements: { set: anonymous, elements: [{ key: 1 }, { key: 5 }] } } },
        {
          add: {
            rule: {
              family: 'inet',
              table: 't',
              chain: 'c',
              expressions: [
                { kind: 'meta', key: 'mark', destination: 1 },
                { kind: 'lookup', set: '__set%d', setId: 7, source: 1 },
              ],
            },
          },
        },
      ])
      const [read] = await nf.sets()
      assert.ok(read)
      assert.deepEqual(ordinary(read), { ...set, name: '__set0', key: 'mark', flags: ['anonymous', 'constant'] })
      assert.deepEqual(sorted(await nf.elements(read).toArray()), sorted([{ key: 1 }, { key: 5 }]))
    },
  },
  {
    name: 'sets: an interval that overlaps what is there is refused, and the error names it',
    async run({ open }) {
      const nf = await open()
      await nf.commit([
        ...surroundings('inet'),
        { add: { set } },
        { add: { elements: { set, elements: [{ key: '10.0.0.0/8' }] } } },
      ])
      const elements = [{ key: '1.0.0.0/8' }, { key: '10.1.0.0/16' }, { key: '11.0.0.0/8' }]
      await assert.rejects(nf.commit([{ add: { elements: { set, elements } } }]), (error: TransactionError) => {
        assert.equal(error.failures[0]?.element, 1)
        assert.match(String(error.failures[0]?.path), /^add\.elements\.elements\[1\]/)
        return true
      })
    },
  },
  {
    name: 'sets: lists of any length are split over messages, and intervals are put together over pages',
    async run({ open }) {
      const nf = await open()
      await nf.commit([...surroundings('inet'), { add: { set } }])
      const elements = Array.from({ length: 20_000 }, (_, i) => ({
        key: `10.${i >> 8}.${i & 255}.16/28`,
        comment: `number ${i}`,
      }))
      await nf.commit([{ add: { elements: { set, elements } } }])
      assert.deepEqual(sorted(await nf.elements(set).toArray()), sorted(elements))
      await nf.commit([{ delete: { elements: { set, elements: elements.slice(1) } } }])
      assert.deepEqual(await nf.elements(set).toArray(), elements.slice(0, 1))
    },
  },
]
