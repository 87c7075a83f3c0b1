/** All that is wrong with a configuration, for programs that read one from a file. */
import {
  addWish,
  addWishedRealServer,
  type DesiredVirtualServer,
  TwiceError,
  type Wish,
  type WishedRealServer,
} from './desired.js'
import { realServerToWire } from './real-server.js'
import { syncDaemonToWire } from './sync-daemon.js'
import { timeoutsToWire } from './timeouts.js'
import type { SyncDaemonConfig, Timeouts } from './types.js'
import { knownKeys, list } from './validate.js'

/** What IPVS can be told to be, in one value. */
export interface Configuration {
  readonly virtualServers: readonly DesiredVirtualServer[]
  /** What is left out stays as it is. */
  readonly timeouts?: Partial<Timeouts> | undefined
  /** One of each role at most. */
  readonly syncDaemons?: readonly SyncDaemonConfig[] | undefined
}

/** Something that is wrong with a configuration. */
export interface Mistake {
  /** Where: `virtualServers[3].realServers[1].port`. Empty where it is the whole. */
  readonly field: string
  /** What is wrong, and what to give instead. Begins with the field. */
  readonly message: string
  /** Of something that is there twice: the field of the first. */
  readonly first?: string
}

const KNOWN = { virtualServers: 0, timeouts: 0, syncDaemons: 0 }

/**
 * What is wrong with a configuration, found without a kernel: of each object (a virtual server, a real server, the time-outs, a daemon) the
 * first mistake. `plan`, `setTimeouts` and `startSyncDaemon` refuse the same.
 *
 * @example
 * checkConfiguration({ virtualServers: [{ protocol: 'tcp', address: '10.0.0.1', port: 70000 }] })
 * // [{ field: 'virtualServers[0].port', message: 'virtualServers[0].port: 70000 is out of range: give …' }]
 */
export function checkConfiguration(value: unknown): Mistake[] {
  const mistakes: Mistake[] = []
  const known = Object.keys(KNOWN).join(', ')
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return [{ field: '', message: `it is no configuration: give an object with the fields ${known}` }]
  attempt(mistakes, () => knownKeys(value, '', KNOWN))
  const { virtualServers, timeouts, syncDaemons } = value as Partial<Record<keyof Configuration, unknown>>
  checkVirtualServers(mistakes, virtualServers)
  if (timeouts !== undefined) attempt(mistakes, () => timeoutsToWire(timeouts as Timeouts, 'timeouts'))
  if (syncDaemons !== undefined) checkSyncDaemons(mistakes, syncDaemons)
  return mistakes
}

function checkVirtualServers(mistakes: Mistake[], virtualServers: unknown): void {
  const wishes = new Map<string, Wish>()
  for (const [i, config] of attempt(mistakes, () => list(virtualServers, 'virtualServers'))?.entries() ?? []) {
    const field = `virtualServers[${i}]`
    const wish = attempt(mistakes, () => addWish(wishes, config as DesiredVirtualServer, field))
    const realServers = (config as DesiredVirtualServer | null | undefined)?.realServers
    if (!Array.isArray(realServers)) continue
    const wished = new Map<string | number, WishedRealServer>()
    for (const [j, realServer] of realServers.entries())
      attempt(mistakes, () => {
        if (wish) addWishedRealServer(wished, wish, j)
        else realServerToWire(realServer, `${field}.realServers[${j}]`)
      })
  }
}

function checkSyncDaemons(mistakes: Mistake[], daemons: unknown): void {
  const firsts = new Map<number | undefined, string>()
  for (const [i, daemon] of attempt(mistakes, () => list(daemons, 'syncDaemons'))?.entries() ?? [])
    attempt(mistakes, () => {
      const field = `syncDaemons[${i}]`
      const { state } = syncDaemonToWire(daemon as SyncDaemonConfig, field)
      const first = firsts.get(state)
      if (first !== undefined) throw new TwiceError(field, `the ${(daemon as SyncDaemonConfig).role}`, first)
      firsts.set(state, field)
    })
}

/** The field that a message begins with: names, or in brackets indices and names that are no words. */
const FIELD = /^(?:[$\w]+|\["(?:[^"\\]|\\.)*"\])(?:\.[$\w]+|\[\d+\]|\["(?:[^"\\]|\\.)*"\])*(?=: )/

function attempt<T>(mistakes: Mistake[], check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    const { message } = error
    const field = FIELD.exec(message)?.[0] ?? ''
    mistakes.push({ field, message, ...(error instanceof TwiceError && { first: error.first }) })
    return undefined
  }
}
