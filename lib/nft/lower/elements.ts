/** Elements of sets and maps: from JSON to what the kernel keeps (src/evaluate.c, expr_evaluate_set; src/intervals.c). */
import { BadValue, shown } from '../../netlink/schema.js'
import type { Element, Interval } from '../types.js'
import { toRegister } from '../vocabulary/bytes.js'
import { type ElementShapes, registerOrder, type Span } from '../vocabulary/shapes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'
import { type Item, itemsOf } from './items.js'
import { merged } from './merge.js'

export interface ElementOptions {
  /** The set has the flag `interval`: ranges and prefixes are allowed. */
  readonly interval?: boolean | undefined
  /** Data are ranges, as of maps for NAT. */
  readonly dataInterval?: boolean | undefined
  /** Joins intervals that overlap or adjoin: sets with `auto-merge`, and sets without a name. */
  readonly merge?: boolean | undefined
  readonly devices?: Devices | undefined
}

/** The elements that `items` are. Keys and data are bytes as in registers. Throws a `BadValue` with the place within `items`. */
export function lowerElements(items: unknown, shapes: ElementShapes, options: ElementOptions = {}): Element[] {
  const found = itemsOf(items, shapes, options.devices)
  const isMerged = options.merge && options.interval && shapes.key.length === 1 && shapes.data === undefined
  return (isMerged ? merged(found) : found).map(item => elementOf(item, shapes, options))
}

/** Which flags a set without a name needs for its elements. */
export function formOf(items: unknown, shapes: ElementShapes, devices?: Devices): { interval: boolean; dataInterval: boolean } {
  const found = itemsOf(items, shapes, devices)
  return {
    interval: found.some(({ key }) => key !== '*' && key.some(isRange)),
    dataInterval: found.some(({ data }) => Array.isArray(data) && data.some(isRange)),
  }
}

const isRange = ({ from, to }: Span): boolean => from !== to

/** One element. Throws a `BadValue` with its place. */
export function elementOf({ key, data, object, extras, path }: Item, shapes: ElementShapes, options: ElementOptions): Element {
  try {
    const values = Array.isArray(data) ? valuesOf(data, shapes.data as readonly Shape[], undefined, options.dataInterval) : data
    const order = options.interval ? 'network' : undefined
    return {
      key: key === '*' ? '*' : valuesOf(key, shapes.key, order, options.interval),
      ...(values !== undefined && { data: values as Element['data'] }),
      ...(object !== undefined && { object }),
      ...extras,
    }
  } catch (error) {
    throw error instanceof BadValue ? error.within(path) : error
  }
}

function valuesOf(
  spans: readonly Span[],
  shapes: readonly Shape[],
  order: 'network' | undefined,
  ranges: boolean | undefined,
): Interval | readonly Interval[] {
  const values = spans.map((span, i) => {
    const shape = shapes[i] as Shape
    return registerOf(ranges && spans.length === 1 ? opened(span, shape.bits) : span, shape, order, ranges)
  })
  const [single] = values
  return single !== undefined && shapes.length === 1 ? single : values
}

/** nft writes no end of what goes to the last number of so many bits (src/segtree.c): its bytes can hold more than those. */
export function opened(span: Span, bits: number): Span {
  return span.to === (1n << BigInt(bits)) - 1n ? { from: span.from, to: (1n << BigInt((bits + 7) & ~7)) - 1n } : span
}

/** The keys of intervals are in the order of the network, whatever their type is: the kernel compares their bytes. */
function registerOf({ from, to }: Span, shape: Shape, given: 'network' | undefined, ranges = false): Interval {
  const { bits, type } = shape
  const order = given ?? registerOrder(shape)
  const first = toRegister(from, bits, order)
  if (from === to) return first
  if (ranges) return { from: first, to: toRegister(to, bits, order) }
  const range = `${shown(type.json(from, bits))} to ${shown(type.json(to, bits))}`
  throw new BadValue('type', `${range}: ranges and prefixes are for sets with the flag "interval": add it to the set's flags`)
}
