/** All expressions of Linux 6.18, by name. */
import type { ExpressionType } from '../expression.js'
import { cmp, counter, immediate } from './basic.js'
import { payload } from './payload.js'

const all: readonly ExpressionType[] = [cmp, counter, immediate, payload]

/** Those of a name: some are different for some families. */
export const expressionTypes: ReadonlyMap<string, readonly ExpressionType[]> = new Map(
  all.map(({ name }) => [name, all.filter(type => type.name === name)]),
)
