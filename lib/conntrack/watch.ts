/** Flows that begin, change and end, as the kernel tells them. */
import { MessageReader } from '../netlink/buffer.js'
import { Fields, listOf, whole, word } from '../netlink/fields.js'
import { messagesOf } from '../netlink/message.js'
import { Monitor } from '../netlink/monitor.js'
import { NETLINK_NETFILTER, type Transport } from '../netlink/transport.js'
import { Turns } from '../netlink/turns.js'
import { Watching } from '../netlink/watching.js'
import { type CheckedFilter, checkFilter, FILTER_FIELDS } from './filter.js'
import { readFlow } from './flow.js'
import { conntrackTrace } from './trace.js'
import type { Flow, FlowFilter } from './types.js'
import { group, message, messageType } from './wire.js'

/** Options of `watch`: a filter, and what to tell. */
export interface WatchOptions extends FlowFilter {
  /** What is told. Default: all three. */
  readonly events?: readonly ('new' | 'update' | 'destroy')[] | undefined
  /** Bytes that may wait to be read, from 65536. What is beyond is lost. Default 64 MiB. */
  readonly unread?: number | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What happened to a flow. An update has what was changed: its status, timeout, state or mark. `lost`: the kernel told more than was read,
 * and what comes has a gap before it; `flows` tells what there is.
 */
export type FlowEvent = { readonly type: 'new' | 'update' | 'destroy'; readonly flow: Flow } | { readonly type: 'lost' }

const UNREAD = 64 << 20
const LEAST = 64 << 10
/** A new one is told with it (ctnetlink_conntrack_event). */
const NLM_F_CREATE = 0x400

/** Begins at once. Throws a `BadValue`. */
export function watch(transport: Transport, options: WatchOptions): Watching<FlowEvent> {
  const { events, unread, signal, ...filter } = options
  const fields = new Fields(options, ['events', 'unread', 'signal', ...FILTER_FIELDS], 'options')
  const groups = fields.optional('events', listOf(word(group))) ?? Object.values(group)
  const most = fields.optional('unread', whole(LEAST, Number.MAX_SAFE_INTEGER)) ?? UNREAD
  const checked = checkFilter(filter)
  const monitor = new Monitor(
    transport,
    { protocol: NETLINK_NETFILTER, groups: [...new Set(groups)], trace: conntrackTrace },
    most,
  )
  return new Watching(
    () => run(monitor, checked),
    () => monitor.close(),
    signal,
  )
}

async function* run(monitor: Monitor, filter: CheckedFilter): AsyncGenerator<FlowEvent, void, void> {
  const turns = new Turns()
  for (;;) {
    const next = await monitor.next()
    if (next === 'closed') return
    if (next === 'lost' || next === 'quiet') {
      monitor.restart()
      yield { type: 'lost' }
      continue
    }
    const reader = new MessageReader(next)
    for (const { type, flags, payload, end } of messagesOf(reader)) {
      const flow = readFlow(reader, payload, end)
      if (turns.due(1)) await turns.give()
      if (!flow || !filter.test(flow)) continue
      yield { type: type === messageType(message.delete) ? 'destroy' : flags & NLM_F_CREATE ? 'new' : 'update', flow }
    }
  }
}
