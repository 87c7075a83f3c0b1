/** What a log says of syncs: which Services changed, what they have now, and how long it took. */
import type { FrontendChange } from '../service/index.js'
import { serviceText } from '../service/index.js'
import type { ProxyObserver, SyncDone } from './observer.js'
import type { Log } from './options.js'

/** So many Services are named. */
const MOST = 10

/** A line for each sync that changed something. */
export function syncLog(log: Log): ProxyObserver {
  return {
    synced({ report, seconds, changes }: SyncDone): void {
      const done = Object.values(report)
      const sum = (count: (one: (typeof done)[number]) => number): number => done.reduce((all, one) => all + count(one), 0)
      const fields = {
        added: sum(({ added }) => added),
        removed: sum(({ removed }) => removed),
        operations: sum(({ operations }) => operations),
        routesAdded: sum(({ routesAdded }) => routesAdded),
        routesRemoved: sum(({ routesRemoved }) => routesRemoved),
        stale: sum(({ stale }) => stale),
      }
      if (Object.values(fields).every(count => count === 0)) return
      const milliseconds = Math.round(1000 * Object.values(seconds).reduce((all, one) => all + one, 0))
      log('info', 'synced', {
        milliseconds,
        ...Object.fromEntries(Object.entries(fields).filter(([, count]) => count > 0)),
        changed: new Set(changes.map(({ before, after }) => (after ?? before)?.service)).size,
        services: [...servicesOf(changes)].map(([name, endpoints]) => `${name} ${endpoints}`),
      })
    },
  }
}

/** Of the first ones, by their names, how many endpoints each has now, or that it is gone. */
function servicesOf(changes: Iterable<FrontendChange>): ReadonlyMap<string, string> {
  const services = new Map<string, string>()
  for (const { before, after } of changes) {
    if (services.size === MOST) break
    const frontend = after ?? before
    if (!frontend) continue
    const name = serviceText(frontend)
    const { verdict, ...answer } = after?.answers.node ?? { verdict: 'gone' }
    const endpoints = 'endpoints' in answer ? answer.endpoints.length : 0
    // One of its addresses may go while others stay.
    if (after || !services.has(name))
      services.set(name, after ? `(${endpoints} endpoint${endpoints === 1 ? '' : 's'})` : '(gone)')
  }
  return services
}
