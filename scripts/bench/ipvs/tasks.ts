/** What a client can be asked to do with a whole table: the same when it is recorded and when it is replayed. */
import type { IpvsClient } from '../../../lib/ipvs/client.js'
import type { DesiredVirtualServer } from '../../../lib/ipvs/plan.js'
import { additions } from './fleet.js'

export const tasks = {
  'plan of a new table': async (lvs: IpvsClient, desired: readonly DesiredVirtualServer[]) => lvs.plan(desired),
  run: async (lvs: IpvsClient, desired: readonly DesiredVirtualServer[]) => lvs.run(additions(desired)),
  snapshot: async (lvs: IpvsClient) => lvs.snapshot(),
  'snapshot with statistics': async (lvs: IpvsClient) => lvs.snapshot({ statistics: true }),
  'plan of the table as it is': async (lvs: IpvsClient, desired: readonly DesiredVirtualServer[]) => lvs.plan(desired),
}

export type Task = keyof typeof tasks
export const taskNames = Object.keys(tasks) as Task[]
