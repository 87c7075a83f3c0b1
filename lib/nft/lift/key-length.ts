/** Bytes of a set's keys in registers. */
import { shapesOf } from '../vocabulary/shapes.js'
import type { NamedSet } from './value.js'

export function keyLength({ set }: NamedSet): number {
  const shapes = shapesOf(set.key)
  const [single] = shapes
  if (single && shapes.length === 1) return Math.ceil(single.bits / 8)
  return shapes.reduce((sum, { bits }) => sum + 4 * Math.ceil(bits / 32), 0)
}
