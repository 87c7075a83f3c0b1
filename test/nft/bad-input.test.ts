/** What TypeScript forbids and JavaScript's callers do all the same: how it is told. */
import t from 'tap'
import { attempt, inTable, set } from './support/commands.js'

const base = { ...inTable, name: 'in', hook: 'input' } as const
const long = 'x'.repeat(256)
const numbers = { ...inTable, name: 'n', key: 'inet_service' } as const
const ranges = { ...inTable, name: 'r', key: 'ipv4_addr', flags: ['interval'] } as const
const prefix16 = 'x'.repeat(16)

/** What is refused, and how it is told. */
const TOLD: readonly (readonly [name: string, command: unknown, message: string | RegExp])[] = [
  [
    'no command',
    null,
    'commands[0]: null: a command has one of the fields add, create, insert, replace, delete, destroy, flush, rename, and no other',
  ],
  ['two commands in one', { add: { table: {} }, delete: { table: {} } }, /^commands\[0\]: .*, and no other$/],
  [
    'a rule is not flushed',
    { flush: { rule: {} } },
    /^commands\[0\]\.flush: .*: what to flush has one of the fields table, chain, set, and no other$/,
  ],
  [
    'a field of a table',
    { add: { table: { family: 'inet', nam: 'web' } } },
    'commands[0].add.table.nam: there is no such field: did you mean name?',
  ],
  [
    'a field of a chain',
    { add: { chain: { ...base, polcy: 'drop' } } },
    'commands[0].add.chain.polcy: there is no such field: did you mean policy?',
  ],
  [
    'a field of a rule',
    { add: { rule: { ...inTable, chain: 'in', expresions: [] } } },
    'commands[0].add.rule.expresions: there is no such field: did you mean expressions?',
  ],
  [
    'a field of a set',
    { add: { set: { ...numbers, timout: 5 } } },
    'commands[0].add.set.timout: there is no such field: did you mean timeout?',
  ],
  [
    'a field of the set of elements',
    { add: { elements: { set: { ...numbers, flag: [] }, elements: [] } } },
    'commands[0].add.elements.set.flag: there is no such field: did you mean flags?',
  ],
  [
    'a field of an element',
    { add: { elements: { set: numbers, elements: [{ key: 1 }, { key: 2, coment: '' }] } } },
    'commands[0].add.elements.elements[1].coment: there is no such field: did you mean comment?',
  ],
  [
    'a field of an object',
    { add: { object: { ...inTable, name: 'c', type: 'counter', packtes: 1n } } },
    'commands[0].add.object.packtes: there is no such field: did you mean packets?',
  ],
  [
    'a field of another type of objects',
    { add: { object: { ...inTable, name: 'c', type: 'counter', rate: 1n } } },
    'commands[0].add.object.rate: there is no such field: the fields are bytes, packets',
  ],
  [
    'a field of a flowtable',
    { add: { flowtable: { ...inTable, name: 'f', device: ['lo'] } } },
    'commands[0].add.flowtable.device: there is no such field: did you mean devices?',
  ],
  [
    'a field of an expression',
    { add: { rule: { ...inTable, chain: 'in', expressions: [{ kind: 'counter' }, { kind: 'lookup', set: 's', sorce: 1 }] } } },
    'commands[0].add.rule.expressions[1].sorce: there is no such field: did you mean source?',
  ],
  [
    'a kind of expressions',
    { add: { rule: { ...inTable, chain: 'in', expressions: [{ kind: 'countr' }] } } },
    'commands[0].add.rule.expressions[0].kind: "countr": there is no such expression here: did you mean counter?',
  ],
  [
    'a family',
    { add: { table: { family: 'ipv4', name: 'web' } } },
    'commands[0].add.table.family: "ipv4": give one of inet, ip, arp, netdev, bridge, ip6',
  ],
  [
    'a hook that the family has not',
    { add: { chain: { ...base, family: 'arp', hook: 'forward' } } },
    'commands[0].add.chain.hook: "forward": family arp has no such hook: it has input, output',
  ],
  [
    'a type that the family has not',
    { add: { chain: { ...base, family: 'bridge', type: 'nat' } } },
    'commands[0].add.chain.type: "nat": family bridge has chains of type filter only',
  ],
  [
    'a type that the hook has not',
    { add: { chain: { ...base, type: 'route' } } },
    'commands[0].add.chain.type: "route": there is no such chain at hook input: it exists at output',
  ],
  [
    'a priority above 32 bits',
    { add: { chain: { ...base, priority: 2 ** 31 } } },
    'commands[0].add.chain.priority: 2147483648: give a whole number from -2147483648 to 2147483647, or a name',
  ],
  [
    'a name with an offset above 32 bits',
    { add: { chain: { ...base, priority: 'filter + 2147483648' } } },
    /^commands\[0\]\.add\.chain\.priority: .*2147483648.*: give a whole number from/,
  ],
  [
    'nat before connections are tracked',
    { add: { chain: { ...base, type: 'nat', priority: -200 } } },
    'commands[0].add.chain.priority: -200: a nat chain comes behind connection tracking: give at least -199',
  ],
  [
    'nat there by name',
    { add: { chain: { ...base, type: 'nat', priority: 'raw' } } },
    'commands[0].add.chain.priority: "raw": a nat chain comes behind connection tracking: give at least -199',
  ],
  [
    'a priority by a name of another hook',
    { add: { chain: { ...base, priority: 'dstnat' } } },
    /^commands\[0\]\.add\.chain\.priority: "dstnat": .* one of raw, mangle, filter, security, srcnat at hook input of family inet/,
  ],
  [
    'a policy without a hook',
    { add: { chain: { ...inTable, name: 'in', policy: 'drop' } } },
    'commands[0].add.chain.policy: only a base chain has one: give its hook as well',
  ],
  [
    'devices where none belong',
    { add: { chain: { ...base, devices: ['lo'] } } },
    /^commands\[0\]\.add\.chain\.devices: only chains of /,
  ],
  [
    'persist alone',
    { add: { table: { family: 'inet', name: 'web', flags: ['persist'] } } },
    'commands[0].add.table.flags: ["persist"]: "persist" needs "owner" beside it',
  ],
  [
    'the name of a table',
    { add: { table: { family: 'inet', name: long } } },
    /^commands\[0\]\.add\.table\.name: "x{59}…: is too long: at most 255 bytes$/,
  ],
  [
    'the name of a chain',
    { add: { chain: { ...inTable, name: long } } },
    /^commands\[0\]\.add\.chain\.name: .*at most 255 bytes$/,
  ],
  ['the name of a set', { add: { set: { ...numbers, name: long } } }, /^commands\[0\]\.add\.set\.name: .*at most 255 bytes$/],
  [
    'the name of the set of elements',
    { add: { elements: { set: { ...numbers, name: long }, elements: [{ key: 1 }] } } },
    /^commands\[0\]\.add\.elements\.set\.name: .*at most 255 bytes$/,
  ],
  [
    'the name of an object',
    { add: { object: { ...inTable, type: 'counter', name: long } } },
    /^commands\[0\]\.add\.object\.name: .*at most 255 bytes$/,
  ],
  [
    'the name of a flowtable',
    { add: { flowtable: { ...inTable, name: long } } },
    /^commands\[0\]\.add\.flowtable\.name: .*at most 255 bytes$/,
  ],
  [
    'the name of a table in two bytes a letter',
    { add: { table: { family: 'inet', name: 'é'.repeat(128) } } },
    /^commands\[0\]\.add\.table\.name: .*at most 255 bytes$/,
  ],
  [
    'the name of the one interface',
    { add: { chain: { ...base, family: 'netdev', hook: 'ingress', devices: [prefix16] } } },
    /^commands\[0\]\.add\.chain\.devices\[0\]: .*at most 15 bytes$/,
  ],
  [
    'the name of one of several interfaces',
    { add: { chain: { ...base, family: 'netdev', hook: 'ingress', devices: ['lo', prefix16] } } },
    /^commands\[0\]\.add\.chain\.devices\[1\]: .*at most 15 bytes$/,
  ],
  [
    'the comment of a rule',
    { add: { rule: { ...inTable, chain: 'in', expressions: [], comment: 'x'.repeat(128) } } },
    /^commands\[0\]\.add\.rule\.comment: .*at most 127 bytes$/,
  ],
  [
    'the comment of an element',
    { add: { elements: { set: numbers, elements: [{ key: 1, comment: 'x'.repeat(128) }] } } },
    /^commands\[0\]\.add\.elements\.elements\[0\]\.comment: .*at most 127 bytes$/,
  ],
  [
    'an element of another length',
    { add: { elements: { set: numbers, elements: [{ key: 1 }, { key: new Uint8Array(3) }] } } },
    /^commands\[0\]\.add\.elements\.elements\[1\]\.key: /,
  ],
  [
    'an element out of range',
    { add: { elements: { set: numbers, elements: [{ key: 65536 }] } } },
    /^commands\[0\]\.add\.elements\.elements\[0\]\.key: 65536: /,
  ],
  [
    'too few values for a concatenation',
    { add: { elements: { set, elements: [{ key: ['10.0.0.1'] }] } } },
    /^commands\[0\]\.add\.elements\.elements\[0\]\.key: /,
  ],
  [
    'attributes of an object that are too long together',
    {
      add: {
        object: {
          ...inTable,
          type: 'counter',
          name: 'c',
          unknown: [8, 9].map(type => ({ type, within: 'data', data: new Uint8Array(40_000) })),
        },
      },
    },
    'commands[0].add.object: has 80008 bytes: an attribute holds at most 65531',
  ],
  [
    'expressions that are too long together',
    {
      add: {
        rule: {
          ...inTable,
          chain: 'in',
          expressions: [1, 2].map(() => ({ kind: 'opaque', name: 'x', data: new Uint8Array(40_000) })),
        },
      },
    },
    /^commands\[0\]\.add\.rule\.expressions: has 800\d\d bytes: an attribute holds at most 65531$/,
  ],
  [
    'a list where there is one type',
    { add: { elements: { set: { ...ranges, key: ['ipv4_addr'] }, elements: [{ key: ['10.0.0.0/8'] }] } } },
    'commands[0].add.elements.elements[0].key: ["10.0.0.0/8"]: give an IPv4 address, as "10.0.0.1"',
  ],
  [
    'ranges that overlap',
    {
      add: {
        elements: {
          set: ranges,
          elements: [{ key: '10.0.0.0/8' }, { key: '11.0.0.1' }, { key: { from: '10.9.0.0', to: '10.9.0.9' } }],
        },
      },
    },
    /^commands\[0\]\.add\.elements\.elements\[2\]\.key: .*overlaps/,
  ],
  [
    'a range from its end',
    { add: { elements: { set: ranges, elements: [{ key: { from: '10.0.0.9', to: '10.0.0.1' } }] } } },
    /^commands\[0\]\.add\.elements\.elements\[0\]\.key: /,
  ],
  [
    'a rule without which one',
    { delete: { rule: { ...inTable, chain: 'in' } } },
    'commands[0].delete.rule.handle: is missing: it says which rule. To remove all of a chain there is flush',
  ],
  [
    'a new name where nothing is renamed',
    { add: { chain: { ...inTable, name: 'in', newName: 'out' } } },
    'commands[0].add.chain.newName: is for rename',
  ],
  [
    'half a character in a name',
    { add: { table: { family: 'inet', name: 'x\ud800' } } },
    /^commands\[0\]\.add\.table\.name: .*: has half a character \(a lone surrogate\): give a text$/,
  ],
  [
    'half a character in a comment',
    { add: { table: { family: 'inet', name: 'x', comment: '\udfff' } } },
    /^commands\[0\]\.add\.table\.comment: .*: has half a character/,
  ],
  [
    'half a character in the name of an interface',
    { add: { elements: { set: { ...inTable, name: 'i', key: 'ifname' }, elements: [{ key: 'x\ud800' }] } } },
    /^commands\[0\]\.add\.elements\.elements\[0\]\.key: .*: has half a character/,
  ],
  ['a table without which one', { delete: { table: { family: 'inet' } } }, 'commands[0].delete.table.name: is missing'],
]

t.test('what is wrong is told with its place and what to do', async t => {
  for (const [name, command, message] of TOLD) {
    const error = await attempt(command)
    const told = error instanceof TypeError || error instanceof RangeError ? error.message : `no TypeError: ${String(error)}`
    if (typeof message === 'string') t.equal(told, message, name)
    else t.match(told, message, name)
  }
})
