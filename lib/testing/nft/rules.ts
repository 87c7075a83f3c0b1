/** Rules (nf_tables_api.c, nf_tables_newrule, nf_tables_delrule). */
import { message } from '../../nft/wire.js'
import { EEXIST, EFBIG, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import { arrayRule, binary, nestedRule, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import { blaming, type Nest } from './attributes.js'
import { type Context, type Expression, expressionPolicy, makeExpression, parseExpression } from './expression.js'
import { type Change, notify } from './kernel.js'
import { chainOf, tableOf } from './lookup.js'
import type { Notices } from './notices.js'
import { Registers } from './registers.js'
import { putRule, ruleAttribute } from './rule-dumps.js'
import { type Chain, chainFlag, nextHandle, type Rule, type Table } from './state.js'

const {
  table: TABLE,
  chain: CHAIN,
  handle: HANDLE,
  expressions: EXPRESSIONS,
  position: POSITION,
  userData: USER_DATA,
} = ruleAttribute
const { compat: COMPAT, id: ID, positionId: POSITION_ID, chainId: CHAIN_ID } = ruleAttribute

export const rulePolicy: Policy = {
  [TABLE]: string(255),
  [CHAIN]: string(255),
  [HANDLE]: u64Rule,
  [EXPRESSIONS]: arrayRule(expressionPolicy),
  [COMPAT]: nestedRule,
  [POSITION]: u64Rule,
  [USER_DATA]: binary(256),
  [ID]: u32Rule,
  [POSITION_ID]: u32Rule,
  [CHAIN_ID]: u32Rule,
}

const NFTA_LIST_ELEM = 1
/** NFT_RULE_MAXEXPRS */
const MOST_EXPRESSIONS = 128
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const NLM_F_APPEND = 0x800

/** Where a new rule goes. */
interface Place {
  readonly handle: number
  /** The rule that it is put beside, or that it replaces. */
  readonly other: Rule | undefined
}

export function newRule(change: Change): void {
  const { kernel, attributes, transaction, message: request } = change
  const table = tableOf(change, kernel, TABLE)
  const chain = chainOfRule(change, table)
  if (chain.flags & chainFlag.binding && chain.bound) throw new Errno(EOPNOTSUPP)
  const { handle, other } = placeOf(change, table, chain)
  const expressions = readExpressions(change, table, chain)
  const userData = attributes.bytes(USER_DATA)
  const rule: Rule = { chain, handle, expressions, userData: userData?.length ? userData : undefined, active: true }
  transaction.use(chain, 1)
  if (request.flags & NLM_F_REPLACE && other) {
    if (chain.flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
    deleteRule(change, other)
    chain.rules.add(transaction, rule, other)
  } else if (request.flags & NLM_F_APPEND) chain.rules.add(transaction, rule, other && chain.rules.after(other))
  else chain.rules.add(transaction, rule, other ?? chain.rules.after())
  nameById(change, rule)
  transaction.step(notices => tell(change, notices, rule, message.newRule))
}

function chainOfRule({ attributes, transaction }: Change, table: Table): Chain {
  if (attributes.has(CHAIN)) return chainOf(table, attributes, CHAIN)
  const id = attributes.be32(CHAIN_ID)
  if (id === undefined) throw new Errno(EINVAL)
  const chain = transaction.chains.get(id)
  if (!chain?.active || chain.table !== table) throw attributes.refuse(ENOENT, CHAIN_ID)
  return chain
}

function placeOf({ attributes, message: { flags }, transaction }: Change, table: Table, chain: Chain): Place {
  const handle = attributes.handle(HANDLE)
  if (handle !== undefined) {
    const other = chain.rules.get(handle)
    if (!other) throw attributes.refuse(ENOENT, HANDLE)
    if (flags & NLM_F_EXCL) throw attributes.refuse(EEXIST, HANDLE)
    if (!(flags & NLM_F_REPLACE)) throw new Errno(EOPNOTSUPP)
    return { handle, other }
  }
  if (!(flags & NLM_F_CREATE) || flags & NLM_F_REPLACE) throw new Errno(EINVAL)
  const mine = nextHandle(table)
  const position = attributes.handle(POSITION)
  const id = attributes.be32(POSITION_ID)
  if (position === undefined && id === undefined) return { handle: mine, other: undefined }
  const other = position !== undefined ? chain.rules.get(position) : transaction.rules.get(id as number)
  if (!other || other.chain !== chain) throw attributes.refuse(ENOENT, position !== undefined ? POSITION : POSITION_ID)
  return { handle: mine, other }
}

/** All are looked up before the first is made. */
function readExpressions({ kernel, attributes, transaction, family }: Change, table: Table, chain: Chain): readonly Expression[] {
  const context: Context = { kernel, table, chain, family, transaction, registers: new Registers() }
  const list = attributes.list(EXPRESSIONS)
  const parsed = list.map((payload, i) => {
    if (payload.type !== NFTA_LIST_ELEM || i === MOST_EXPRESSIONS) throw new Errno(EINVAL)
    return blaming(payload, () => parseExpression(context, attributes, payload))
  })
  const expressions = parsed.map(one => blaming(one.payload, () => makeExpression(context, one)))
  if (expressions.length > MOST_EXPRESSIONS) throw new Errno(EFBIG)
  return expressions
}

/** Later messages of the transaction name it by its id. */
function nameById({ attributes, transaction }: Change, rule: Rule): void {
  const id = attributes.be32(ID)
  if (id === undefined) return
  const before = transaction.rules.get(id)
  transaction.rules.set(id, rule)
  transaction.undo(() => (before ? transaction.rules.set(id, before) : transaction.rules.delete(id)))
}

export function deleteRuleMessage(change: Change): void {
  const { kernel, attributes, number } = change
  const table = tableOf(change, kernel, TABLE)
  if (!attributes.has(CHAIN)) {
    for (const chain of [...table.chains.values()]) if (!(chain.flags & chainFlag.binding)) deleteRulesOf(change, chain)
    return
  }
  const destroys = number === message.destroyRule
  if (destroys && !table.chains.get(attributes.text(CHAIN) as string)) return
  const chain = chainOf(table, attributes, CHAIN)
  if (chain.flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
  const handle = attributes.handle(HANDLE)
  if (destroys && handle !== undefined && !chain.rules.get(handle)) return
  if (handle !== undefined || attributes.has(ID)) deleteRule(change, ruleOf(change, attributes, chain))
  else deleteRulesOf(change, chain)
}

function ruleOf({ transaction }: Change, attributes: Nest, chain: Chain): Rule {
  const handle = attributes.handle(HANDLE)
  if (handle !== undefined) {
    const rule = chain.rules.get(handle)
    if (!rule) throw attributes.refuse(ENOENT, HANDLE)
    return rule
  }
  const rule = transaction.rules.get(attributes.be32(ID) as number)
  if (rule?.chain !== chain) throw attributes.refuse(ENOENT, ID)
  return rule
}

/** nft_delrule_by_chain */
export function deleteRulesOf(change: Change, chain: Chain): void {
  for (const rule of [...chain.rules.values()]) deleteRule(change, rule)
}

/** nft_delrule */
export function deleteRule(change: Change, rule: Rule): void {
  const { transaction } = change
  const { chain } = rule
  if (!rule.active) throw new Errno(ENOENT)
  transaction.set(rule, { active: false })
  transaction.use(chain, -1)
  for (const { references = [] } of rule.expressions) for (const reference of references) reference.release(transaction)
  transaction.step(notices => {
    chain.rules.unlink(rule)
    tell(change, notices, rule, message.deleteRule)
    for (const { references = [] } of rule.expressions) for (const reference of references) reference.gone?.(change, notices)
  })
}

function tell(change: Change, notices: Notices, rule: Rule, number: number): void {
  const { chain } = rule
  const flags = change.message.flags & (NLM_F_APPEND | NLM_F_REPLACE) ? NLM_F_APPEND : 0
  const previous = chain.rules.before(rule)
  const position = previous && !chain.rules.isLast(rule) ? previous.handle : 0
  notify(change, notices, { number, family: chain.table.family, flags }, writer => putRule(writer, rule, position))
}
