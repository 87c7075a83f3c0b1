import type { Command } from '../../../../lib/nft/index.js'
import { inTable, type Row } from './row.js'

const counter = { ...inTable, name: 'hits', type: 'counter' } as const

export const objects: readonly Row[] = [
  {
    what: 'an object in a table that is not there',
    commands: [{ add: { object: { ...counter, table: 'other' } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].add.object.table',
    says: /counter hits of table inet other can not be added: there is no table inet other/,
  },
  {
    what: 'an object that is there is created',
    commands: [{ create: { object: counter } }],
    code: 'EEXIST',
    problem: 'exists',
    at: 'commands[0].create.object.name',
    says: /counter hits of table inet web can not be created: it is there already/,
  },
  {
    what: 'an object that a rule uses is deleted',
    commands: [{ delete: { object: counter } }],
    code: 'EBUSY',
    problem: 'in-use',
    at: 'commands[0].delete.object.name',
    says: /counter hits of table inet web can not be deleted: rules or elements of maps use it/,
  },
  {
    what: 'an object that is not there is deleted',
    commands: [{ delete: { object: { ...inTable, name: 'hits', type: 'quota' } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.object.name',
    says: /quota hits of table inet web can not be deleted: there is no quota hits of table inet web/,
  },
  {
    what: 'an object in a table that is not there is deleted',
    commands: [{ delete: { object: { ...counter, table: 'other' } } }],
    code: 'ENOENT',
    problem: 'no-such-object',
    at: 'commands[0].delete.object.table',
    says: /there is no table inet other: read what is there/,
  },
  {
    what: 'a quota that is too large',
    commands: [{ add: { object: { ...inTable, name: 'new', type: 'quota', bytes: 2n ** 63n } } }],
    code: 'EOVERFLOW',
    problem: 'invalid',
    at: 'commands[0]',
    says: /quota new of table inet web can not be added: numbers are too large together, .* the bytes of a quota, which are below 2\^63/,
  },
  {
    what: 'a limit of nothing',
    commands: [{ add: { object: { ...inTable, name: 'new', type: 'limit', rate: 0n, unit: 1n } } }],
    code: 'EINVAL',
    problem: 'invalid',
    at: 'commands[0]',
    says: /the kernel takes a value for invalid, or values that do not go together: see `rate`, `unit`/,
  },
  {
    what: 'an object of a type that this kernel has not',
    commands: [{ add: { object: { ...inTable, name: 'new', type: 99, data: new Uint8Array(0) } } }],
    code: 'ENOENT',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /this kernel has no objects of type 99/,
  },
]

const table: Command = { add: { table: { family: 'inet', name: 'new', flags: [0x80] } } }
const inNew = { family: 'inet', table: 'new' } as const
const bad = { ...inTable, name: 'bad', key: 'ipv4_addr', flags: [0x4000] } as const

/** What follows from an earlier failure is told apart from what does not. */
export const cascades: readonly Row[] = [
  {
    what: 'everything in a table that was refused',
    commands: [
      table,
      { add: { chain: { ...inNew, name: 'in' } } },
      { add: { rule: { ...inNew, chain: 'in', expressions: [] } } },
      { add: { set: { ...inNew, name: 's', key: 'ipv4_addr' } } },
      { add: { elements: { set: { ...inNew, name: 's', key: 'ipv4_addr' }, elements: [{ key: '10.0.0.1' }] } } },
      { add: { object: { ...inNew, name: 'o', type: 'counter' } } },
      { add: { chain: { family: 'inet', table: 'another', name: 'in' } } },
    ],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /; 1 more failed; nothing was changed/,
    failures: [0, -2, -3, -4, -5, -6, 6],
  },
  {
    what: 'elements and rules of a set that was refused',
    commands: [
      { add: { set: bad } },
      { add: { elements: { set: bad, elements: [{ key: '10.0.0.1' }] } } },
      {
        add: {
          rule: {
            ...inTable,
            chain: 'plain',
            expressions: [
              { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
              { kind: 'lookup', source: 1, set: 'bad' },
            ],
          },
        },
      },
      { delete: { set: { ...inTable, name: 'bad' } } },
      { delete: { set: { ...inTable, name: 'worse' } } },
    ],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /; 1 more failed; nothing was changed/,
    failures: [0, -2, -3, -4, 4],
  },
  {
    what: 'a jump to a chain that was refused, and a rule in it',
    commands: [
      { add: { chain: { ...inTable, name: 'new', flags: [0x40] } } },
      {
        add: {
          rule: {
            ...inTable,
            chain: 'plain',
            expressions: [{ kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'new' } }],
          },
        },
      },
      { add: { rule: { ...inTable, chain: 'new', expressions: [] } } },
      { flush: { chain: { ...inTable, name: 'new' } } },
    ],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /does not know one of its flags; nothing was changed/,
    failures: [0, -2, -3, -4],
  },
  {
    what: 'a chain that could not be deleted is in the way of its successor',
    commands: [{ delete: { chain: { ...inTable, name: 'used' } } }, { create: { chain: { ...inTable, name: 'used' } } }],
    code: 'EBUSY',
    problem: 'in-use',
    at: 'commands[0].delete.chain.name',
    says: /jump to it: delete those before, in the same transaction; nothing was changed/,
    failures: [0, -2],
  },
  {
    what: 'that something failed before is not enough',
    commands: [
      { add: { chain: { ...inTable, name: 'new', flags: [0x40] } } },
      { add: { rule: { ...inTable, chain: 'newer', expressions: [] } } },
      { add: { rule: { family: 'ip', table: 'web', chain: 'new', expressions: [] } } },
      { create: { chain: { ...inTable, name: 'plain' } } },
    ],
    code: 'ENOTSUP',
    problem: 'not-supported',
    at: 'commands[0]',
    says: /; 3 more failed; nothing was changed/,
    failures: [0, 1, 2, 3],
  },
]
