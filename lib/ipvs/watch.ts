/** Changes, by polling. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { IpvsClient, Snapshot } from './client.js'
import { describeRealServer } from './real-server.js'
import type { RealServer, VirtualServer, VirtualServerKey, VirtualServerWithRealServers } from './types.js'
import { knownKeys, object } from './validate.js'
import { describeVirtualServer } from './virtual-server.js'

export interface WatchOptions {
  /** Seconds between two looks. Default 1. */
  readonly interval?: number | undefined
  /** Report what is there at the beginning as added. Default false. */
  readonly initial?: boolean | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
}

interface Difference<T> {
  /** Absent where it was added. */
  readonly before?: T
  /** Absent where it was removed. */
  readonly after?: T
}

/** One change of the configuration. Connections and counters change all the time and are no changes. */
export type Change = { readonly type: 'added' | 'removed' | 'changed' } & (
  | ({ readonly object: 'virtual-server'; readonly virtualServer: VirtualServerKey } & Difference<VirtualServer>)
  | ({ readonly object: 'real-server'; readonly virtualServer: VirtualServerKey } & Difference<RealServer>)
)

type Tables = Map<string, { readonly virtualServer: VirtualServer; readonly realServers: ReadonlyMap<string, RealServer> }>

export async function* watch(client: IpvsClient, options: WatchOptions = {}): AsyncGenerator<Change> {
  const { interval = 1, initial = false, signal } = options
  object(options, 'options')
  knownKeys(options, 'options', { interval: 0, initial: 0, signal: 0 })
  if (!(interval >= 0.01)) throw new RangeError(`options.interval: ${interval}: give seconds, from 0.01`)
  let before: Tables | undefined = initial ? new Map() : undefined
  while (!signal?.aborted) {
    let snapshot: Snapshot
    try {
      snapshot = await client.snapshot({ signal })
    } catch (error) {
      if (signal?.aborted) return
      throw error
    }
    const after = tablesOf(snapshot.virtualServers)
    // What an inconsistent snapshot lacks may still be there: it is judged the next time.
    if (before && !snapshot.consistent) keepMissing(before, after)
    if (before) yield* changes(before, after)
    before = after
    await sleep(interval * 1000, undefined, signal && { signal }).catch(() => {})
  }
}

function tablesOf(virtualServers: readonly VirtualServerWithRealServers[]): Tables {
  return new Map(
    virtualServers.map(({ realServers, ...virtualServer }) => [
      describeVirtualServer(virtualServer),
      { virtualServer, realServers: new Map(realServers.map(realServer => [describeRealServer(realServer), realServer])) },
    ]),
  )
}

function keepMissing(before: Tables, after: Tables): void {
  for (const [key, entry] of before) {
    const now = after.get(key)
    after.set(key, now ? { ...now, realServers: new Map([...entry.realServers, ...now.realServers]) } : entry)
  }
}

function* changes(before: Tables, after: Tables): Generator<Change> {
  for (const [key, { virtualServer, realServers }] of after) {
    const old = before.get(key)
    if (!old) yield { type: 'added', object: 'virtual-server', virtualServer, after: virtualServer }
    else if (configuration(old.virtualServer) !== configuration(virtualServer))
      yield { type: 'changed', object: 'virtual-server', virtualServer, before: old.virtualServer, after: virtualServer }
    yield* realServerChanges(virtualServer, old?.realServers ?? new Map(), realServers)
  }
  for (const [key, { virtualServer, realServers }] of before) {
    if (after.has(key)) continue
    for (const realServer of realServers.values())
      yield { type: 'removed', object: 'real-server', virtualServer, before: realServer }
    yield { type: 'removed', object: 'virtual-server', virtualServer, before: virtualServer }
  }
}

function* realServerChanges(
  virtualServer: VirtualServer,
  before: ReadonlyMap<string, RealServer>,
  after: ReadonlyMap<string, RealServer>,
): Generator<Change> {
  for (const [key, realServer] of after) {
    const old = before.get(key)
    if (!old) yield { type: 'added', object: 'real-server', virtualServer, after: realServer }
    else if (configuration(old) !== configuration(realServer))
      yield { type: 'changed', object: 'real-server', virtualServer, before: old, after: realServer }
  }
  for (const [key, realServer] of before)
    if (!after.has(key)) yield { type: 'removed', object: 'real-server', virtualServer, before: realServer }
}

/** What is configured, as text that can be compared: both sides were made by the same code, so that fields stand in one order. */
function configuration(object: VirtualServer | RealServer): string {
  return JSON.stringify(object, (name, value) => (/Connections$|^statistics$/.test(name) ? undefined : value))
}
