/** In which order nft prints elements (src/mergesort.c). */
import type { NftSet } from '../types.js'
import { fromRegister, toRegister } from '../vocabulary/bytes.js'
import { registerOrder, type Span } from '../vocabulary/shapes.js'
import type { Shape } from '../vocabulary/value-type.js'

/** Elements sorted as nft sorts them. The kernel's order is kept for concatenations of intervals; the catch-all element is the last. */
export function inOrder<T extends { readonly key: readonly Span[] | '*' }>(
  elements: readonly T[],
  set: Pick<NftSet, 'flags'>,
  shapes: readonly Shape[],
): readonly T[] {
  if (set.flags?.includes('interval') && shapes.length > 1) return [...elements.filter(isOrdinary), ...elements.filter(isRest)]
  const numbers = elements.map(({ key }, index) => ({ index, number: key === '*' ? undefined : numberOf(key, set, shapes) }))
  numbers.sort((a, b) => (a.number === b.number ? a.index - b.index : isBefore(a.number, b.number) ? -1 : 1))
  return numbers.map(({ index }) => elements[index] as T)
}

const isRest = ({ key }: { readonly key: unknown }): boolean => key === '*'
const isOrdinary = ({ key }: { readonly key: unknown }): boolean => key !== '*'

const isBefore = (a: bigint | undefined, b: bigint | undefined): boolean => b === undefined || (a !== undefined && a < b)

/** The number that nft sorts by: of concatenations that of all registers, the last byte counting most on little-endian machines. */
function numberOf(key: readonly Span[], set: Pick<NftSet, 'flags'>, shapes: readonly Shape[]): bigint {
  const [shape] = shapes
  if (shapes.length === 1 && shape !== undefined) {
    const value = (key[0] as Span).from
    if (set.flags?.includes('interval')) return value
    // A name is the number of its bytes in the order of the machine; several flags are the first of them.
    if (shape.type.text) return fromRegister(toRegister(value, shape.bits, 'network'), shape.bits, 'host')
    return shape.type.flags ? value & -value : value
  }
  const bytes = key.flatMap(({ from }, i) => {
    const shape = shapes[i] as Shape
    return [...toRegister(from, shape.bits, registerOrder(shape))]
  })
  return fromRegister(Uint8Array.from(bytes), 8 * bytes.length, 'host')
}
