/**
 * What the native addon offers: a netlink socket that never blocks JavaScript. It moves bytes and knows no message format beyond
 * `struct nlmsghdr`. Arguments are taken as they are (lib/netlink validates); a wrong type throws a TypeError, what is no socket one with
 * ERR_INVALID_ARG_TYPE, a closed socket an Error (ERR_SOCKET_CLOSED), one that is both asked and watched too (ERR_SOCKET_IN_USE).
 * Kernel and system errors never throw: they come back as `errno` (positive) and `syscall`.
 */
declare namespace addon {
  /** An open netlink socket. Opaque; released by `close`, at the latest when it is collected or its environment ends. */
  interface Socket {
    readonly __socket: unique symbol
  }

  interface OpenOptions {
    /** NETLINK_GENERIC is 16, NETLINK_NETFILTER 12, NETLINK_ROUTE 0. */
    readonly protocol: number
    /** Descriptor of a network namespace to open the socket in (only during the call). Default: the namespace of the calling thread. */
    readonly netns?: number
    /** Multicast groups to join at once (NETLINK_ADD_MEMBERSHIP). */
    readonly groups?: readonly number[]
    /** Bytes of SO_RCVBUF and SO_SNDBUF: *FORCE first, plain second. The kernel's default when absent. */
    readonly receiveBuffer?: number
    readonly sendBuffer?: number
    /** Port id that requests go to, and that replies must come from. Default 0, the kernel. */
    readonly destination?: number
  }

  interface Opened {
    readonly socket?: Socket
    /** 0, or why there is no socket. */
    readonly errno: number
    /** 'setns', 'socket', 'bind', 'setsockopt'… */
    readonly syscall: string
    /** Port id that the kernel gave. */
    readonly portId: number
    /** What the kernel really granted (getsockopt; the kernel doubles what it is asked for). */
    readonly receiveBuffer: number
    readonly sendBuffer: number
    /** Cookie of the network namespace that the socket lives in: no other has had it since the machine started. 0 before Linux 5.14. */
    readonly netnsCookie: bigint
  }

  interface Reply {
    /** Whole netlink messages, in the order of arrival, each aligned to 4 bytes; empty after an error before the first. */
    readonly data: Buffer
    /**
     * 0, or the error that ended it: ENOBUFS from receiving is `lost` instead; ETIMEDOUT; ECANCELED (closed before it began: nothing was
     * sent); EBADMSG for bytes that are no messages, EMSGSIZE for a datagram over 1 MiB (neither comes from a kernel).
     */
    readonly errno: number
    /** 'sendmsg', 'recvmsg', 'poll', or 'pthread_create' when no thread could be had. */
    readonly syscall: string
    /** Bytes that the kernel took. It runs a buffer's requests inside sendmsg: 0 means that nothing was applied. */
    readonly sent: number
    /** The kernel dropped replies (ENOBUFS) while this was going on. Receiving went on after it. */
    readonly lost: boolean
    /** Datagrams received into `data`. */
    readonly datagrams: number
    /**
     * The closing message was seen: an NLMSG_ERROR or NLMSG_DONE with the awaited sequence number, or a message with it without NLM_F_MULTI,
     * unless `exchange` sent NLM_F_ACK with that number: then what answers comes first.
     */
    readonly complete: boolean
  }

  /** Opens a socket: NETLINK_EXT_ACK, NETLINK_CAP_ACK, SOCK_CLOEXEC. Synchronous: it does nothing slow. */
  function open(options: OpenOptions): Opened

  /**
   * Sends `request` (one or more messages) in one sendmsg, then receives until the closing message of sequence number `last`.
   * On a thread of the addon's own. `request` must stay as it is until the promise settles. After ENOBUFS the closing message may never
   * come: then it ends when nothing more is queued, with `lost` and without `complete`.
   * @param timeout milliseconds to wait for replies after sending; 0 waits for ever
   */
  function exchange(socket: Socket, request: Uint8Array, last: number, timeout: number): Promise<Reply>

  /**
   * A page of a dump: sends `request` unless it is null, then receives datagrams until about `size` bytes are there or the closing
   * message of `last` came. The kernel makes the next part only when this one was read: not reading stops it.
   */
  function page(socket: Socket, request: Uint8Array | null, last: number, size: number, timeout: number): Promise<Reply>

  /**
   * Many small dumps in one crossing: sends the messages of `requests` one after the other, each when the one before has been answered
   * whole. All their replies come in one buffer. Ends at the first system error. The timeout counts anew for each. A wrong nlmsg_len
   * throws a RangeError (ERR_OUT_OF_RANGE), and nothing is sent.
   */
  function dumpMany(socket: Socket, requests: Uint8Array, timeout: number): Promise<Reply>

  /**
   * Watches the socket through the event loop's poll. `onDatagrams(data, errno)` gets what arrived (up to 32 datagrams at a time), or an
   * errno: ENOBUFS for an overrun (watching goes on), any other is the end. `unref`/`ref` say whether it keeps the process alive; it
   * starts as ref. A socket is either for requests or for watching.
   */
  function subscribe(socket: Socket, onDatagrams: (data: Buffer, errno: number) => void): void
  function ref(socket: Socket): void
  function unref(socket: Socket): void

  /** Joins or leaves a multicast group. Returns 0 or an errno. */
  function join(socket: Socket, group: number): number
  function leave(socket: Socket, group: number): number

  /**
   * Closes it once what is in flight has ended; calls that have not begun settle with ECANCELED, subscriptions end at once. Idempotent.
   * The promise settles when the descriptor is closed.
   */
  function close(socket: Socket): Promise<void>

  /** A descriptor (CLOEXEC) of the network namespace that the socket lives in (SIOCGSKNS, Linux 4.10), or a negative errno. */
  function namespaceOf(socket: Socket): number

  /**
   * Opens `path` inside a network namespace: a short-lived thread enters it. /proc/thread-self/net/… and /proc/sys/net/… show that
   * namespace, and are reached in no other way. Returns a descriptor (CLOEXEC) or a negative errno; `entered` false says that setns failed.
   */
  function openIn(netns: number, path: string, flags: number): { readonly fd: number; readonly entered: boolean }
}
export = addon
