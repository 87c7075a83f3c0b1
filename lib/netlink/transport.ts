/** What netlink clients need of the system. The native addon is one transport, the memory kernel of `ts-ipvs/testing` another. */

export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12
export const NETLINK_GENERIC = 16

/** What came back for a request. System errors are told here; the promise does not reject for them. */
export interface Reply {
  /** Whole messages in the order of their arrival, each aligned to 4 bytes. */
  readonly data: Uint8Array
  /** 0, or the positive errno that ended it. */
  readonly errno: number
  /** The system call that failed. */
  readonly syscall: string
  /** Bytes that the kernel took. It works while it takes them: 0 means that nothing was applied. */
  readonly sent: number
  /** The kernel dropped replies for want of buffer (ENOBUFS). */
  readonly lost: boolean
  /** The closing message was seen. */
  readonly complete: boolean
  /** How many datagrams the data came in. A dump that fits in one is consistent: the kernel made it under its lock. */
  readonly datagrams: number
}

/** One netlink socket. Calls run one after the other. */
export interface Socket {
  /** Bytes of receive buffer that the kernel granted. */
  readonly receiveBuffer: number
  /** Bytes of the largest request that the kernel takes (EMSGSIZE). */
  readonly sendBuffer: number
  /** The port that the kernel knows the socket by. */
  readonly portId: number
  /**
   * What identifies the network namespace that the socket lives in until the machine starts anew: its cookie, or before Linux 5.14 device
   * and inode, which another namespace may get when this one is gone. Undefined where neither can be had.
   */
  readonly namespace: string | undefined
  /** Sends messages, and receives until the closing one of sequence number `last`. `timeout` in milliseconds. */
  exchange(request: Uint8Array, last: number, timeout: number): Promise<Reply>
  /** Receives about `size` bytes of a dump, after sending its request when one is given. */
  page(request: Uint8Array | null, last: number, size: number, timeout: number): Promise<Reply>
  /** Sends dump requests one after the other, each when the one before was answered, and returns all the answers. */
  dumpMany(requests: Uint8Array, timeout: number): Promise<Reply>
  /** Reports datagrams of the joined groups, or the errno that came instead. */
  subscribe(onDatagrams: (data: Uint8Array, errno: number) => void): void
  ref(): void
  unref(): void
  join(group: number): void
  leave(group: number): void
  /** Settles when the descriptor is closed: after what is in flight. */
  close(): Promise<void>
}

export interface SocketOptions {
  readonly protocol: number
  readonly groups?: readonly number[] | undefined
  /** Bytes of replies that may wait, and of a request. The kernel grants what it may. */
  readonly receiveBuffer?: number | undefined
  readonly sendBuffer?: number | undefined
}

/** Sockets and files of one network namespace. */
export interface Transport {
  open(options: SocketOptions): Socket
  /** Reads a file below /proc as that namespace shows it, in chunks. Rejects as node:fs does. */
  readFile(path: string): AsyncIterable<Uint8Array>
  /** Writes a sysctl. Rejects as node:fs does. */
  writeFile(path: string, text: string): Promise<void>
  close(): Promise<void>
}
