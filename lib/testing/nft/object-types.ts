/** The types of stateful objects, and what each makes of its attributes (`struct nft_object_type`). */
import type { ExpressionType } from './expression.js'
import { counter } from './expressions/basic.js'
import { connlimit, limit, quota } from './expressions/limits.js'
import { synproxy } from './expressions/statements.js'
import { ctExpectation, ctHelper, ctTimeout } from './objects/conntrack.js'
import { secmark, tunnel } from './objects/others.js'

/** An object is made of attributes as an expression is. */
export type ObjectType = Pick<ExpressionType, 'name' | 'families' | 'policy' | 'select' | 'init'>

/** By NFT_OBJECT_*. */
export const objectTypes: Readonly<Record<number, ObjectType>> = {
  1: counter,
  2: quota,
  3: ctHelper,
  4: limit,
  5: connlimit,
  6: tunnel,
  7: ctTimeout,
  8: secmark,
  9: ctExpectation,
  10: synproxy,
}
