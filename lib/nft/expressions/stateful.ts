/** The expressions that keep a state and may stand with sets and elements, too. */
import type { AttributeType } from '../../netlink/schema.js'
import { expressionOf, type Opaque } from '../expression.js'
import { type Counter, counter } from './counter.js'

/** Counts or limits. Also allowed in dynset, with sets, and with their elements (NFT_EXPR_STATEFUL). */
export type StatefulExpression = Counter | Opaque

/** One of them, as an attribute. */
export const statefulExpression: AttributeType<StatefulExpression> = expressionOf<Exclude<StatefulExpression, Opaque>>([counter])
