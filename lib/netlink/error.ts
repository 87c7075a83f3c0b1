/**
 * What went wrong, to branch on.
 *
 * - `not-permitted`: CAP_NET_ADMIN is missing
 * - `in-user-namespace`: CAP_NET_ADMIN is there, but not in the initial user namespace, which IPVS asks for
 * - `family-unavailable`: the kernel has no such netlink family (no ip_vs module)
 * - `no-such-namespace`: the network namespace does not exist
 * - `no-such-virtual-server`, `no-such-real-server`, `no-such-scheduler`, `no-such-persistence-engine`, `no-such-daemon`,
 *   `no-such-interface`
 * - `no-such-object`: a table, chain, rule, set, element, stateful object or flowtable is not there
 * - `exists`: it is there already
 * - `in-use`: something still refers to it
 * - `full`: the set has as many elements as it may have
 * - `jump-loop`: chains would jump in a circle, or too deep
 * - `owned`: the table belongs to another client
 * - `generation-changed`: the ruleset is not the one any more that the transaction was made for
 * - `ever-changing`: what was read does not belong together, because others changed it each time
 * - `unreachable`: there is no way to the gateway
 * - `interface-down`: the interface has to be up for it
 * - `too-large`: the message is larger than the socket's buffer
 * - `invalid`: the kernel refused the values; `reason` says which
 * - `family-disabled`: IPv6 is switched off in this kernel
 * - `not-supported`: the kernel does not know the command
 * - `interrupted`: a deadline, an abort or `close` came first
 * - `reply-lost`: the kernel dropped its answer for want of buffer
 * - `no-reply`: nothing answered
 * - `no-memory`: the kernel ran out of memory, or of buffer
 * - `unsupported-platform`: not Linux, or no native addon
 * - `other`: see `code`
 */
export type Problem =
  | 'not-permitted'
  | 'in-user-namespace'
  | 'family-unavailable'
  | 'no-such-namespace'
  | 'no-such-virtual-server'
  | 'no-such-real-server'
  | 'no-such-scheduler'
  | 'no-such-persistence-engine'
  | 'no-such-daemon'
  | 'no-such-interface'
  | 'no-such-object'
  | 'exists'
  | 'in-use'
  | 'full'
  | 'jump-loop'
  | 'owned'
  | 'generation-changed'
  | 'ever-changing'
  | 'unreachable'
  | 'interface-down'
  | 'too-large'
  | 'invalid'
  | 'family-disabled'
  | 'not-supported'
  | 'interrupted'
  | 'reply-lost'
  | 'no-reply'
  | 'no-memory'
  | 'unsupported-platform'
  | 'other'

/** Whether the kernel carried out what was asked: `unknown` when the answer was lost or not waited for. */
export type Applied = 'no' | 'yes' | 'unknown'

export interface NetlinkErrorFields {
  /** Positive errno of the kernel; 0 when the error is not the kernel's. */
  readonly errno: number
  readonly problem: Problem
  /** A sentence: what is wrong, and what to do about it. */
  readonly reason: string
  readonly syscall?: string | undefined
  readonly operation?: string | undefined
  readonly target?: string | undefined
  readonly applied?: Applied | undefined
  readonly path?: string | undefined
  readonly kernelMessage?: string | undefined
  readonly cause?: unknown
  /** Replaces the errno's name as `code`. */
  readonly code?: string | undefined
}

/** Linux's numbers and Node's names (include/uapi/asm-generic/errno.h): the memory kernel speaks them on other systems, too. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  8: 'ENOEXEC',
  9: 'EBADF',
  10: 'ECHILD',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  15: 'ENOTBLK',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  25: 'ENOTTY',
  26: 'ETXTBSY',
  27: 'EFBIG',
  28: 'ENOSPC',
  29: 'ESPIPE',
  30: 'EROFS',
  31: 'EMLINK',
  32: 'EPIPE',
  33: 'EDOM',
  34: 'ERANGE',
  35: 'EDEADLK',
  36: 'ENAMETOOLONG',
  38: 'ENOSYS',
  39: 'ENOTEMPTY',
  40: 'ELOOP',
  61: 'ENODATA',
  62: 'ETIME',
  71: 'EPROTO',
  74: 'EBADMSG',
  75: 'EOVERFLOW',
  76: 'ENOTUNIQ',
  84: 'EILSEQ',
  88: 'ENOTSOCK',
  89: 'EDESTADDRREQ',
  90: 'EMSGSIZE',
  91: 'EPROTOTYPE',
  92: 'ENOPROTOOPT',
  93: 'EPROTONOSUPPORT',
  94: 'ESOCKTNOSUPPORT',
  95: 'ENOTSUP',
  96: 'EPFNOSUPPORT',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  100: 'ENETDOWN',
  101: 'ENETUNREACH',
  103: 'ECONNABORTED',
  104: 'ECONNRESET',
  105: 'ENOBUFS',
  106: 'EISCONN',
  107: 'ENOTCONN',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
  114: 'EALREADY',
  115: 'EINPROGRESS',
  116: 'ESTALE',
  122: 'EDQUOT',
  85: 'ERESTART',
  125: 'ECANCELED',
  512: 'ERESTARTSYS',
  524: 'ENOTSUPP',
}

/** Name of a positive errno of Linux: `ENOENT`. */
export function errnoName(errno: number): string {
  return NAMES[errno] ?? `E${errno}`
}

/** An operation that the kernel refused, or that did not reach an end. */
export class NetlinkError extends Error {
  override readonly name: string = 'NetlinkError'
  /** `ENOENT`, `ESRCH`…; `ABORT_ERR`, `ERR_DEADLINE`, `ERR_CLOSED` where the kernel was not the cause. */
  readonly code: string
  /** Negative, as in Node; 0 when the error is not the kernel's. */
  readonly errno: number
  readonly syscall: string | undefined
  /** What was asked: `addRealServer`. */
  readonly operation: string | undefined
  /** Of which object: `tcp 10.0.0.1:80 → 10.1.0.1:80`. */
  readonly target: string | undefined
  readonly problem: Problem
  readonly applied: Applied
  readonly reason: string
  /** The attribute that the kernel points at: `destination.weight`. */
  readonly path: string | undefined
  readonly kernelMessage: string | undefined

  constructor(fields: NetlinkErrorFields) {
    const code = fields.code ?? errnoName(fields.errno)
    const what = [fields.operation, fields.target].filter(Boolean).join(' ')
    super(
      `${what ? `${what}: ` : ''}${fields.reason} (${code})`,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    )
    this.code = code
    this.errno = -fields.errno || 0
    this.syscall = fields.syscall
    this.operation = fields.operation
    this.target = fields.target
    this.problem = fields.problem
    this.applied = fields.applied ?? 'no'
    this.reason = fields.reason
    this.path = fields.path
    this.kernelMessage = fields.kernelMessage
  }
}
