/** What the language has no words for: expressions as they were read. */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Expression } from '../../expressions/index.js'
import type { Lowering } from '../lowering.js'

/** They are checked where they are written. */
export function bytecode(given: unknown, rule: Lowering): void {
  if (!Array.isArray(given)) throw new BadValue('type', `${shown(given)}: give a list of the kernel's expressions`)
  rule.add(...(given as readonly Expression[]))
}
