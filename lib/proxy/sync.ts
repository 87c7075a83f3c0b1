/** A sync of both families, in an order in which nothing is served that is not guarded, and nothing comes that is not served. */
import type { ConntrackClient } from '../conntrack/index.js'
import type { Family } from '../service/index.js'
import type { Backend } from './backend.js'
import type { LocalAddresses } from './cluster.js'
import type { Synced } from './nftables/backend.js'
import type { SyncDone, SyncReport } from './observer.js'
import type { PlannedRoutes, ServiceRoutes } from './service-routes.js'
import type { IsServing, StaleFlows } from './stale.js'

/** What is kept as it is wanted, and by what. */
export interface Parts {
  readonly backends: ReadonlyMap<Family, Backend>
  readonly routes: ServiceRoutes
  readonly stale: StaleFlows
  readonly tracked: ConntrackClient
  readonly isServing: IsServing
}

/** Addresses of the machine, and of other nodes. */
export interface Places {
  readonly local: LocalAddresses
  readonly elsewhere: ReadonlySet<string>
}

type Done = Omit<SyncDone, 'changes'>

/** What is done of a family when it is guarded. */
interface Guarded {
  readonly backend: Backend
  readonly planned: PlannedRoutes
  readonly first: Synced
  /** Milliseconds. */
  readonly took: number
}

/**
 * Routes to what is gone go first. Then the tables are made, which guard: that of a family is written while the kernel works on the one before.
 * Then come virtual servers, and routes to what is new. Rejects with what failed: what was done stays.
 *
 * @param turn told whose turn it is, or with whose the sync failed
 */
export async function syncFamilies(
  parts: Parts,
  places: Places,
  turn: (family: Family) => void,
  signal: AbortSignal | undefined,
): Promise<Done> {
  const report: { -readonly [F in Family]?: NonNullable<SyncReport[F]> } = {}
  const seconds: { [F in Family]?: number } = {}
  const conntrackSeconds: { [F in Family]?: number } = {}
  for (const [family, guarded] of await guardAll(parts, places, signal)) {
    turn(family)
    if (guarded.status === 'rejected') throw guarded.reason
    const { backend, planned, first, took } = guarded.value
    const began = performance.now() - took
    const synced = await backend.balance(first, signal)
    await parts.routes.add(planned, signal)
    const written = performance.now()
    const stale = await parts.stale.delete(parts.tracked, family, parts.isServing, signal)
    report[family] = { ...synced, stale, routesAdded: planned.added.length, routesRemoved: planned.removed.length }
    seconds[family] = (performance.now() - began) / 1000
    conntrackSeconds[family] = (performance.now() - written) / 1000
  }
  return { report, seconds, conntrackSeconds }
}

async function guardAll(
  parts: Parts,
  places: Places,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly [Family, PromiseSettledResult<Guarded>])[]> {
  const guarding = new Map<Family, Promise<Guarded>>()
  for (const [family, backend] of parts.backends)
    await new Promise<void>(next => {
      const guarded = guard(family, backend, parts.routes, places, next, signal)
      guarding.set(family, guarded)
      guarded.finally(next).catch(() => {}) // looked at below
    })
  const settled = await Promise.allSettled(guarding.values())
  return [...guarding.keys()].map((family, i) => [family, settled[i] as PromiseSettledResult<Guarded>])
}

/** @param sent called when the kernel works on the table, if there is anything to do */
async function guard(
  family: Family,
  backend: Backend,
  routes: ServiceRoutes,
  { local, elsewhere }: Places,
  sent: () => void,
  signal: AbortSignal | undefined,
): Promise<Guarded> {
  const began = performance.now()
  const planned = await routes.plan(family, local, elsewhere, signal)
  await routes.remove(planned, signal)
  let routed: Promise<void> | undefined
  const guardRoutes = (): Promise<void> => {
    routed ??= routes.guard(planned, signal)
    return routed
  }
  const first = await backend.guard(signal, () => {
    guardRoutes().catch(() => {}) // waited for below
    sent()
  })
  await guardRoutes()
  return { backend, planned, first, took: performance.now() - began }
}
