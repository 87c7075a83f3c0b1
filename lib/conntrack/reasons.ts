/** What ctnetlink means when it refuses something: it says almost nothing itself. */
import { errnoName, NetlinkError, type Problem } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { whyNotPermitted } from '../netlink/permission.js'
import { BadValue } from '../netlink/schema.js'

/** What was asked. */
export interface Asked {
  readonly operation: string
  /** In words. */
  readonly target?: string | undefined
}

/** Runs a call. What the kernel refuses becomes a `NetlinkError`, and a value that can not be one a TypeError or RangeError. */
export async function asking<T>(asked: Asked, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw told(error, asked)
  }
}

/** An error as callers get it. */
export function told(error: unknown, asked: Asked): unknown {
  if (error instanceof BadValue) return error.toError()
  if (error instanceof Refusal) return refused(asked, error)
  if (!(error instanceof NetlinkError) || error.operation !== undefined) return error
  const { code, syscall, problem, applied, reason, path, kernelMessage, cause } = error
  return new NetlinkError({
    errno: -error.errno,
    code,
    syscall,
    problem,
    applied,
    reason,
    path,
    kernelMessage,
    cause,
    ...asked,
  })
}

/** Whether the kernel's refusal says that there is no such flow. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Refusal && errnoName(error.acknowledgement.errno) === 'ENOENT'

function refused({ operation, target }: Asked, { acknowledgement, path }: Refusal): NetlinkError {
  const { errno, kernelMessage } = acknowledgement
  const [problem, why] = meaning(errnoName(errno), operation)
  const said = kernelMessage === undefined ? '' : `; the kernel says: ${kernelMessage}`
  return new NetlinkError({ errno, operation, target, problem, reason: `${why}${said}`, path, kernelMessage })
}

const MISSING =
  'the kernel tracks no connections, or does not tell of them: nf_conntrack_netlink is missing (CONFIG_NF_CT_NETLINK)'

function meaning(code: string, operation: string): readonly [Problem, string] {
  switch (code) {
    case 'EPERM':
      return ['not-permitted', whyNotPermitted()]
    case 'ENOENT':
      return ['no-such-object', 'there is no such flow']
    case 'EEXIST':
      return ['exists', 'there is a flow with one of these directions']
    case 'EBUSY':
      return ['in-use', 'the flow is busy: it is offloaded, or what is to be changed is fixed once it has begun']
    case 'ENOMEM':
      return [
        'full',
        'the kernel has no memory for it, or the table is full: `count` tells, net.netfilter.nf_conntrack_max is the limit',
      ]
    case 'EINVAL':
      return operation === 'add' || operation === 'update'
        ? ['invalid', `the kernel takes no such flow: its directions do not fit together; or ${MISSING}`]
        : ['not-supported', MISSING]
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
      return [
        'not-supported',
        'the kernel was built without it (marks, zones, labels or a helper), or does not track this family',
      ]
    default:
      return ['other', 'the kernel refused it']
  }
}
