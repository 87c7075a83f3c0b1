/** Numbers of sets without a name have the type of what is looked up: the kernel does not tell their order, nor their length. */
import type { DataType, DataTypes, Element } from '../types.js'
import { dataTypeOf } from '../vocabulary/shapes.js'
import type { Shape } from '../vocabulary/value-type.js'
import { shapeOf } from './shape.js'
import type { NamedSet, Value } from './value.js'

export function typedSet({ set, elements }: NamedSet, key: Value): NamedSet {
  const shapes = key.kind === 'concatenated' ? key.parts.map(shapeOf) : [shapeOf(key)]
  const types = Array.isArray(set.key) ? (set.key as readonly DataType[]) : [set.key as DataType]
  if (types.length !== shapes.length) return { set, elements }
  const typed = types.map((type, i) => typeFor(type, shapes[i] as Shape))
  if (typed.every((type, i) => type === types[i])) return { set, elements }
  const lengths = typed.map(lengthOf)
  return {
    set: { ...set, key: (Array.isArray(set.key) ? typed : typed[0]) as DataTypes },
    elements: elements.map(element => ({ ...element, key: keyFor(element.key, lengths) })),
  }
}

function typeFor(type: DataType, shape: Shape): DataType {
  if (typeof type === 'string' || type.type !== 'integer' || shape.type.text) return type
  const bytes = (shape.bits + 7) >> 3
  if (bytes > type.length || (type.order !== undefined && type.length === bytes)) return type
  return dataTypeOf({ ...shape, bits: 8 * bytes })
}

const lengthOf = (type: DataType): number | undefined => (typeof type === 'string' ? undefined : type.length)

function keyFor(key: unknown, lengths: readonly (number | undefined)[]): Element['key'] {
  if (Array.isArray(key)) return key.map((part, i) => partFor(part, lengths[i])) as unknown as Element['key']
  return partFor(key, lengths[0]) as Element['key']
}

/** Bytes without what a register has more of. */
function partFor(part: unknown, length: number | undefined): unknown {
  if (length === undefined) return part
  if (part instanceof Uint8Array) return part.subarray(0, length)
  if (part !== null && typeof part === 'object' && 'from' in part && 'to' in part)
    return { from: partFor(part.from, length), to: partFor(part.to, length) }
  return part
}
