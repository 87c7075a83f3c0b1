/**
 * In what the kernels differ. Where a case meets a difference it asserts the one that is written here: a kernel that changes its mind fails.
 */
import { release } from 'node:os'

export interface Kernel {
  readonly name: string
  readonly release: string
  /** Schedulers of Linux that it has been built without. */
  readonly without: readonly string[]
  /** What it says to an upper threshold above 2,147,483,647. */
  readonly hugeThreshold: 'OK' | 'EINVAL'
  /** Has threads for the estimation of rates, and their sysctls (Linux 6.2). */
  readonly estimationThreads: boolean
  /** Jiffies a second: time-outs are kept in 32 bits of jiffies. */
  readonly hz: number
  /** Buckets of the connection table. */
  readonly connectionTableSize: number
}

type Differences = Omit<Kernel, 'name' | 'release'>

const LINUX_6_1: Differences = {
  without: ['twos'],
  hugeThreshold: 'OK',
  estimationThreads: false,
  hz: 250,
  connectionTableSize: 4096,
}
const LINUX_6_12: Differences = {
  without: [],
  hugeThreshold: 'EINVAL',
  estimationThreads: true,
  hz: 250,
  connectionTableSize: 4096,
}

const KNOWN: readonly (Differences & { readonly name: string; readonly pattern: RegExp })[] = [
  { name: 'debian12', pattern: /^6\.1\.0-.*amd64$/, ...LINUX_6_1 },
  { name: 'uml', pattern: /^6\.1\.\d+$/, ...LINUX_6_1, hz: 100 },
  { name: 'debian13', pattern: /^6\.12\..*amd64$/, ...LINUX_6_12 },
]

/** The kernel that runs this. One that is not known here has to be added: what it does differently is to be written down, not guessed. */
export function thisKernel(): Kernel {
  const known = KNOWN.find(({ pattern }) => pattern.test(release()))
  if (!known) throw new Error(`Linux ${release()} is none of those in kernels.ts: add what is different in it`)
  const { pattern: _, ...kernel } = known
  return { ...kernel, release: release() }
}

/** What the memory kernel plays: Linux 6.1, but for thresholds, which it checks as Linux 7 does. */
export const playedByMemory: Kernel = { name: 'memory', release: 'none', ...LINUX_6_1, hugeThreshold: 'EINVAL' }
