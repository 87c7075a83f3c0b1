/** What TypeScript forbids and JavaScript's callers do all the same. */
import t from 'tap'
import { type Command, open } from '../../lib/nft/index.js'
import { scripted } from './scripted.js'

const inTable = { family: 'inet', table: 'web' } as const
const set = { ...inTable, name: 'blocked', key: ['ipv4_addr', 'inet_service'], flags: ['timeout'] } as const

/** A command of each kind, as it should be. */
const GOOD: readonly Command[] = [
  {
    add: {
      table: { family: 'inet', name: 'web', flags: ['dormant'], comment: 'c', userData: [{ type: 9, data: new Uint8Array(1) }] },
    },
  },
  {
    add: {
      chain: {
        ...inTable,
        name: 'in',
        type: 'filter',
        hook: 'input',
        priority: 'filter + 10',
        policy: 'drop',
        counters: { packets: 1n, bytes: 2n },
        unknown: [{ type: 77, data: new Uint8Array(4) }],
      },
    },
  },
  { add: { chain: { family: 'netdev', table: 'web', name: 'in', hook: 'ingress', priority: 0, devices: ['lo', 'eth*'] } } },
  {
    add: {
      rule: {
        ...inTable,
        chain: 'in',
        position: 3,
        compat: { protocol: 6, flags: 0 },
        expressions: [
          { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
          { kind: 'cmp', source: 1, operator: 'eq', data: Uint8Array.of(1, 2, 3, 4) },
          { kind: 'lookup', set: 'blocked', source: 1, flags: ['invert'] },
          { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'other' } },
        ],
      },
    },
  },
  { replace: { rule: { ...inTable, chain: 'in', handle: 5, expressions: [{ kind: 'counter', packets: 1n, bytes: 2n }] } } },
  {
    add: {
      set: {
        ...set,
        data: 'verdict',
        timeout: 5,
        gcInterval: 1,
        size: 9,
        policy: 'memory',
        id: 3,
        expressions: [{ kind: 'counter' }],
      },
    },
  },
  { add: { set: { ...inTable, name: 'm', key: { type: 'integer', length: 2 }, objects: 'counter', autoMerge: true } } },
  { add: { elements: { set, elements: [{ key: ['10.0.0.1', 80], timeout: 5, expires: 4, comment: 'c' }] } } },
  {
    add: {
      elements: {
        set: { ...inTable, name: 'i', key: 'ipv4_addr', flags: ['interval'] },
        elements: [{ key: { from: '10.0.0.1', to: '10.0.0.9' } }, { key: '*' }],
      },
    },
  },
  {
    add: {
      elements: {
        set: { ...inTable, name: 'v', key: 'inet_service', data: 'verdict' },
        elements: [{ key: 80, data: { verdict: 'goto', chain: 'in' } }],
      },
    },
  },
  { add: { object: { ...inTable, name: 'c', type: 'counter', packets: 1n, bytes: 2n, comment: 'c' } } },
  { add: { object: { ...inTable, name: 'q', type: 'quota', bytes: 1000n, flags: ['over'] } } },
  { add: { object: { ...inTable, name: 't', type: 'ct timeout', protocol: 6, layer3: 'ip', policy: { 3: 60 } } } },
  { add: { flowtable: { ...inTable, name: 'f', priority: 0, devices: ['lo'], flags: ['counter'] } } },
  { delete: { table: { family: 'inet', name: 'web' } } },
  { delete: { chain: { ...inTable, handle: 4 } } },
  { delete: { rule: { ...inTable, chain: 'in', handle: 4 } } },
  { delete: { set: { ...inTable, name: 's' } } },
  { delete: { object: { ...inTable, type: 'counter', name: 'c' } } },
  { destroy: { flowtable: { ...inTable, name: 'f' } } },
  { flush: { chain: { ...inTable, name: 'in' } } },
  { flush: { set: { ...inTable, name: 's' } } },
  { flush: { table: { family: 'inet', name: 'web' } } },
  { rename: { chain: { ...inTable, name: 'in', newName: 'out', handle: 4 } } },
]

const BAD: readonly unknown[] = [
  null,
  Number.NaN,
  -1,
  0.5,
  1e30,
  2n ** 70n,
  true,
  'no such word',
  '',
  '\0',
  'x'.repeat(300),
  Symbol('s'),
  () => {},
  [],
  [null],
  [[]],
  {},
  { constructor: 1 },
  new Date(0),
  new Uint8Array(300),
  Object.create(null),
]

/** Fields by which others are read. */
const DECISIVE = /\.(family|hook|type|flags|key|data|objects|kind|set)\b/

/** Replaces each value in turn, on every level. */
function* spoilt(value: unknown, path: string): Generator<{ readonly path: string; readonly value: unknown }> {
  for (const bad of BAD) yield { path, value: bad }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return
  if (!Array.isArray(value)) yield { path: `${path}.polcy`, value: { ...value, polcy: 1 } }
  for (const key of Object.keys(value)) {
    const below = (value as Record<string, unknown>)[key]
    for (const one of spoilt(below, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`)) {
      const copy: unknown = Array.isArray(value) ? [...value] : { ...value }
      yield { path: one.path, value: Object.assign(copy as object, { [key]: one.value }) }
    }
  }
}

/** Undefined when it was sent, else what was thrown. */
async function attempt(command: unknown): Promise<unknown> {
  const kernel = scripted([sent => ({ replies: [sent.ack(1)], counted: 1 })])
  await using nf = await open({ transport: kernel })
  try {
    await nf.commit([command as Command])
    return undefined
  } catch (error) {
    return kernel.sent.length === 0 ? error : new Error('it was sent all the same', { cause: error })
  }
}

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
    /^commands\[0\]\.add\.chain\.priority: "dstnat": .* one of raw, mangle, filter, security at hook input of family inet/,
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

t.test('each of the commands is good', async t => {
  for (const command of GOOD) t.equal(await attempt(command), undefined, Object.values(command).map(Object.keys).join())
})

t.test('any value in any place is sent, or refused with its place, and nothing was sent', async t => {
  let refused = 0
  for (const command of GOOD) {
    for (const { path, value } of spoilt(command, 'commands[0]')) {
      const error = await attempt(value)
      if (error === undefined) continue
      refused++
      const plain = error instanceof TypeError || error instanceof RangeError
      const [, place = ''] = /^(commands\[0\][^:]*): ./.exec(plain ? error.message : '') ?? []
      // What decides on the meaning of others may make those wrong.
      const above = DECISIVE.test(path) ? path.replace(/^(commands\[0\]\.\w+\.\w+).*/, '$1') : path.replace(/[.[][^.[]*$/, '')
      const near = place !== '' && (path.startsWith(place) || place.startsWith(above))
      if (!near) t.fail(`${path}: ${String(error)}`, { cause: error })
    }
  }
  t.ok(refused > 5000, `${refused} refused`)
})

t.test('an option that there is not is refused: a filter would list everything, a guard would be none', async t => {
  await using nf = await open({ transport: scripted([]) })
  const message = (name: string, near: string) => ({
    name: 'TypeError',
    message: `options.${name}: there is no such option: did you mean ${near}?`,
  })
  await t.rejects(nf.commit([], { generatoin: 5 } as never), message('generatoin', 'generation'))
  await t.rejects(
    nf.commit(() => [], { atempts: 5 } as never),
    message('atempts', 'attempts'),
  )
  await t.rejects(nf.check([], { deadlin: 5 } as never), message('deadlin', 'deadline'))
  await t.rejects(nf.rules({ tabel: 'web' } as never), message('tabel', 'table'))
  await t.rejects(nf.rules({ ...inTable, name: 'in' } as never), { name: 'TypeError', message: /^options\.chain: is missing/ })
  await t.rejects(nf.resetRules({ famly: 'ip' } as never), message('famly', 'family'))
  await t.rejects(nf.snapshot({ tabel: 'web' } as never), message('tabel', 'table'))
  await t.rejects(nf.flushRuleset('all', { generatoin: 5 } as never), { name: 'TypeError' })
  await t.rejects(open({ transprot: scripted([]) } as never), message('transprot', 'transport'))
  await t.rejects(nf.commit([], 5 as never), { name: 'TypeError', message: 'options: 5: give an object' })
})

t.test('a guard is a generation that was read, or none', async t => {
  const kernel = scripted([])
  await using nf = await open({ transport: kernel })
  for (const generation of [0, -1, 0.5, 2 ** 32, Number.NaN])
    await t.rejects(nf.commit(GOOD.slice(0, 1), { generation }), {
      name: 'RangeError',
      message: /^options\.generation: .*: give one that was read/,
    })
  for (const generation of [null, '5', {}])
    await t.rejects(nf.commit(GOOD.slice(0, 1), { generation } as never), {
      name: 'TypeError',
      message: /^options\.generation: /,
    })
  t.same(kernel.sent, [])
})
