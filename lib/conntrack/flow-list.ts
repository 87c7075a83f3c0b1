/** Flows, read as the kernel delivers them. */
import type { CallOptions } from '../netlink/channel.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { Turns } from '../netlink/turns.js'
import type { CheckedFilter } from './filter.js'
import { readFlow } from './flow.js'
import { told } from './reasons.js'
import type { Flow } from './types.js'
import { header, message, messageType, questionAttributes } from './wire.js'

/**
 * Flows: `for await`, or `toArray()`. Every iteration reads anew, on a socket of its own, page by page: the memory that it takes does not
 * depend on how many there are, and other calls of the client do not wait for its end. A deadline is that of each page. Flows begin and end
 * meanwhile: the kernel may leave out one that has moved, and tell none that began behind the reader.
 */
export class FlowList implements AsyncIterable<Flow> {
  readonly #kernel: Kernel
  readonly #filter: CheckedFilter
  readonly #options: CallOptions

  /** @internal */
  constructor(kernel: Kernel, filter: CheckedFilter, options: CallOptions) {
    this.#kernel = kernel
    this.#filter = filter
    this.#options = options
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Flow, void, undefined> {
    for await (const page of this.pages()) for (const flow of page) yield flow
  }

  /** The same in groups, as they come. */
  async *pages(): AsyncGenerator<Flow[], void, undefined> {
    const turns = new Turns()
    const { test, any } = this.#filter
    try {
      for await (const answer of this.#kernel.pages(dumpAsk(this.#filter), this.#options)) {
        const page: Flow[] = []
        for (const { payload, end } of answer.messages()) {
          const flow = readFlow(answer.reader, payload, end)
          if (flow && (any || test(flow))) page.push(flow)
          if (turns.due(1)) await turns.give()
        }
        yield page
      }
    } catch (error) {
      throw told(error, { operation: 'flows' })
    }
  }

  /** All of them in one array. */
  async toArray(): Promise<Flow[]> {
    const flows: Flow[] = []
    for await (const page of this.pages()) for (const flow of page) flows.push(flow)
    return flows
  }
}

/** The question for all flows that a filter lets through. */
function dumpAsk({ family, attributes }: CheckedFilter): Ask {
  return {
    type: messageType(message.get),
    header: header.size,
    attributes: questionAttributes,
    body: writer => {
      header.write(writer, { family })
      questionAttributes.encode(writer, attributes)
    },
  }
}
