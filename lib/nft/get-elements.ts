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
import type { Kernel } from './kernel.js'
import { ElementReader } from './objects/element-reader.js'
import { writeElements } from './objects/elements.js'
import type { Element, ElementKey, Elements } from './types.js'
import { message, messageType } from './wire.js'

/** What an answer takes of the receive buffer: the kernel makes each in an skb of two pages (nft_get_set_elem), and an interval has two. */
const ANSWER = 2 * 10_000

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
  const found: (Element | undefined)[] = []
  const most = Math.max(1, Math.floor(kernel.reads.open().receiveBuffer / ANSWER))
  for (let at = 0; at < keys.length; at += most) {
    const answers = await ask(kernel, number, set, keys.slice(at, at + most), at, limit)
    for (const answer of answers) found.push(elementOf(set, answer))
  }
  // The kernel says the same of a set that is missing.
  if (keys.length > 0 && found.every(element => element === undefined)) await existing(kernel, set, 'getElements', limit)
  return found
}

async function ask(
  kernel: Kernel,
  number: number,
  set: Elements['set'],
  keys: readonly ElementKey[],
  from: number,
  limit: Limit,
): Promise<Answer[]> {
  const { reads } = kernel
  const writer = reads.writer()
  const first = reads.sequence(keys.length)
  const last = first + keys.length - 1
  const family = familyToWire(set.family)
  for (const [i, key] of keys.entries()) {
    const flags = NLM_F_REQUEST | (first + i === last ? NLM_F_ACK : 0)
    const start = beginNetfilter(writer, messageType(number), flags, first + i, family)
    writeKey(writer, set, key, from + i)
    endMessage(writer, start)
  }
  const { data, lost } = await reads.exchange(writer.written(), last, limit, number === message.getElements ? 'no' : 'unknown')
  reads.recycle(writer)
  if (lost) throw lostReply('no')
  return answersTo(readerOf(data), first, keys.length)
}

function writeKey(writer: MessageWriter, set: Elements['set'], key: ElementKey, index: number): void {
  try {
    for (const _ of writeElements(writer, { set, elements: [{ key }] }, 'name', () => {}));
  } catch (error) {
    if (error instanceof BadValue) error.path = error.path.replace(/^elements\[0\](\.key)?/, `keys[${index}]`)
    throw error
  }
}

/** An interval that has no end (it goes up to the last key) is told with an error for that behind its beginning. */
function elementOf(set: Elements['set'], answer: Answer): Element | undefined {
  if (answer.refusal && !isMissing(answer.refusal)) throw answer.refusal
  const elements: Element[] = []
  const reader = new ElementReader(set)
  for (const { payload, end } of answer.messages()) reader.read(answer.reader, payload + NETFILTER_HEADER, end, elements)
  reader.end(elements)
  return elements[0]
}
