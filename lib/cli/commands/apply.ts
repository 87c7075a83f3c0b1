/** `ts-ipvs apply` and `ts-ipvs diff`: the kernel as a file says. */
import { type Configuration, describeVirtualServer, type IpvsClient } from '../../ipvs/index.js'
import { allOf, type Changes, carryOut, findChanges, type Outcome } from '../apply/changes.js'
import { takeLock } from '../apply/lock.js'
import { reportChanges, reportOutcomes } from '../apply/report.js'
import { defaultStateFile, prepareState, readState, type State, writeState } from '../apply/state.js'
import { readConfiguration } from '../document/file.js'
import { CommandError, FAILURE, type Io, SUCCESS, USAGE, write } from '../io.js'
import { type CommonOptions, openClient } from '../program.js'

const CHANGING = 'others kept changing the tables while they were read'

export interface DiffOptions extends CommonOptions {
  readonly file: string
  readonly prune?: true
  readonly state?: string
}

export interface ApplyOptions extends DiffOptions {
  readonly dryRun?: true
}

export async function apply(io: Io, options: ApplyOptions): Promise<number> {
  const wanted = await readConfiguration(io, options.file)
  if (!wanted) return USAGE
  await using lvs = await openClient(io, options)
  if (options.dryRun) {
    await reportChanges(io, allOf(await foresee(io, lvs, wanted, options)), options.json === true)
    return SUCCESS
  }
  const place = await stateOf(io, lvs, options)
  if (!place) return await applyUnrecorded(io, lvs, wanted, options)
  // Asked for the signal, the process is not ended by it any more: from here on there are a lock, and a file half written.
  if (io.signal.aborted) throw new CommandError('interrupted: nothing was sent', FAILURE)
  await prepareState(place.file)
  const lock = await takeLock(place.file)
  try {
    return await applyRecorded(io, lvs, wanted, options, place)
  } finally {
    await lock.release()
  }
}

/** Whatever goes wrong is status 2, as with diff(1): 1 says that there are differences. */
export async function diff(io: Io, options: DiffOptions): Promise<number> {
  try {
    const wanted = await readConfiguration(io, options.file)
    if (!wanted) return USAGE
    await using lvs = await openClient(io, options)
    const changes = allOf(await foresee(io, lvs, wanted, options))
    await reportChanges(io, changes, options.json === true)
    return changes.length > 0 ? FAILURE : SUCCESS
  } catch (error) {
    throw Object.assign(error as Error, { status: USAGE })
  }
}

/** Where the state of a namespace is. */
interface Place {
  readonly file: string
  readonly namespace: string
}

/** Undefined where nothing identifies the namespace: then nobody could tell later whose state it is. */
async function stateOf(io: Io, lvs: IpvsClient, { prune, state }: DiffOptions): Promise<Place | undefined> {
  try {
    const namespace = await lvs.namespaceId()
    return { file: state ?? defaultStateFile(namespace), namespace }
  } catch (error) {
    const { problem, message } = error as { problem?: string; message: string }
    if (problem !== 'not-supported') throw error
    if (prune) throw new CommandError(`${message}: --prune is not possible here`)
    await write(io.stderr, `${io.program}: ${message}: what is made now can not be pruned later\n`)
    return undefined
  }
}

async function readStateOf(io: Io, { file, namespace }: Place): Promise<State> {
  const state = await readState(file, namespace)
  if (state.void !== undefined) await write(io.stderr, `${io.program}: ${state.void}\n`)
  return state
}

/** What apply would do. Nothing is written. */
async function foresee(io: Io, lvs: IpvsClient, wanted: Configuration, options: DiffOptions): Promise<Changes> {
  const place = options.prune ? await stateOf(io, lvs, options) : undefined
  const { made } = place ? await readStateOf(io, place) : { made: new Set() }
  const changes = await findChanges(lvs, wanted, { owns: vs => made.has(describeVirtualServer(vs)), signal: io.signal })
  if (!changes.consistent) await write(io.stderr, `${io.program}: ${CHANGING}: look again\n`)
  return changes
}

async function applyUnrecorded(io: Io, lvs: IpvsClient, wanted: Configuration, options: ApplyOptions): Promise<number> {
  const changes = await findChanges(lvs, wanted, { signal: io.signal })
  return finish(io, await carryOut(lvs, changes, io.signal), options)
}

/** What is going to be made is in the state before the first of it is, so that being killed loses nothing. */
async function applyRecorded(
  io: Io,
  lvs: IpvsClient,
  wanted: Configuration,
  options: ApplyOptions,
  { file, namespace }: Place,
): Promise<number> {
  const state = await readStateOf(io, { file, namespace })
  const surplus = new Set<string>()
  const owns = (vs: Parameters<typeof describeVirtualServer>[0]): boolean => {
    const name = describeVirtualServer(vs)
    if (!state.made.has(name)) return false
    surplus.add(name)
    return options.prune === true
  }
  const changes = await findChanges(lvs, wanted, { owns, signal: io.signal })
  if (!changes.consistent) await write(io.stderr, `${io.program}: ${CHANGING}: what is made now can not be pruned later\n`)
  const additions = additionsOf(changes)
  const present = changes.consistent ? presentOf(state.made, wanted, additions, surplus) : state.made
  const ahead = new Set([...present, ...additions])
  if (state.void !== undefined || !same(ahead, state.made)) await writeState(file, namespace, ahead)

  const outcomes = await carryOut(lvs, changes, io.signal)
  const made = settled(ahead, outcomes)
  try {
    if (!same(made, ahead)) await writeState(file, namespace, made)
  } finally {
    await finish(io, outcomes, options)
  }
  return statusOf(outcomes)
}

/** Of what was made, what is still there: wished for and not to be added, or surplus. */
function presentOf(
  made: ReadonlySet<string>,
  { virtualServers }: Configuration,
  additions: ReadonlySet<string>,
  surplus: ReadonlySet<string>,
): Set<string> {
  const wanted = new Set(virtualServers.map(describeVirtualServer))
  return new Set([...made].filter(name => surplus.has(name) || (wanted.has(name) && !additions.has(name))))
}

/** What is only ensured may have been there, and overlooked: nobody can tell whose it is then. */
function additionsOf({ tables }: Changes): Set<string> {
  const steps = tables.map(({ step }) => step)
  return new Set(
    steps.flatMap(step => (step.operation === 'addVirtualServer' ? [describeVirtualServer(step.virtualServer)] : [])),
  )
}

/** What we have made after all. What somebody else was first to make is theirs; what may have been made counts as made. */
function settled(ahead: ReadonlySet<string>, outcomes: readonly Outcome[]): Set<string> {
  const made = new Set(ahead)
  for (const { change, applied } of outcomes) {
    const { step } = change
    const gone =
      step.operation === 'addVirtualServer' ? applied === 'no' : step.operation === 'removeVirtualServer' && applied === 'yes'
    if (gone && 'virtualServer' in step && step.virtualServer) made.delete(describeVirtualServer(step.virtualServer))
  }
  return made
}

function same(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every(name => other.has(name))
}

async function finish(io: Io, outcomes: readonly Outcome[], { json }: ApplyOptions): Promise<number> {
  await reportOutcomes(io, outcomes, json === true)
  return statusOf(outcomes)
}

function statusOf(outcomes: readonly Outcome[]): number {
  return outcomes.some(({ error }) => error) ? FAILURE : SUCCESS
}
