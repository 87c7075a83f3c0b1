/** Values that statements take: constants of a type, or what is calculated (src/evaluate.c, stmt_evaluate_arg). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { emit, register, reserved } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { operand } from '../operand.js'
import { inOrder, type Term, wholeBytes } from '../terms.js'

/** A term for a value of a shape, with its bytes in the order of that. */
export function valueFor(given: unknown, shape: Shape, rule: Lowering): Term {
  const term = operand(rule, given, [shape])
  if (term.kind === 'concat') throw new BadValue('type', `${shown(given)}: give a single value of the type ${shape.type.name}`)
  if (term.kind === 'constant') return { ...term, shape, width: wholeBytes(shape.bits) }
  return shape.order === 'host' || shape.order === 'network' ? inOrder(term, shape.order) : term
}

/** Puts terms into registers one after the other: the numbers of the registers. */
export function placed(rule: Lowering, terms: readonly (Term | undefined)[]): (number | undefined)[] {
  let step = 0
  return terms.map(term => {
    if (term === undefined) return undefined
    const at = step
    step += reserved(term)
    rule.add(...emit(term, at, step))
    return register(at)
  })
}
