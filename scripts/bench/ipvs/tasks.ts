/** What a client can be asked to do with a whole table: the same when it is recorded, replayed and weighed. */
import type { IpvsClient } from '../../../lib/ipvs/client.js'
import type { DesiredVirtualServer } from '../../../lib/ipvs/desired.js'
import { additions } from './fleet.js'

/** Prepares what the caller has, and returns what the library does with it. */
type Preparation = (desired: readonly DesiredVirtualServer[]) => (lvs: IpvsClient) => Promise<unknown>

const tasks = {
  'plan of a new table': desired => lvs => lvs.plan(desired),
  run: desired => {
    const batch = additions(desired)
    return lvs => lvs.run(batch)
  },
  snapshot: () => lvs => lvs.snapshot(),
  'snapshot with statistics': () => lvs => lvs.snapshot({ statistics: true }),
  'plan of the table as it is': desired => lvs => lvs.plan(desired),
} satisfies Record<string, Preparation>

export type Task = keyof typeof tasks
export const taskNames = Object.keys(tasks) as Task[]

export function prepare(task: Task, desired: readonly DesiredVirtualServer[]): ReturnType<Preparation> {
  const preparation: Preparation = tasks[task]
  return preparation(desired)
}
