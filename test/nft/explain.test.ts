/**
 * What errors say where no kernel here gives them: of older ones, of those built without an option, and in the middle of attributes.
 * What the kernel at hand says is in test/kernel/nft/errors.
 */
import t from 'tap'
import { MessageReader } from '../../lib/netlink/buffer.js'
import { type Command, type Failure, open, type Problem, TransactionError } from '../../lib/nft/index.js'
import { errno, type Sent, scripted } from './scripted.js'

const inTable = { family: 'inet', table: 'web' } as const
const netdev = { family: 'netdev', table: 'web', name: 'in', hook: 'ingress' } as const
const rule = (...expressions: readonly object[]): Command =>
  ({ add: { rule: { ...inTable, chain: 'in', expressions } } }) as unknown as Command

/** The error of commands of which one message is refused, numbered from 1, at an offset in it. */
async function refusal(
  commands: readonly Command[],
  number: number,
  message: number,
  offset?: (sent: Sent) => number,
): Promise<TransactionError> {
  const kernel = scripted([sent => ({ replies: [sent.refuse(message, number, offset?.(sent))] })])
  await using nf = await open({ transport: kernel })
  try {
    await nf.commit(commands)
  } catch (error) {
    if (error instanceof TransactionError) return error
    throw error
  }
  throw new Error('it was carried out')
}

interface Row {
  readonly what: string
  readonly commands: readonly Command[]
  readonly errno: number
  /** Bytes from the beginning of the message. Default: the kernel does not say where. */
  readonly offset?: number
  readonly path?: string | undefined
  readonly problem: Problem
  readonly reason: string | RegExp
}

const HEADERS = 20
/** The first attribute behind those of table and chain, each with a name of up to 3 bytes. */
const THIRD = HEADERS + 8 + 8
const DEVICE = 19
const TOO_BIG = 27

const rows: readonly Row[] = [
  {
    what: 'an interface that is not there, before Linux 6.16',
    commands: [{ add: { chain: { ...netdev, devices: ['eth9'] } } }],
    errno: errno.ENOENT,
    offset: HEADERS + 8 + 8 + 4 + 8 + 8,
    path: 'add.chain.devices[0]',
    problem: 'no-such-interface',
    reason:
      'chain in of table netdev web can not be added: there is no interface eth9 in this network namespace: `ip link` shows those that there are',
  },
  {
    what: 'expressions that take more than the kernel keeps for a rule',
    commands: [rule(...Array.from({ length: 128 }, () => ({ kind: 'log', prefix: 'x'.repeat(127) })))],
    errno: TOO_BIG,
    problem: 'invalid',
    reason:
      'a rule of chain in of table inet web can not be added: its expressions take more than the 4095 bytes that the kernel keeps for ' +
      'one rule: divide it in two, or jump to another chain',
  },
  {
    what: 'a name that is empty',
    commands: [{ delete: { chain: { family: 'inet', table: '', name: '' } } }],
    errno: errno.ENOENT,
    offset: HEADERS,
    path: 'delete.chain.table',
    problem: 'no-such-object',
    reason: /^chain "" of table inet "" can not be deleted: there is no table inet "": read what is there/,
  },
  {
    what: 'one of several interfaces',
    commands: [{ add: { chain: { ...netdev, devices: ['lo', 'eth9'] } } }],
    errno: errno.ENOENT,
    offset: HEADERS + 8 + 8 + 4 + 8 + 8 + 4 + 8,
    path: 'add.chain.devices[1]',
    problem: 'no-such-interface',
    reason: /there is no interface eth9 in this network namespace/,
  },
  {
    what: 'an interface that goes meanwhile',
    commands: [{ add: { chain: { ...netdev, devices: ['eth9'] } } }],
    errno: DEVICE,
    problem: 'no-such-interface',
    reason: /there is no such interface in this network namespace/,
  },
  {
    what: 'a hook that this kernel was built without',
    commands: [{ add: { chain: { ...netdev, hook: 'egress', devices: ['lo'] } } }],
    errno: errno.EOPNOTSUPP,
    problem: 'not-supported',
    reason: /this kernel has no hook egress in family netdev, which CONFIG_NETFILTER_EGRESS \(Linux 5\.16\) gives/,
  },
  {
    what: 'hardware that does not offload',
    commands: [{ add: { chain: { ...netdev, devices: ['lo'], flags: ['hardware-offload'] } } }],
    errno: errno.EOPNOTSUPP,
    problem: 'not-supported',
    reason: /none of its devices offloads rules to hardware/,
  },
  {
    what: 'chains of type nat that this kernel was built without',
    commands: [{ add: { chain: { ...inTable, name: 'in', type: 'nat', hook: 'input' } } }],
    errno: errno.ENOENT,
    offset: HEADERS + 8 + 8 + 4 + 8 + 8,
    path: 'add.chain.type',
    problem: 'not-supported',
    reason:
      /this kernel has no chains of type nat in family inet: it has to be built with CONFIG_NF_NAT, and to load nft_chain_nat \(modprobe nft_chain_nat\)/,
  },
  {
    what: 'an expression that this kernel was built without',
    commands: [rule({ kind: 'counter' }, { kind: 'numgen', destination: 1, modulus: 3, type: 'random' })],
    errno: errno.ENOENT,
    offset: THIRD + 4 + 20,
    path: 'add.rule.expressions[1]',
    problem: 'not-supported',
    reason:
      /expressions\[1\] \(numgen\): this kernel has no expression numgen: it has to be built with CONFIG_NFT_NUMGEN, and to load nft_numgen \(modprobe nft_numgen\)/,
  },
  {
    what: 'an expression of xtables',
    commands: [rule({ kind: 'match', name: 'comment', revision: 0, info: new Uint8Array(8) })],
    errno: errno.ENOENT,
    offset: THIRD + 4,
    path: 'add.rule.expressions[0]',
    problem: 'not-supported',
    reason: /no xtables match as expressions\[0\] \(match\) asks for: .*nft_compat.*xt_comment/,
  },
  {
    what: 'flowtables that this kernel was built without',
    commands: [{ add: { flowtable: { ...inTable, name: 'f', devices: ['lo'] } } }],
    errno: errno.ENOENT,
    problem: 'not-supported',
    reason:
      /flowtable f of table inet web can not be added: this kernel has no flowtables in family inet: .*CONFIG_NF_FLOW_TABLE_INET/,
  },
  {
    what: 'an interface that another flowtable has',
    commands: [{ add: { flowtable: { ...inTable, name: 'f', devices: ['lo'] } } }],
    errno: errno.EEXIST,
    offset: HEADERS + 8 + 8 + 4 + 8 + 8 + 4,
    path: 'add.flowtable.devices[0]',
    problem: 'exists',
    reason: /an interface is named twice, or belongs to another flowtable/,
  },
  {
    what: 'objects of a type that this kernel was built without',
    commands: [{ add: { object: { ...inTable, name: 's', type: 'synproxy', mss: 1460, windowScale: 7 } } }],
    errno: errno.ENOENT,
    problem: 'not-supported',
    reason: /this kernel has no objects of type synproxy: it has to be built with CONFIG_NFT_SYNPROXY, and to load nft_synproxy/,
  },
  {
    what: 'a helper of connection tracking that is not loaded',
    commands: [{ add: { object: { ...inTable, name: 'h', type: 'ct helper', helper: 'ftp', protocol: 6 } } }],
    errno: errno.ENOENT,
    problem: 'not-supported',
    reason: /connection tracking has no helper ftp for this protocol: load its module \(modprobe nf_conntrack_ftp\)/,
  },
  {
    what: 'expressions of a set that this kernel was built without: it does not say which',
    commands: [
      {
        add: {
          set: { ...inTable, name: 's', key: 'ipv4_addr', expressions: [{ kind: 'counter' }, { kind: 'connlimit', count: 3 }] },
        },
      },
    ],
    errno: errno.ENOENT,
    problem: 'not-supported',
    reason:
      /expressions\[0\] \(counter\): .* or expressions\[1\] \(connlimit\): this kernel has no expression connlimit: .*CONFIG_NFT_CONNLIMIT/,
  },
  {
    what: 'elements of a set that a rule holds',
    commands: [{ add: { elements: { set: { ...inTable, name: '__set0', key: 'ipv4_addr' }, elements: [{ key: '10.0.0.1' }] } } }],
    errno: 16,
    problem: 'in-use',
    reason: /a rule uses it, and it is anonymous or constant: its elements can not be changed any more/,
  },
  {
    what: 'more references than the kernel counts',
    commands: [rule({ kind: 'counter' })],
    errno: 24,
    problem: 'other',
    reason: /too many rules or elements refer to one object/,
  },
  {
    what: 'an errno that nobody has met here',
    commands: [rule({ kind: 'counter' })],
    errno: 71,
    offset: THIRD,
    path: 'add.rule.expressions',
    problem: 'not-supported',
    reason: /it needs connection tracking/,
  },
  {
    what: 'an errno that has no meaning here',
    commands: [rule({ kind: 'counter' })],
    errno: 5,
    problem: 'other',
    reason: 'a rule of chain in of table inet web can not be added: the kernel refused it',
  },
]

t.test('what is missing or in the way is named, with what to do', async t => {
  for (const { what, commands, errno, offset, path, problem, reason } of rows) {
    const error = await refusal(commands, errno, 1, offset === undefined ? undefined : () => offset)
    const [failure] = error.failures
    t.match({ problem: failure?.problem, path: failure?.path, index: failure?.index }, { problem, path, index: 0 }, what)
    if (typeof reason === 'string') t.equal(failure?.reason, reason, what)
    else t.match(failure?.reason, reason, what)
  }
})

/** For every attribute of a message, what its first byte is called. */
async function pathsOf(command: Command): Promise<string[]> {
  const seen = new Set<string>()
  let length = 0
  await refusal([command], errno.EINVAL, 1, sent => {
    length = (sent.messages[1]?.end ?? 0) - (sent.messages[1]?.start ?? 0)
    return 0
  })
  for (let offset = HEADERS; offset < length; offset += 4) {
    const { failures } = await refusal([command], errno.EINVAL, 1, () => offset)
    seen.add(String(failures[0]?.path))
  }
  return [...seen]
}

t.test('attributes have the names of the fields that they come from', async t => {
  const set = { ...inTable, name: 's', key: ['ipv4_addr', 'inet_service'], flags: ['interval', 'timeout'] } as const
  const cases: readonly (readonly [command: Command, paths: readonly string[]])[] = [
    [
      { add: { chain: { ...inTable, name: 'in', type: 'filter', hook: 'input', priority: 5, policy: 'drop', comment: 'c' } } },
      ['table', 'name', 'hook', 'priority', 'policy', 'type', 'comment'],
    ],
    [
      { add: { chain: { ...netdev, devices: ['lo', 'eth0'] } } },
      ['table', 'name', 'hook', 'priority', 'devices', 'devices[0]', 'devices[1]', 'type'],
    ],
    [
      { add: { set: { ...set, size: 5, timeout: 9, id: 3, expressions: [{ kind: 'counter' }] } } },
      ['table', 'name', 'flags', 'key', 'size', 'id', 'timeout', 'expressions[0]'],
    ],
    [
      { add: { set: { ...inTable, name: 'm', key: 'mark', data: 'mark', objects: undefined, policy: 'memory' } } },
      ['table', 'name', 'key', 'data', 'policy'],
    ],
    [{ rename: { chain: { ...inTable, name: 'a', handle: 4, newName: 'b' } } }, ['table', 'handle', 'newName']],
    [{ flush: { set: { ...inTable, name: 's' } } }, ['table', 'name']],
    [{ flush: { table: { family: 'inet', name: 'web' } } }, ['name']],
    [
      { add: { flowtable: { ...inTable, name: 'f', devices: ['lo'] } } },
      ['table', 'name', 'hook', 'priority', 'devices', 'devices[0]'],
    ],
    [
      { add: { elements: { set, elements: [{ key: ['10.0.0.0/8', 80], timeout: 5, comment: 'c' }] } } },
      ['set.table', 'set.name', 'elements[0]', 'elements[0].key', 'elements[0].timeout', 'elements[0].comment'],
    ],
    [
      rule(
        { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
        { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'a' } },
      ),
      [
        'table',
        'chain',
        'expressions',
        'expressions[0]',
        'expressions[0].destination',
        'expressions[0].base',
        'expressions[0].length',
        'expressions[1]',
        'expressions[1].data',
        'expressions[1].data.verdict',
        'expressions[1].data.chain',
      ],
    ],
  ]
  for (const [command, paths] of cases) {
    const [verb = '', target = {}] = Object.entries(command)[0] ?? []
    const above = `${verb}.${Object.keys(target as object)[0]}.`
    const found = (await pathsOf(command)).map(path => path.slice(above.length))
    for (const path of paths) t.ok(found.includes(path), `${above}${path} of ${found.join(', ')}`)
    t.notOk(
      found.find(path => /keyType|\.value|verdict\.|hook\.|userData|description|^set$/.test(path)),
      above,
    )
  }
})

t.test('an element is counted as the caller counts, over messages and ends of intervals', async t => {
  const set = { ...inTable, name: 'r', key: 'ipv4_addr', flags: ['interval'] } as const
  const elements = Array.from({ length: 3000 }, (_, i) => ({ key: `10.${i >> 8}.${i & 255}.0/28` }))
  const command: Command = { add: { elements: { set, elements } } }
  const found = new Map<string, Failure>()
  for (const [message, nth] of [
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 7],
    [2, 0],
    [2, 5],
  ] as const) {
    const error = await refusal([command], errno.EEXIST, message, sent => elementIn(sent, message, nth))
    found.set(`${message}/${nth}`, error.failures[0] as Failure)
  }
  // Two of the kernel's elements for each.
  for (const [place, index] of [
    ['1/0', 0],
    ['1/1', 0],
    ['1/2', 1],
    ['1/7', 3],
  ] as const) {
    t.equal(found.get(place)?.element, index, place)
    t.match(found.get(place)?.reason, new RegExp(`element 10\\.0\\.${index}\\.0/28 of set r of table inet web`))
  }
  const second = found.get('2/0')?.element ?? 0
  t.ok(second > 500 && second < 3000, `the second message begins with element ${second}`)
  t.match(found.get('2/0')?.target, `element ${elements[second]?.key} of`)
  t.equal(found.get('2/5')?.element, second + 2)
})

/** Where the kernel's nth element of a message starts. */
function elementIn({ bytes, messages }: Sent, message: number, nth: number): number {
  const reader = new MessageReader(bytes)
  const { start = 0, payload = 0 } = messages[message] ?? {}
  let at = payload + 4
  const skip = (): void => {
    at += ((reader.u16[at >> 1] as number) + 3) & ~3
  }
  skip()
  skip()
  at += 4
  for (let i = 0; i < nth; i++) skip()
  return at - start
}

t.test('keys of all kinds are told in words', async t => {
  const keys: readonly (readonly [key: object, type: unknown, told: string])[] = [
    [{ key: '10.0.0.1' }, 'ipv4_addr', '10.0.0.1'],
    [{ key: ['10.0.0.1', 'tcp', 80] }, ['ipv4_addr', 'inet_proto', 'inet_service'], '10.0.0.1 . tcp . 80'],
    [{ key: Uint8Array.of(0, 80) }, 'inet_service', '0x0050'],
    [{ key: '*' }, 'inet_service', '*'],
  ]
  for (const [element, key, told] of keys) {
    const command = { add: { elements: { set: { ...inTable, name: 's', key }, elements: [element] } } } as unknown as Command
    const error = await refusal([command], errno.EINVAL, 1, sent => elementIn(sent, 1, 0))
    t.equal(error.failures[0]?.target, `element ${told} of set s of table inet web`)
  }
})

t.test('the kernel points out of the message, or nowhere: the command is told', async t => {
  for (const offset of [0, 4, 16, 0xffff]) {
    const error = await refusal([rule({ kind: 'counter' })], errno.EINVAL, 1, () => offset)
    t.match(error, { target: 'commands[0]', path: undefined }, String(offset))
  }
})
