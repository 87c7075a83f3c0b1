/** Statements at hooks that do not have what they need: told before the kernel is asked, which says only that it is not supported. */
import { BadValue } from '../../netlink/schema.js'
import type { Expression } from '../expressions/index.js'
import { requirementOf } from '../hooks.js'
import type { LowerContext } from './context.js'

/** Throws a `BadValue` for what the kernel does not take in a base chain. Of other chains it is not known who jumps to them. */
export function checkHook(expression: Expression, { chain: { hook }, family }: LowerContext): void {
  if (hook === undefined) return
  const required = requirementOf(expression, family)
  if (required === undefined || required.hooks.includes(hook)) return
  throw new BadValue('type', `${required.name} is for chains at the hooks ${required.hooks.join(', ')}: this one is at ${hook}`)
}
