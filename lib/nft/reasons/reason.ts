/** What a refusal means. */
import type { Problem } from '../../netlink/error.js'

export interface Meaning {
  readonly problem: Problem
  /** Why the kernel refused, and what to do: what follows the colon in "chain in of table inet web can not be added: …". */
  readonly why: string
}

/** Names a list of expressions for a person: `expressions[1] (lookup)`. */
export function expressionAt(expressions: readonly { readonly kind: string; readonly name?: unknown }[], index: number): string {
  const expression = expressions[index]
  return `expressions[${index}] (${expression?.kind === 'opaque' ? expression.name : expression?.kind})`
}
