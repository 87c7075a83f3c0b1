/** Where in the commands a refusal points. */
import type { MessageReader } from '../netlink/buffer.js'
import { type Acknowledgement, messageAt } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import type { Batch } from './batch.js'
import { type ObjectWord, partsOf, type Verb } from './commands.js'
import { fieldOf } from './field-of.js'
import type { RefusedMessage } from './outcome.js'
import { tableOf } from './trace.js'
import type { Command } from './types.js'

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
  const field = wirePath === undefined ? undefined : fieldOf(verb, word, countedFrom(place.element, wirePath), object)
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

/** A message has a part of the elements only. */
function countedFrom(first: number, path: string): string {
  return path.replace(/^elements\[(\d+)\]/, (_, index: string) => `elements[${first + Number(index)}]`)
}
