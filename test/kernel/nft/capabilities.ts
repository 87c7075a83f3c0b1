/** What `capabilities` says must come true. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type { Availability, Capabilities, Command, Expression, NftClient } from '../../../lib/nft/index.js'
import { TransactionError } from '../../../lib/nft/index.js'
import { EXPRESSION_NAMES, familiesOfExpression, optionOfExpression } from '../../../lib/nft/kernel-options.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { between } from '../support/between.js'
import { type Case, Skip } from './case.js'
import { next } from './watch/mirror.js'

const of = { family: 'ip', table: 't' } as const
const set = { ...of, name: 's', key: 'ipv4_addr' } as const
const counter = { kind: 'counter' } as const
const load = (destination: number) => ({ kind: 'immediate', destination, data: new Uint8Array(4) }) as const
const rule = (...expressions: Expression[]): Command => ({ add: { rule: { ...of, chain: 'c', expressions } } })
const owned = (...flags: ('owner' | 'persist')[]): Command => ({ add: { table: { family: 'ip6', name: 'own', flags } } })
const inIp = ({ families }: Availability): boolean => families.includes('ip')

/** What each is needed for. */
const USES: readonly (readonly [name: string, there: (found: Capabilities) => boolean, commands: readonly Command[]])[] = [
  ['destroy', found => found.destroy, [{ destroy: { chain: { ...of, name: 'absent' } } }]],
  ['tableOwner', found => found.tableOwner, [owned('owner')]],
  ['tablePersist', found => found.tablePersist, [owned('owner', 'persist')]],
  [
    'catchAllElements',
    found => found.catchAllElements,
    [{ add: { set } }, { add: { elements: { set, elements: [{ key: '*' }] } } }],
  ],
  [
    'severalElementExpressions',
    found => found.severalElementExpressions,
    [{ add: { set: { ...set, expressions: [counter, { kind: 'limit', rate: 1n, unit: 1n }] } } }],
  ],
  [
    'bitwiseRegisters',
    found => found.bitwiseRegisters,
    [rule(load(1), load(2), { kind: 'bitwise', operator: 'xor', source: 1, source2: 2, destination: 1, length: 4 })],
  ],
  ['queue', ({ expressions: { queue } }) => queue !== undefined && inIp(queue), [rule({ kind: 'queue', number: 0 })]],
  ['last', ({ expressions: { last } }) => last !== undefined && inIp(last), [rule({ kind: 'last' })]],
  ['log', ({ expressions: { log } }) => log !== undefined && inIp(log), [rule({ kind: 'log' })]],
  ['quota', ({ objects }) => inIp(objects.quota), [{ add: { object: { ...of, name: 'q', type: 'quota', bytes: 1n } } }]],
  ['flowtables', ({ flowtables }) => inIp(flowtables), [{ add: { flowtable: { ...of, name: 'f' } } }]],
  [
    'nat chains',
    ({ chainTypes }) => inIp(chainTypes.nat),
    [{ add: { chain: { ...of, name: 'n', type: 'nat', hook: 'postrouting' } } }],
  ],
  [
    'egress',
    ({ hooks }) => hooks.egress.families.includes('netdev'),
    [
      { add: { table: { family: 'netdev', name: 'n' } } },
      { add: { chain: { family: 'netdev', table: 'n', name: 'e', hook: 'egress', devices: ['lo'] } } },
    ],
  ],
]

async function works(nf: NftClient, commands: readonly Command[]): Promise<boolean> {
  try {
    await nf.check([{ add: { table: { family: 'ip', name: 't' } } }, { add: { chain: { ...of, name: 'c' } } }, ...commands])
    return true
  } catch (error) {
    assert.ok(error instanceof TransactionError)
    return false
  }
}

export const cases: readonly Case[] = [
  {
    name: 'capabilities: what is there can be used, and what is not can not',
    async run({ open }) {
      const nf = await open()
      const found = await nf.capabilities()
      assert.equal(found.available, true)
      assert.equal(found.reason, undefined)
      for (const [name, there, commands] of USES) assert.equal(there(found), await works(nf, commands), name)
      assert.ok(found.families.families.includes('inet'))
      assert.deepEqual(found.expressions.cmp?.families, found.families.families)
      assert.deepEqual(Object.keys(found.expressions), EXPRESSION_NAMES)
    },
  },
  {
    name: 'capabilities: asking leaves nothing behind, counts no generation, and is told nobody',
    async run({ open }) {
      const nf = await open()
      const events = nf.watch()
      const before = await nf.generation()
      await nf.capabilities()
      assert.equal(await nf.generation(), before)
      assert.deepEqual(await nf.tables(), [])
      await nf.commit([{ add: { table: { family: 'ip', name: 't' } } }])
      assert.equal((await next(events)).generation, before + 1)
    },
  },
  {
    name: 'capabilities: the kernel is asked once',
    async run({ open, transport }) {
      let crossings = 0
      const nf = await open({ transport: between(transport(), { before: () => crossings++ }) })
      const found = await nf.capabilities()
      const once = crossings
      assert.ok(once < 12, `${once} crossings`)
      assert.equal(await nf.capabilities(), found)
      assert.equal(crossings, once)
    },
  },
  {
    name: 'capabilities: `commit` finds out whether time-outs of elements can be changed, and leaves nothing behind',
    async run({ open }) {
      const nf = await open()
      assert.equal((await nf.capabilities()).elementTimeoutUpdate, undefined)
      const { elementTimeoutUpdate } = await nf.capabilities({ commit: true })
      assert.deepEqual(await nf.tables(), [])
      assert.equal((await nf.capabilities()).elementTimeoutUpdate, elementTimeoutUpdate)
      const timed = { ...set, flags: ['timeout'] } as const
      const put = (timeout: number): Command => ({ add: { elements: { set: timed, elements: [{ key: '10.0.0.1', timeout }] } } })
      await nf.commit([{ add: { table: { family: 'ip', name: 't' } } }, { add: { set: timed } }, put(1000)])
      await nf.commit([put(2000)])
      assert.equal((await nf.elements(timed).toArray())[0]?.timeout === 2000, elementTimeoutUpdate)
    },
  },
  {
    name: 'capabilities: what is missing is what the kernel was built without',
    needs: 'linux',
    async run({ open }) {
      const config = await readFile('/proc/config.gz').then(
        data => gunzipSync(data).toString(),
        () => {
          throw new Skip('the kernel does not show what it was built with (CONFIG_IKCONFIG_PROC)')
        },
      )
      const isBuilt = (option: string): boolean => new RegExp(`^CONFIG_${option}=[ym]$`, 'm').test(config)
      const { expressions, families, flowtables } = await (await open()).capabilities()
      for (const name of EXPRESSION_NAMES) {
        for (const family of (familiesOfExpression(name) ?? families.families).filter(it => families.families.includes(it))) {
          const { option = '', module } = optionOfExpression(name, family) ?? {}
          // Part of nf_tables since Linux 6.2, and no option any more.
          const built = isBuilt(option) || option === 'NFT_OBJREF'
          const told = expressions[name]
          assert.equal(told?.families.includes(family), built, `${name} in ${family}: ${option}`)
          const missing = told?.missing.find(it => it.families.includes(family))
          assert.deepEqual(missing && [missing.option, missing.module], built ? undefined : [`CONFIG_${option}`, module])
        }
      }
      assert.equal(flowtables.families.includes('inet'), isBuilt('NF_FLOW_TABLE_INET'))
    },
  },
  {
    name: 'capabilities: without nftables, or without permission, the reason is in the result',
    needs: 'memory',
    async run({ open }) {
      const none = await (await open({ transport: memoryKernel({ nftables: false }) })).capabilities()
      assert.deepEqual([none.available, none.reason?.problem, none.families.families], [false, 'not-supported', []])
      const refused = await (await open({ transport: memoryKernel({ permitted: 'no' }) })).capabilities()
      assert.deepEqual([refused.available, refused.reason?.problem, refused.destroy], [false, 'not-permitted', false])
    },
  },
]
