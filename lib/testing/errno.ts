/** Linux's error numbers. Those of node:os are the host's, and the memory kernel is Linux wherever it runs. */

export const EPERM = 1
export const ENOENT = 2
export const ESRCH = 3
export const EINTR = 4
export const E2BIG = 7
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EBUSY = 16
export const EEXIST = 17
export const ENODEV = 19
export const EINVAL = 22
export const ENFILE = 23
export const EFBIG = 27
export const EMLINK = 31
export const ERANGE = 34
export const ENODATA = 61
export const EPROTO = 71
export const EOVERFLOW = 75
export const ERESTART = 85
export const EMSGSIZE = 90
export const EPROTONOSUPPORT = 93
export const EOPNOTSUPP = 95
export const EAFNOSUPPORT = 97
export const EADDRNOTAVAIL = 99
export const ENETDOWN = 100
export const ENETUNREACH = 101
export const ENOBUFS = 105
export const ETIMEDOUT = 110
export const EHOSTUNREACH = 113
export const ECANCELED = 125

/** The kernel's answer to a message that it refuses. */
export class Errno extends Error {
  readonly errno: number
  /** Where the attribute at fault begins (NL_SET_BAD_ATTR). */
  readonly offset: number | undefined

  constructor(errno: number, offset?: number) {
    super(`errno ${errno}`)
    this.errno = errno
    this.offset = offset
  }
}
