import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { Limit } from '../../lib/netlink/channel.js'
import { messagesOf } from '../../lib/netlink/message.js'
import { Turns } from '../../lib/netlink/turns.js'
import { Batch } from '../../lib/nft/batch.js'
import type { Command } from '../../lib/nft/index.js'
import { FRAME, split } from '../../lib/nft/split.js'

const of = { family: 'inet', table: 't' } as const
const table: Command = { add: { table: { family: 'inet', name: 't' } } }
const set = (id: number | undefined, name = 's') => ({ ...of, name, key: 'ipv4_addr', id }) as const
const elements = (id: number | undefined, keys: readonly string[] = ['10.0.0.1']): Command => ({
  add: { elements: { set: set(id), elements: keys.map(key => ({ key })) } },
})
const rule = (fields: object, expressions: readonly object[] = []): Command =>
  ({ add: { rule: { ...of, chain: 'c', ...fields, expressions } } }) as Command
const chain = (id: number): Command => ({ add: { chain: { ...of, name: '', flags: ['binding'], id } } })

async function written(commands: readonly Command[]): Promise<Batch> {
  const batch = new Batch(new MessageWriter(64), 100, false)
  batch.open(0)
  await batch.write(commands, new Turns(), new Limit(undefined, 60))
  batch.close(true)
  return batch
}

/** Which commands are in each part, where each is as small as may be. */
async function parts(commands: readonly Command[], bytes = 1): Promise<number[][]> {
  const batch = await written(commands)
  return split(batch, commands, bytes).map(({ first, end }) =>
    Array.from({ length: end - first }, (_, i) => batch.placeOf(first + i).command),
  )
}

const jump = (chainId: number) => ({ kind: 'immediate', destination: 0, data: { verdict: 'jump', chainId } })
const lists: readonly [name: string, commands: readonly Command[], parts: number[][]][] = [
  ['nothing', [], []],
  ['what shares nothing', [table, elements(undefined), rule({})], [[0], [1], [2]]],
  ['a set and its elements', [table, { add: { set: set(1) } }, elements(1), table], [[0], [1, 2], [3]]],
  ['a set of the same id as a chain', [{ add: { set: set(1) } }, chain(1)], [[0], [1]]],
  ['what stands between', [{ add: { set: set(1) } }, table, elements(1), table], [[0, 1, 2], [3]]],
  ['lookup', [{ add: { set: set(1) } }, rule({}, [{ kind: 'lookup', set: 's', setId: 1, source: 1 }])], [[0, 1]]],
  ['dynset', [{ add: { set: set(1) } }, rule({}, [{ kind: 'dynset', set: 's', setId: 1, key: 1, operation: 'add' }])], [[0, 1]]],
  ['objref', [{ add: { set: set(1) } }, rule({}, [{ kind: 'objref', set: 's', setId: 1, source: 1 }])], [[0, 1]]],
  ['chains of rules', [chain(1), rule({ chainId: 1 }), rule({}, [jump(1)]), table], [[0, 1, 2], [3]]],
  ['positions', [rule({ id: 1 }), rule({ positionId: 1 }), rule({ id: 2 })], [[0, 1], [2]]],
  ['overlapping', [chain(1), chain(2), rule({ chainId: 1 }), rule({ chainId: 2 }), table], [[0, 1, 2, 3], [4]]],
  ['an id that is used once', [table, rule({ id: 7 }), table], [[0], [1], [2]]],
]

for (const [name, commands, expected] of lists) {
  t.test(`what shares an id stays together: ${name}`, async t => {
    t.strictSame(await parts(commands), expected)
  })
}

t.test('verdict maps name chains by their ids', async t => {
  const map = { ...of, name: 'm', key: 'mark', data: 'verdict' } as const
  const jumps: Command = { add: { elements: { set: map, elements: [{ key: 1, data: { verdict: 'jump', chainId: 5 } }] } } }
  t.strictSame(await parts([chain(5), jumps, table]), [[0, 1], [2]])
})

t.test('the elements of one command may be cut where they share no id, else not', async t => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  t.ok((await parts([elements(undefined, keys)])).length > 1)
  t.equal((await parts([{ add: { set: set(1) } }, elements(1, keys)])).length, 1)
  t.ok((await parts([elements(1, keys)])).length > 1, 'an id that nothing else uses')
})

t.test('parts are filled as far as they go', async t => {
  const commands = Array.from({ length: 10 }, () => table)
  const batch = await written(commands)
  const size = batch.startOf(1) - batch.startOf(0)
  const lengths = async (bytes: number) => (await parts(commands, bytes)).map(part => part.length)
  t.strictSame(await lengths(FRAME + 3 * size), [3, 3, 3, 1])
  t.strictSame(await lengths(FRAME + 3 * size - 1), [2, 2, 2, 2, 2])
  t.strictSame(await lengths(FRAME + 10 * size), [10])
})

t.test('a part is a batch of its own', async t => {
  const commands = [table, elements(undefined), rule({}), rule({ comment: 'last' })]
  const whole = await written(commands)
  const part = new Batch(new MessageWriter(64), 500, false)
  part.open(0)
  part.copy(whole, 1, 3)
  part.close(true)
  const bytes = part.writer.written()
  t.equal(bytes.length, FRAME + whole.startOf(3) - whole.startOf(1))
  const messages = [...messagesOf(new MessageReader(bytes.slice()))]
  t.strictSame(
    messages.map(({ sequence, type }) => [sequence, type & 255]),
    [
      [500, 0x10],
      [501, 12],
      [502, 6],
      [503, 0x11],
    ],
  )
  t.strictSame(
    messages.map(({ flags }) => (flags & 4) !== 0),
    [false, true, false, false],
    'the first one is acknowledged',
  )
  t.equal(part.question, 504)
  t.match(part.at(501), { command: 1, element: 0 })
  t.match(part.at(502), { command: 2 })
  t.equal(part.at(503), undefined)
})
