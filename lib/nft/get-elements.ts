/** Single elements of a set. */
import type { MessageWriter } from '../netlink/buffer.js'
import { type Limit, lostReply, readerOf } from '../netlink/channel.js'
import { endMessage, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../netlink/netfilter.js'
import { BadValue } from '../netlink/schema.js'
import { type Answer, answersTo } from './answer.js'
import { isMissing } from './asking.js'
import { existing } from './element-list.js'
import { familyToWire } from './family.js'
import { type Interval, intervalOf, wantedInterval } from './get-interval.js'
import type { Kernel } from './kernel.js'
import { type ElementCodec, elementCodec } from './objects/element-codec.js'
import { ElementReader } from './objects/element-reader.js'
import { writeElements } from './objects/elements.js'
import { within } from './objects/within.js'
import type { Element, ElementKey, Elements } from './types.js'
import { message, messageType } from './wire.js'

/** What an answer takes of the receive buffer: the kernel makes each in an skb of two pages (nft_get_set_elem), and an interval has two. */
const ANSWER = 2 * 10_000

/** What is asked for one element. */
interface Question {
  readonly number: number
  readonly key: ElementKey
  /** Which of the keys it is for. */
  readonly index: number
  readonly interval?: Interval | undefined
}

/**
 * The element of each key, in their order; undefined where there is none. The kernel stops at the first one of a list that is missing, so
 * each has a message of its own.
 */
export async function readElementsOf(
  kernel: Kernel,
  number: number,
  set: Elements['set'],
  keys: readonly ElementKey[],
  limit: Limit,
): Promise<(Element | undefined)[]> {
  const codec = elementCodec(set)
  const found: (Element | undefined)[] = []
  const most = Math.max(1, Math.floor(kernel.reads.open().receiveBuffer / ANSWER / (codec.shape === 'interval' ? 2 : 1)))
  for (let at = 0; at < keys.length; at += most) {
    const questions = keys.slice(at, at + most).map((key, i) => questionsFor(codec, number, key, at + i))
    const answers = await ask(kernel, set, questions.flat(), limit)
    for (const [{ interval }, ...behind] of questions) {
      const [answer, next] = [answers.shift() as Answer, behind.length > 0 ? answers.shift() : undefined]
      found.push(interval ? intervalOf(set, interval, answer, next) : elementOf(set, answer))
    }
  }
  // The kernel says the same of a set that is missing.
  if (keys.length > 0 && found.every(element => element === undefined)) await existing(kernel, set, 'getElements', limit)
  return found
}

/** What is asked for an element, and for an interval what is behind it. Only the first may change anything. */
function questionsFor(codec: ElementCodec, number: number, key: ElementKey, index: number): [Question, ...Question[]] {
  if (codec.shape !== 'interval' || key === '*') return [{ number, key, index }]
  const interval = within('keys', () => within(index, () => wantedInterval(codec, key)))
  const { to, next } = interval
  const first = { number, key: to, index, interval }
  return next ? [first, { number: message.getElements, key: next, index }] : [first]
}

async function ask(kernel: Kernel, set: Elements['set'], questions: readonly Question[], limit: Limit): Promise<Answer[]> {
  const { reads } = kernel
  const writer = reads.writer()
  const first = reads.sequence(questions.length)
  const last = first + questions.length - 1
  const family = familyToWire(set.family)
  for (const [i, { number, key, index }] of questions.entries()) {
    const flags = NLM_F_REQUEST | (first + i === last ? NLM_F_ACK : 0)
    const start = beginNetfilter(writer, messageType(number), flags, first + i, family)
    writeKey(writer, set, key, index)
    endMessage(writer, start)
  }
  const changes = questions.some(({ number }) => number !== message.getElements)
  const { data, lost } = await reads.exchange(writer.written(), last, limit, changes ? 'unknown' : 'no')
  reads.recycle(writer)
  if (lost) throw lostReply('no')
  return answersTo(readerOf(data), first, questions.length)
}

function writeKey(writer: MessageWriter, set: Elements['set'], key: ElementKey, index: number): void {
  try {
    for (const _ of writeElements(writer, { set, elements: [{ key }] }, 'name', () => {}));
  } catch (error) {
    if (error instanceof BadValue) error.path = error.path.replace(/^elements\[0\](\.key)?/, `keys[${index}]`)
    throw error
  }
}

function elementOf(set: Elements['set'], answer: Answer): Element | undefined {
  if (answer.refusal && !isMissing(answer.refusal)) throw answer.refusal
  const elements: Element[] = []
  const reader = new ElementReader(set)
  for (const { payload, end } of answer.messages()) reader.read(answer.reader, payload + NETFILTER_HEADER, end, elements)
  reader.end(elements)
  return elements[0]
}
