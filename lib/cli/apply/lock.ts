/**
 * One process at a time. Each puts down a file of its own first, and then looks for those of others: of two that come at once, at least one
 * sees the other. What a process left that was killed is told by its start time, which no other process of its number has. Numbers mean
 * something in one PID namespace alone, which may share its folders with others: what a process of another one has left is never removed.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CommandError, FAILURE } from '../io.js'
import { unwritable } from './state.js'

export interface Lock {
  release(): Promise<void>
}

/** PID namespace, number and start time of a process. The last is missing where it could not be read. */
const NAME = /^(\d+)-(\d+)(?:-(\d+))?$/

/** Takes the lock that belongs to a file. Its folder has to be there. */
export async function takeLock(file: string): Promise<Lock> {
  const folder = dirname(file)
  const prefix = `${basename(file)}.lock-`
  const me = { namespace: pidNamespace(), start: ownStart() }
  const mine = `${prefix}${[me.namespace, process.pid, ...(me.start === undefined ? [] : [me.start])].join('-')}`
  const release = (name: string): Promise<void> => rm(join(folder, name), { force: true })
  try {
    await writeFile(join(folder, mine), '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw me.start === undefined ? unknown(join(folder, mine)) : busy(file, process.pid)
    throw unwritable(file, error)
  }
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || name === mine) continue
    const [, namespace, pid, start] = NAME.exec(name.slice(prefix.length)) ?? []
    const known = me.start !== undefined && namespace === me.namespace && start !== undefined
    if (known && startOf(Number(pid)) !== start) {
      await release(name)
      continue
    }
    await release(mine)
    throw known ? busy(file, Number(pid)) : unknown(join(folder, name))
  }
  return { release: () => release(mine) }
}

function busy(file: string, pid: number): CommandError {
  return new CommandError(`process ${pid} is applying, too (it has locked ${file}): wait until it has ended`, FAILURE)
}

/** For what may be the lock of a living process, or not. */
function unknown(lock: string): CommandError {
  const why = 'nobody can tell from here whether the process that made it is still alive'
  return new CommandError(
    `somebody else may be applying: there is the lock ${lock}, and ${why}: remove it if nobody is applying`,
    FAILURE,
  )
}

/** 0 where the kernel has no PID namespaces. */
function pidNamespace(): string {
  return String(statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0)
}

/** Undefined where /proc is missing or shows the processes of another PID namespace: then it tells nothing of other processes, either. */
function ownStart(): string | undefined {
  try {
    return readlinkSync('/proc/self') === String(process.pid) ? startOf(process.pid) : undefined
  } catch {
    return undefined
  }
}

/** When a process started, in ticks since the machine did (proc(5), /proc/PID/stat, field 22). Undefined when there is none, or it is dead. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before may hold anything
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch {
    return undefined
  }
}
