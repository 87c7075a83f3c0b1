/** Connection tracking in the memory kernel (net/netfilter/nf_conntrack_netlink.c): its messages, and who is told of changes. */
import type { FlowRecord } from '../../conntrack/flow.js'
import {
  cpuAttributes,
  flowAttributes,
  globalAttributes,
  group,
  header,
  message,
  messageType,
  questionAttributes,
} from '../../conntrack/wire.js'
import { MessageWriter } from '../../netlink/buffer.js'
import { endMessage, NLM_F_DUMP, NLM_F_MULTI } from '../../netlink/message.js'
import { EBUSY, EEXIST, EINVAL, ENOENT, Errno } from '../errno.js'
import type { Callback, NetfilterRequest, Subsystem } from '../netfilter.js'
import { beginReply, type KernelSocket } from '../netlink.js'
import { isMeant } from './question.js'
import { type Flow, FlowTable } from './table.js'

const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
/** IPS_* */
const STATUS = { expected: 1, seenReply: 2, assured: 4, confirmed: 8, dying: 0x200, fixedTimeout: 0x400 }
/** What callers may set; the rest is the kernel's. */
const SETTABLE = STATUS.seenReply | STATUS.assured | STATUS.fixedTimeout
const FIXED = STATUS.expected | STATUS.confirmed | STATUS.dying
/** nf_conntrack_max of a machine with 4 GiB. */
const MAXIMUM = 262_144

type Put = (writer: MessageWriter) => void

export class Ctnetlink implements Subsystem {
  readonly #table: FlowTable
  readonly #sockets: ReadonlySet<KernelSocket>
  readonly #callbacks: ReadonlyMap<number, Callback>

  /** @param sockets of netfilter: those that have joined a group are told of changes */
  constructor(clock: () => number, sockets: ReadonlySet<KernelSocket>) {
    this.#table = new FlowTable(clock, MAXIMUM)
    this.#sockets = sockets
    const callback = (read: (request: NetfilterRequest) => void): Callback => ({ policy: {}, read })
    this.#callbacks = new Map([
      [message.new, callback(request => this.#new(request))],
      [message.get, callback(request => this.#get(request))],
      [message.delete, callback(request => this.#delete(request))],
      [message.getStatisticsCpu, callback(request => this.#statisticsCpu(request))],
      [message.getStatistics, callback(request => this.#statistics(request))],
    ])
  }

  callback(number: number): Callback | undefined {
    return this.#callbacks.get(number)
  }

  /** ctnetlink_new_conntrack */
  #new(request: NetfilterRequest): void {
    const record = recordOf(request)
    const { flags } = request.message
    const found = this.#find(record)
    if (found && flags & NLM_F_EXCL) throw new Errno(EEXIST)
    if (found) return this.#change(found, record)
    if (!(flags & NLM_F_CREATE)) throw new Errno(ENOENT)
    const { original, reply, timeout, status = STATUS.confirmed, mark = 0, state, zone = 0 } = record
    if (!original || !reply || timeout === undefined) throw new Errno(EINVAL)
    checkStatus(STATUS.confirmed, status)
    const protocol = original.protocol
    if (protocol === 'sctp' && state && (state.sctp?.state === undefined || state.sctp.tagOriginal === undefined))
      throw new Errno(EINVAL)
    const kept = (status & SETTABLE) | STATUS.confirmed
    const flow = this.#table.add({ original, reply, zone, status: kept, mark, state: stateOf(protocol, state) }, timeout)
    this.#tell(group.new, message.new, NLM_F_CREATE | NLM_F_EXCL, flow)
  }

  /** ctnetlink_change_conntrack */
  #change(flow: Flow, { timeout, mark, markMask = 0xffff_ffff, status, state }: FlowRecord): void {
    if (status !== undefined) checkStatus(flow.status, status)
    if (status !== undefined) flow.status |= status & SETTABLE
    if (timeout !== undefined) this.#table.prolong(flow, timeout)
    if (mark !== undefined) flow.mark = ((flow.mark & ~markMask) ^ mark) >>> 0
    if (state) flow.state = stateOf(flow.original.protocol, state)
    this.#tell(group.update, message.new, 0, flow)
  }

  #find({ original, reply, zone = 0 }: FlowRecord): Flow | undefined {
    if (original) return this.#table.find(original, zone)
    return reply && this.#table.find(reply, zone)
  }

  /** ctnetlink_get_conntrack */
  #get(request: NetfilterRequest): void {
    const { socket, message: asked, family, reader } = request
    if ((asked.flags & NLM_F_DUMP) === NLM_F_DUMP) {
      const question = questionAttributes.decode(reader, asked.payload + header.size, asked.end) ?? {}
      const flows = this.#table.all().filter(flow => isMeant(flow, family, question))
      return startDump(
        socket,
        asked.sequence,
        flows.map(flow => [message.new, this.#put(flow)] as const),
      )
    }
    const record = recordOf(request)
    if (!record.original && !record.reply) throw new Errno(EINVAL)
    const flow = this.#find(record)
    if (!flow) throw new Errno(ENOENT)
    socket.deliver(messageOf(socket.portId, messageType(message.new), 0, asked.sequence, this.#put(flow)))
  }

  /** ctnetlink_del_conntrack: without a tuple everything goes. */
  #delete(request: NetfilterRequest): void {
    const { reader, message: asked, family } = request
    const record = recordOf(request)
    if (!record.original && !record.reply) {
      const { version } = header.read(reader, asked.payload)
      const question = questionAttributes.decode(reader, asked.payload + header.size, asked.end) ?? {}
      for (const flow of this.#table.all()) if (isMeant(flow, version === 0 ? 0 : family, question)) this.#end(flow)
      return
    }
    const flow = this.#find(record)
    if (!flow || (record.id !== undefined && record.id !== flow.id)) throw new Errno(ENOENT)
    this.#end(flow)
  }

  #end(flow: Flow): void {
    this.#table.remove(flow)
    this.#tell(group.destroy, message.delete, 0, flow)
  }

  #statistics({ socket, message: { sequence } }: NetfilterRequest): void {
    const put: Put = writer => {
      header.write(writer, {})
      globalAttributes.encode(writer, { entries: this.#table.size, maximum: this.#table.maximum })
    }
    socket.deliver(messageOf(socket.portId, messageType(message.getStatistics), 0, sequence, put))
  }

  /** One processor, which has counted nothing. */
  #statisticsCpu({ socket, message: { sequence } }: NetfilterRequest): void {
    const put: Put = writer => {
      header.write(writer, {})
      cpuAttributes.encode(writer, NO_COUNTS)
    }
    startDump(socket, sequence, [[message.getStatisticsCpu, put]])
  }

  /** ctnetlink_fill_info */
  #put(flow: Flow): Put {
    return writer => {
      const { family, original, reply, status, mark, zone, id, state } = flow
      header.write(writer, { family })
      const timeout = this.#table.left(flow)
      flowAttributes.encode(writer, { original, reply, status, timeout, mark, id, use: 1, zone: zone || undefined, state })
    }
  }

  #tell(to: number, number: number, flags: number, flow: Flow): void {
    for (const socket of this.#sockets)
      if (socket.groups.has(to)) socket.deliver(messageOf(0, messageType(number), flags, 0, this.#put(flow)))
  }
}

const NO_COUNTS = {
  found: 0,
  invalid: 0,
  insert: 0,
  insertFailed: 0,
  drop: 0,
  earlyDrop: 0,
  error: 0,
  searchRestart: 0,
  clashResolve: 0,
  chainTooLong: 0,
}

function recordOf({ reader, message: { payload, end } }: NetfilterRequest): FlowRecord {
  return flowAttributes.decode(reader, payload + header.size, end) ?? {}
}

/** Flows of a protocol with states have one, `none` at first. */
function stateOf(protocol: Flow['original']['protocol'], state: FlowRecord['state']): FlowRecord['state'] {
  if (protocol === 'tcp') return { tcp: { state: 0, ...state?.tcp } }
  if (protocol === 'sctp') return { sctp: { state: 0, ...state?.sctp } }
  return undefined
}

/** ctnetlink_change_status */
function checkStatus(before: number, after: number): void {
  const changed = before ^ after
  if (changed & FIXED) throw new Errno(EBUSY)
  if (changed & before & (STATUS.seenReply | STATUS.assured)) throw new Errno(EBUSY)
}

function messageOf(portId: number, type: number, flags: number, sequence: number, put: Put): Uint8Array {
  const writer = new MessageWriter(512)
  const start = beginReply(writer, portId, type, flags, sequence)
  put(writer)
  endMessage(writer, start)
  return writer.written()
}

function startDump(socket: KernelSocket, sequence: number, entries: readonly (readonly [number, Put])[]): never {
  socket.startDump(sequence, () => {
    let done = 0
    return page => {
      for (; done < entries.length; done++) {
        const [number, put] = entries[done] as readonly [number, Put]
        const fits = page.put(writer => {
          const start = beginReply(writer, socket.portId, messageType(number), NLM_F_MULTI, sequence)
          put(writer)
          endMessage(writer, start)
        })
        if (!fits) return
      }
    }
  })
}
