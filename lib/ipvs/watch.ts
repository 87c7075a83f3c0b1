/** Changes, by polling. */
import { setTimeout as sleep } from 'node:timers/promises'
import { NetlinkError } from '../netlink/error.js'
import type { IpvsClient } from './client.js'
import { describeRealServer } from './real-server.js'
import type { Snapshot } from './tables.js'
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

/** Looks that may fail in passing one after the other, before that is the watcher's to know. */
const PATIENCE = 3

type Tables = Map<string, { readonly virtualServer: VirtualServer; readonly realServers: ReadonlyMap<string, RealServer> }>

export async function* watch(client: IpvsClient, options: WatchOptions = {}): AsyncGenerator<Change> {
  const { interval = 1, initial = false, signal } = options
  object(options, 'options')
  knownKeys(options, 'options', { interval: 0, initial: 0, signal: 0 })
  if (!(interval >= 0.01)) throw new RangeError(`options.interval: ${interval}: give seconds, from 0.01`)
  let before: Tables | undefined = initial ? new Map() : undefined
  let failed = 0
  while (!signal?.aborted) {
    let snapshot: Snapshot | undefined
    try {
      snapshot = await client.snapshot({ signal })
      failed = 0
    } catch (error) {
      if (signal?.aborted) return
      if (!isTransient(error) || ++failed > PATIENCE) throw error
    }
    if (snapshot) {
      const after = tablesOf(snapshot.virtualServers)
      // What an inconsistent snapshot lacks may still be there: it is judged the next time.
      if (before && !snapshot.consistent) keepMissing(before, after)
      if (before) yield* changes(before, after)
      before = after
    }
    await sleep(interval * 1000, undefined, signal && { signal }).catch(() => {})
  }
}

/**
 * Whether a read failed for the moment: the next one compares with the same tables, so that no change is missed. Everything else stays
 * as it is when one tries again.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof NetlinkError)) return false
  return error.problem === 'reply-lost' || error.problem === 'no-memory' || error.code === 'ERR_DEADLINE'
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
  for (const [name, { virtualServer, realServers }] of after) {
    const old = before.get(name)
    const key = keyOf(virtualServer)
    if (!old) yield { type: 'added', object: 'virtual-server', virtualServer: key, after: virtualServer }
    else if (configuration(old.virtualServer) !== configuration(virtualServer))
      yield { type: 'changed', object: 'virtual-server', virtualServer: key, before: old.virtualServer, after: virtualServer }
    yield* realServerChanges(key, old?.realServers ?? new Map(), realServers)
  }
  for (const [name, { virtualServer, realServers }] of before) {
    if (after.has(name)) continue
    const key = keyOf(virtualServer)
    for (const realServer of realServers.values())
      yield { type: 'removed', object: 'real-server', virtualServer: key, before: realServer }
    yield { type: 'removed', object: 'virtual-server', virtualServer: key, before: virtualServer }
  }
}

function keyOf(vs: VirtualServer): VirtualServerKey {
  if ('firewallMark' in vs) return { firewallMark: vs.firewallMark, family: vs.family }
  return { protocol: vs.protocol, address: vs.address, port: vs.port }
}

function* realServerChanges(
  virtualServer: VirtualServerKey,
  before: ReadonlyMap<string, RealServer>,
  after: ReadonlyMap<string, RealServer>,
): Generator<Change> {
  for (const [name, realServer] of after) {
    const old = before.get(name)
    if (!old) yield { type: 'added', object: 'real-server', virtualServer, after: realServer }
    else if (configuration(old) !== configuration(realServer))
      yield { type: 'changed', object: 'real-server', virtualServer, before: old, after: realServer }
  }
  for (const [name, realServer] of before)
    if (!after.has(name)) yield { type: 'removed', object: 'real-server', virtualServer, before: realServer }
}

/** What is configured, as text that can be compared: both sides were made by the same code, so that fields stand in one order. */
function configuration(object: VirtualServer | RealServer): string {
  return JSON.stringify(object, (name, value) => (/Connections$|^statistics$/.test(name) ? undefined : value))
}
