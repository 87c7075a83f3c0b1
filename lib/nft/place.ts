/** Where in the commands a refusal points. */
import { align4, type MessageReader } from '../netlink/buffer.js'
import { type Acknowledgement, messageAt } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { readBe32 } from '../netlink/values.js'
import type { Batch } from './batch.js'
import { type ObjectWord, partsOf, type Verb } from './commands.js'
import { fieldOf } from './field-of.js'
import type { RefusedMessage } from './outcome.js'
import { tableOf } from './trace.js'
import type { Command } from './types.js'
import { INTERVAL_END } from './wire.js'

/** The command that was refused, taken apart. */
export interface Refused {
  readonly acknowledgement: Acknowledgement
  readonly index: number
  readonly command: Command
  readonly verb: Verb
  readonly word: ObjectWord
  readonly object: object
  /** Which of the elements, if it is about one. */
  readonly element: number | undefined
  /** Which of the expressions, if it is about one. */
  readonly expression: number | undefined
  /** The field of the object that it is about, as `expressions[1].data`; undefined when the kernel does not say. */
  readonly field: string | undefined
}

/** What a refused message is about. */
export function placeOf(
  request: MessageReader,
  batch: Batch,
  commands: readonly Command[],
  refused: RefusedMessage,
): Refused | undefined {
  const { acknowledgement, sequence } = refused
  const place = sequence === undefined ? undefined : batch.at(sequence)
  const command = place && commands[place.command]
  const sent = place && messageAt(request, place.start)
  if (!command || !sent) return undefined
  const { verb, word, object } = partsOf(command)
  const payload = sent.payload + NETFILTER_HEADER
  const target = acknowledgement.offset === undefined ? undefined : place.start + acknowledgement.offset
  const wirePath = target === undefined ? undefined : tableOf(sent.type & 255)?.path(request, payload, sent.end, target)
  const ends = target === undefined || word !== 'elements' ? 0 : endsBefore(request, payload, sent.end, target)
  const field = wirePath === undefined ? undefined : fieldOf(verb, word, counted(wirePath, place.element, ends), object)
  const element = word === 'elements' ? /^elements\[(\d+)\]/.exec(field ?? '')?.[1] : undefined
  const expression = word === 'rule' || word === 'set' ? /^expressions\[(\d+)\]/.exec(field ?? '')?.[1] : undefined
  return {
    acknowledgement,
    index: place.command,
    command,
    verb,
    word,
    object,
    element: element === undefined ? undefined : Number(element),
    expression: expression === undefined ? undefined : Number(expression),
    field,
  }
}

/** The path as the caller counts: a message has a part of the elements only, and the end of an interval is one of its own there. */
function counted(path: string, first: number, ends: number): string {
  return path.replace(/^elements\[(\d+)\]/, (_, index: string) => `elements[${first + Math.max(0, Number(index) - ends)}]`)
}

const NFTA_SET_ELEM_LIST_ELEMENTS = 3
const NFTA_SET_ELEM_FLAGS = 3

/** How many ends of intervals there are in a message's list of elements up to `target`. */
function endsBefore(reader: MessageReader, payload: number, end: number, target: number): number {
  const list = findAttribute(reader, payload, end, NFTA_SET_ELEM_LIST_ELEMENTS)
  if (list < 0 || target >= attributeEnd(reader, list)) return 0
  let ends = 0
  for (let at = list + 4; at <= target; at = align4(attributeEnd(reader, at))) if (isEnd(reader, at)) ends++
  return ends
}

function isEnd(reader: MessageReader, element: number): boolean {
  const flags = findAttribute(reader, element + 4, attributeEnd(reader, element), NFTA_SET_ELEM_FLAGS)
  return flags >= 0 && (readBe32(reader, flags + 4) & INTERVAL_END) !== 0
}
