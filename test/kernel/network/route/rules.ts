/** Rules of routing. */
import assert from 'node:assert/strict'
import type { RuleConfig } from '../../../../lib/route/index.js'
import { refused } from '../../support/expect.js'
import type { Case } from '../case.js'

const RULES: readonly RuleConfig[] = [
  { family: 'ipv4', priority: 100, table: 100 },
  { family: 'ipv4', priority: 100, table: 'main', mark: 0x4000, mask: 0x4000 },
  { family: 'ipv4', priority: 100, table: 1000, mark: 7 },
  { family: 'ipv4', priority: 100, table: 1000, mark: 0, mask: 0xff },
  { family: 'ipv4', priority: 100, table: 100, from: '10.0.0.0/8', to: '192.0.2.1/32' },
  { family: 'ipv4', priority: 100, table: 100, inputDevice: 'eth7', outputDevice: 'lo' },
  { family: 'ipv4', priority: 100, table: 100, from: '10.0.0.0/8', invert: true, tos: 16 },
  {
    family: 'ipv4',
    priority: 100,
    table: 100,
    ipProtocol: 6,
    destinationPorts: { from: 80, to: 443 },
    sourcePorts: { from: 1, to: 1 },
  },
  { family: 'ipv4', priority: 100, table: 100, users: { from: 0, to: 1000 }, protocol: 77 },
  { family: 'ipv4', priority: 100, table: 'main', suppressPrefixLength: 0 },
  { family: 'ipv4', priority: 100, action: 'goto', goto: 2000 },
  { family: 'ipv4', priority: 100, action: 'blackhole', from: '10.0.0.0/8' },
  { family: 'ipv4', priority: 100, action: 'unreachable', to: '10.0.0.0/8' },
  { family: 'ipv4', priority: 100, action: 'prohibit', mark: 1 },
  { family: 'ipv6', priority: 100, table: 100, from: '2001:db8::/32' },
  { family: 'ipv6', priority: 0xffff_ffff, table: 0xffff_ffff },
]

const oneRule = RULES.map(
  (wanted): Case => ({
    name: `rules: ${JSON.stringify(wanted)} is read as it was written, and removed`,
    async run({ route }) {
      const client = await route()
      const { family, priority } = wanted
      const before = await client.rules({ family })
      await client.addRule(wanted)
      const [found] = await client.rules({ family, priority })
      assert.deepEqual(found, { action: 'lookup', protocol: 'boot', ...wanted })
      if (!found) return
      await refused(client.addRule(wanted), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'addRule',
        reason: /there is such a rule/,
      })
      assert.equal(await client.removeRule(found), true)
      assert.equal(await client.removeRule(found), false)
      assert.deepEqual(await client.rules({ family }), before)
    },
  }),
)

export const cases: readonly Case[] = [
  ...oneRule,
  {
    name: 'rules: those of a new namespace ask local, main and default',
    async run({ route }) {
      const client = await route()
      assert.deepEqual(
        (await client.rules()).map(({ family, priority, table }) => [family, priority, table]),
        [
          ['ipv4', 0, 'local'],
          ['ipv4', 32766, 'main'],
          ['ipv4', 32767, 'default'],
          ['ipv6', 0, 'local'],
          ['ipv6', 32766, 'main'],
        ],
      )
      assert.equal((await client.rules({ table: 'main', family: 'ipv6' })).length, 1)
    },
  },
  {
    name: 'rules: without a priority a rule comes before the others',
    async run({ route }) {
      const client = await route()
      await client.addRule({ from: '10.0.0.0/8', table: 100 })
      await client.addRule({ from: '10.1.0.0/16', table: 100 })
      assert.deepEqual(
        (await client.rules({ family: 'ipv4' })).map(({ priority }) => priority),
        [0, 32764, 32765, 32766, 32767],
      )
    },
  },
  {
    name: 'rules: of those with one priority the one is removed that was meant',
    async run({ route }) {
      const client = await route()
      for (const mark of [1, 2, 3]) await client.addRule({ family: 'ipv4', priority: 50, mark, table: 100 })
      assert.equal(await client.removeRule({ family: 'ipv4', priority: 50, mark: 2 }), true)
      assert.equal(await client.removeRule({ family: 'ipv4', priority: 50, mark: 2 }), false)
      assert.deepEqual(
        (await client.rules({ priority: 50 })).map(({ mark }) => mark),
        [1, 3],
      )
    },
  },
  {
    name: 'rules: they are those that `ip rule` shows',
    needs: 'linux',
    async run({ route, inside }) {
      const client = await route()
      for (const [i, rule] of RULES.entries()) await client.addRule({ ...rule, priority: 1000 + i })
      for (const family of ['ipv4', 'ipv6'] as const) {
        const shown = JSON.parse(await inside(`ip -j ${family === 'ipv6' ? '-6' : '-4'} rule`)) as ShownRule[]
        assert.deepEqual(
          (await client.rules({ family })).map(({ priority, table, mark }) => [
            priority,
            table === undefined ? undefined : String(table),
            mark || undefined,
          ]),
          shown.map(({ priority, table, fwmark }) => [
            priority,
            table,
            fwmark === undefined ? undefined : Number(fwmark) || undefined,
          ]),
        )
      }
    },
  },
]

interface ShownRule {
  readonly priority: number
  readonly table?: string
  readonly fwmark?: string
}
