/** What the kernel answers to a question that it refuses. */
import { errnoName, NetlinkError } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { whyNotPermitted } from '../netlink/permission.js'
import { BadValue } from '../netlink/schema.js'
import { type Meaning, NO_NFTABLES } from './reasons/index.js'

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
  const { problem, why } = meaning(errnoName(errno), target || 'it')
  const said = kernelMessage === undefined ? '' : `; the kernel says: ${kernelMessage}`
  return new NetlinkError({ errno, operation, target, problem, reason: `${why}${said}`, kernelMessage })
}

function meaning(code: string, target: string): Meaning {
  switch (code) {
    case 'EPERM':
      return { problem: 'not-permitted', why: whyNotPermitted() }
    case 'ENOENT':
      return { problem: 'no-such-object', why: `${target} is not there (any more): read the table again` }
    // All that is asked here is well formed: what the kernel does not understand is the message.
    case 'EINVAL':
    case 'ENOTSUP':
      return { problem: 'not-supported', why: `${NO_NFTABLES}; or it is too old to know the question` }
    case 'ENOMEM':
      return { problem: 'no-memory', why: 'the kernel has no memory for the answer' }
    default:
      return { problem: 'other', why: 'the kernel refused it' }
  }
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
