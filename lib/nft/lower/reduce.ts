/** Joins matches on neighbouring bytes of the packet, as nft does before it writes a rule (src/rule.c, payload_do_merge). */
import type { Expression } from '../expressions/index.js'
import { toRegister } from '../vocabulary/bytes.js'
import { loadPlace } from './place.js'
import type { Place } from './terms.js'

/** Whole bytes of the packet, compared with a constant. */
export interface Comparison {
  readonly place: Place
  readonly operator: 'eq' | 'neq'
  readonly value: bigint
  /** Whether what follows in the rule depends on it: then it stays where it is. */
  readonly isProtocol: boolean
}

export type Step =
  | { readonly kind: 'comparison'; readonly comparison: Comparison }
  /** Other matches: comparisons may pass them. */
  | { readonly kind: 'match'; readonly expressions: readonly Expression[] }
  | { readonly kind: 'other'; readonly expressions: readonly Expression[] }

/** The expressions of all steps. */
export function joined(steps: readonly Step[]): Expression[] {
  const result: (Step | undefined)[] = [...steps]
  let candidates: number[] = []
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'comparison') candidates.push(i)
    else if (step.kind === 'other') {
      joinAmong(result, candidates)
      candidates = []
    }
  }
  joinAmong(result, candidates)
  return result.flatMap(step => (step === undefined ? [] : expressionsOf(step)))
}

const comparisonAt = (steps: readonly (Step | undefined)[], index: number): Comparison | undefined => {
  const step = steps[index]
  return step?.kind === 'comparison' ? step.comparison : undefined
}

/** PROTO_BASE_* */
const BASES: readonly Place['base'][] = ['link', 'network', 'transport', 'inner', 'tunnel']

function joinAmong(steps: (Step | undefined)[], candidates: readonly number[]): void {
  const key = (index: number): number => {
    const place = comparisonAt(steps, index)?.place
    return place === undefined ? 0 : BASES.indexOf(place.base) * 0x100_0000 + place.offset
  }
  let last: number | undefined
  for (const index of [...candidates].sort((a, b) => key(a) - key(b))) {
    const [first, second] = [last === undefined ? undefined : comparisonAt(steps, last), comparisonAt(steps, index)]
    if (last === undefined || first === undefined || second === undefined || !areNeighbours(first, second)) {
      last = index
      continue
    }
    const bits = first.place.bits + second.place.bits
    const comparison: Comparison = {
      place: { ...first.place, bits },
      operator: 'eq',
      value: (first.value << BigInt(second.place.bits)) | second.value,
      isProtocol: first.isProtocol || second.isProtocol,
    }
    const kept = second.isProtocol ? index : last
    steps[kept === index ? last : index] = undefined
    steps[kept] = { kind: 'comparison', comparison }
    last = kept
  }
}

const WORD = 32
const REGISTER = 128

function areNeighbours(first: Comparison, second: Comparison): boolean {
  const [one, another] = [first.place, second.place]
  if (first.operator !== 'eq' || second.operator !== 'eq') return false
  if (one.base !== another.base || one.tunnel !== another.tunnel) return false
  const bits = one.bits + another.bits
  if (one.offset + one.bits !== another.offset || bits > REGISTER) return false
  // The kernel compares up to 4 bytes of the network and the transport header without loading them.
  return one.base === 'link' || bits <= WORD || one.bits > WORD || another.bits > WORD
}

function expressionsOf(step: Step): readonly Expression[] {
  if (step.kind !== 'comparison') return step.expressions
  const { place, operator, value } = step.comparison
  return [loadPlace(place, 1), { kind: 'cmp', source: 1, operator, data: toRegister(value, place.bits, 'network') }]
}
