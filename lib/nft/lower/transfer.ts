/** Constants that are calculated with instead of what they are compared with (src/evaluate.c, binop_transfer). */
import { BadValue } from '../../netlink/schema.js'
import type { ByteOrder } from '../data-types.js'
import { inOrder, significant, type Term, wholeBytes } from './terms.js'

/** What is compared, and what becomes of the constants: nft leaves them in the order of the packet, even if the term is in another. */
export interface Transferred {
  readonly term: Term
  readonly order: ByteOrder
  /** Bits of the constants. */
  readonly width: number
  change(value: bigint): bigint
}

export const asIs = (term: Term): Transferred => ({
  term,
  order: orderOf(term),
  width: widthOfConstant(term),
  change: value => value,
})

/** Of a field that is no whole bytes constants have as many as its type, once it is calculated with. */
function widthOfConstant(term: Term): number {
  const isCalculated = term.kind === 'binary' && !term.isField && term.left.kind === 'binary' && term.left.isField === true
  return isCalculated && term.operator !== '<<' && term.operator !== '>>' ? wholeBytes(term.shape.bits) : term.width
}

/** The last thing that is calculated, where it is a shift or an exclusive or with a constant. */
export function transferred(given: Term): Transferred {
  if (given.kind !== 'binary' || given.right.kind !== 'constant') return asIs(given)
  const { operator, left } = given
  const by = given.right.value
  const { order, width } = asIs(given)
  if (operator === '^') return { term: left, order, width, change: value => value ^ by }
  if (operator === '<<') return { term: left, order, width, change: value => shiftedBack(value, by) }
  if (operator !== '>>') return asIs(given)
  const inner = !given.isField && isTooLong(left, by) ? unswapped(left) : left
  const term = given.isField && left.kind !== 'swap' ? left : withoutLast(inner, by)
  const isTurned = term.kind === 'binary' && term.left.kind === 'swap'
  return { term, order: isTurned ? order : term.shape.order, width: term.width, change: value => value << by }
}

/** In the order of the network, in which it is more or less than something: what has to be turned round for it stays what it is. */
export function inNetworkOrder(given: Term): Transferred {
  const key = inOrder(given, 'network')
  if (key.kind === 'swap') return { term: key, order: 'network', width: key.width, change: value => value }
  const found = transferred(given)
  return { ...found, term: inOrder(found.term, 'network'), order: 'network' }
}

/** In which order constants are. */
function orderOf(term: Term): ByteOrder {
  if (term.kind === 'swap') return term.term.shape.order
  if (term.kind !== 'binary') return term.shape.order
  const isShift = term.operator === '<<' || term.operator === '>>'
  return isShift && isTurnedField(term.left) ? 'host' : orderOf(term.left)
}

/** A field that is no whole bytes, in the order of the machine. */
const isTurnedField = (term: Term): boolean => term.kind === 'binary' && term.isField === true && term.left.kind === 'swap'

/** nft writes constants then that have more bytes than there are, and can not read them: these are as they should be. */
const isTooLong = (term: Term, by: bigint): boolean =>
  term.kind === 'swap' && wholeBytes(significant(term) + Number(by)) > term.width

const unswapped = (term: Term): Term => (term.kind === 'swap' ? term.term : term)

/** The bits that a shift drops do not count. */
function withoutLast(term: Term, by: bigint): Term {
  const { shape, width } = term
  const value = ((1n << BigInt(significant(term))) - 1n) & ~((1n << by) - 1n)
  return { kind: 'binary', operator: '&', left: term, right: { kind: 'constant', value, shape, width }, shape, width }
}

function shiftedBack(value: bigint, by: bigint): bigint {
  if ((value >> by) << by === value) return value >> by
  throw new BadValue('range', `${value}: never is the result of a shift by ${by}`)
}
