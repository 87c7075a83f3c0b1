/** Elements of sets and maps as `nft -j` prints them (src/json.c, set_elem_expr_json; src/segtree.c, interval_map_decompose). */

import { align4 } from '../../netlink/buffer.js'
import type { Verdict } from '../data.js'
import type * as json from '../json/index.js'
import { elementCodec } from '../objects/element-codec.js'
import type { Element, Elements, NftSet } from '../types.js'
import type { Tuple } from '../values/tuple.js'
import { fromRegister } from '../vocabulary/bytes.js'
import { type ElementShapes, registerOrder, type Span } from '../vocabulary/shapes.js'
import type { Devices, Shape } from '../vocabulary/value-type.js'
import { liftSpan, liftValue } from './constant.js'
import { inOrder } from './element-order.js'
import { shapesOfSet } from './set-type.js'
import { liftStateful } from './stateful.js'
import { liftVerdict } from './verdict.js'

/** What says how elements are written. */
export type ElementsOf = Elements['set'] & Pick<NftSet, 'userData'>

export interface LiftElementsOptions {
  readonly devices?: Devices | undefined
  /** All that an element has: `nft -j` leaves out fractions of seconds, and all but the first of its statements. */
  readonly whole?: boolean | undefined
  /** Types of the keys, where it is known better what they are than the set tells: as long as its own. */
  readonly key?: readonly Shape[] | undefined
}

/** The elements in the order and the form in which nft prints them. */
export function liftElements(set: ElementsOf, elements: readonly Element[], options: LiftElementsOptions = {}): json.SetItem[] {
  const reader = new SpanReader(set, options.key)
  const read = elements.map(element => ({ element, key: reader.key(element) }))
  return inOrder(read, set, reader.shapes.key).map(({ element, key }) => liftElement(reader, element, key, options))
}

/** Reads keys and data of one set as what they mean. */
export class SpanReader {
  readonly shapes: ElementShapes
  readonly #codec: ReturnType<typeof elementCodec>
  readonly interval: boolean

  constructor(set: ElementsOf, key?: readonly Shape[]) {
    const shapes = shapesOfSet(set)
    this.shapes = key ? { ...shapes, key } : shapes
    this.#codec = elementCodec(set)
    this.interval = this.#codec.shape !== 'exact'
  }

  get dataInterval(): boolean {
    return this.#codec.dataInterval
  }

  key({ key }: Element): readonly Span[] | '*' {
    if (key === '*') return '*'
    return spansOf(this.#codec.key, this.shapes.key, key, this.interval, this.interval ? 'network' : undefined)
  }

  data({ data }: Element): readonly Span[] | Verdict | undefined {
    const tuple = this.#codec.data
    if (data === undefined || typeof tuple !== 'object') return data as Verdict | undefined
    return spansOf(tuple, this.shapes.data as readonly Shape[], data, this.dataInterval, undefined)
  }
}

function spansOf(
  tuple: Tuple,
  shapes: readonly Shape[],
  value: unknown,
  ranges: boolean,
  given: 'network' | undefined,
): readonly Span[] {
  const length = align4(tuple.length)
  const bytes = new Uint8Array(2 * length)
  if (ranges) tuple.writeRange(bytes, 0, length, value)
  else tuple.write(bytes, 0, value)
  let at = 0
  return shapes.map(shape => {
    const size = (shape.bits + 7) >> 3
    const order = given ?? registerOrder(shape)
    const read = (start: number): bigint => fromRegister(bytes.subarray(start, start + size), shape.bits, order)
    const from = read(at)
    const span = { from, to: ranges ? read(length + at) : from }
    at += align4(size)
    return span
  })
}

function liftElement(
  reader: SpanReader,
  element: Element,
  key: readonly Span[] | '*',
  options: LiftElementsOptions,
): json.SetItem {
  const lifted = key === '*' ? '*' : liftKey(key, reader.shapes.key, options.devices)
  const item = withExtras(lifted, element, options.whole === true)
  const data = liftData(reader, element, options.devices)
  return data === undefined ? item : [item, data]
}

function liftKey(key: readonly Span[], shapes: readonly Shape[], devices: Devices | undefined): json.Expression {
  const values = key.map((span, i) => liftSpan(span, shapes[i] as Shape, key.length === 1, devices))
  const [single] = values
  return single !== undefined && values.length === 1 ? single : { concat: values }
}

function liftData(reader: SpanReader, element: Element, devices: Devices | undefined): json.Expression | undefined {
  if (element.object !== undefined) return element.object
  const data = reader.data(element)
  if (data === undefined) return undefined
  if (!isSpans(data)) return liftVerdict(data)
  const shapes = reader.shapes.data as readonly Shape[]
  const [span] = data
  const [shape] = shapes
  if (span && shape && data.length === 1 && reader.dataInterval && span.from === span.to && isPrefixed(shape))
    return { prefix: { addr: liftValue(span.from, shape, devices) as json.Immediate, len: shape.bits } }
  return liftKey(data, shapes, devices)
}

const isSpans = (data: readonly Span[] | Verdict): data is readonly Span[] => Array.isArray(data)

/** Types whose ranges are told as prefixes where they are one (DTYPE_F_PREFIX). */
const isPrefixed = ({ type }: Shape): boolean => type.name === 'ipv4_addr' || type.name === 'ipv6_addr'

function withExtras(val: json.Expression, element: Element, whole: boolean): json.Expression {
  const { timeout, expires, comment, expressions = [] } = element
  const seconds = (value: number): number => (whole ? value : Math.trunc(value))
  const [statement, ...others] = expressions.map(expression => liftStateful(expression)).filter(lifted => lifted !== undefined)
  if (!timeout && !expires && comment === undefined && statement === undefined) return val
  return {
    elem: {
      val,
      ...(timeout && { timeout: seconds(timeout) }),
      ...(expires && { expires: seconds(expires) }),
      ...(comment !== undefined && { comment }),
      ...(whole && others.length > 0 ? { stmt: [statement as json.ElementStatement, ...others] } : statement),
    },
  } as json.ElementExpression
}
