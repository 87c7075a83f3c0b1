/** What nft loads is read in full, and what was read makes the same rules: each ruleset of test/nft/corpus, with each nft there is. */
import assert from 'node:assert/strict'
import { MessageReader, MessageWriter } from '../../../lib/netlink/buffer.js'
import { NETLINK_NETFILTER, type Transport } from '../../../lib/netlink/index.js'
import { endMessage, messagesOf, NLM_F_DUMP, NLM_F_REQUEST } from '../../../lib/netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../../../lib/netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../../../lib/netlink/schema.js'
import type { NftClient, Rule } from '../../../lib/nft/index.js'
import { message, messageType } from '../../../lib/nft/wire.js'
import type { Case, LinuxContext } from './case.js'
import { addDevice, load, RULESETS, unloadable } from './corpus-files.js'
import { PROGRAMS } from './programs.js'

const NFTA_RULE_EXPRESSIONS = 4

/** The bytes of the expressions of all rules, in the kernel's order. */
async function bytesOfRules(transport: Transport): Promise<string[]> {
  const socket = transport.open({ protocol: NETLINK_NETFILTER })
  const writer = new MessageWriter(64)
  endMessage(writer, beginNetfilter(writer, messageType(message.getRule), NLM_F_REQUEST | NLM_F_DUMP, 1, 0))
  const { data } = await socket.exchange(writer.written(), 1, 10_000)
  await socket.close()
  const reader = new MessageReader(data)
  const rules: string[] = []
  for (const { type, payload, end } of messagesOf(reader)) {
    if (type !== messageType(message.newRule)) continue
    const at = findAttribute(reader, payload + NETFILTER_HEADER, end, NFTA_RULE_EXPRESSIONS)
    rules.push(at < 0 ? '' : Buffer.from(reader.bytes.subarray(at + 4, attributeEnd(reader, at))).toString('hex'))
  }
  return rules
}

/** Places of what was not understood. */
function leftovers(value: unknown, path: string): string[] {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const place = `${path}.${name}`
    return name === 'unknown' || (name === 'kind' && field === 'opaque')
      ? [`${place}: ${JSON.stringify(value)}`]
      : leftovers(field, place)
  })
}

/**
 * Whether a rule can stand twice. Anonymous sets (also the meters of older nft, which have names) and chains belong to one rule, and go with
 * it; the time since a packet came goes on.
 */
function canBeRepeated({ chain, expressions }: Rule, anonymous: ReadonlySet<string>): boolean {
  if (chain.startsWith('__chain') || expressions.some(({ kind }) => kind === 'last')) return false
  return !expressions.some(
    expression =>
      ('set' in expression && expression.set !== undefined && anonymous.has(expression.set)) ||
      (expression.kind === 'immediate' && 'chain' in expression.data && expression.data.chain?.startsWith('__chain')),
  )
}

async function readAndReplace(nf: NftClient, transport: Transport): Promise<void> {
  const rules = await nf.rules()
  assert.deepEqual(leftovers(rules, 'rules'), [])
  const before = await bytesOfRules(transport)
  assert.equal(before.length, rules.length)
  const sets = (await nf.sets()).filter(({ flags }) => flags?.includes('anonymous'))
  const anonymous = new Set(sets.map(({ name }) => name))
  const repeated = rules.filter(rule => canBeRepeated(rule, anonymous))
  await nf.commit(repeated.map(({ after, handle = 0, ...rule }) => ({ replace: { rule: { ...rule, handle } } })))
  const after = await bytesOfRules(transport)
  const comparable = (bytes: readonly string[]): string[] => bytes.filter((_, i) => repeated.includes(rules[i] as Rule))
  assert.deepEqual(comparable(after), comparable(before))
}

async function run(context: LinuxContext, file: string): Promise<void> {
  const { netns, open, transport } = context
  await addDevice(context, netns)
  let loaded = 0
  for (const program of PROGRAMS) {
    if (!(await load(context, netns, program, file))) continue
    loaded++
    const nf = await open()
    await readAndReplace(nf, transport())
    await nf.commit((await nf.tables()).map(table => ({ delete: { table } })))
  }
  if (loaded === 0) throw unloadable(file)
}

export const cases: readonly Case[] = RULESETS.map(file => ({
  name: `rules of nft are read with nothing left over, and replaced by what was read are the same bytes: ${file}`,
  needs: 'linux',
  run: context => run(context, file),
}))
