import t from 'tap'
import { HISTORY, type Look, look } from '../../../lib/cli/top/look.js'
import type { Statistics } from '../../../lib/ipvs/index.js'
import { realServer, virtualServer } from './support.js'

const NAME = 'tcp 10.0.0.1:80'
const row = (seen: Look) => {
  const found = seen.groups.get(NAME)?.row
  if (!found) throw new Error('it is not there')
  return found
}

t.test('connections a second, look by look', async t => {
  // The kernel brings counters up to date every 2 s. Each step: when it was looked, the counter, the rate that is shown.
  const table: [words: string, steps: [at: number, connections: bigint, rate: number][]][] = [
    [
      'is the difference over the time that passed',
      [
        [0, 100n, 7],
        [2, 120n, 10],
        [6, 160n, 10],
        [8.5, 160n, 0],
      ],
    ],
    [
      'stays as it was while the kernel has not counted',
      [
        [0, 0n, 7],
        [0.5, 0n, 7],
        [1, 20n, 10],
        [1.5, 20n, 10],
        [3, 40n, 10],
      ],
    ],
    [
      'falls to nothing when the kernel had time to count',
      [
        [0, 0n, 7],
        [2, 20n, 10],
        [4, 20n, 10],
        [4.6, 20n, 0],
      ],
    ],
    [
      'comes from 2 s at least, however late the look before was',
      [
        [0, 0n, 7],
        [3, 0n, 0],
        [3.5, 20n, 10],
      ],
    ],
    [
      'begins again when counters are set to zero',
      [
        [0, 100n, 7],
        [2, 120n, 10],
        [4, 8n, 4],
      ],
    ],
    [
      'can be less than one',
      [
        [0, 0n, 7],
        [2, 1n, 0.5],
      ],
    ],
  ]
  for (const [words, steps] of table) {
    let seen: Look | undefined
    for (const [at, connections, rate] of steps) {
      const statistics: Partial<Statistics> = { connections, incomingPackets: 5n * connections, connectionRate: 7n }
      seen = look(seen, [virtualServer('10.0.0.1', [], statistics)], at)
      t.equal(row(seen).values.connections, rate, `${words}: at ${at} s`)
    }
  }
})

t.test('every rate has its counter, and its estimate by the kernel in the first look', async t => {
  const before = look(
    undefined,
    [
      virtualServer('10.0.0.1', [], {
        connectionRate: 1n,
        incomingPacketRate: 2n,
        outgoingPacketRate: 3n,
        incomingByteRate: 4n,
        outgoingByteRate: 5n,
      }),
    ],
    0,
  )
  const rates = { connections: 1, incomingPackets: 2, outgoingPackets: 3, incomingBytes: 4, outgoingBytes: 5 }
  t.match(row(before).values, rates)
  const counters = { connections: 20n, incomingPackets: 40n, outgoingPackets: 60n, incomingBytes: 80n, outgoingBytes: 1n << 40n }
  const after = look(before, [virtualServer('10.0.0.1', [], counters)], 2)
  t.match(row(after).values, {
    connections: 10,
    incomingPackets: 20,
    outgoingPackets: 30,
    incomingBytes: 40,
    outgoingBytes: 2 ** 39,
  })
})

t.test('a virtual server has the connections of its real servers, and the total those of all', async t => {
  const seen = look(
    undefined,
    [
      virtualServer('10.0.0.1', [
        realServer('10.1.0.1', { activeConnections: 3, inactiveConnections: 1 }),
        realServer('10.1.0.2', { activeConnections: 4, inactiveConnections: 2, weight: 9, forwarding: 'tunnel' }),
      ]),
      virtualServer('10.0.0.2', [realServer('10.1.0.1', { activeConnections: 10 })], { connectionRate: 5n }),
    ],
    0,
  )
  t.match(row(seen), { kind: 'virtual-server', forward: 'rr', weight: undefined, values: { active: 7, inactive: 3 } })
  t.match(
    [...(seen.groups.get(NAME)?.realServers.values() ?? [])],
    [
      { name: '10.1.0.1:80', kind: 'real-server', forward: 'masquerade', weight: 1, values: { active: 3, inactive: 1 } },
      { name: '10.1.0.2:80', kind: 'real-server', forward: 'tunnel', weight: 9, values: { active: 4, inactive: 2 } },
    ],
  )
  t.match(seen.total, { active: 17, inactive: 3, connections: 5 })
  t.equal(seen.realServers, 3)
})

t.test('a row remembers its last looks, and what is gone is forgotten', async t => {
  let seen: Look | undefined
  for (let i = 0; i < HISTORY + 5; i++)
    seen = look(seen, [virtualServer('10.0.0.1', [realServer('10.1.0.1', { activeConnections: i })])], 2 * i)
  const history = seen?.groups.get(NAME)?.realServers.get('10.1.0.1 80')?.history ?? []
  t.strictSame(
    history.map(({ active }) => active),
    [5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  )
  t.equal(look(seen, [], 100).groups.size, 0)
  t.equal(look(look(seen, [], 100), [virtualServer('10.0.0.1')], 102).groups.get(NAME)?.row.history.length, 1)
})
