/** How the elements of one set are written and read, worked out once for all of them. */
import { BadValue } from '../../netlink/schema.js'
import type { Elements } from '../types.js'
import { Tuple } from '../values/tuple.js'
import { valuesOf } from '../values/values.js'
import { bitsOf } from './bits.js'
import { CONCATENATION, FLAGS } from './set.js'
import { resolveTypes } from './set-types.js'
import { within } from './within.js'

/**
 * What an element of a set consists of.
 *
 * - `exact`: a key
 * - `range`: the first and the last key, in each type of a concatenation
 * - `interval`: two elements, one with the first key, one with the key behind the last (net/netfilter/nft_set_rbtree.c)
 */
export type Shape = 'exact' | 'range' | 'interval'

export interface ElementCodec {
  readonly shape: Shape
  readonly key: Tuple
  /** What keys are mapped to; undefined for a set. */
  readonly data: Tuple | 'verdict' | 'object' | undefined
  /** Data are a first and a last value. */
  readonly dataInterval: boolean
}

/** Throws a `BadValue` with its path in the set. */
export function elementCodec({ key, data, dataInterval, objects, flags = [] }: Elements['set']): ElementCodec {
  if (key === undefined) throw new BadValue('type', 'is missing: give the type of the keys').within('key')
  const bits = bitsOf(flags, FLAGS, 'flags')
  const types = within('key', () => resolveTypes(key))
  const interval = (bits & FLAGS.interval) !== 0
  const concatenated = types.concatenated || (bits & CONCATENATION) !== 0
  return {
    shape: interval ? (concatenated ? 'range' : 'interval') : 'exact',
    // The kernel compares the keys of intervals byte by byte, and nft turns them round in rules.
    key: new Tuple(
      types.types.map(type => valuesOf(type, interval ? 'network' : type.order)),
      types.concatenated,
    ),
    data: objects === undefined ? within('data', () => dataOf(data)) : 'object',
    dataInterval: dataInterval === true,
  }
}

function dataOf(data: Elements['set']['data']): Tuple | 'verdict' | undefined {
  if (data === undefined || data === 'verdict') return data
  const { types, concatenated } = resolveTypes(data)
  return new Tuple(
    types.map(type => valuesOf(type)),
    concatenated,
  )
}
