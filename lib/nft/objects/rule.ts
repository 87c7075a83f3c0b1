import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { BadValue } from '../../netlink/schema.js'
import type { Family, Rule } from '../types.js'
import { joinComment, splitComment } from '../user-data.js'
import { ruleAttributes } from '../wire.js'
import { needed } from './needed.js'

/** NFTNL_UDATA_RULE_COMMENT */
const COMMENT = 0

/** @param replaces whether the handle says which rule is replaced; a new rule has none yet */
export function writeRule(writer: MessageWriter, rule: Rule, replaces: boolean): void {
  const { table, chain, chainId, handle, expressions, compat, position, positionId, id, unknown } = rule
  needed(chainId === undefined ? { table, chain } : { table })
  if (replaces && handle === undefined) throw new BadValue('type', 'is missing: it says which rule is replaced').within('handle')
  if (expressions === undefined) throw new BadValue('type', 'is missing: give a list of expressions').within('expressions')
  ruleAttributes.encode(writer, {
    table,
    chain: chainId === undefined ? chain : undefined,
    handle: replaces ? handle : undefined,
    expressions,
    compat,
    position,
    userData: rule.comment === undefined && rule.userData === undefined ? undefined : joinComment(rule, COMMENT),
    id,
    positionId,
    chainId,
    unknown,
  })
}

export function writeRuleKey(
  writer: MessageWriter,
  { table, chain, handle }: { readonly table: string; readonly chain: string; readonly handle: number },
): void {
  // Without a chain the kernel would remove every rule of the table, whatever the handle; without a handle every rule of the chain.
  needed({ table, chain })
  if (handle === undefined)
    throw new BadValue('type', 'is missing: it says which rule. To remove all of a chain there is flush').within('handle')
  ruleAttributes.encode(writer, { table, chain, handle })
}

export function readRule(family: Family, reader: MessageReader, start: number, end: number): Rule | undefined {
  const record = ruleAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { table = '', chain = '', expressions = [], position, userData, ...others } = record
  return {
    family,
    table,
    chain,
    ...others,
    ...(position !== undefined && { after: position }),
    expressions,
    ...splitComment(userData, COMMENT),
  }
}
