/** The transport over the native addon. */
import { close, closeSync, constants, fstatSync, openSync, read, write } from 'node:fs'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import type * as Addon from '../../addon.cjs'
import { errnoName, NetlinkError } from './error.js'
import { describeNetns, type Netns, withNetns } from './netns.js'
import { NETLINK_GENERIC, type Reply, type Socket, type SocketOptions, type Transport } from './transport.js'

const require = createRequire(import.meta.url)
const readDescriptor = promisify(read)
const writeDescriptor = promisify(write)
const closeDescriptor = promisify(close)

/** Large enough that a window of requests can fail whole without an answer being lost. */
const RECEIVE_BUFFER = 4 << 20
const FILE_CHUNK = 64 << 10

let loaded: typeof Addon | undefined
function addon(): typeof Addon {
  if (loaded) return loaded
  try {
    // In the package the loader lies beside dist/; in a build of the tests one folder further up.
    loaded = require(findLoader()) as typeof Addon
  } catch (cause) {
    throw new NetlinkError({
      errno: 0,
      code: 'ERR_ADDON_NOT_FOUND',
      operation: 'open',
      problem: 'unsupported-platform',
      reason: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
  return loaded
}

function findLoader(): string {
  for (const path of ['../../addon.cjs', '../../../../addon.cjs']) {
    try {
      return require.resolve(path)
    } catch {}
  }
  throw new Error('addon.cjs of ts-ipvs was not found: the package is not whole; install it again')
}

/** A transport of the given namespace, by default that of this process. */
export function nativeTransport(netns?: Netns): Transport {
  return new NativeTransport(netns)
}

class NativeTransport implements Transport {
  readonly #addon = addon()
  /** Holds the namespace: its name may come to mean another one, or nothing, while this transport lives. */
  readonly #anchor: Addon.Socket | undefined

  constructor(netns: Netns | undefined) {
    if (netns !== undefined)
      this.#anchor = withNetns(netns, fd => openSocket(this.#addon, { protocol: NETLINK_GENERIC }, fd, netns)).socket
  }

  open(options: SocketOptions): Socket {
    const namespace = this.#namespace()
    try {
      return new NativeSocket(this.#addon, openSocket(this.#addon, { receiveBuffer: RECEIVE_BUFFER, ...options }, namespace))
    } finally {
      if (namespace !== undefined) void closeDescriptor(namespace)
    }
  }

  async *readFile(path: string): AsyncIterable<Uint8Array> {
    const fd = this.#openFile(path, constants.O_RDONLY)
    try {
      for (;;) {
        const { bytesRead, buffer } = await readDescriptor(fd, Buffer.allocUnsafe(FILE_CHUNK), 0, FILE_CHUNK, null)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await closeDescriptor(fd)
    }
  }

  async writeFile(path: string, text: string): Promise<void> {
    const fd = this.#openFile(path, constants.O_WRONLY)
    try {
      await writeDescriptor(fd, text)
    } finally {
      await closeDescriptor(fd)
    }
  }

  async close(): Promise<void> {
    if (this.#anchor) await this.#addon.close(this.#anchor)
  }

  /** A descriptor of the namespace, to be closed again; undefined for that of this process. */
  #namespace(): number | undefined {
    if (!this.#anchor) return undefined
    const fd = this.#addon.namespaceOf(this.#anchor)
    if (fd < 0) throw openError(-fd, 'ioctl', undefined)
    return fd
  }

  #openFile(path: string, flags: number): number {
    const namespace = this.#namespace()
    if (namespace === undefined) return openSync(path, flags)
    // /proc/net is that of the process; a thread that entered another namespace finds its own under thread-self.
    const { fd } = this.#addon.openIn(namespace, path.replace(/^\/proc\/net\//, '/proc/thread-self/net/'), flags)
    void closeDescriptor(namespace)
    if (fd >= 0) return fd
    const code = errnoName(-fd)
    throw Object.assign(new Error(`${code}: open '${path}'`), { code, errno: fd, syscall: 'open', path })
  }
}

function openSocket(
  native: typeof Addon,
  options: SocketOptions,
  netns: number | undefined,
  spec?: Netns,
): Addon.Opened & { socket: Addon.Socket } {
  const { protocol, groups, receiveBuffer, sendBuffer } = options
  const opened = native.open({
    protocol,
    ...(groups && { groups }),
    ...(receiveBuffer !== undefined && { receiveBuffer }),
    ...(sendBuffer !== undefined && { sendBuffer }),
    ...(netns !== undefined && { netns }),
  })
  if (!opened.socket) throw openError(opened.errno, opened.syscall, spec)
  return opened as Addon.Opened & { socket: Addon.Socket }
}

function openError(errno: number, syscall: string, netns: Netns | undefined): NetlinkError {
  const target = netns && describeNetns(netns)
  const common = { errno, syscall, operation: 'open', target }
  if (syscall === 'setns' && errnoName(errno) === 'EPERM')
    return new NetlinkError({
      ...common,
      problem: 'not-permitted',
      reason: 'entering another network namespace needs CAP_SYS_ADMIN: run as root',
    })
  if (syscall === 'setns')
    return new NetlinkError({
      ...common,
      problem: 'no-such-namespace',
      reason: 'this is not a network namespace: give a file as /run/netns/NAME or /proc/PID/ns/net',
    })
  if (errnoName(errno) === 'EMFILE' || errnoName(errno) === 'ENFILE')
    return new NetlinkError({
      ...common,
      problem: 'other',
      reason: 'no descriptor is left: close clients that are done with, or raise the limit (ulimit -n)',
    })
  return new NetlinkError({ ...common, problem: 'other', reason: 'the netlink socket could not be opened' })
}

/** What netlink_sendmsg keeps of the send buffer for itself. */
const SEND_OVERHEAD = 32

class NativeSocket implements Socket {
  readonly receiveBuffer: number
  readonly sendBuffer: number
  readonly portId: number
  readonly #addon: typeof Addon
  readonly #socket: Addon.Socket
  readonly #cookie: bigint

  constructor(native: typeof Addon, opened: Addon.Opened & { socket: Addon.Socket }) {
    this.#addon = native
    this.#socket = opened.socket
    this.#cookie = opened.netnsCookie
    this.receiveBuffer = opened.receiveBuffer
    this.sendBuffer = opened.sendBuffer - SEND_OVERHEAD
    this.portId = opened.portId
  }

  get namespace(): string | undefined {
    return this.#cookie === 0n ? this.#inode() : `cookie-${this.#cookie}`
  }

  #inode(): string | undefined {
    const fd = this.#addon.namespaceOf(this.#socket)
    if (fd < 0) return undefined
    const { dev, ino } = fstatSync(fd)
    closeSync(fd)
    return `inode-${dev}-${ino}`
  }

  exchange(request: Uint8Array, last: number, timeout: number): Promise<Reply> {
    return this.#addon.exchange(this.#socket, request, last, timeout)
  }
  page(request: Uint8Array | null, last: number, size: number, timeout: number): Promise<Reply> {
    return this.#addon.page(this.#socket, request, last, size, timeout)
  }
  dumpMany(requests: Uint8Array, timeout: number): Promise<Reply> {
    return this.#addon.dumpMany(this.#socket, requests, timeout)
  }
  subscribe(onDatagrams: (data: Uint8Array, errno: number) => void): void {
    this.#addon.subscribe(this.#socket, onDatagrams)
  }
  ref(): void {
    this.#addon.ref(this.#socket)
  }
  unref(): void {
    this.#addon.unref(this.#socket)
  }
  join(group: number): void {
    const errno = this.#addon.join(this.#socket, group)
    if (errno) throw openError(errno, 'setsockopt', undefined)
  }
  leave(group: number): void {
    const errno = this.#addon.leave(this.#socket, group)
    if (errno) throw openError(errno, 'setsockopt', undefined)
  }
  close(): Promise<void> {
    return this.#addon.close(this.#socket)
  }
}
