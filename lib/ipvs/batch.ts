/**
 * Many operations at once. They are sent without an acknowledgement each: only failures answer, and the last message of a window says
 * that the window has been worked off (af_netlink.c, netlink_rcv_skb).
 */

import { MessageReader, MessageWriter } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import { lostReply, readerOf } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import { type Body, Refusal } from '../netlink/generic.js'
import { type Acknowledgement, messagesOf, NLM_F_ACK, NLMSG_ERROR, readAcknowledgement } from '../netlink/message.js'
import { askedOf, attribute, explain, needsSurroundings, type Surroundings } from './explain.js'
import type { Kernel } from './kernel.js'
import { checkPort, realServerKeyToWire, realServerToWire } from './real-server.js'
import type { RealServerConfig, RealServerKey, VirtualServerConfig, VirtualServerKey } from './types.js'
import { DEFAULT_SCHEDULER, describeVirtualServer, virtualServerKeyToWire, virtualServerToWire } from './virtual-server.js'
import { command, type DestinationRecord, request, type ServiceRecord } from './wire.js'

/** One operation of a batch. The names are those of the client's methods. */
export type Operation =
  | {
      readonly operation: 'addVirtualServer' | 'updateVirtualServer' | 'ensureVirtualServer'
      readonly virtualServer: VirtualServerConfig
    }
  | { readonly operation: 'removeVirtualServer'; readonly virtualServer: VirtualServerKey }
  | {
      readonly operation: 'addRealServer' | 'updateRealServer' | 'ensureRealServer'
      readonly virtualServer: VirtualServerKey
      readonly realServer: RealServerConfig
    }
  | { readonly operation: 'removeRealServer'; readonly virtualServer: VirtualServerKey; readonly realServer: RealServerKey }
  /** Sets counters to zero: of one virtual server and its real servers, or of all. */
  | { readonly operation: 'zero'; readonly virtualServer?: VirtualServerKey | undefined }
  | { readonly operation: 'flush' }

/**
 * What became of one operation. `found` is false where something to be removed was not there, which is no failure; `missing` says whether
 * it was the virtual server or the real server that the kernel did not find. An error is a NetlinkError, or a TypeError or RangeError of an operation that was not sent.
 */
export type Result =
  | { readonly ok: true; readonly found?: undefined }
  | { readonly ok: true; readonly found: false; readonly missing: 'virtual-server' | 'real-server' }
  | { readonly ok: false; readonly error: Error }

const DONE: Result = Object.freeze({ ok: true })
const NO_VIRTUAL_SERVER: Result = Object.freeze({ ok: true, found: false, missing: 'virtual-server' })
const NO_REAL_SERVER: Result = Object.freeze({ ok: true, found: false, missing: 'real-server' })

const ENOENT = 2
const ESRCH = 3
const EEXIST = 17

/** Bytes of a window: as fast as a megabyte, and the kernel's mutex is held shorter. */
const WINDOW = 60 << 10
/** What an answer takes of the receive buffer (an skb, not the bytes in it). */
const ANSWER = 1280

/** Operations that are looked at in one go, whether they can be sent or not. */
const SLICE = 2000

/** Messages in flight together. */
interface Window {
  readonly writer: MessageWriter
  /** Index of the operation that it begins with. */
  readonly from: number
  readonly first: number
  /** Index of the operation that message i belongs to. */
  readonly owners: number[]
  /** Where message i starts. */
  readonly starts: number[]
  /** A scheduler new to us ends its window: were it missing, every further try would cost the kernel a modprobe. */
  unproven?: string
}

export async function run(kernel: Kernel, operations: readonly Operation[], limit: Limit): Promise<Result[]> {
  return new Run(kernel, operations, limit).all()
}

class Run {
  readonly #kernel: Kernel
  readonly #operations: readonly Operation[]
  readonly #limit: Limit
  readonly #results: Result[]
  /** Why a virtual server was not made, by its key: the cause why what belongs to it finds none. */
  readonly #failed = new Map<string, Error>()
  /** Schedulers that the kernel has not got. */
  readonly #noScheduler = new Map<string, Acknowledgement>()
  #around: Surroundings | undefined
  #next = 0
  /** Messages of a window: all of them may be refused without an answer being lost. */
  #most = 16
  #lastKey: VirtualServerKey | undefined
  #lastEncoded: EncodedKey | undefined

  constructor(kernel: Kernel, operations: readonly Operation[], limit: Limit) {
    this.#kernel = kernel
    this.#operations = operations
    this.#limit = limit
    this.#results = new Array<Result>(operations.length)
  }

  async all(): Promise<Result[]> {
    const { writes } = this.#kernel
    await writes.resolve(this.#limit)
    this.#most = Math.max(16, Math.floor(writes.channel.open().receiveBuffer / ANSWER))
    let flying: { window: Window; exchange: ReturnType<typeof writes.channel.exchange> } | undefined
    try {
      for (;;) {
        // Encoded while the window before is in flight.
        let window = flying?.window.unproven === undefined && this.#next < this.#operations.length ? this.#encode() : undefined
        if (flying) {
          const { window: before, exchange } = flying
          const carriedOut = await this.#settle(before, await exchange)
          flying = undefined
          writes.channel.recycle(before.writer)
          // The module was loaded again, and had forgotten everything: from this window on, once more.
          if (!carriedOut) this.#next = before.from
          if (!carriedOut) window = undefined
        }
        if (window?.starts.length) {
          const sent = window.writer.written()
          flying = { window, exchange: writes.channel.exchange(sent, window.first + window.starts.length - 1, this.#limit) }
          flying.exchange.catch(() => {}) // looked at above, after the next window was encoded
        } else if (this.#next >= this.#operations.length) break
      }
    } catch (error) {
      this.#giveUp(error, flying?.window)
    }
    return this.#results
  }

  /** Encodes operations until the window is full. */
  #encode(): Window {
    const { writes } = this.#kernel
    const writer = writes.channel.writer()
    const window: Window = {
      writer,
      from: this.#next,
      first: writes.channel.sequence(0, 2 * this.#most + 2),
      owners: [],
      starts: [],
    }
    while (
      this.#next < this.#operations.length &&
      writer.offset < WINDOW &&
      window.starts.length < this.#most &&
      this.#next - window.from < SLICE &&
      window.unproven === undefined
    ) {
      const index = this.#next++
      this.#write(window, index)
    }
    writes.channel.sequence(window.starts.length)
    const last = window.starts.at(-1)
    if (last !== undefined) writer.u16[(last >> 1) + 3] = (writer.u16[(last >> 1) + 3] as number) | NLM_F_ACK
    return window
  }

  #write(window: Window, index: number): void {
    const operation = this.#operations[index] as Operation
    const start = window.writer.offset
    const count = window.starts.length
    try {
      this.#encodeOne(window, index, operation)
    } catch (error) {
      window.writer.offset = start
      window.starts.length = window.owners.length = count
      this.#fail(index, error as Error)
      if (operation?.operation === 'addVirtualServer' || operation?.operation === 'ensureVirtualServer')
        this.#failed.set(describeVirtualServer(operation.virtualServer), error as Error)
    }
  }

  #encodeOne(window: Window, index: number, operation: Operation): void {
    switch (operation?.operation) {
      case 'addVirtualServer':
      case 'updateVirtualServer':
      case 'ensureVirtualServer': {
        const service = virtualServerToWire(operation.virtualServer)
        this.#checkScheduler(window, service.scheduler ?? DEFAULT_SCHEDULER, operation)
        const body: Body = writer => request.encode(writer, { service })
        if (operation.operation !== 'addVirtualServer') this.#message(window, index, command.setService, body)
        if (operation.operation !== 'updateVirtualServer') this.#message(window, index, command.newService, body)
        return
      }
      case 'removeVirtualServer':
        return this.#message(window, index, command.delService, this.#key(operation.virtualServer).write)
      case 'addRealServer':
      case 'updateRealServer':
      case 'ensureRealServer': {
        const key = this.#key(operation.virtualServer)
        const destination = realServerToWire(operation.realServer)
        if (operation.operation !== 'updateRealServer') checkPort(destination, key.service)
        const body = key.with(destination)
        // What exists already is set first: of the two messages one takes effect, whichever it is.
        if (operation.operation !== 'addRealServer') this.#message(window, index, command.setDest, body)
        if (operation.operation !== 'updateRealServer') this.#message(window, index, command.newDest, body)
        return
      }
      case 'removeRealServer': {
        const key = this.#key(operation.virtualServer)
        return this.#message(window, index, command.delDest, key.with(realServerKeyToWire(operation.realServer)))
      }
      case 'zero': {
        const body = operation.virtualServer === undefined ? undefined : this.#key(operation.virtualServer).write
        return this.#message(window, index, command.zero, body)
      }
      case 'flush':
        return this.#message(window, index, command.flush, undefined)
      default:
        throw new TypeError(
          `operation: ${JSON.stringify((operation as { operation?: unknown })?.operation)} is none: see the type Operation`,
        )
    }
  }

  /** Real servers of one virtual server come one behind the other, mostly. */
  #key(key: VirtualServerKey): EncodedKey {
    if (key !== this.#lastKey || !this.#lastEncoded) {
      this.#lastEncoded = new EncodedKey(key)
      this.#lastKey = key
    }
    return this.#lastEncoded
  }

  #checkScheduler(window: Window, scheduler: string, operation: Operation): void {
    const missing = this.#noScheduler.get(scheduler)
    if (missing) throw explain(askedOf(operation), new Refusal(missing, undefined), undefined)
    if (!this.#kernel.proven.has(scheduler)) window.unproven = scheduler
  }

  #message(window: Window, index: number, id: number, body: Body | undefined): void {
    const { writer, first, starts, owners } = window
    starts.push(this.#kernel.writes.write(writer, id, 0, first + starts.length, body))
    owners.push(index)
  }

  /** Reads the answers to a window. False when it went to a family number that is no more. */
  async #settle(window: Window, { data, lost }: { data: Uint8Array[]; lost: boolean }): Promise<boolean> {
    const failures = failuresOf(window, data)
    const last = window.starts.length - 1
    const [stale, unresolved] = await this.#stale(failures)
    if (stale) return false
    if (this.#around === undefined && [...failures.values()].some(ack => needsSurroundings(ack.errno)))
      this.#around = await this.#kernel.surroundings()
    for (let i = 0; i <= last; ) {
      const index = window.owners[i] as number
      const count = window.owners[i + 1] === index ? 2 : 1
      this.#judge(window, i, count, failures, lost, unresolved)
      i += count
    }
    if (unresolved) throw unresolved
    if (window.unproven !== undefined && this.#results[window.owners[last] as number]?.ok && !lost)
      this.#kernel.proven.add(window.unproven)
    return true
  }

  /** Whether the family's number had changed, or why that could not be found out. */
  async #stale(failures: ReadonlyMap<number, Acknowledgement>): Promise<[stale: boolean, unresolved?: Error]> {
    if (![...failures.values()].some(({ errno }) => errno === ENOENT)) return [false]
    try {
      return [await this.#kernel.writes.changed(this.#limit)]
    } catch (error) {
      return [false, error as Error]
    }
  }

  /** The result of the operation whose messages start at `i`. */
  #judge(
    window: Window,
    i: number,
    count: number,
    failures: ReadonlyMap<number, Acknowledgement>,
    lost: boolean,
    unresolved: Error | undefined,
  ): void {
    const index = window.owners[i] as number
    let at = i + count - 1
    let failure = failures.get(at)
    if (count === 2) {
      const set = failures.get(i)
      if (!set && !lost) failure = undefined
      else if (failure && failure.errno === EEXIST) [failure, at] = [set, i]
    }
    const operation = this.#operations[index] as Operation
    if (failure?.errno === ENOENT && unresolved) this.#fail(index, unresolved)
    else if (failure && operation.operation.startsWith('remove') && (failure.errno === ESRCH || failure.errno === ENOENT))
      this.#results[index] = failure.errno === ESRCH ? NO_VIRTUAL_SERVER : NO_REAL_SERVER
    else if (failure) this.#refuse(window, index, at, operation, failure)
    else if (lost) this.#fail(index, lostReply())
    else this.#results[index] = DONE
  }

  #refuse(window: Window, index: number, at: number, operation: Operation, failure: Acknowledgement): void {
    const asked = askedOf(operation)
    const key =
      'virtualServer' in operation && operation.virtualServer ? describeVirtualServer(operation.virtualServer) : undefined
    const path =
      failure.offset === undefined
        ? undefined
        : this.#kernel.writes.path(new MessageReader(window.writer.written()), window.starts[at] as number, failure.offset)
    const cause = failure.errno === ESRCH && key !== undefined ? this.#failed.get(key) : undefined
    const error = explain(asked, new Refusal(failure, path), this.#around, cause)
    this.#results[index] = { ok: false, error }
    if (!operation.operation.endsWith('VirtualServer') || key === undefined) return
    this.#failed.set(key, error)
    if (error.problem === 'no-such-scheduler')
      this.#noScheduler.set(
        (operation as { virtualServer: VirtualServerConfig }).virtualServer.scheduler ?? DEFAULT_SCHEDULER,
        failure,
      )
  }

  #fail(index: number, error: Error): void {
    const operation = this.#operations[index] as Operation
    this.#results[index] = { ok: false, error: attribute(error, askedOf(operation)) as Error }
  }

  /** Interrupted: what is in flight is unknown, what was not sent is known to be undone. */
  #giveUp(error: unknown, window: Window | undefined): void {
    if (window) for (const index of window.owners) if (!this.#results[index]) this.#fail(index, error as Error)
    const unsent =
      error instanceof NetlinkError
        ? new NetlinkError({
            errno: -error.errno,
            code: error.code,
            problem: error.problem,
            applied: 'no',
            reason: 'not sent, because the batch ended before',
            cause: error,
          })
        : (error as Error)
    for (let index = 0; index < this.#operations.length; index++) if (!this.#results[index]) this.#fail(index, unsent)
  }
}

const scratch = new MessageWriter(256)

/** The key of a virtual server, encoded once for all the messages that it stands in. */
class EncodedKey {
  readonly service: ServiceRecord
  readonly #bytes: Uint8Array

  constructor(key: VirtualServerKey) {
    this.service = virtualServerKeyToWire(key)
    scratch.offset = 0
    request.encode(scratch, { service: this.service })
    this.#bytes = scratch.written().slice()
  }

  readonly write: Body = writer => writer.append(this.#bytes)

  with(destination: DestinationRecord): Body {
    return writer => {
      writer.append(this.#bytes)
      request.encode(writer, { destination })
    }
  }
}

function failuresOf(window: Window, data: readonly Uint8Array[]): Map<number, Acknowledgement> {
  const failures = new Map<number, Acknowledgement>()
  const reader = readerOf(data)
  for (const message of messagesOf(reader)) {
    const i = message.sequence - window.first
    if (message.type !== NLMSG_ERROR || i < 0 || i >= window.starts.length) continue
    const acknowledgement = readAcknowledgement(reader, message)
    if (acknowledgement.errno !== 0) failures.set(i, acknowledgement)
  }
  return failures
}
