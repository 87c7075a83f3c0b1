/** All expressions of Linux 6.18, by name. */
import type { ExpressionType } from '../expression.js'
import { arithmetic } from './arithmetic.js'
import { basic } from './basic.js'
import { tracking } from './ct.js'
import { changes } from './dynset.js'
import { headers } from './exthdr.js'
import { limits } from './limits.js'
import { metadata } from './meta.js'
import { translation } from './nat.js'
import { packet } from './payload.js'
import { routing } from './routing.js'
import { users } from './sets.js'
import { statements } from './statements.js'
import { xtables } from './xtables.js'

const all: readonly ExpressionType[] = [
  ...basic,
  ...arithmetic,
  ...packet,
  ...metadata,
  ...headers,
  ...tracking,
  ...limits,
  ...translation,
  ...statements,
  ...users,
  ...changes,
  ...routing,
  ...xtables,
]

/** Those of a name: some are different for some families. */
export const expressionTypes: ReadonlyMap<string, readonly ExpressionType[]> = new Map(
  all.map(({ name }) => [name, all.filter(type => type.name === name)]),
)
