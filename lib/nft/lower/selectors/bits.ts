/** Fields that are no whole bytes: the kernel loads the bytes that they stand in (src/evaluate.c, expr_evaluate_bits). */
import type { Shape } from '../../vocabulary/value-type.js'
import { inOrder, ordered, type Source, type Term } from '../terms.js'

interface Field {
  readonly offset: number
  readonly bits: number
  readonly shape: Shape
}

/** `load` gets the whole bytes; what is too much is masked, and the rest moved to the end. */
export function withinBytes(field: Field, load: (part: { readonly offset: number; readonly bits: number }) => Source): Term {
  const { offset, bits, shape } = field
  const first = offset & ~7
  const end = (offset + bits + 7) & ~7
  const width = end - first
  if (width === bits) return load({ offset, bits })
  const shift = end - offset - bits
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift)
  const left: Source = { ...load({ offset: first, bits: width }), shape, width, protocolKey: undefined }
  const right = { kind: 'constant', value: mask, shape, width } as const
  const masked: Term = { kind: 'binary', operator: '&', left, right, isField: true, shape, width }
  if (shift === 0) return masked
  const by = { kind: 'constant', value: BigInt(shift), shape, width } as const
  return { kind: 'binary', operator: '>>', left: masked, right: by, isField: true, shape, width }
}

/**
 * Fields that are no whole bytes are compared as they stand in the packet. Where they are used otherwise, they are turned into the order of
 * the machine before they are moved.
 */
export function turned(term: Term): Term {
  if (term.kind !== 'binary' || !term.isField || term.operator !== '>>' || term.width <= 8) return term
  return { ...term, left: inOrder(term.left, 'host'), shape: ordered(term.shape, 'host') }
}

/** The same of headers' fields only: nft leaves those of extension headers and options as they are. */
export function turnedHeader(term: Term): Term {
  if (term.kind === 'concat') return { ...term, parts: term.parts.map(turnedHeader) }
  const source = innermost(term)
  return source.kind === 'source' && source.place !== undefined ? turned(term) : term
}

const innermost = (term: Term): Term => (term.kind === 'binary' ? innermost(term.left) : term)
