/** From the tables that are there to those that are wanted. */
import assert from 'node:assert/strict'
import * as nft from '../../../lib/nft/index.js'
import type { Case } from './case.js'

const { accept, counter, ct, document, drop, element, goto, ip, jump, meta, table, tcp } = nft

const web = table('inet', 'web', { comment: 'of the web' })
const blocked = web.set('blocked', { key: 'ipv4_addr', flags: ['interval'] })
const ports = web.map('ports', { key: 'inet_service', data: 'verdict' })
const other = web.chain('other')
const input = web.chain('in', { type: 'filter', hook: 'input', priority: 10, policy: 'accept' })
const known = input.rule(ct.state.in('established', 'related'), counter(), accept)
const block = input.rule(ip.saddr.in(blocked), counter(), drop)
const choose = input.rule(tcp.dport.vmap(ports))
const inline = input.rule(tcp.dport.in(22, { from: 8000, to: 8080 }), jump(other))
const elements = blocked.elements('10.0.0.0/8', '192.0.2.1', element('198.51.100.0/24', { comment: 'test' }))

const wanted = document(
  web,
  blocked,
  ports,
  other,
  input,
  elements,
  ports.elements([80, goto(other)]),
  known,
  block,
  choose,
  inline,
)

type Steps = readonly (readonly [name: string, wanted: nft.json.Document, commands: readonly string[]])[]
const changed = (...parts: readonly nft.DocumentPart[]): nft.json.Document => document(web, ...parts)

const STEPS: Steps = [
  ['the same', wanted, []],
  [
    'a rule between two others',
    changed(
      blocked,
      ports,
      other,
      input,
      elements,
      ports.elements([80, goto(other)]),
      known,
      input.rule(meta.iifname.eq('lo'), accept),
      block,
      choose,
      inline,
    ),
    ['insert rule inet web in position N iifname "lo" accept'],
  ],
  ['and without it', wanted, ['delete rule inet web in handle N']],
  [
    'elements',
    changed(
      blocked,
      ports,
      other,
      input,
      blocked.elements('10.0.0.0/8', '192.0.2.7'),
      ports.elements([80, accept], [443, goto(other)]),
      known,
      block,
      choose,
      inline,
    ),
    [
      'delete element inet web blocked { 192.0.2.1, 198.51.100.0/24 }',
      'delete element inet web ports { 80 : goto other }',
      'add element inet web blocked { 192.0.2.7 }',
      'add element inet web ports { 80 : accept, 443 : goto other }',
    ],
  ],
  [
    'a chain that goes, with what led there',
    changed(
      blocked,
      ports,
      input,
      blocked.elements('10.0.0.0/8', '192.0.2.7'),
      ports.elements([80, accept]),
      known,
      block,
      choose,
    ),
    ['delete rule inet web in handle N', 'delete element inet web ports { 443 : goto other }', 'delete chain inet web other'],
  ],
  [
    'another priority: the chain anew',
    changed(
      blocked,
      ports,
      web.chain('in', { type: 'filter', hook: 'input', priority: 11, policy: 'accept' }),
      blocked.elements('10.0.0.0/8', '192.0.2.7'),
      ports.elements([80, accept]),
      known,
    ),
    [
      'delete rule inet web in handle N',
      'delete rule inet web in handle N',
      'delete rule inet web in handle N',
      'delete chain inet web in',
      'add chain inet web in { type filter hook input priority 11; policy accept; }',
      'add rule inet web in ct state established,related counter packets 0 bytes 0 accept',
    ],
  ],
]

export const cases: readonly Case[] = [
  {
    name: 'a plan has what differs, is empty when it was carried out, and leaves other tables alone',
    async run({ open }) {
      const nf = await open()
      await nf.apply({ nftables: [{ add: { table: { family: 'ip', name: 'other' } } }] })
      const first = await nf.plan(wanted)
      assert.equal(first.document.nftables.length > 8, true)
      await nf.apply(first.document, { generation: first.generation })
      for (const [name, wanted, commands] of STEPS) {
        const { document, generation } = await nf.plan(wanted)
        const lines = nft
          .renderCommands(document, await nf.ruleset())
          .split('\n')
          .slice(0, -1)
        assert.deepEqual(
          lines.map(line => line.replaceAll(/(position|handle) \d+/g, '$1 N')),
          commands,
          name,
        )
        if (document.nftables.length > 0) await nf.apply(document, { generation })
        assert.deepEqual((await nf.plan(wanted)).document.nftables, [], `${name}: carried out`)
      }
      assert.equal((await nf.tables({ family: 'ip' })).length, 1)
    },
  },
  {
    name: 'a plan that others have overtaken is refused',
    async run({ open }) {
      const nf = await open()
      const { document, generation } = await nf.plan(wanted)
      await nf.apply({ nftables: [{ add: { table: { family: 'ip', name: 'other' } } }] })
      await assert.rejects(nf.apply(document, { generation }), { name: 'TransactionError' })
      assert.equal((await nf.tables({ family: 'inet' })).length, 0)
    },
  },
  {
    name: 'a plan takes whole tables, and objects alone',
    async run({ open }) {
      const nf = await open()
      const of = { family: 'inet', table: 'web' } as const
      await assert.rejects(nf.plan({ nftables: [{ add: { chain: { ...of, name: 'a' } } }] }), {
        name: 'TypeError',
        message: /nftables\[0\]\.add\.chain\.table.*"web": is not in the document before: a plan takes whole tables/,
      })
      await assert.rejects(nf.plan({ nftables: [{ flush: { ruleset: null } }] }), {
        name: 'TypeError',
        message: /flush: a plan takes objects, alone or with add/,
      })
    },
  },
]
