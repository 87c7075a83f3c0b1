/** What has to be done so that the kernel is as a configuration says, and doing it. */
import {
  type Applied,
  type Configuration,
  type IpvsClient,
  NetlinkError,
  type Operation,
  type PlanOptions,
  type SyncDaemonConfig,
  sameSyncDaemon,
  type Timeouts,
} from '../../ipvs/index.js'

/** An operation of a plan, or of what plans know nothing of. The names are those of the client's methods. */
export type Step =
  | Operation
  | { readonly operation: 'setTimeouts'; readonly timeouts: Partial<Timeouts> }
  | { readonly operation: 'startSyncDaemon'; readonly syncDaemon: SyncDaemonConfig }
  | { readonly operation: 'stopSyncDaemon'; readonly role: SyncDaemonConfig['role'] }

/** One step, and the line that tells it. */
export interface Change<S extends Step = Step> {
  readonly step: S
  /** `+`, `~` or `-`, the object, and what changes. */
  readonly line: string
}

/** In the order in which they are carried out. */
export interface Changes {
  readonly timeouts: readonly Change[]
  /** Virtual servers and real servers, made before broken. */
  readonly tables: readonly Change<Operation>[]
  readonly syncDaemons: readonly Change[]
  /** As with plans: false when something may only have been overlooked. */
  readonly consistent: boolean
}

/** What became of a change. */
export interface Outcome {
  readonly change: Change
  readonly applied: Applied
  /** Why it failed. */
  readonly error?: Error
}

export const allOf = ({ timeouts, tables, syncDaemons }: Changes): Change[] => [...timeouts, ...tables, ...syncDaemons]

export async function findChanges(lvs: IpvsClient, wanted: Configuration, options: PlanOptions): Promise<Changes> {
  const { virtualServers, timeouts, syncDaemons = [] } = wanted
  const { signal } = options
  const plan = await lvs.plan(virtualServers, options)
  const lines = String(plan).split('\n')
  return {
    timeouts: timeouts ? changedTimeouts(timeouts, await lvs.timeouts({ signal })) : [],
    tables: plan.operations.map((step, i) => ({ step, line: lines[i] as string })),
    syncDaemons: await changedDaemons(lvs, syncDaemons, signal),
    consistent: plan.consistent,
  }
}

function changedTimeouts(wanted: Partial<Timeouts>, actual: Timeouts): Change[] {
  const names = (['tcp', 'tcpFin', 'udp'] as const).filter(name => (wanted[name] ?? actual[name]) !== actual[name])
  if (names.length === 0) return []
  const timeouts = Object.fromEntries(names.map(name => [name, wanted[name]])) as Partial<Timeouts>
  const differences = names.map(name => `${name} ${actual[name]} → ${wanted[name]}`)
  return [{ step: { operation: 'setTimeouts', timeouts }, line: `~ timeouts  ${differences.join(', ')}` }]
}

/** A daemon that is configured otherwise is stopped and started: there is no other way. */
async function changedDaemons(
  lvs: IpvsClient,
  wanted: readonly SyncDaemonConfig[],
  signal: AbortSignal | undefined,
): Promise<Change[]> {
  if (wanted.length === 0) return []
  const running = await lvs.syncDaemons({ signal })
  return wanted.flatMap((syncDaemon): Change[] => {
    const { role } = syncDaemon
    const other = running.find(daemon => daemon.role === role)
    if (other && sameSyncDaemon(syncDaemon, other)) return []
    const start: Change = { step: { operation: 'startSyncDaemon', syncDaemon }, line: `+ ${describeDaemon(syncDaemon)}` }
    return other ? [{ step: { operation: 'stopSyncDaemon', role }, line: `- ${describeDaemon(other)}` }, start] : [start]
  })
}

/** `sync daemon master eth0  syncId 1 port 8849` */
function describeDaemon({ role, interface: name, ...others }: SyncDaemonConfig): string {
  const details = Object.entries(others).map(([key, value]) => `${key} ${value}`)
  return [`sync daemon ${role} ${name}`, ...(details.length > 0 ? [details.join(' ')] : [])].join('  ')
}

/** Carries out changes in their order, and goes on after a failure. Never rejects: interrupted, the outcomes say what was applied. */
export async function carryOut(lvs: IpvsClient, changes: Changes, signal: AbortSignal): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const change of changes.timeouts) outcomes.push(await carryOutOne(lvs, change, signal))
  outcomes.push(...(await carryOutTables(lvs, changes.tables, signal)))
  for (const change of changes.syncDaemons) outcomes.push(await carryOutOne(lvs, change, signal))
  return outcomes
}

async function carryOutTables(lvs: IpvsClient, changes: readonly Change<Operation>[], signal: AbortSignal): Promise<Outcome[]> {
  if (changes.length === 0) return []
  try {
    const operations = changes.map(({ step }) => step)
    const results = await lvs.run(operations, { signal })
    return results.map((result, i) => {
      const change = changes[i] as Change
      return result.ok ? { change, applied: 'yes' } : failed(change, result.error)
    })
  } catch (error) {
    return changes.map(change => failed(change, error as Error))
  }
}

async function carryOutOne(lvs: IpvsClient, change: Change, signal: AbortSignal): Promise<Outcome> {
  const { step } = change
  try {
    if (step.operation === 'setTimeouts') await lvs.setTimeouts(step.timeouts, { signal })
    if (step.operation === 'startSyncDaemon') await lvs.startSyncDaemon(step.syncDaemon, { signal })
    if (step.operation === 'stopSyncDaemon') await lvs.stopSyncDaemon(step.role, { signal })
    return { change, applied: 'yes' }
  } catch (error) {
    return failed(change, error as Error)
  }
}

function failed(change: Change, error: Error): Outcome {
  return { change, applied: error instanceof NetlinkError ? error.applied : 'no', error }
}
