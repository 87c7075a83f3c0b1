/**
 * One process at a time. Each puts down a file of its own first, and then looks for those of others: of two that come at once, at least one
 * sees the other. What a process left that was killed is told by its start time, which no other process of its number has.
 */
import { readFileSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CommandError, FAILURE } from '../io.js'
import { unwritable } from './state.js'

export interface Lock {
  release(): Promise<void>
}

/** Takes the lock that belongs to a file. Its folder has to be there. */
export async function takeLock(file: string): Promise<Lock> {
  const folder = dirname(file)
  const prefix = `${basename(file)}.lock-`
  const mine = `${prefix}${process.pid}-${startOf(process.pid)}`
  const release = (name: string): Promise<void> => rm(join(folder, name), { force: true })
  try {
    await writeFile(join(folder, mine), '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw busy(file, process.pid)
    throw unwritable(file, error)
  }
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || name === mine) continue
    const [pid, start] = name.slice(prefix.length).split('-')
    if (startOf(Number(pid)) === start) {
      await release(mine)
      throw busy(file, Number(pid))
    }
    await release(name)
  }
  return { release: () => release(mine) }
}

function busy(file: string, pid: number): CommandError {
  return new CommandError(`process ${pid} is applying, too (it has locked ${file}): wait until it has ended`, FAILURE)
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
