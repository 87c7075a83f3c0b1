/** Terms as the kernel's expressions: which registers they use (src/netlink_linearize.c). */
import { BadValue } from '../../netlink/schema.js'
import type { Bitwise, Expression } from '../expressions/index.js'
import { toRegister } from '../vocabulary/bytes.js'
import { registerOrder } from '../vocabulary/shapes.js'
import type { Shape } from '../vocabulary/value-type.js'
import { type Binary, type Concatenation, type Mapped, type Swap, significant, type Term } from './terms.js'

/** Steps of 4 bytes that registers are numbered in here, from 0. */
const REGISTERS = 16
/** What everything takes that is no concatenation. */
export const WHOLE = 4

/** A register as the kernel numbers it: those of 16 bytes where it is one. */
export const register = (step: number): number => (step % WHOLE === 0 ? 1 + step / WHOLE : 8 + step)

const steps = (bits: number): number => Math.ceil(bits / 32)

/** How many steps are reserved for a term. */
export const reserved = (term: Term): number => (term.kind === 'concat' ? steps(term.width) : WHOLE)

/** Puts what a term gives into the register that starts at a step. `free`: the first that nothing is in. */
export function emit(term: Term, step = 0, free: number = step + reserved(term)): Expression[] {
  if (free > REGISTERS) throw new BadValue('range', 'needs more registers than the kernel has: take less at once')
  switch (term.kind) {
    case 'source':
      return [...term.load(step, free)]
    case 'constant':
      return [{ kind: 'immediate', destination: register(step), data: bytesOf(term.value, term.shape, term.width) }]
    case 'binary':
      return emitBinary(term, step, free)
    case 'swap':
      return emitSwap(term, step, free)
    case 'concat':
      return emitConcatenation(term, step, free)
    case 'map':
      return emitMapped(term, step, free)
  }
}

/** A constant in as many bytes as it is compared with. */
export const bytesOf = (value: bigint, shape: Shape, width: number): Uint8Array => toRegister(value, width, registerOrder(shape))

function emitConcatenation({ parts }: Concatenation, step: number, free: number): Expression[] {
  let at = step
  return parts.flatMap(part => {
    const expressions = emit(part, at, free)
    at += steps(part.width)
    return expressions
  })
}

function emitMapped({ key, set }: Mapped, step: number, free: number): Expression[] {
  const source = emit(key, step, Math.max(free, step + reserved(key)))
  return [...source, lookup(set, register(step), { destination: register(step) })]
}

export function lookup(
  set: Mapped['set'],
  source: number,
  more: { readonly destination?: number; readonly flags?: readonly 'invert'[] },
): Expression {
  return { kind: 'lookup', set: set.name, ...(set.id !== undefined && { setId: set.id }), source, ...more }
}

function emitSwap({ term, operator, width }: Swap, step: number, free: number): Expression[] {
  const length = width >> 3
  const size = length % 8 === 0 ? 8 : length % 4 === 0 ? 4 : 2
  const at = register(step)
  return [...emit(term, step, free), { kind: 'byteorder', source: at, destination: at, operator, length, size }]
}

const BOOLEAN = { '&': 'and', '|': 'or', '^': 'xor' } as const
const SHIFTS = { '<<': 'lshift', '>>': 'rshift' } as const

function emitBinary(term: Binary, step: number, free: number): Expression[] {
  const { operator, left, right, width } = term
  if (operator === '<<' || operator === '>>') {
    if (right.kind !== 'constant') throw new BadValue('type', 'the number of bits to shift by has to be a constant')
    const data = toRegister(right.value, 32, 'host')
    return [...emit(left, step, free), bitwise(step, width, { operator: SHIFTS[operator], data })]
  }
  if (right.kind === 'constant') return emitMask(term, step, free)
  const second = emit(right, free, free + reserved(right))
  return [...emit(left, step, free), ...second, bitwise(step, width, { operator: BOOLEAN[operator], source2: register(free) })]
}

export function bitwise(step: number, width: number, more: Partial<Bitwise>): Bitwise {
  const at = register(step)
  return { kind: 'bitwise', source: at, destination: at, length: (width + 7) >> 3, ...more }
}

/** All that is done with constants is one `(register & mask) ^ xor`. */
function emitMask(term: Binary, step: number, free: number): Expression[] {
  const { shape, width } = term
  const chain: Binary[] = []
  let left: Term = term
  while (left.kind === 'binary' && left.right.kind === 'constant' && left.operator in BOOLEAN) {
    chain.unshift(left)
    left = left.left
  }
  const all = (1n << BigInt(left.width === width ? significant(left) : width)) - 1n
  let [mask, xor] = [all, 0n]
  for (const { operator, right } of chain) {
    const value = right.kind === 'constant' ? right.value : 0n
    const [and, or] = operator === '&' ? [value, 0n] : operator === '|' ? [all & ~value, value] : [all, value]
    mask &= and
    xor = (xor & and) ^ or
  }
  const data = { mask: bytesOf(mask, shape, width), xor: bytesOf(xor, shape, width) }
  return [...emit(left, step, free), bitwise(step, width, { operator: 'mask-xor', ...data })]
}
