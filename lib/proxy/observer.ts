/** Who looks at a proxy's work: metrics, health. */
import type { Family, FrontendChange } from '../service/index.js'
import type { SourceProblem, SourceUpdate } from '../source/source.js'
import type { Synced } from './backend.js'
import type { ServiceProxy } from './proxy.js'

/** What a sync did besides: routes, and UDP flows that led to endpoints which are gone. */
export interface SyncAround {
  readonly routesAdded: number
  readonly routesRemoved: number
  readonly stale: number
}

/** What a sync did, by family. */
export type SyncReport = Readonly<Partial<Record<Family, Synced & SyncAround>>>

/** A sync that was done. */
export interface SyncDone {
  readonly report: SyncReport
  /** What has changed since the sync before. */
  readonly changes: readonly FrontendChange[]
  /** Seconds that it took for each family. */
  readonly seconds: Readonly<Partial<Record<Family, number>>>
  /** Those of them that it took to find and delete UDP flows to endpoints that are gone. */
  readonly conntrackSeconds: Readonly<Partial<Record<Family, number>>>
}

/**
 * Told what a proxy does, when it was done. What these throw ends the proxy's run: they must not.
 *
 * @example
 * const observer: ProxyObserver = { synced: ({ seconds }) => console.log(seconds.ipv4) }
 */
export interface ProxyObserver {
  /** What it can not do, which the proxy tells with its own problems. */
  readonly problems?: readonly SourceProblem[]
  /** The proxy is there, and has taken over what an earlier one left; nothing was read yet. */
  opened?(proxy: ServiceProxy): void
  /** What the source told was taken: the next sync brings it to the kernel. */
  told?(update: SourceUpdate): void
  synced?(sync: SyncDone): void
  /** A sync that was not done: it is tried again. With the family whose turn it was; undefined: it was not begun. */
  failed?(error: Error, family?: Family): void
  /** Connections to endpoints that were gone have come to their deadline. */
  drained?(family: Family, flows: number): void
  /** Somebody else changed the table of a family: the next sync mends it. */
  drifted?(family: Family): void
}
