/** All expressions that the kernel has, up to Linux 6.18. One that is not here is opaque. */
import type { AttributeType } from '../../netlink/schema.js'
import { expressionOf, type Opaque } from '../expression.js'
import { type Cmp, cmp } from './cmp.js'
import { counter } from './counter.js'
import { type Immediate, immediate } from './immediate.js'
import { type Payload, payload } from './payload.js'
import type { StatefulExpression } from './stateful.js'

export { statefulExpression } from './stateful.js'
export type { Cmp, Immediate, Opaque, Payload, StatefulExpression }

/** One expression of a rule: what the kernel executes. */
export type Expression = Cmp | Immediate | Payload | StatefulExpression | Opaque

/** Any of them, as an attribute. */
export const expression: AttributeType<Expression> = expressionOf<Exclude<Expression, Opaque>>([cmp, immediate, payload, counter])
