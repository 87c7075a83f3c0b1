/** What connection tracking knows of packets. */
import assert from 'node:assert/strict'
import type { Expression } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'
import { address, counter, ctState, ctStatusDnat, dport, nat, verdict } from './idioms.js'
import { addressOf, nameOf, network, SERVER_PORT, SERVICE, tally, target, type Written, type WrittenChain } from './network.js'

const FORWARD = { type: 'filter', hook: 'forward', priority: 'filter' } as const
const server = (protocol: 'tcp' | 'udp') => target(protocol, addressOf(1, 'ip'), SERVER_PORT)

const counting = (says: string, does: readonly Expression[]): Written => ({
  says: `${says} counter packets 0 bytes 0`,
  does: [...does, counter],
})

const packetsOf = (expressions: readonly Expression[] | undefined): bigint | undefined => {
  const found = expressions?.find(({ kind }) => kind === 'counter')
  return found?.kind === 'counter' ? found.packets : undefined
}

const firewall: WrittenChain = {
  ...FORWARD,
  policy: 'drop',
  rules: [
    {
      says: 'ct state established,related counter packets 0 bytes 0 accept',
      does: [...ctState('established', 'related'), counter, verdict('accept')],
    },
    {
      says: `ct state new tcp dport ${SERVER_PORT} counter packets 0 bytes 0 accept`,
      does: [...ctState('new'), ...dport('tcp', SERVER_PORT), counter, verdict('accept')],
    },
    counting('ct state new', ctState('new')),
  ],
}

const toServer: WrittenChain = {
  type: 'nat',
  hook: 'prerouting',
  priority: 'dstnat',
  rules: [
    {
      says: `ip daddr ${SERVICE.ip} dnat ip to ${addressOf(1, 'ip')}`,
      does: [...address('ip', 'daddr', SERVICE.ip), ...nat('dnat', 'ip', addressOf(1, 'ip'))],
    },
  ],
}

export const cases: readonly Case[] = [
  {
    name: 'one packet of a connection is new, those behind it are established, and a firewall lives on that',
    needs: 'linux',
    async run(context) {
      const { write, ask, burst } = await network(context)
      const nf = await write({ forward: firewall })
      assert.deepEqual(tally(await ask(server('tcp'), 4)), { [nameOf(1)]: 4 })
      assert.deepEqual(tally(await burst(server('udp'), 2)), { silence: 2 })
      const [established, allowed, refused] = (await nf.rules({ table: 'web' })).map(rule => packetsOf(rule.expressions))
      assert.deepEqual({ allowed, refused }, { allowed: 4n, refused: 2n })
      assert.ok(established !== undefined && established > 12n, `handshake, question, answer, end: ${established}`)
    },
  },
  {
    name: 'notrack leaves packets unknown: they are untracked, and nobody translates them',
    needs: 'linux',
    async run(context) {
      const { write, ask, burst } = await network(context)
      const nf = await write({
        raw: {
          type: 'filter',
          hook: 'prerouting',
          priority: 'raw',
          rules: [{ says: `udp dport ${SERVER_PORT} notrack`, does: [...dport('udp', SERVER_PORT), { kind: 'notrack' }] }],
        },
        nat: toServer,
        forward: { ...FORWARD, rules: [counting('ct state untracked', ctState('untracked'))] },
      })
      assert.deepEqual(tally(await ask(server('udp'), 3)), { [nameOf(1)]: 3 })
      const [rule] = await nf.rules({ table: 'web', chain: 'forward' })
      assert.equal(packetsOf(rule?.expressions), 3n)
      assert.deepEqual(tally(await ask(target('tcp', SERVICE.ip, SERVER_PORT))), { [nameOf(1)]: 1 }, 'tcp is translated')
      assert.deepEqual(tally(await burst(target('udp', SERVICE.ip, SERVER_PORT), 1)), { silence: 1 }, 'udp is not')
    },
  },
  {
    name: 'ct status tells packets whose destination was translated, in both directions',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const nf = await write({
        nat: toServer,
        forward: { ...FORWARD, rules: [counting('ct status dnat', ctStatusDnat)] },
      })
      await ask(server('udp'), 2)
      await ask(target('udp', SERVICE.ip, SERVER_PORT), 2)
      const [rule] = await nf.rules({ table: 'web', chain: 'forward' })
      assert.equal(packetsOf(rule?.expressions), 4n)
    },
  },
]
