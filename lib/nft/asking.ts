/** What the kernel answers to a question that it refuses. */
import { errnoName, NetlinkError, type Problem } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { BadValue } from '../netlink/schema.js'

/** Runs a question. What the kernel refuses becomes a `NetlinkError`, and a value that can not be one a TypeError or RangeError. */
export async function asking<T>(operation: string, target: string | undefined, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof BadValue) throw error.toError()
    if (error instanceof Refusal) throw refused(operation, target, error)
    throw error
  }
}

/** Whether the kernel answered that what was asked for is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Refusal && errnoName(error.acknowledgement.errno) === 'ENOENT'

function refused(operation: string, target: string | undefined, { acknowledgement }: Refusal): NetlinkError {
  const { errno, kernelMessage } = acknowledgement
  const { problem, reason } = REASONS[errnoName(errno)] ?? OTHER
  return new NetlinkError({ errno, operation, target, problem, reason: kernelMessage ?? reason, kernelMessage })
}

const OTHER = { problem: 'other', reason: 'the kernel refused it' } as const

const REASONS: Readonly<Record<string, { readonly problem: Problem; readonly reason: string }>> = {
  EPERM: {
    problem: 'not-permitted',
    reason: 'CAP_NET_ADMIN is needed in the user namespace that owns the network namespace: run as root',
  },
  ENOENT: { problem: 'no-such-object', reason: 'it is not there: read the table again' },
  // All that is asked here is well formed: what the kernel does not understand is the message.
  EINVAL: {
    problem: 'not-supported',
    reason: 'this kernel has no nftables (CONFIG_NF_TABLES, module nf_tables), or an older one',
  },
  ENOMEM: { problem: 'no-memory', reason: 'the kernel ran out of memory' },
}

/** What was read does not belong together: others changed it all the time. */
export function everChanging(operation: string, times: number): NetlinkError {
  return new NetlinkError({
    errno: 4,
    operation,
    problem: 'generation-changed',
    reason: `the ruleset was changed each of the ${times} times that it was read: try again`,
  })
}
