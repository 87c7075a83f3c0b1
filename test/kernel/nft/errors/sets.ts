import type { Command, Elements, NftSet } from '../../../../lib/nft/index.js'
import { inTable, type Row } from './row.js'

const set = (name: string, more: Partial<NftSet> = {}): NftSet => ({ ...inTable, name, key: 'ipv4_addr', ...more })
const addresses = set('addresses')
const ranges = set('ranges', { flags: ['interval'] })
const small = set('small', { size: 2 })
const map = set('map', { data: 'inet_service' })
const verdicts = set('verdicts', { data: 'verdict' })
const counters = set('counters', { objects: 'counter' })
const timed = set('timed', { flags: ['timeout'] })

const add = (of: Elements['set'], ...elements: Elements['elements']): Command => ({ add: { elements: { set: of, elements } } })
const create = (of: Elements['set'], ...elements: Elements['elements']): Command => ({
  create: { elements: { set: of, elements } },
})
const remove = (of: Elements['set'], ...elements: Elements['elements']): Command => ({
  delete: { elements: { set: of, elements } },
})

export const sets: readonly Row[] = [
  {
    what: 'a set in a table that is not there',
    commands: [{ add: { set: { ...addresses, table: 'other' } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.set.table',
    says: /set addresses of table inet other can not be added: there is no table inet other/,
  },
  {
    what: 'a set that is there is created',
    commands: [{ create: { set: addresses } }],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].create.set.name',
    says: /set addresses of table inet web can not be created: it is there already/,
  },
  {
    what: 'a set that is there gets another key',
    commands: [{ add: { set: { ...addresses, key: 'ipv6_addr' } } }],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].add.set.name',
    says: /it is there with other types, flags or expressions, which can not be changed/,
  },
  {
    what: 'a set that a rule uses is deleted',
    commands: [{ delete: { set: addresses } }],
    code: 'EBUSY',
    problem: 'in-use',
    at: 'commands[0].delete.set.name',
    says: /set addresses of table inet web can not be deleted: rules use it/,
  },
  {
    what: 'a map that is not there is deleted',
    commands: [{ delete: { set: map } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.set.name',
    says: /map map of table inet web can not be deleted: there is no map map of table inet web: `destroy` takes that/,
  },
  {
    what: 'a set that is not there is flushed',
    commands: [{ flush: { set: { ...inTable, name: 'other' } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].flush.set.name',
    says: /set other of table inet web can not be flushed: there is no set other of table inet web/,
  },
  {
    what: 'a flag that this kernel does not know',
    commands: [{ add: { set: set('new', { flags: [0x4000] }) } }],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /this kernel has no data structure for such a set \(flags 16384\)/,
  },
  {
    what: 'an anonymous set that no rule uses',
    late: true,
    commands: [
      { add: { chain: { ...inTable, name: 'first' } } },
      { add: { set: set('__set%d', { id: 5, flags: ['anonymous', 'constant'] }) } },
    ],
    code: 'EINVAL',
    problem: 'invalid',
    at: undefined,
    says: /^commit: an anonymous set, .* has to be used by a rule of the same transaction: see commands\[1\]\.add\.set/,
  },
]

/** These are there for the elements. */
export const forElements: readonly Command[] = [
  ...[ranges, small, map, verdicts, counters, timed].map((it): Command => ({ add: { set: it } })),
  add(addresses, { key: '10.0.0.1' }),
  add(ranges, { key: '10.0.0.0/24' }),
  add(map, { key: '10.0.0.1', data: 80 }),
]

export const elements: readonly Row[] = [
  {
    what: 'an element of a table that is not there',
    before: forElements,
    commands: [add({ ...addresses, table: 'other' }, { key: '10.0.0.1' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.elements.set.table',
    says: /elements of set addresses of table inet other can not be added: there is no table inet other/,
  },
  {
    what: 'an element of a set that is not there',
    commands: [add(set('other'), { key: '10.0.0.1' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.elements.set.name',
    says: /elements of set other of table inet web can not be added: there is no set other of table inet web: add it first/,
  },
  {
    what: 'an element that is there is created, the third of them',
    commands: [create(addresses, { key: '10.0.0.3' }, { key: '10.0.0.2' }, { key: '10.0.0.1' })],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].create.elements.elements[2]',
    says: /element 10\.0\.0\.1 of set addresses of table inet web can not be created: the set has it already: `add` takes that/,
  },
  {
    what: 'an element that is not there is deleted, the second of them',
    commands: [remove(addresses, { key: '10.0.0.1' }, { key: '10.0.0.9' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.elements.elements[1]',
    says: /element 10\.0\.0\.9 of set addresses of table inet web can not be deleted: the set has no such element: `destroy` takes that/,
  },
  {
    what: 'elements of a set that is not there are deleted',
    commands: [remove(set('other'), { key: '10.0.0.1' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.elements.set.name',
    says: /elements of set other of table inet web can not be deleted: there is no set other/,
  },
  {
    what: 'a range that overlaps with one that is there, the second of them',
    commands: [add(ranges, { key: '10.9.0.0/24' }, { key: { from: '10.0.0.9', to: '10.0.0.99' } })],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].add.elements.elements[1]',
    says: /element 10\.0\.0\.9-10\.0\.0\.99 of set ranges of table inet web can not be added: it overlaps with an element that is there/,
  },
  {
    what: 'a part of a range is deleted',
    commands: [remove(ranges, { key: '10.0.0.0/25' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.elements.elements[0]',
    says: /the set has no such element; an interval has to be given exactly as it is there/,
  },
  {
    what: 'a key of a map gets another value',
    commands: [add(map, { key: '10.0.0.2', data: 80 }, { key: '10.0.0.1', data: 81 })],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].add.elements.elements[1]',
    says: /element 10\.0\.0\.1 of map map of table inet web can not be added: the map has it already, mapped to something else/,
  },
  {
    what: 'more elements than the size of the set',
    commands: [add(small, { key: '10.0.0.1' }, { key: '10.0.0.2' }, { key: '10.0.0.3' })],
    code: 'ENFILE',
    problem: 'full',
    at: 'commands[0].add.elements.elements[2]',
    says: /set small of table inet web has as many elements as its `size` allows/,
  },
  {
    what: 'a verdict map that jumps to a chain that is not there',
    commands: [add(verdicts, { key: '10.0.0.1', data: { verdict: 'jump', chain: 'other' } })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.elements.elements[0]',
    says: /element 10\.0\.0\.1 of map verdicts of table inet web can not be added: there is no chain other of table inet web/,
  },
  {
    what: 'a verdict map that jumps to a base chain',
    commands: [add(verdicts, { key: '10.0.0.1', data: { verdict: 'goto', chain: 'base' } })],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0].add.elements.elements[0]',
    says: /base is a base chain: only chains without a hook can be jumped to/,
  },
  {
    what: 'an object that is not there',
    commands: [add(counters, { key: '10.0.0.1', object: 'other' })],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.elements.elements[0]',
    says: /there is no counter other of table inet web: add it first/,
  },
  {
    what: 'a time-out where the set has none',
    commands: [add(addresses, { key: '10.0.0.5', timeout: 5 })],
    code: 'EINVAL',
    problem: 'invalid',
    at: 'commands[0].add.elements.elements[0]',
    says: /the set has not the flag `timeout`, which it needs/,
  },
  {
    what: 'a key of another length than the set in the kernel has',
    commands: [add({ ...addresses, key: 'ipv6_addr' }, { key: '::1' })],
    code: 'EINVAL',
    problem: 'invalid',
    at: 'commands[0].add.elements.elements[0]',
    says: /element ::1 of set addresses of table inet web can not be added: the set of this name has other types or flags than `set` says/,
  },
  {
    what: 'elements are deleted in a table that is not there',
    commands: [{ delete: { elements: { set: { ...addresses, table: 'other' }, elements: [{ key: '10.0.0.1' }] } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.elements.set.table',
    says: /elements of set addresses of table inet other can not be deleted: there is no table inet other: read what is there/,
  },
  {
    what: 'more time left than the time-out',
    commands: [add(timed, { key: '10.0.0.1', timeout: 5, expires: 50 })],
    code: 'ERANGE',
    problem: 'invalid',
    at: 'commands[0].add.elements.elements[0]',
    says: /`expires` is more than `timeout`/,
  },
]
