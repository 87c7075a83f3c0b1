/** The expressions that keep a state and may stand with sets and elements, too. */
import type { AttributeType } from '../../netlink/schema.js'
import { expressionOf, type Opaque } from '../expression.js'
import { type Connlimit, connlimit } from './connlimit.js'
import { type Counter, counter } from './counter.js'
import { type Last, last } from './last.js'
import { type Limit, limit } from './limit.js'
import { type Quota, quota } from './quota.js'

/** Counts or limits. Also allowed in `dynset`, with sets, and with their elements (NFT_EXPR_STATEFUL). */
export type StatefulExpression = Connlimit | Counter | Last | Limit | Quota | Opaque

export const statefulCodecs = [connlimit, counter, last, limit, quota] as const

/** One of them, as an attribute. */
export const statefulExpression: AttributeType<StatefulExpression> =
  expressionOf<Exclude<StatefulExpression, Opaque>>(statefulCodecs)
