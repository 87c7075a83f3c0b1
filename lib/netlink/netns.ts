import { closeSync, openSync } from 'node:fs'
import { NetlinkError } from './error.js'

/**
 * A network namespace: the path of its file, its name (`ip netns add NAME`), a process that lives in it, or an open descriptor, which
 * stays the caller's and is used only during the call.
 */
export type Netns = { readonly path: string } | { readonly name: string } | { readonly pid: number } | { readonly fd: number }

/** In words, for errors. */
export function describeNetns(netns: Netns): string {
  if ('path' in netns) return netns.path
  if ('name' in netns) return `network namespace ${netns.name}`
  if ('pid' in netns) return `the network namespace of process ${netns.pid}`
  return `descriptor ${netns.fd}`
}

function pathOf(netns: Exclude<Netns, { fd: number }>): string {
  if ('path' in netns) {
    if (typeof netns.path !== 'string' || netns.path === '')
      throw new TypeError('netns.path: a path is needed, as /run/netns/blue')
    return netns.path
  }
  if ('pid' in netns) {
    if (!Number.isInteger(netns.pid) || netns.pid < 1)
      throw new RangeError(`netns.pid: ${netns.pid} is no process id: give a whole number from 1`)
    return `/proc/${netns.pid}/ns/net`
  }
  if (typeof netns.name !== 'string' || !/^[^/\0]+$/.test(netns.name) || netns.name === '.' || netns.name === '..')
    throw new TypeError(
      `netns.name: ${JSON.stringify(netns.name)} is no name as \`ip netns\` lists them: for a file give { path }`,
    )
  return `/run/netns/${netns.name}`
}

/** Runs `use` with a descriptor of the namespace, and closes what it opened. */
export function withNetns<T>(netns: Netns | undefined, use: (fd: number | undefined) => T): T {
  if (netns === undefined) return use(undefined)
  const { fd, close } = openNetns(netns)
  try {
    return use(fd)
  } finally {
    close()
  }
}

/** A descriptor of a namespace. `close` closes it, unless it is the caller's own. */
export function openNetns(netns: Netns): { readonly fd: number; close(): void } {
  checkNetns(netns)
  if ('fd' in netns) {
    if (!Number.isInteger(netns.fd) || netns.fd < 0) throw new RangeError(`netns.fd: ${netns.fd} is no descriptor`)
    return { fd: netns.fd, close: () => {} }
  }
  const path = pathOf(netns)
  try {
    const fd = openSync(path, 'r') // libuv adds O_CLOEXEC
    return { fd, close: () => closeSync(fd) }
  } catch (cause) {
    throw noSuchNamespace(netns, cause as NodeJS.ErrnoException)
  }
}

function checkNetns(netns: Netns): void {
  if (netns === null || typeof netns !== 'object' || !('path' in netns || 'name' in netns || 'pid' in netns || 'fd' in netns))
    throw new TypeError('netns: give one of { path }, { name }, { pid }, { fd }')
}

function noSuchNamespace(netns: Netns, cause: NodeJS.ErrnoException): NetlinkError {
  const remedy =
    'name' in netns
      ? '`ip netns list` shows those that there are, `ip netns add` makes one'
      : 'pid' in netns
        ? 'the process may have ended'
        : 'give the path of a namespace file, as /run/netns/NAME or /proc/PID/ns/net'
  return new NetlinkError({
    errno: -(cause.errno ?? 0),
    syscall: 'open',
    operation: 'open',
    target: describeNetns(netns),
    problem: cause.code === 'EACCES' || cause.code === 'EPERM' ? 'not-permitted' : 'no-such-namespace',
    reason:
      cause.code === 'EACCES' || cause.code === 'EPERM'
        ? 'may not be opened: run as root'
        : `there is no such namespace; ${remedy}`,
    cause,
  })
}
