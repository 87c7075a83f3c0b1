/** Desired state against the kernel. A plan is a value: it can be printed, compared and thrown away. */
import type { Limit } from '../netlink/channel.js'
import { Turns } from '../netlink/turns.js'
import type { Operation, Result } from './batch.js'
import { describeOperation, difference } from './describe.js'
import { addWish, type DesiredVirtualServer, type Wish, wishedRealServers } from './desired.js'
import type { Kernel } from './kernel.js'
import { realServerFromWire, sameRealServer } from './real-server.js'
import { destinationKey, type Entry, serviceKey, walk } from './snapshot.js'
import type { VirtualServer, VirtualServerConfig, VirtualServerKey } from './types.js'
import { boolean, list } from './validate.js'
import { sameVirtualServer, virtualServerFromWire, virtualServerKeyFromWire } from './virtual-server.js'
import type { ServiceRecord } from './wire.js'

export interface PlanOptions {
  /** Whether a virtual server that nobody desires is ours to remove. Default: none is. */
  readonly owns?: ((virtualServer: VirtualServer) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
  readonly deadline?: number | undefined
}

/** Operations that make the kernel as desired. */
export interface Plan {
  /** Additions first, then changes, then removals: make before break. */
  readonly operations: readonly Operation[]
  readonly empty: boolean
  /**
   * False when others kept changing the tables while they were read. What is missing may only have been left out by the kernel: it is
   * ensured then instead of added.
   */
  readonly consistent: boolean
  /** A line an operation: `+`, `~` or `-`, the object, and what changes. */
  toString(): string
}

export interface ApplyResult {
  /** How many operations were carried out. */
  readonly applied: number
  readonly results: readonly Result[]
}

/** Some operations of a plan failed; the others were carried out. */
export class ApplyError extends AggregateError {
  override readonly name = 'ApplyError'
  /** One for each operation of the plan, in its order. */
  readonly results: readonly Result[]
  readonly operations: readonly Operation[]

  constructor(operations: readonly Operation[], results: readonly Result[]) {
    const errors = results.flatMap(result => (result.ok ? [] : [result.error]))
    const first = errors[0]?.message
    super(errors, `${errors.length} of ${results.length} operations failed, the others were applied; the first: ${first}`)
    this.operations = operations
    this.results = results
  }
}

export function apply(plan: Plan, results: readonly Result[]): ApplyResult {
  if (results.some(result => !result.ok)) throw new ApplyError(plan.operations, results)
  return { applied: results.length, results }
}

/** Operations by the order in which they have to run. */
class Steps {
  readonly additions: Operation[] = []
  readonly changes: Operation[] = []
  readonly removals: Operation[] = []
  readonly notes = new Map<Operation, string>()
}

export async function plan(
  kernel: Kernel,
  limit: Limit,
  desired: readonly DesiredVirtualServer[],
  { owns = () => false }: PlanOptions,
): Promise<Plan> {
  const turns = new Turns()
  const wishes = await indexWishes(desired, turns)
  const steps = new Steps()
  let consistent = true
  for await (const group of walk(kernel, limit, { statistics: false })) {
    for (const entry of group) {
      consistent &&= entry.consistent
      const key = serviceKey(entry.service)
      const wish = wishes.get(key)
      if (wish) compare(steps, wish, entry)
      else if (owned(owns, entry.service))
        steps.removals.push({ operation: 'removeVirtualServer', virtualServer: virtualServerKeyFromWire(entry.service) })
      wishes.delete(key)
      if (turns.due(1 + entry.destinations.length)) await turns.give()
    }
  }
  for (const wish of wishes.values()) {
    addAll(steps, wish)
    if (turns.due(1 + (wish.config.realServers?.length ?? 0))) await turns.give()
  }
  return new PlanValue(steps, consistent)
}

async function indexWishes(desired: readonly DesiredVirtualServer[], turns: Turns): Promise<Map<string, Wish>> {
  const wishes = new Map<string, Wish>()
  for (const [i, config] of list(desired, 'desired').entries()) {
    addWish(wishes, config as DesiredVirtualServer, `desired[${i}]`)
    if (turns.due(1)) await turns.give()
  }
  return wishes
}

function owned(owns: (virtualServer: VirtualServer) => boolean, service: ServiceRecord): boolean {
  return boolean(owns(virtualServerFromWire(service)), 'owns')
}

/** The key alone: operations on real servers keep no more of the caller's object alive. */
function keyOf(wish: Wish): VirtualServerKey {
  return virtualServerKeyFromWire(wish.record)
}

function addAll(steps: Steps, wish: Wish): void {
  const { realServers, ...virtualServer } = wish.config
  steps.additions.push({ operation: 'addVirtualServer', virtualServer: virtualServer as VirtualServerConfig })
  const key = keyOf(wish)
  for (const { config } of wishedRealServers(wish).values())
    steps.additions.push({ operation: 'addRealServer', virtualServer: key, realServer: config })
}

function compare(steps: Steps, wish: Wish, { service, destinations }: Entry): void {
  const { realServers } = wish.config
  if (!sameVirtualServer(wish.record, service)) {
    const { realServers: _, ...virtualServer } = wish.config
    const operation: Operation = { operation: 'updateVirtualServer', virtualServer: virtualServer as VirtualServerConfig }
    steps.changes.push(operation)
    steps.notes.set(operation, difference(virtualServerFromWire(service), virtualServerFromWire(wish.record)))
  }
  if (realServers === undefined) return
  const wished = wishedRealServers(wish)
  let key: VirtualServerKey | undefined
  const target = (): VirtualServerKey => (key ??= keyOf(wish))
  for (const actual of destinations) {
    const known = wished.get(destinationKey(actual))
    if (!known) {
      const { address, port } = realServerFromWire(actual, service.addressFamily ?? 0)
      steps.removals.push({ operation: 'removeRealServer', virtualServer: target(), realServer: { address, port } })
      continue
    }
    known.found = true
    if (sameRealServer(known.record, actual)) continue
    const operation: Operation = { operation: 'updateRealServer', virtualServer: target(), realServer: known.config }
    steps.changes.push(operation)
    const family = service.addressFamily ?? 0
    steps.notes.set(operation, difference(realServerFromWire(actual, family), realServerFromWire(known.record, family)))
  }
  for (const { config, found } of wished.values())
    if (!found) steps.additions.push({ operation: 'addRealServer', virtualServer: target(), realServer: config })
}

class PlanValue implements Plan {
  readonly operations: readonly Operation[]
  readonly consistent: boolean
  readonly #notes: ReadonlyMap<Operation, string>

  constructor(steps: Steps, consistent: boolean) {
    this.operations = [...(consistent ? steps.additions : steps.additions.map(ensured)), ...steps.changes, ...steps.removals]
    this.consistent = consistent
    this.#notes = steps.notes
  }

  get empty(): boolean {
    return this.operations.length === 0
  }

  toString(): string {
    if (this.empty) return 'nothing to do'
    return this.operations.map(operation => describeOperation(operation, this.#notes.get(operation))).join('\n')
  }
}

function ensured(operation: Operation): Operation {
  return { ...operation, operation: operation.operation.replace('add', 'ensure') } as Operation
}
