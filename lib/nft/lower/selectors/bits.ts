/** Fields that are no whole bytes: the kernel loads the bytes that they stand in (src/evaluate.c, expr_evaluate_bits). */
import type { Shape } from '../../vocabulary/value-type.js'
import { ordered, type Source, type Term } from '../terms.js'

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
  const masked: Term = { kind: 'binary', operator: '&', left, right, shape, width }
  if (shift === 0) return masked
  const by = { kind: 'constant', value: BigInt(shift), shape, width } as const
  // Only numbers in the machine's order can be shifted.
  const host = width > 8 ? ordered(shape, 'host') : shape
  return { kind: 'binary', operator: '>>', left: masked, right: by, shape: host, width }
}
