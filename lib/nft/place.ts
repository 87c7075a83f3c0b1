/** Where in the commands a refusal points. */
import { align4, type MessageReader } from '../netlink/buffer.js'
import { type Acknowledgement, messageAt } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { attributeEnd, findAttribute, joinPath } from '../netlink/schema.js'
import type { Batch } from './batch.js'
import { type ObjectWord, partsOf, type Verb } from './commands.js'
import { elementFieldOf, fieldOf } from './field.js'
import type { RefusedMessage } from './outcome.js'
import { tableOf } from './trace.js'
import type { Command, Elements } from './types.js'

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
  const inList = word === 'elements' && target !== undefined ? elementAt(request, payload, sent.end, target) : undefined
  const element = inList && Math.min(place.element + inList.index, (object as Elements).elements.length - 1)
  const field =
    element !== undefined
      ? joinPath(`elements[${element}]`, inList?.field)
      : wirePath === undefined
        ? undefined
        : fieldOf(verb, word, wirePath, object)
  const expression = word === 'rule' || word === 'set' ? /^expressions\[(\d+)\]/.exec(field ?? '')?.[1] : undefined
  return {
    acknowledgement,
    index: place.command,
    command,
    verb,
    word,
    object,
    element,
    expression: expression === undefined ? undefined : Number(expression),
    field,
  }
}

const NFTA_SET_ELEM_LIST_ELEMENTS = 3
const NFTA_SET_ELEM_FLAGS = 3
const INTERVAL_END = 1

/**
 * Which of the message's elements the attribute at `target` is of, as the caller counts them, and which field of it. The end of an interval
 * is an element of its own for the kernel, and stands behind its beginning.
 */
function elementAt(
  reader: MessageReader,
  payload: number,
  end: number,
  target: number,
): { index: number; field?: string | undefined } | undefined {
  const list = findAttribute(reader, payload, end, NFTA_SET_ELEM_LIST_ELEMENTS)
  if (list < 0 || target < list + 4 || target >= attributeEnd(reader, list)) return undefined
  let index = -1
  for (let at = list + 4; ; at = align4(attributeEnd(reader, at))) {
    if (!isEnd(reader, at)) index++
    if (target < attributeEnd(reader, at)) return { index: Math.max(index, 0), field: elementFieldOf(reader, at, target) }
  }
}

function isEnd(reader: MessageReader, element: number): boolean {
  const flags = findAttribute(reader, element + 4, attributeEnd(reader, element), NFTA_SET_ELEM_FLAGS)
  return flags >= 0 && ((reader.bytes[flags + 7] as number) & INTERVAL_END) !== 0
}
