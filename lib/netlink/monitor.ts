/** The socket that the kernel tells changes to, and what of it nobody has read yet. */
import { errnoName, NetlinkError } from './error.js'
import type { Trace } from './trace.js'
import type { Socket, Transport } from './transport.js'

/** Bytes that may wait in the kernel; granted where CAP_NET_ADMIN is of the initial user namespace. */
const RECEIVE_BUFFER = 64 << 20
const ENOBUFS = 105
/** Bytes that a piece takes besides its data. */
const OVERHEAD = 256

/** What is told. */
export interface Subscription {
  readonly protocol: number
  /** Multicast groups. */
  readonly groups: readonly number[]
  readonly trace: Trace
}

interface Piece {
  readonly data: Uint8Array
  next: Piece | undefined
}

export class Monitor {
  readonly #socket: Socket
  readonly #trace: Trace
  /** Bytes that may wait here. */
  readonly #most: number
  #first: Piece | undefined
  #last: Piece | undefined
  #bytes = 0
  /** Something was dropped: what comes now has a gap before it. */
  #lost = false
  #failure: NetlinkError | undefined
  #closed: Promise<void> | undefined
  #wake = () => {}

  constructor(transport: Transport, { protocol, groups, trace }: Subscription, most: number) {
    this.#most = most
    this.#trace = trace
    this.#socket = transport.open({ protocol, receiveBuffer: RECEIVE_BUFFER })
    try {
      for (const group of groups) this.#socket.join(group)
    } catch (error) {
      void this.#socket.close()
      throw error instanceof NetlinkError && error.code === 'EPERM' ? notPermitted(error) : error
    }
    this.#socket.subscribe((data, errno) => this.#arrived(data, errno))
  }

  #arrived(data: Uint8Array, errno: number): void {
    this.#trace.received(data)
    if (errno === 0) this.#keep(data)
    else if (errno === ENOBUFS) this.#lost = true
    else
      this.#failure = new NetlinkError({
        errno,
        syscall: 'recvmsg',
        operation: 'watch',
        problem: 'other',
        reason: `${errnoName(errno)}: no more changes can be received`,
      })
    this.#wake()
  }

  #keep(data: Uint8Array): void {
    if (this.#lost) return
    const bytes = this.#bytes + data.length + OVERHEAD
    if (bytes > this.#most) {
      this.#lost = true
      return
    }
    const piece = { data, next: undefined }
    if (this.#last) this.#last.next = piece
    this.#last = piece
    this.#first ??= piece
    this.#bytes = bytes
  }

  /**
   * What arrived next, in order. `lost`: what comes then has a gap before it, until `restart`. `quiet`: nothing came for so many
   * milliseconds. `closed`: no more comes. Throws what ended it.
   */
  async next(milliseconds?: number): Promise<Uint8Array | 'lost' | 'quiet' | 'closed'> {
    if (this.#closed) return 'closed'
    if (this.#first) return this.#take(this.#first)
    if (this.#failure) throw this.#failure
    if (this.#lost) return 'lost'
    return (await this.#arrival(milliseconds)) ? this.next(milliseconds) : 'quiet'
  }

  #take({ data, next }: Piece): Uint8Array {
    this.#first = next
    if (!next) this.#last = undefined
    this.#bytes -= data.length + OVERHEAD
    return data
  }

  /** Whether something came in time. */
  #arrival(milliseconds: number | undefined): Promise<boolean> {
    return new Promise(resolve => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => resolve(false), milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return !this.#first && !this.#lost
  }

  /** Throws away what waits: the state will be read, which has it all. */
  restart(): void {
    this.#first = undefined
    this.#last = undefined
    this.#bytes = 0
    this.#lost = false
  }

  close(): Promise<void> {
    this.#closed ??= this.#socket.close()
    this.#wake()
    return this.#closed
  }
}

function notPermitted(cause: NetlinkError): NetlinkError {
  return new NetlinkError({
    errno: -cause.errno,
    syscall: cause.syscall,
    operation: 'watch',
    problem: 'not-permitted',
    reason: 'the kernel tells changes only to those who have CAP_NET_ADMIN: run as root',
    cause,
  })
}
