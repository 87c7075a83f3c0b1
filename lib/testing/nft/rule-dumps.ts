/** How rules are told (nf_tables_api.c, nf_tables_fill_rule_info, nf_tables_dump_rules, nf_tables_getrule). */
import type { MessageWriter } from '../../netlink/buffer.js'
import { message } from '../../nft/wire.js'
import { EINVAL, ENOENT, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { putBe64, putBytes, putNest, putText } from './attributes.js'
import { putExpression } from './expression.js'
import type { Kernel } from './kernel.js'
import { chainOf, tableOf } from './lookup.js'
import { type Entry, reply } from './messages.js'
import type { Chain, Rule } from './state.js'

/** NFTA_RULE_* */
export const ruleAttribute = {
  table: 1,
  chain: 2,
  handle: 3,
  expressions: 4,
  compat: 5,
  position: 6,
  userData: 7,
  id: 9,
  positionId: 10,
  chainId: 11,
} as const

const NFTA_LIST_ELEM = 1
const NLM_F_APPEND = 0x800

/** @param position handle of the rule before it; 0 when that is not told */
export function putRule(writer: MessageWriter, rule: Rule, position: number, reset = false): void {
  const { chain, handle, expressions, userData } = rule
  putText(writer, ruleAttribute.table, chain.table.name)
  putText(writer, ruleAttribute.chain, chain.name)
  putBe64(writer, ruleAttribute.handle, handle)
  if (position !== 0) putBe64(writer, ruleAttribute.position, position)
  putNest(writer, ruleAttribute.expressions, () => {
    for (const expression of expressions) putExpression(writer, NFTA_LIST_ELEM, expression, reset)
  })
  if (userData) putBytes(writer, ruleAttribute.userData, userData)
}

export function getRule(kernel: Kernel, request: NetfilterRequest, reset: boolean): void {
  const { attributes, socket, family } = request
  const table = tableOf(request, kernel, ruleAttribute.table, true)
  const chain = chainOf(table, attributes, ruleAttribute.chain)
  const handle = attributes.handle(ruleAttribute.handle)
  if (handle === undefined) throw new Errno(EINVAL)
  const rule = chain.rules.get(handle)
  if (!rule) throw attributes.refuse(ENOENT, ruleAttribute.handle)
  const { sequence } = request.message
  const header = { number: message.newRule, flags: 0, family, sequence, portId: socket.portId, generation: kernel.generation }
  reply(socket, header, writer => putRule(writer, rule, 0, reset))
}

export function* ruleEntries(kernel: Kernel, { family, attributes }: NetfilterRequest, reset: boolean): Generator<Entry> {
  const name = attributes.text(ruleAttribute.table)
  const only = attributes.text(ruleAttribute.chain)
  for (const table of kernel.tables.values()) {
    if ((family !== 0 && family !== table.family) || (name !== undefined && name !== table.name)) continue
    for (const chain of table.chains.values()) {
      // Without a table the name of a chain is not looked at.
      if (name !== undefined && only !== undefined && chain.name !== only) continue
      yield* entriesOf(chain, reset)
    }
  }
}

function* entriesOf(chain: Chain, reset: boolean): Generator<Entry> {
  let position = 0
  for (const rule of chain.rules.values()) {
    const before = position
    yield { family: chain.table.family, flags: NLM_F_APPEND, put: writer => putRule(writer, rule, before, reset) }
    position = rule.handle
  }
}
