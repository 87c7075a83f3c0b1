/** What rtnetlink means when it refuses something. It says some of it itself (extended acknowledgements); an errno alone has several meanings. */
import { errnoName, NetlinkError, type Problem } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { whyNotPermitted } from '../netlink/permission.js'
import { BadValue } from '../netlink/schema.js'

/** What was asked, of which kind of object. */
export interface Asked {
  readonly operation: string
  readonly object: 'link' | 'address' | 'route' | 'rule'
  /** In words. */
  readonly target?: string | undefined
}

type Meaning = readonly [Problem, string]

/** Runs a call. What the kernel refuses becomes a `NetlinkError`, and a value that can not be one a TypeError or RangeError. */
export async function asking<T>(asked: Asked, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof BadValue) throw error.toError()
    if (error instanceof Refusal) throw refused(asked, error)
    throw attributed(error, asked)
  }
}

/** Whether the kernel's refusal has one of these codes. */
export function isRefusal(error: unknown, ...codes: readonly string[]): error is Refusal {
  return error instanceof Refusal && codes.includes(errnoName(error.acknowledgement.errno))
}

/** The error of a refusal. */
export function refused(asked: Asked, { acknowledgement, path }: Refusal): NetlinkError {
  const { errno, kernelMessage } = acknowledgement
  const { operation, target } = asked
  const [problem, why] = meaning(errnoName(errno), asked, kernelMessage)
  const said = kernelMessage === undefined ? '' : `; the kernel says: ${kernelMessage}`
  return new NetlinkError({ errno, operation, target, problem, reason: `${why}${said}`, path, kernelMessage })
}

/** Adds what was asked to an error that was made without knowing it. */
function attributed(error: unknown, { operation, target }: Asked): unknown {
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
    operation,
    target,
  })
}

function meaning(code: string, { object, operation }: Asked, said: string | undefined): Meaning {
  const lookup = operation === 'lookup' ? LOOKUP[code] : undefined
  if (lookup !== undefined) return ['unreachable', lookup]
  switch (code) {
    case 'EPERM':
      return ['not-permitted', whyNotPermitted()]
    case 'EEXIST':
      return ['exists', EXISTS[object]]
    case 'ENODEV':
      return ['no-such-interface', 'there is no such device (any more): `links` lists those that there are']
    case 'ENETDOWN':
      return ['interface-down', 'the device is down: set it up first']
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
      return notSupported(object, operation)
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return [
        'unreachable',
        'no network of a device has the gateway, so it can not be reached: add an address first, or give the device and the flag onlink',
      ]
    case 'EAFNOSUPPORT':
      return ['family-disabled', 'the kernel has no such family: it was built or started without IPv6']
    case 'EACCES':
      return ['family-disabled', 'IPv6 is switched off on the device (net.ipv6.conf.DEVICE.disable_ipv6)']
    case 'EADDRNOTAVAIL':
      return ['no-such-object', 'the address is not on the device']
    case 'ESRCH':
      return ['no-such-object', 'there is no such route']
    case 'ENOENT':
      return operation.startsWith('replace')
        ? ['no-such-object', 'there is nothing to replace']
        : ['no-such-object', `there is no such ${object}`]
    case 'EBUSY':
      return ['in-use', 'the device is busy: it may have to be down, or belong to another one']
    case 'EINVAL':
    case 'ERANGE':
      return ['invalid', said === undefined ? INVALID[object] : 'the kernel takes no such value']
    case 'ENOBUFS':
    case 'ENOMEM':
      return ['no-memory', 'the kernel has no memory, or no more room, for it']
    default:
      return ['other', 'the kernel refused it']
  }
}

/** A lookup fails as a packet would: by what the rules and routes say. */
const LOOKUP: Readonly<Record<string, string>> = {
  EINVAL: 'a blackhole takes such packets, or they make no sense',
  EACCES: 'a route or a rule prohibits such packets',
  ENETUNREACH: 'there is no route for such packets, or one that says unreachable',
  EHOSTUNREACH: 'there is no route for such packets, or one that says unreachable',
}

const EXISTS = {
  link: 'there is a device of that name',
  address: 'the device has that address: `ensureAddress` changes it',
  route: 'there is such a route: `replaceRoute` changes it',
  rule: 'there is such a rule',
}

const INVALID = {
  link: 'the kernel takes no such value for this kind of device',
  address: 'the kernel takes no such address: it may be broadcast or multicast, or its lifetimes do not fit',
  route:
    'the parts of the route do not fit together: the source has to be an address of this host, the scope wider than that of the gateway',
  rule: 'the parts of the rule do not fit together',
}

function notSupported(object: Asked['object'], operation: string): Meaning {
  if (object === 'link' && operation === 'addLink')
    return ['not-supported', 'the kernel has no such kind of device: its module is missing']
  if (object === 'link') return ['not-supported', 'the device can not do that']
  return [
    'not-supported',
    'the kernel was built without it (CONFIG_IP_MULTIPLE_TABLES, CONFIG_IPV6_MULTIPLE_TABLES), or is too old for it',
  ]
}
