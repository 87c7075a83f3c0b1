/** Taking a real server out of service without breaking its connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalAddress } from '../netlink/address.js'
import { NetlinkError } from '../netlink/error.js'
import type { IpvsClient } from './client.js'
import type { Connection } from './proc.js'
import { describeRealServer } from './real-server.js'
import type { RealServer, RealServerKey, VirtualServer, VirtualServerKey } from './types.js'
import { knownKeys, object, oneOf } from './validate.js'
import { describeVirtualServer } from './virtual-server.js'

export interface DrainOptions {
  /** Seconds to wait for connections to end. Default 300. */
  readonly timeout?: number | undefined
  /** Seconds between two looks. Default 1. */
  readonly interval?: number | undefined
  /** What happens to a real server that still has connections when the time is up. Default `remove`. */
  readonly whenLate?: 'remove' | 'keep' | undefined
  /**
   * Protocols whose connections are waited for. Default TCP and SCTP: a UDP "connection" has no end, only a time-out, so that a UDP server
   * is removed at once. For a firewall mark every protocol of this list is waited for.
   */
  readonly protocols?: readonly ('tcp' | 'udp' | 'sctp')[] | undefined
  readonly onProgress?: ((progress: DrainProgress) => void) | undefined
  /** Gets each of the `warnings` before the waiting begins: what they warn of may keep it from ending. */
  readonly onWarning?: ((warning: string) => void) | undefined
  /** Ends the waiting. The weight stays 0: drain again to go on, or set the weight. */
  readonly signal?: AbortSignal | undefined
}

export interface DrainProgress {
  /** Connections that still have to end. */
  readonly remaining: number
  /** Seconds since the drain began. */
  readonly elapsed: number
}

export interface DrainResult {
  /** `not-found`: there was no such real server. */
  readonly outcome: 'drained' | 'timed-out' | 'not-found'
  /** Whether the real server is gone now. */
  readonly removed: boolean
  /** Connections that had not ended, and were cut if it was removed. */
  readonly remaining: number
  /** Weight before the drain; 0 when another drain had begun it. */
  readonly weight: number
  /** What in this kernel's configuration lets clients come to a draining server, or turns them away, and what to do. */
  readonly warnings: readonly string[]
}

/** States in which a connection carries nothing any more. */
const OVER = new Set(['TIME_WAIT', 'CLOSE', 'CLOSED'])

export async function drain(
  client: IpvsClient,
  vs: VirtualServerKey,
  key: RealServerKey,
  options: DrainOptions = {},
): Promise<DrainResult> {
  const { timeout = 300, interval = 1, whenLate = 'remove', protocols = ['tcp', 'sctp'], onProgress, onWarning, signal } = options
  object(options, 'options')
  knownKeys(options, 'options', { timeout: 0, interval: 0, whenLate: 0, protocols: 0, onProgress: 0, onWarning: 0, signal: 0 })
  oneOf(whenLate, 'options.whenLate', ['remove', 'keep'])
  for (const protocol of protocols) oneOf(protocol, 'options.protocols', ['tcp', 'udp', 'sctp'])
  if (!(timeout >= 0)) throw new RangeError(`options.timeout: ${timeout}: give seconds, from 0`)
  if (!(interval >= 0.01)) throw new RangeError(`options.interval: ${interval}: give seconds, from 0.01`)
  const before = await client.getRealServer(vs, key, { signal })
  const virtualServer = before && (await client.getVirtualServer(vs, { signal }))
  if (!before || !virtualServer) return { outcome: 'not-found', removed: false, remaining: 0, weight: 0, warnings: [] }
  const warnings = await warningsFor(client, virtualServer)
  for (const warning of warnings) onWarning?.(warning)
  if (before.weight !== 0) await client.updateRealServer(vs, { ...before, weight: 0 }, { signal })
  const began = performance.now()
  const elapsed = (): number => (performance.now() - began) / 1000
  try {
    for (;;) {
      const remaining = await remainingConnections(client, virtualServer, key, protocols, signal)
      onProgress?.({ remaining, elapsed: elapsed() })
      if (remaining === 0 || elapsed() >= timeout) {
        const outcome = remaining === 0 ? 'drained' : 'timed-out'
        const removed = (remaining === 0 || whenLate === 'remove') && (await client.removeRealServer(vs, key, { signal }))
        return { outcome, removed, remaining, weight: before.weight, warnings }
      }
      await sleep(Math.max(0, Math.min(interval, timeout - elapsed())) * 1000, undefined, signal && { signal })
    }
  } catch (cause) {
    throw signal?.aborted ? abortedDrain(vs, before, cause) : cause
  }
}

function abortedDrain(vs: VirtualServerKey, before: RealServer, cause: unknown): NetlinkError {
  return new NetlinkError({
    errno: 0,
    code: 'ABORT_ERR',
    problem: 'interrupted',
    operation: 'drain',
    target: `${describeVirtualServer(vs)} → ${describeRealServer(before)}`,
    applied: 'yes',
    reason: `the signal was aborted; the weight is 0 and stays 0: drain again to go on, or set the weight back to ${before.weight}`,
    cause,
  })
}

/** Connections that would break if the real server went now. */
async function remainingConnections(
  client: IpvsClient,
  vs: VirtualServer,
  key: RealServerKey,
  protocols: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number> {
  if ('protocol' in vs && !protocols.includes(String(vs.protocol))) return 0
  for (let look = 1; ; look++) {
    const now = await client.getRealServer(vs, key, { signal })
    if (!now) return 0
    const counted = now.activeConnections + now.inactiveConnections
    if (counted === 0 || (now.inactiveConnections === 0 && 'protocol' in vs)) return now.activeConnections
    // Inactive are those in TIME_WAIT, but also those whose handshake is not over, and those that are closed in one direction only.
    const { all, open } = await connectionsOf(client, vs, key, protocols)
    const established = 'protocol' in vs ? now.activeConnections : 0
    // Where the table shows fewer than the kernel counts, what was missed may be open: it is read again, in reason, for it never shows some.
    if (open > 0 || established > 0 || all >= counted || look === 3) return Math.max(open, established)
  }
}

/** The connections of a real server, each once: the kernel hands out the table in pieces, and tells some again or not at all. */
async function connectionsOf(
  client: IpvsClient,
  vs: VirtualServer,
  key: RealServerKey,
  protocols: readonly string[],
): Promise<{ all: number; open: number }> {
  const address = canonicalAddress(key.address)
  const all = new Set<string>()
  const open = new Set<string>()
  for await (const connection of client.connections()) {
    const { protocol, client: from, virtual, destination, state } = connection
    if (from.port === 0) continue // a persistence template
    if (destination.address !== address || (key.port !== 0 && destination.port !== key.port) || !belongs(connection, vs)) continue
    const name = `${protocol} ${from.address} ${from.port} ${virtual.address} ${virtual.port}`
    all.add(name)
    if (protocols.includes(protocol) && !OVER.has(state)) open.add(name)
    else open.delete(name)
  }
  return { all: all.size, open: open.size }
}

function belongs(connection: Connection, vs: VirtualServer): boolean {
  if ('firewallMark' in vs) return true
  return (
    connection.protocol === vs.protocol &&
    connection.virtual.address === vs.address &&
    (vs.port === 0 || connection.virtual.port === vs.port)
  )
}

async function warningsFor(client: IpvsClient, vs: VirtualServer): Promise<string[]> {
  const warnings: string[] = []
  const [reuse, quiescent] = await Promise.all([client.sysctl('conn_reuse_mode'), client.sysctl('expire_quiescent_template')])
  if (vs.persistence && quiescent === 0)
    warnings.push('expire_quiescent_template is 0: clients that this server has by persistence keep coming; set it to 1')
  if (reuse === 0)
    warnings.push('conn_reuse_mode is 0: a client that uses a source port again stays with this server; set it to 1')
  const flags = vs.schedulerFlags ?? []
  for (const scheduler of ['sh', 'mh'] as const)
    if (vs.scheduler === scheduler && !flags.includes(`${scheduler}-fallback`))
      warnings.push(`${scheduler} turns away new clients that it hashes to this server: set the flag ${scheduler}-fallback`)
  if (vs.scheduler === 'dh')
    warnings.push('dh turns away new clients that it hashes to this server, and has no fallback: use mh with mh-fallback')
  return warnings
}
