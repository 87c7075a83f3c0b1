/**
 * What `top` makes of two snapshots.
 *
 * Rates are differences of the 64-bit counters over the time between two looks. The kernel's own estimates would follow the traffic
 * seconds behind, show a whole number at least, and fade for more than a minute after the last packet; they are used only in the first
 * look at a server, when there is nothing to compare with.
 *
 * The counters that a client reads are brought up to date every 2 seconds (ip_vs_est.c). A look in between finds them as they were: it
 * keeps the rates that it had. What has been added comes from 2 seconds at least, even when the look before was later than that.
 */
import {
  describeRealServer,
  describeVirtualServer,
  type RealServer,
  type Statistics,
  type VirtualServer,
  type VirtualServerWithRealServers,
} from '../../ipvs/index.js'

/** Connections as they are, and what comes and goes in a second. */
export interface Values {
  readonly active: number
  readonly inactive: number
  readonly connections: number
  readonly incomingPackets: number
  readonly outgoingPackets: number
  readonly incomingBytes: number
  readonly outgoingBytes: number
}

/** A virtual server, or a real server of it. */
export interface Row {
  readonly name: string
  readonly kind: 'virtual-server' | 'real-server'
  /** Scheduler, or forwarding. */
  readonly forward: string
  /** Of a real server. */
  readonly weight: number | undefined
  readonly values: Values
  /** Values of the last looks, oldest first, with those of this one. */
  readonly history: readonly Values[]
  /** The counters that the next rates start from, and when they were seen. */
  readonly base: { readonly at: number; readonly statistics: Statistics | undefined }
}

/** A virtual server with its real servers by address and port. */
export interface Group {
  readonly row: Row
  readonly realServers: ReadonlyMap<string, Row>
}

export interface Look {
  /** Virtual servers by name. */
  readonly groups: ReadonlyMap<string, Group>
  readonly realServers: number
  readonly total: Values
}

/** How many looks the bar of a row remembers. */
export const HISTORY = 10
/** Seconds between two times that the kernel brings counters up to date. */
const PERIOD = 2
/** Seconds after which counters that stand still do so because there is no traffic. The kernel may be late. */
const IDLE = 2.5

const NOTHING: Values = {
  active: 0,
  inactive: 0,
  connections: 0,
  incomingPackets: 0,
  outgoingPackets: 0,
  incomingBytes: 0,
  outgoingBytes: 0,
}

/** A look at `at`, in seconds, after another one. */
export function look(before: Look | undefined, virtualServers: readonly VirtualServerWithRealServers[], at: number): Look {
  const groups = new Map<string, Group>()
  let count = 0
  for (const virtualServer of virtualServers) {
    const name = describeVirtualServer(virtualServer)
    groups.set(name, groupOf(name, before?.groups.get(name), virtualServer, at))
    count += virtualServer.realServers.length
  }
  return { groups, realServers: count, total: sum([...groups.values()].map(({ row }) => row.values)) }
}

function groupOf(name: string, before: Group | undefined, virtualServer: VirtualServerWithRealServers, at: number): Group {
  const realServers = new Map<string, Row>()
  let [active, inactive] = [0, 0]
  for (const realServer of virtualServer.realServers) {
    const key = `${realServer.address} ${realServer.port}`
    const old = before?.realServers.get(key)
    const { activeConnections, inactiveConnections, weight, forwarding } = realServer
    realServers.set(key, {
      name: old?.name ?? describeRealServer(realServer),
      kind: 'real-server',
      forward: String(forwarding),
      weight,
      ...observe(old, realServer, activeConnections, inactiveConnections, at),
    })
    active += activeConnections
    inactive += inactiveConnections
  }
  const { scheduler } = virtualServer
  const observed = observe(before?.row, virtualServer, active, inactive, at)
  return { row: { name, kind: 'virtual-server', forward: scheduler, weight: undefined, ...observed }, realServers }
}

function observe(
  before: Row | undefined,
  { statistics }: VirtualServer | RealServer,
  active: number,
  inactive: number,
  at: number,
): Pick<Row, 'values' | 'history' | 'base'> {
  const elapsed = before ? at - before.base.at : 0
  const waiting = before !== undefined && elapsed < IDLE && !moved(before.base.statistics, statistics)
  const rates = waiting ? before.values : before ? difference(before.base.statistics, statistics, elapsed) : estimates(statistics)
  const values = { ...rates, active, inactive }
  return {
    values,
    history: [...(before?.history.slice(1 - HISTORY) ?? []), values],
    base: waiting ? before.base : { at, statistics },
  }
}

function moved(before: Statistics | undefined, after: Statistics | undefined): boolean {
  return before?.incomingPackets !== after?.incomingPackets || before?.outgoingPackets !== after?.outgoingPackets
}

function difference(before: Statistics | undefined, after: Statistics | undefined, elapsed: number): Values {
  const span = Math.max(elapsed, PERIOD)
  const rate = (counter: keyof Statistics): number => {
    const [old, now] = [before?.[counter] ?? 0n, after?.[counter] ?? 0n]
    // Less than before: it was set to zero, or removed and added again.
    return Number(now < old ? now : now - old) / span
  }
  return {
    active: 0,
    inactive: 0,
    connections: rate('connections'),
    incomingPackets: rate('incomingPackets'),
    outgoingPackets: rate('outgoingPackets'),
    incomingBytes: rate('incomingBytes'),
    outgoingBytes: rate('outgoingBytes'),
  }
}

function estimates(statistics: Statistics | undefined): Values {
  if (!statistics) return NOTHING
  return {
    active: 0,
    inactive: 0,
    connections: Number(statistics.connectionRate),
    incomingPackets: Number(statistics.incomingPacketRate),
    outgoingPackets: Number(statistics.outgoingPacketRate),
    incomingBytes: Number(statistics.incomingByteRate),
    outgoingBytes: Number(statistics.outgoingByteRate),
  }
}

function sum(all: readonly Values[]): Values {
  const total = { ...NOTHING } as { -readonly [K in keyof Values]: number }
  for (const values of all) for (const key of Object.keys(total) as (keyof Values)[]) total[key] += values[key]
  return total
}
