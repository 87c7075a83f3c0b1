/** How much goes through: rates, amounts, connections at a time. */
import assert from 'node:assert/strict'
import type { Expression } from '../../../../lib/nft/index.js'
import { eventually } from '../../support/expect.js'
import type { Case } from '../case.js'
import { ctState, dport, l4proto, loadAddress, nfproto, verdict } from './idioms.js'
import { addressOf, nameOf, network, SERVER_PORT, TABLE, tally, target, type Written } from './network.js'

const FORWARD = { type: 'filter', hook: 'forward', priority: 'filter' } as const
const toServer = (protocol: 'tcp' | 'udp', from?: string) => target(protocol, addressOf(1, 'ip'), SERVER_PORT, from)
const table = { family: TABLE.family, table: TABLE.name }

/** Bytes of a question, with the headers of UDP and IPv4. */
const QUESTION = 28 + 'who are you?\n'.length

/** What lets seven of many questions through, and drops the others. */
const limits: readonly [words: string, rules: readonly Written[]][] = [
  [
    'limit rate lets as many through as its burst allows at once',
    [
      {
        says: `udp dport ${SERVER_PORT} limit rate 1/week burst 7 packets accept`,
        does: [
          ...dport('udp', SERVER_PORT),
          { kind: 'limit', rate: 1n, unit: 604800n, burst: 7, of: 'packets', flags: [] },
          verdict('accept'),
        ],
      },
      { says: `udp dport ${SERVER_PORT} drop`, does: [...dport('udp', SERVER_PORT), verdict('drop')] },
    ],
  ],
  [
    'limit rate over holds for what comes beyond its burst',
    [
      {
        says: `udp dport ${SERVER_PORT} limit rate over 1/week burst 7 packets drop`,
        does: [
          ...dport('udp', SERVER_PORT),
          { kind: 'limit', rate: 1n, unit: 604800n, burst: 7, of: 'packets', flags: ['invert'] },
          verdict('drop'),
        ],
      },
    ],
  ],
  [
    'quota over holds once so many bytes were seen',
    [
      {
        says: `udp dport ${SERVER_PORT} quota over ${7 * QUESTION} bytes drop`,
        does: [
          ...dport('udp', SERVER_PORT),
          { kind: 'quota', bytes: BigInt(7 * QUESTION), used: 0n, flags: ['over'] },
          verdict('drop'),
        ],
      },
    ],
  ],
  [
    'quota holds until so many bytes were seen',
    [
      {
        says: `udp dport ${SERVER_PORT} quota ${7 * QUESTION} bytes accept`,
        does: [
          ...dport('udp', SERVER_PORT),
          { kind: 'quota', bytes: BigInt(7 * QUESTION), used: 0n, flags: [] },
          verdict('accept'),
        ],
      },
      { says: `udp dport ${SERVER_PORT} drop`, does: [...dport('udp', SERVER_PORT), verdict('drop')] },
    ],
  ],
]

const tooMany: Expression = { kind: 'connlimit', count: 2, flags: ['invert'] }
const refuse: Expression = { kind: 'reject', type: 'tcp reset', code: 0 }

export const cases: readonly Case[] = [
  ...limits.map(
    ([words, rules]): Case => ({
      name: `${words}: seven of twenty questions are answered`,
      needs: 'linux',
      async run(context) {
        const { write, burst } = await network(context)
        await write({ forward: { ...FORWARD, rules } })
        assert.deepEqual(tally(await burst(toServer('udp'), 20)), { [nameOf(1)]: 7, silence: 13 })
      },
    }),
  ),
  {
    name: 'a named quota tells what was used, and goes on from there when it is added again',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const quota = { ...table, name: 'questions', type: 'quota', flags: ['over'], bytes: BigInt(7 * QUESTION) } as const
      const rule: Written = {
        says: `udp dport ${SERVER_PORT} quota name "questions" drop`,
        does: [...dport('udp', SERVER_PORT), { kind: 'objref', type: 'quota', name: 'questions' }, verdict('drop')],
      }
      const nf = await write({ forward: { ...FORWARD, rules: [rule] } }, [
        { add: { object: { ...quota, used: BigInt(4 * QUESTION) } } },
      ])
      assert.deepEqual(tally(await burst(toServer('udp'), 10)), { [nameOf(1)]: 3, silence: 7 })
      const [read] = await nf.objects({ table: 'web', type: 'quota' })
      assert.deepEqual(read, { ...quota, flags: ['over', 'depleted'], used: quota.bytes, use: 1, handle: read?.handle })
    },
  },
  {
    name: 'ct count over refuses the connection that is one too many, until another has ended',
    needs: 'linux',
    async run(context) {
      const { write, client, attempt } = await network(context)
      const rule: Written = {
        says: 'meta l4proto tcp ct state new ct count over 2 reject with tcp reset',
        does: [...l4proto('tcp'), ...ctState('new'), tooMany, refuse],
      }
      await write({ forward: { ...FORWARD, rules: [rule] } })
      const held = await client.hold(toServer('tcp'))
      await client.hold(toServer('tcp'))
      assert.equal(await attempt(toServer('tcp')), 'ECONNREFUSED')
      await client.release(held.held)
      await eventually('there is room again', async () => typeof (await attempt(toServer('tcp'))) !== 'string')
    },
  },
  {
    name: 'with ct count in a set each client has a number of its own',
    needs: 'linux',
    async run(context) {
      const { write, client, attempt } = await network(context)
      const rule: Written = {
        says: 'meta l4proto tcp ct state new add @clients { ip saddr ct count over 2 } reject with tcp reset',
        does: [
          ...l4proto('tcp'),
          ...ctState('new'),
          ...nfproto('ip'),
          loadAddress('ip', 'saddr'),
          { kind: 'dynset', set: 'clients', operation: 'add', key: 1, expression: tooMany },
          refuse,
        ],
      }
      await write({ forward: { ...FORWARD, rules: [rule] } }, [
        { add: { set: { ...table, name: 'clients', key: 'ipv4_addr', size: 128, flags: ['dynamic'] } } },
      ])
      for (const last of [1, 2]) {
        const from = `192.0.2.${last}`
        for (const _ of [1, 2]) await client.hold(toServer('tcp', from))
        assert.equal(await attempt(toServer('tcp', from)), 'ECONNREFUSED', `a third connection of ${from}`)
      }
      assert.equal(tally([await attempt(toServer('tcp', '192.0.2.3'))])[nameOf(1)], 1, 'a third client')
    },
  },
]
