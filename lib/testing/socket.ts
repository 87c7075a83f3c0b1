/** A socket of the memory kernel. It sends and receives as the native addon does (native/transaction.cc). */
import { MessageReader, MessageWriter } from '../netlink/buffer.js'
import {
  beginMessage,
  endMessage,
  type Message,
  messagesOf,
  NLM_F_ACK,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../netlink/message.js'
import type { Reply, Socket } from '../netlink/transport.js'
import { EAGAIN, ECANCELED, EMSGSIZE, ENOBUFS, ESRCH, ETIMEDOUT } from './errno.js'
import type { Faults, SocketCall, Strike } from './faults.js'
import { acknowledgement, type KernelSocket } from './netlink.js'

/** What the kernel keeps of a send buffer for itself (netlink_sendmsg). */
const SEND_OVERHEAD = 32
/** Datagrams that a subscription is told of in one go. */
const AT_ONCE = 32
/** Longer than any process runs: it keeps the event loop alive. */
const FOREVER = 0x7fffffff

/** What a socket is told by the kernel that it belongs to. */
export interface SocketSurroundings {
  readonly namespace: string
  /** As getsockopt tells it. */
  readonly sendBuffer: number
  join(group: number): void
  closed(): void
}

export class MemorySocket implements Socket {
  readonly receiveBuffer: number
  readonly sendBuffer: number
  readonly portId: number
  readonly namespace: string
  readonly #kernel: KernelSocket
  readonly #faults: Faults
  readonly #surroundings: SocketSurroundings
  readonly #closed = new AbortController()
  #running: Promise<unknown> = Promise.resolve()
  /** Of the call before. */
  #previous: readonly Uint8Array[] = []
  /** Keeps the process running while a subscription does. */
  #alive: NodeJS.Timeout | undefined

  constructor(kernel: KernelSocket, faults: Faults, surroundings: SocketSurroundings) {
    this.#kernel = kernel
    this.#surroundings = surroundings
    this.namespace = surroundings.namespace
    this.#faults = faults
    this.receiveBuffer = kernel.receiveBuffer
    this.sendBuffer = surroundings.sendBuffer - SEND_OVERHEAD
    this.portId = kernel.portId
  }

  exchange(request: Uint8Array, last: number, timeout: number): Promise<Reply> {
    return this.#run('exchange', timeout, async transaction => {
      const acknowledged = acknowledges(request, last)
      if (await transaction.send(request)) await transaction.receive(last, Infinity, acknowledged)
    })
  }

  page(request: Uint8Array | null, last: number, size: number, timeout: number): Promise<Reply> {
    return this.#run('page', timeout, async transaction => {
      if (!request || (await transaction.send(request))) await transaction.receive(last, size)
    })
  }

  dumpMany(requests: Uint8Array, timeout: number): Promise<Reply> {
    return this.#run('dumpMany', timeout, async transaction => {
      const reader = new MessageReader(requests)
      transaction.complete = true
      for (const { start, end, sequence } of messagesOf(reader)) {
        if (!(await transaction.send(reader.bytes.subarray(start, end)))) return
        if (!(await transaction.receive(sequence, Infinity))) return
      }
    })
  }

  subscribe(onDatagrams: (data: Uint8Array, errno: number) => void): void {
    let due = false
    const report = (): void => {
      due = false
      if (this.#closed.signal.aborted) return
      const { data, errno, more } = this.#waiting()
      if (data.length > 0) onDatagrams(data, 0)
      if (errno !== 0 && !this.#closed.signal.aborted) onDatagrams(new Uint8Array(), errno)
      if (more || errno !== 0) this.#kernel.onReadable?.()
    }
    this.#kernel.onReadable = () => {
      if (!due) setImmediate(report)
      due = true
    }
    this.#alive = setInterval(() => {}, FOREVER)
    this.#kernel.onReadable()
  }

  /** What has come, at most so much at once; and the error that came instead of more. */
  #waiting(): { data: Uint8Array; errno: number; more: boolean } {
    const datagrams: Uint8Array[] = []
    while (datagrams.length < AT_ONCE) {
      const datagram = this.#kernel.receive()
      if (datagram === EAGAIN) return { data: Buffer.concat(datagrams), errno: 0, more: false }
      if (typeof datagram === 'number') return { data: Buffer.concat(datagrams), errno: datagram, more: true }
      datagrams.push(datagram)
    }
    return { data: Buffer.concat(datagrams), errno: 0, more: true }
  }

  join(group: number): void {
    this.#surroundings.join(group)
  }

  leave(group: number): void {
    this.#kernel.groups.delete(group)
  }

  ref(): void {
    this.#alive?.ref()
  }

  unref(): void {
    this.#alive?.unref()
  }

  async close(): Promise<void> {
    this.#closed.abort()
    clearInterval(this.#alive)
    await this.#running
    this.#surroundings.closed()
  }

  #run(call: SocketCall, timeout: number, work: (transaction: Transaction) => Promise<void>): Promise<Reply> {
    if (this.#closed.signal.aborted) throw new Error('the socket is closed')
    const before = this.#running
    const strike = this.#faults.strike(call)
    const reply = this.#settle(before, timeout, strike, work)
    this.#running = reply.catch(() => {})
    return reply
  }

  /** The kernel works on another thread, and what it did is known in a later turn of the event loop. */
  async #settle(
    before: Promise<unknown>,
    timeout: number,
    strike: Strike | undefined,
    work: (transaction: Transaction) => Promise<void>,
  ): Promise<Reply> {
    await before
    const begins = !this.#closed.signal.aborted
    await new Promise(resolve => setImmediate(resolve))
    const transaction = new Transaction(this.#kernel, this.sendBuffer, this.#closed.signal, timeout, strike, this.#previous)
    if (begins) await work(transaction)
    else transaction.cancel()
    this.#previous = transaction.received
    return transaction.reply()
  }
}

/** One call. */
class Transaction {
  readonly received: Uint8Array[] = []
  complete = false
  readonly #kernel: KernelSocket
  readonly #sendBuffer: number
  readonly #closed: AbortSignal
  readonly #timeout: number
  readonly #strike: Strike | undefined
  readonly #early: Uint8Array[] = []
  #errno = 0
  #syscall = ''
  #sent = 0
  #lost = false

  constructor(
    kernel: KernelSocket,
    sendBuffer: number,
    closed: AbortSignal,
    timeout: number,
    strike: Strike | undefined,
    previous: readonly Uint8Array[],
  ) {
    this.#kernel = kernel
    this.#sendBuffer = sendBuffer
    this.#closed = closed
    this.#timeout = timeout
    this.#strike = strike
    if (strike?.fault === 'late-reply') this.#early.push(...previous)
  }

  /** Ends it before it began. */
  cancel(): void {
    this.#fail(ECANCELED, 'sendmsg')
  }

  async send(request: Uint8Array): Promise<boolean> {
    const fault = this.#strike?.fault
    if (fault === 'hang') await this.#strike?.released
    if (typeof fault === 'object' && fault.syscall === 'sendmsg') return this.#fail(fault.errno, 'sendmsg')
    if (request.length > this.#sendBuffer) return this.#fail(EMSGSIZE, 'sendmsg')
    this.#kernel.send(request)
    this.#sent += request.length
    return true
  }

  /** @param acknowledged whether the closing message is an acknowledgement, behind all that answers the request */
  async receive(last: number, size: number, acknowledged = false): Promise<boolean> {
    const fault = this.#strike?.fault
    if (typeof fault === 'object') return this.#fail(fault.errno, fault.syscall)
    if (fault === 'lost-replies') this.#kernel.loseReplies()
    if (fault === 'no-reply') this.#kernel.discard()
    if (fault === 'foreign-reply') this.#early.push(foreignReply(this.#kernel.portId))
    let length = 0
    this.complete = false
    while (!this.complete && length < size) {
      if (this.#closed.aborted) return this.#fail(ECANCELED, 'recvmsg')
      const datagram = this.#early.shift() ?? this.#kernel.receive()
      if (typeof datagram !== 'number') {
        if (fault === 'malformed-reply') spoil(datagram)
        this.received.push(datagram)
        length += datagram.length
        for (const message of messagesOf(new MessageReader(datagram))) this.complete ||= closes(message, last, acknowledged)
      } else if (datagram === ENOBUFS) this.#lost = true
      else if (datagram === EAGAIN && this.#lost) return false
      else return this.#fail(await this.#silence(), 'poll')
    }
    return true
  }

  reply(): Reply {
    return {
      data: Buffer.concat(this.received),
      errno: this.#errno,
      syscall: this.#syscall,
      sent: this.#sent,
      lost: this.#lost,
      complete: this.complete,
      datagrams: this.received.length,
    }
  }

  #fail(errno: number, syscall: string): false {
    this.#errno = errno
    this.#syscall = syscall
    this.complete = false
    return false
  }

  /** This kernel answers within `sendmsg` or not at all: what ends the waiting is the time, or a close. */
  #silence(): Promise<number> {
    return new Promise(resolve => {
      const timer = this.#timeout > 0 ? setTimeout(() => resolve(ETIMEDOUT), this.#timeout) : undefined
      const cancel = (): void => {
        clearTimeout(timer)
        resolve(ECANCELED)
      }
      if (this.#closed.aborted) cancel()
      else this.#closed.addEventListener('abort', cancel, { once: true })
    })
  }
}

function closes({ type, flags, sequence }: Message, last: number, acknowledged: boolean): boolean {
  if (sequence !== last) return false
  return type === NLMSG_ERROR || type === NLMSG_DONE || (!acknowledged && (flags & NLM_F_MULTI) === 0)
}

function acknowledges(request: Uint8Array, last: number): boolean {
  for (const { sequence, flags } of messagesOf(new MessageReader(request)))
    if (sequence === last && flags & NLM_F_ACK) return true
  return false
}

function foreignReply(portId: number): Uint8Array {
  const writer = new MessageWriter(64)
  endMessage(writer, beginMessage(writer, NLMSG_ERROR, 0, 0xfffffff0))
  const reader = new MessageReader(writer.written())
  const [message] = messagesOf(reader)
  return message ? acknowledgement(portId, reader, message, ESRCH, {}) : new Uint8Array()
}

/** Families' messages begin with an attribute behind 20 bytes of headers. */
function spoil(datagram: Uint8Array): void {
  const reader = new MessageReader(datagram)
  for (const { type, start, end } of messagesOf(reader))
    if (type >= 16 && end - start >= 24) reader.u16[(start + 20) >> 1] = 0xffff
}
