/** Packets that do not arrive: what the client is told, and what is counted. */
import assert from 'node:assert/strict'
import type { Command } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'
import { counter, ctState, dport, l4proto, mark, setMark, verdict } from './idioms.js'
import { addressOf, network, SERVER_PORT, tally, target, VERSIONS, type Version, type Written } from './network.js'

const FORWARD = { type: 'filter', hook: 'forward', priority: 'filter' } as const
const EARLY = { type: 'filter', hook: 'prerouting', priority: 'mangle' } as const

const server = (protocol: 'tcp' | 'udp', version: Version = 'ip') => target(protocol, addressOf(1, version), SERVER_PORT)
const counted = (does: Written['does']) => [...does, counter]

/** Bytes of a question over UDP and IPv4. */
const QUESTION = 28 + 'who are you?\n'.length

/** A refusal, and what a client is told by it over each version. */
const rejections: readonly [
  protocol: 'tcp' | 'udp',
  says: string,
  reject: { type: 'tcp reset' | 'icmpx'; code: number },
  told: Readonly<Record<Version, string>>,
][] = [
  ['tcp', 'reject with tcp reset', { type: 'tcp reset', code: 0 }, { ip: 'ECONNREFUSED', ip6: 'ECONNREFUSED' }],
  ['tcp', 'reject', { type: 'icmpx', code: 1 }, { ip: 'ECONNREFUSED', ip6: 'ECONNREFUSED' }],
  ['udp', 'reject', { type: 'icmpx', code: 1 }, { ip: 'ECONNREFUSED', ip6: 'ECONNREFUSED' }],
  ['tcp', 'reject with icmpx no-route', { type: 'icmpx', code: 0 }, { ip: 'ENETUNREACH', ip6: 'ENETUNREACH' }],
  ['tcp', 'reject with icmpx admin-prohibited', { type: 'icmpx', code: 3 }, { ip: 'EHOSTUNREACH', ip6: 'EACCES' }],
]

export const cases: readonly Case[] = [
  ...rejections.map(
    ([protocol, words, reject, told]): Case => ({
      name: `${protocol} dport ${SERVER_PORT} ${words}: the client is told ${told.ip} (IPv6: ${told.ip6})`,
      needs: 'linux',
      async run(context) {
        const { write, ask, attempt } = await network(context)
        const rule: Written = {
          says: `${protocol} dport ${SERVER_PORT} ${words}`,
          does: [...dport(protocol, SERVER_PORT), { kind: 'reject', ...reject }],
        }
        const nf = await write({ forward: { ...FORWARD, rules: [rule] } })
        for (const version of VERSIONS) {
          assert.equal(await attempt(server(protocol, version)), told[version])
          // The other protocol goes through, and so does all when the rule is gone.
          assert.deepEqual(tally(await ask(server(protocol === 'tcp' ? 'udp' : 'tcp', version))), { 'server 1': 1 })
        }
        await nf.commit([{ flush: { chain: { family: 'inet', table: 'web', name: 'forward' } } }])
        assert.deepEqual(tally(await ask(server(protocol))), { 'server 1': 1 })
      },
    }),
  ),
  {
    name: 'what is dropped is met with silence, by a rule and by the policy, and goes through when it is not',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      const rule: Written = {
        says: `udp dport ${SERVER_PORT} counter packets 0 bytes 0 drop`,
        does: [...dport('udp', SERVER_PORT), counter, verdict('drop')],
      }
      const chain = { family: 'inet', table: 'web', name: 'forward', ...FORWARD } as const
      const policy = (word: 'accept' | 'drop'): Command => ({ add: { chain: { ...chain, policy: word } } })
      const nf = await write({ forward: { ...FORWARD, rules: [rule] } })
      assert.deepEqual(tally([...(await burst(server('udp'), 1)), ...(await burst(server('tcp'), 1))]), {
        silence: 1,
        'server 1': 1,
      })
      const [read] = await nf.rules({ table: 'web' })
      assert.deepEqual(
        read?.expressions.find(({ kind }) => kind === 'counter'),
        { kind: 'counter', packets: 1n, bytes: BigInt(QUESTION) },
      )
      await nf.commit([{ flush: { chain } }, policy('drop')])
      assert.deepEqual(tally([...(await burst(server('udp'), 1)), ...(await burst(server('tcp'), 1))]), { silence: 2 })
      await nf.commit([policy('accept')])
      assert.deepEqual(tally([...(await burst(server('udp'), 1)), ...(await burst(server('tcp'), 1))]), { 'server 1': 2 })
    },
  },
  {
    name: 'counters have the packets and bytes that were sent, until they are set back',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const nf = await write(
        {
          forward: {
            ...FORWARD,
            rules: [
              { says: `udp dport ${SERVER_PORT} counter packets 0 bytes 0`, does: counted(dport('udp', SERVER_PORT)) },
              {
                says: `udp dport ${SERVER_PORT} counter name "questions"`,
                does: [...dport('udp', SERVER_PORT), { kind: 'objref', type: 'counter', name: 'questions' }],
              },
            ],
          },
        },
        [{ add: { object: { family: 'inet', table: 'web', name: 'questions', type: 'counter' } } }],
      )
      await ask(server('udp'), 7)
      const [rule] = await nf.rules({ table: 'web' })
      const seen = { packets: 7n, bytes: BigInt(7 * QUESTION) }
      assert.deepEqual(rule?.expressions.at(-1), { kind: 'counter', ...seen })
      const [object] = await nf.objects({ table: 'web', type: 'counter' })
      assert.deepEqual(
        { ...object, handle: 0 },
        { family: 'inet', table: 'web', name: 'questions', type: 'counter', ...seen, use: 1, handle: 0 },
      )
    },
  },
  {
    name: 'a mark that one chain sets another one sees',
    needs: 'linux',
    async run(context) {
      const { write, burst } = await network(context)
      await write({
        early: {
          ...EARLY,
          rules: [
            { says: `udp dport ${SERVER_PORT} meta mark set 0x00000007`, does: [...dport('udp', SERVER_PORT), ...setMark(7)] },
          ],
        },
        forward: { ...FORWARD, rules: [{ says: 'meta mark 0x00000007 drop', does: [...mark('meta', 7), verdict('drop')] }] },
      })
      assert.deepEqual(tally([...(await burst(server('udp'), 1)), ...(await burst(server('tcp'), 1))]), {
        silence: 1,
        'server 1': 1,
      })
    },
  },
  {
    name: 'a connection keeps its mark for the packets that come back',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const nf = await write({
        early: {
          ...EARLY,
          rules: [
            {
              says: `ct state new udp dport ${SERVER_PORT} ct mark set 0x00000009`,
              does: [
                ...ctState('new'),
                ...dport('udp', SERVER_PORT),
                { kind: 'immediate', destination: 1, data: new Uint8Array(Uint32Array.of(9).buffer) },
                { kind: 'ct', key: 'mark', source: 1 },
              ],
            },
          ],
        },
        back: {
          ...FORWARD,
          rules: [
            {
              says: 'ct direction reply ct mark 0x00000009 counter packets 0 bytes 0',
              does: counted([...fromServer, ...mark('ct', 9)]),
            },
          ],
        },
      })
      await ask(server('udp'), 3)
      await ask(server('tcp'), 2)
      const rules = await nf.rules({ table: 'web', chain: 'back' })
      assert.equal(counterOf(rules[0]?.expressions), 3n)
    },
  },
  {
    name: 'jump comes back to the rule behind it, goto does not, return ends a chain',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const counts = (chain: string) => [{ says: 'counter packets 0 bytes 0', does: [counter] }].map(rule => ({ ...rule, chain }))
      const nf = await write({
        visited: { rules: [...counts('visited'), { says: 'return', does: [verdict('return')] }, ...counts('visited')] },
        left: { rules: counts('left') },
        forward: {
          ...FORWARD,
          rules: [
            { says: 'meta l4proto udp jump visited', does: [...l4proto('udp'), verdict('jump', 'visited')] },
            { says: 'meta l4proto udp goto left', does: [...l4proto('udp'), verdict('goto', 'left')] },
            { says: 'meta l4proto udp counter packets 0 bytes 0', does: counted(l4proto('udp')) },
          ],
        },
      })
      await ask(server('udp'))
      const rules = await nf.rules({ table: 'web' })
      const counters = (chain: string) =>
        rules.filter(rule => rule.chain === chain).flatMap(({ expressions }) => counterOf(expressions) ?? [])
      assert.deepEqual(
        { visited: counters('visited'), left: counters('left'), forward: counters('forward') },
        { visited: [2n, 0n], left: [2n], forward: [0n] },
      )
    },
  },
]

/** `ct direction reply` */
const fromServer: Written['does'] = [
  { kind: 'ct', key: 'direction', destination: 1 },
  { kind: 'cmp', source: 1, operator: 'eq', data: Uint8Array.of(1) },
]

function counterOf(expressions: Written['does'] | undefined): bigint | undefined {
  const found = expressions?.find(({ kind }) => kind === 'counter')
  return found?.kind === 'counter' ? found.packets : undefined
}
