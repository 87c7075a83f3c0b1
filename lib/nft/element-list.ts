/** The elements of a set, read as the kernel delivers them. */
import { MessageWriter } from '../netlink/buffer.js'
import { type CallOptions, type Limit, readerOf } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import { endMessage, NLM_F_DUMP, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../netlink/netfilter.js'
import { Turns } from '../netlink/turns.js'
import { Answer } from './answer.js'
import { asking, everChanging } from './asking.js'
import { familyToWire } from './family.js'
import type { Kernel } from './kernel.js'
import { ElementReader } from './objects/element-reader.js'
import { Repeats } from './objects/repeats.js'
import { describe, find, keyOf, sets, TRIES } from './read.js'
import type { Element, Elements, NftSet, SetKey } from './types.js'
import { message, messageType, setElementListAttributes } from './wire.js'

/** Bytes that are read at once: the kernel fills up to 32 KiB of a datagram. Decoding them takes a few milliseconds. */
const PAGE = 128 << 10

/** A set by its name, or as it was read or added: then the kernel need not be asked for its types. */
export type SetLike = SetKey | Elements['set']

/**
 * The elements of a set: `for await`, or `toArray()`. Every iteration reads anew, on a socket of its own, page by page: the memory that it
 * takes does not depend on how many there are, and other calls of the client do not wait for its end. A deadline is that of each page.
 */
export class ElementList implements AsyncIterable<Element> {
  readonly #kernel: Kernel
  readonly #set: SetLike
  readonly #options: CallOptions
  #consistent: boolean | undefined

  /** @internal */
  constructor(kernel: Kernel, set: SetLike, options: CallOptions) {
    this.#kernel = kernel
    this.#set = set
    this.#options = options
  }

  /**
   * Whether nothing at all in the ruleset was changed while the last iteration read. False: the kernel may have left elements out, or told
   * some twice. Undefined before an iteration came to its end.
   */
  get consistent(): boolean | undefined {
    return this.#consistent
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Element, void, undefined> {
    for await (const page of this.pages()) for (const element of page) yield element
  }

  /** The same in groups, as they come. */
  async *pages(): AsyncGenerator<Element[], void, undefined> {
    this.#consistent = undefined
    const set = await typed(this.#kernel, this.#set, 'elements', this.#options)
    const repeats = new Repeats()
    const reader = new ElementReader(set, repeats)
    const turns = new Turns()
    let consistent = true
    let generation: number | undefined
    for await (const answer of stream(this.#kernel, set, this.#options)) {
      // The kernel does not mark dumps of elements as interrupted (nf_tables_dump_set).
      if (answer.interrupted || (answer.generation ?? generation) !== (generation ?? answer.generation)) consistent = false
      generation = answer.generation
      const page: Element[] = []
      await decodeElements(reader, answer, page, turns)
      yield page
    }
    const rest: Element[] = []
    reader.end(rest)
    if (rest.length > 0) yield rest
    this.#consistent = consistent && !repeats.found
  }

  /** All of them, of one generation: read again where others changed the ruleset meanwhile, up to 10 times. */
  async toArray(): Promise<Element[]> {
    for (let tries = 0; tries < TRIES; tries++) {
      const elements: Element[] = []
      for await (const page of this.pages()) for (const element of page) elements.push(element)
      if (this.#consistent) return elements
    }
    throw everChanging('elements', TRIES)
  }
}

/** The set with its types; asked for when they are not given. */
export async function typed(kernel: Kernel, set: SetLike, operation: string, options: CallOptions): Promise<Elements['set']> {
  if (set && 'key' in set && set.key !== undefined) return set
  return asking(operation, '', () => kernel.call(options, limit => existing(kernel, set, operation, limit)))
}

/** The set, as the kernel has it. Throws a `NetlinkError` when it is not there. */
export async function existing(kernel: Kernel, set: SetKey, operation: string, limit: Limit): Promise<NftSet> {
  const { family, table, name } = keyOf(sets, set)
  const found = await find(kernel, sets, { family, table, name }, limit)
  if (found) return found
  throw new NetlinkError({
    errno: 2,
    operation,
    target: describe({ family, table, name }),
    problem: 'no-such-object',
    reason: 'there is no such set, or no such table',
  })
}

/** Adds the elements of an answer's messages to a list. */
export async function decodeElements(reader: ElementReader, answer: Answer, into: Element[], turns: Turns): Promise<void> {
  for (const { payload, end } of answer.messages()) {
    const before = into.length
    reader.read(answer.reader, payload + NETFILTER_HEADER, end, into)
    if (turns.due(into.length - before)) await turns.give()
  }
}

/** The dump of a set's elements, page by page. While one is looked at, the kernel works on the next. */
async function* stream(kernel: Kernel, set: Elements['set'], options: CallOptions): AsyncGenerator<Answer, void, undefined> {
  const channel = kernel.stream()
  const sequence = channel.sequence(1)
  const ask = <T>(task: () => Promise<T>): Promise<T> => asking('elements', describe(set), task)
  try {
    // It begins in the order of the client's calls.
    let reply = await ask(() =>
      kernel.call(options, limit => channel.page(elementsRequest(set, sequence), sequence, PAGE, limit, 'no')),
    )
    for (;;) {
      kernel.throwIfClosed() // a closed channel would open a socket that has no dump
      const next = reply.complete ? undefined : channel.page(null, sequence, PAGE, kernel.limit(options), 'no')
      next?.catch(() => {}) // looked at below, unless the reader stops before
      const { data } = reply
      yield await ask(async () => new Answer(readerOf([data]), sequence).orThrow())
      if (!next) return
      reply = await next
    }
  } finally {
    kernel.endStream(channel)
  }
}

function elementsRequest({ family, table, name }: SetKey, sequence: number): Uint8Array {
  const writer = new MessageWriter(1024)
  const start = beginNetfilter(
    writer,
    messageType(message.getElements),
    NLM_F_REQUEST | NLM_F_DUMP,
    sequence,
    familyToWire(family),
  )
  setElementListAttributes.encode(writer, { table, set: name })
  endMessage(writer, start)
  return writer.written()
}
