import type { CallOptions, Limit } from '../netlink/channel.js'
import { Fields } from '../netlink/fields.js'
import type { Kernel } from '../netlink/kernel.js'
import { BadValue } from '../netlink/schema.js'
import { Watches } from '../netlink/watching.js'
import * as change from './change.js'
import { describeFlow } from './describe.js'
import { type CheckedFilter, checkFilter } from './filter.js'
import { FlowList } from './flow-list.js'
import { type Asked, asking } from './reasons.js'
import type { Count, CpuStatistics, Flow, FlowChange, FlowConfig, FlowFilter, FlowKey } from './types.js'
import { type FlowEvent, type WatchOptions, watch } from './watch.js'

const CALL = ['signal', 'deadline']

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class ConntrackClient {
  readonly #kernel: Kernel
  readonly #watches = new Watches()

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * The flows that have all that is given, by default all, read as they are iterated over.
   *
   * @throws {TypeError | RangeError} for a wrong filter
   * @example
   * for await (const { original, state } of tracked.flows({ protocol: 'tcp', reply: { source: '10.1.0.7' } })) console.log(original, state)
   */
  flows(given: FlowFilter & CallOptions = {}): FlowList {
    const { filter, options } = parted(given)
    return new FlowList(this.#kernel, filter, options)
  }

  /** One flow, by one of its directions; undefined when there is none. */
  get(key: FlowKey, options: CallOptions = {}): Promise<Flow | undefined> {
    return this.#ask({ operation: 'get', target: describeFlow(key) }, options, limit => change.getFlow(this.#kernel, key, limit))
  }

  /**
   * Puts a flow into the table, as if its packets had been seen.
   *
   * @throws {NetlinkError} `exists`, `full`, `invalid`
   */
  add(flow: FlowConfig, options: CallOptions = {}): Promise<void> {
    const target = flow?.original && describeFlow(flow)
    return this.#ask({ operation: 'add', target }, options, limit => change.addFlow(this.#kernel, flow, limit))
  }

  /** Changes what is given of a flow. False when there is none. @throws {NetlinkError} `in-use` */
  update(key: FlowKey, changes: FlowChange, options: CallOptions = {}): Promise<boolean> {
    return this.#ask({ operation: 'update', target: describeFlow(key) }, options, limit =>
      change.updateFlow(this.#kernel, key, changes, limit),
    )
  }

  /**
   * Deletes a flow: its next packet begins a new one. False when there is none, or, where an id is given, another one.
   *
   * @example
   * for await (const flow of tracked.flows({ protocol: 'udp' })) if (isStale(flow)) await tracked.delete(flow)
   */
  delete(key: FlowKey, options: CallOptions = {}): Promise<boolean> {
    return this.#ask({ operation: 'delete', target: describeFlow(key) }, options, limit =>
      change.deleteFlow(this.#kernel, key, limit),
    )
  }

  /**
   * Deletes the flows that have all that is given, as `conntrack -D` does. At least one condition is needed: `flush` deletes all.
   *
   * @returns how many it were
   * @example
   * await tracked.deleteMatching({ protocol: 'udp', original: { destination: '10.96.0.10', destinationPort: 53 } })
   */
  deleteMatching(given: FlowFilter & CallOptions): Promise<number> {
    return asking({ operation: 'deleteMatching' }, async () => {
      const { filter, options } = parted(given)
      if (filter.any)
        throw new BadValue('type', 'there is no condition, so all flows would go: give one, or use `flush`').within('options')
      return change.deleteMatching(this.#kernel, filter, options)
    })
  }

  /** Deletes all flows, or all of a family: connections that are translated may break. Nothing else does, and it has to be said which. */
  flush(which: 'all' | 'ipv4' | 'ipv6', options: CallOptions = {}): Promise<void> {
    return this.#ask({ operation: 'flush', target: String(which) }, options, limit => change.flush(this.#kernel, which, limit))
  }

  /** How many flows there are, and how many there may be. */
  count(options: CallOptions = {}): Promise<Count> {
    return this.#ask({ operation: 'count' }, options, limit => change.count(this.#kernel, limit))
  }

  /** What each processor has counted. */
  statistics(options: CallOptions = {}): Promise<CpuStatistics[]> {
    return this.#ask({ operation: 'statistics' }, options, limit => change.statistics(this.#kernel, limit))
  }

  /**
   * Flows that begin, change and end from now on, that have all that is given. The kernel tells of those that began while somebody watched
   * (net.netfilter.nf_conntrack_events is 2), or of all (1). It ends when the loop is left, with `signal`, and with the client, and throws
   * what ends it otherwise; until then it holds a socket, and keeps the process running.
   *
   * @throws {NetlinkError} `not-permitted`
   * @throws {TypeError | RangeError} for a wrong option
   * @example
   * for await (const event of tracked.watch({ protocol: 'tcp', events: ['destroy'] }))
   *   if (event.type !== 'lost') console.log(event.flow.original, event.flow.counters)
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<FlowEvent, void, void> & AsyncDisposable {
    this.#kernel.throwIfClosed()
    return this.#watches.keep(() => watch(this.#kernel.transport, options))
  }

  #ask<T>(asked: Asked, options: CallOptions, task: (limit: Limit) => Promise<T>): Promise<T> {
    return asking(asked, async () => {
      new Fields(options, CALL, 'options')
      return this.#kernel.call(options, task)
    })
  }

  /** Closes it when the calls that were made have ended. */
  async close(): Promise<void> {
    await this.#watches.close()
    await this.#kernel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The filter, checked, and the options of every call. Throws a TypeError or RangeError. */
function parted(given: FlowFilter & CallOptions): { readonly filter: CheckedFilter; readonly options: CallOptions } {
  const { signal, deadline, ...filter } = given ?? {}
  try {
    return { filter: checkFilter(filter), options: { signal, deadline } }
  } catch (error) {
    throw error instanceof BadValue ? error.toError() : error
  }
}
