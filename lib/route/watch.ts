/** Changes of devices, addresses, routes and rules, as the kernel tells them. */
import { boolean, Fields, listOf, whole, word } from '../netlink/fields.js'
import type { Kernel } from '../netlink/kernel.js'
import { Monitor } from '../netlink/monitor.js'
import { NETLINK_ROUTE } from '../netlink/transport.js'
import { Watching } from '../netlink/watching.js'
import { Follower, type WatchEvent } from './follower.js'
import type { Kind } from './model.js'
import { routeTrace } from './trace.js'
import { group } from './wire.js'

/** Options of `watch`. */
export interface WatchOptions {
  /** What is told. Default: all four. */
  readonly objects?: readonly ('link' | 'address' | 'route' | 'rule')[] | undefined
  /** Begin with an event in which all that is there is added. Default false. */
  readonly initial?: boolean | undefined
  /** Bytes that may wait to be read, from 65536. What is beyond is an overrun. Default 64 MiB. */
  readonly unread?: number | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
}

const UNREAD = 64 << 20
const LEAST = 64 << 10
const KINDS: readonly Kind[] = ['link', 'address', 'route', 'rule']
const NUMBERS: Readonly<Record<string, number>> = Object.fromEntries(KINDS.map((kind, i) => [kind, i]))

/** Begins at once, in its turn among the client's calls. Throws a `BadValue`. */
export function watch(kernel: Kernel, options: WatchOptions): Watching<WatchEvent> {
  const fields = new Fields(options, ['objects', 'initial', 'unread', 'signal'], 'options')
  const objects = fields.optional('objects', listOf(word(NUMBERS))) ?? Object.values(NUMBERS)
  const kinds = new Set(KINDS.filter((_, i) => objects.includes(i)))
  const initial = fields.optional('initial', boolean) ?? false
  const most = fields.optional('unread', whole(LEAST, Number.MAX_SAFE_INTEGER)) ?? UNREAD
  const subscription = { protocol: NETLINK_ROUTE, groups: Object.values(group), trace: routeTrace }
  const monitor = new Monitor(kernel.transport, subscription, most)
  const stop = new AbortController()
  const follower = new Follower(kernel, monitor, kinds, stop.signal)
  const first = follower.read()
  first.catch(() => {}) // told by the first `next`
  return new Watching(
    async function* () {
      const model = await first
      if (initial) yield follower.initial(model)
      yield* follower.follow(model)
    },
    () => {
      stop.abort()
      return monitor.close()
    },
    options.signal,
  )
}
