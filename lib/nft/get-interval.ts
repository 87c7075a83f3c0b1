/** The interval of a set that a key lies in. */
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import type { Answer } from './answer.js'
import { isMissing } from './asking.js'
import type { ElementCodec } from './objects/element-codec.js'
import { ElementReader } from './objects/element-reader.js'
import type { Element, ElementKey, Elements } from './types.js'
import { setElementListAttributes } from './wire.js'

/** An interval that is looked for, as bytes: its first and its last value, and the one behind that, where there is one. */
export interface Interval {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly next: Uint8Array | undefined
}

/** Throws a `BadValue`. */
export function wantedInterval({ key: tuple }: ElementCodec, key: ElementKey): Interval {
  const { length } = tuple
  const bytes = new Uint8Array(3 * length)
  tuple.writeRange(bytes, 0, length, key)
  tuple.single?.writeLast(bytes, 2 * length)
  const [from, to, last] = [0, 1, 2].map(i => bytes.slice(i * length, (i + 1) * length)) as [Uint8Array, Uint8Array, Uint8Array]
  return { from, to, next: Buffer.compare(to, last) === 0 ? undefined : following(to) }
}

function following(bytes: Uint8Array): Uint8Array {
  const next = bytes.slice()
  for (let i = next.length - 1; i >= 0; i--) {
    next[i] = (next[i] as number) + 1
    if (next[i] !== 0) break
  }
  return next
}

/**
 * The interval of which `answer` has the beginning and the end: that of the last value that is looked for. The kernel overlooks an end where
 * the next interval begins, and tells one that comes later, or none (nft_set_rbtree.c, __nft_rbtree_get); none also for an interval that
 * goes up to the last value. So what begins behind the last value counts more.
 *
 * @param behind the answer for the value behind the last one
 */
export function intervalOf(
  set: Elements['set'],
  { from, next }: Interval,
  answer: Answer,
  behind: Answer | undefined,
): Element | undefined {
  for (const { refusal } of behind ? [answer, behind] : [answer]) if (refusal && !isMissing(refusal)) throw refusal
  const beginning = firstKey(answer)
  if (!beginning || Buffer.compare(beginning, from) > 0) return undefined
  const begins = behind && firstKey(behind)
  const adjoins = next !== undefined && begins !== undefined && Buffer.compare(begins, next) === 0
  const elements: Element[] = []
  const reader = new ElementReader(set)
  for (const part of adjoins ? [answer, behind as Answer] : [answer]) {
    for (const { payload, end } of part.messages()) {
      reader.read(part.reader, payload + NETFILTER_HEADER, end, elements)
      if (adjoins) break
    }
  }
  reader.end(elements)
  return elements[0]
}

/** The key in the first message. */
function firstKey(answer: Answer): Uint8Array | undefined {
  for (const { payload, end } of answer.messages()) {
    const [first] = setElementListAttributes.decode(answer.reader, payload + NETFILTER_HEADER, end)?.elements ?? []
    return first?.key instanceof Uint8Array ? first.key : undefined
  }
  return undefined
}
