/** Netlink of netfilter in the memory kernel (net/netfilter/nfnetlink.c): subsystems by number, and batches of messages. */
import type { MessageReader } from '../netlink/buffer.js'
import { HEADER, type Message, messageAt, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { EINVAL, EOPNOTSUPP, EPERM, ERESTART, Errno } from './errno.js'
import { each, type KernelSocket, type Receiver, type Request } from './netlink.js'
import { Nest } from './nft/attributes.js'
import { type Policy, parse, type Report, u32Rule } from './policy.js'

const BATCH_BEGIN = 0x10
const BATCH_END = 0x11
const NFNL_BATCH_GENID = 1
/** NFNL_SUBSYS_COUNT */
const SUBSYSTEMS = 13
const NLMSG_MIN_TYPE = 16

/** A request to a subsystem, its attributes checked. */
export interface NetfilterRequest extends Request {
  readonly family: number
  readonly attributes: Nest
}

/** A message of a subsystem. */
export interface Callback {
  readonly policy: Policy
  /** What does it outside of batches. */
  readonly read?: (request: NetfilterRequest) => void
  /** What does it inside of a batch. */
  readonly write?: (request: NetfilterRequest, batch: Batch) => void
}

/** What became of a batch that came to its end: `again` asks for another try in which every message is looked at by itself. */
export type Outcome = 'done' | 'again' | Errno

/** A running batch of a subsystem. */
export interface Batch {
  commit(socket: KernelSocket, first: { readonly flags: number; readonly sequence: number }): Outcome
  /** Takes it back. `tried` says that no message failed: it was meant to be taken back. */
  abort(tried: boolean): Outcome
}

export interface Subsystem {
  callback(number: number): Callback | undefined
  /** Undefined when the ruleset has another generation. 0 is any. Absent where messages come one by one. */
  begin?(generation: number, validates: boolean): Batch | undefined
}

/** What a message is answered with when the batch has ended. */
interface Answer {
  readonly message: Message
  readonly errno: number
  readonly report: Report
}

export class Netfilter {
  readonly #subsystems: ReadonlyMap<number, Subsystem>
  /** What the caller may do. */
  readonly #permitted: boolean
  readonly #each: Receiver

  constructor(subsystems: ReadonlyMap<number, Subsystem>, permitted: boolean) {
    this.#subsystems = subsystems
    this.#permitted = permitted
    this.#each = each(request => this.#receiveMessage(request))
  }

  /** nfnetlink_rcv */
  readonly receive: Receiver = (socket, reader) => {
    const first = messageAt(reader, 0)
    if (!first) return
    if (!this.#permitted) socket.acknowledge(reader, first, EPERM)
    else if (first.type === BATCH_BEGIN) this.#receiveBatch(socket, reader, first)
    else this.#each(socket, reader)
  }

  /** nfnetlink_rcv_msg */
  #receiveMessage({ socket, reader, message, report }: Request): void {
    if (message.end - message.payload < NETFILTER_HEADER) return
    const callback = this.#subsystems.get(message.type >> 8)?.callback(message.type & 255)
    if (!callback) throw new Errno(EINVAL)
    const request = requestOf(socket, reader, message, callback.policy, report)
    if (!callback.read) throw new Errno(EINVAL)
    reporting(report, () => callback.read?.(request))
  }

  /** nfnetlink_rcv_skb_batch */
  #receiveBatch(socket: KernelSocket, reader: MessageReader, begin: Message): void {
    const body = begin.payload + NETFILTER_HEADER
    if (reader.end < body) return
    let found: ReturnType<typeof parse>
    try {
      found = parse(reader, body, begin.end, { [NFNL_BATCH_GENID]: u32Rule }, {})
    } catch (error) {
      return socket.acknowledge(reader, begin, errnoOf(error))
    }
    const { bytes } = reader
    const resource = ((bytes[begin.payload + 2] as number) << 8) | (bytes[begin.payload + 3] as number)
    // nft once wrote its number in the machine's own byte order.
    const number = resource === 0x0a00 ? 10 : resource
    const subsystem = this.#subsystems.get(number)
    if (number >= SUBSYSTEMS) return socket.acknowledge(reader, begin, EINVAL)
    if (!subsystem?.begin) return socket.acknowledge(reader, begin, EOPNOTSUPP)
    const genid = found.get(NFNL_BATCH_GENID)
    const generation = genid ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(genid.start) : 0
    new BatchRun(socket, reader, begin, subsystem, number).run(generation)
  }
}

/** nfnetlink_rcv_batch */
class BatchRun {
  readonly #socket: KernelSocket
  readonly #reader: MessageReader
  readonly #begin: Message
  readonly #subsystem: Subsystem
  readonly #number: number
  #answers: Answer[] = []

  constructor(socket: KernelSocket, reader: MessageReader, begin: Message, subsystem: Subsystem, number: number) {
    this.#socket = socket
    this.#reader = reader
    this.#begin = begin
    this.#subsystem = subsystem
    this.#number = number
  }

  run(generation: number): void {
    for (const validates of [false, true]) {
      this.#answers = []
      const batch = this.#subsystem.begin?.(generation, validates)
      if (!batch) return this.#socket.acknowledge(this.#reader, this.#begin, ERESTART)
      if (this.#begin.flags & NLM_F_ACK) this.#answer(this.#begin, 0)
      if (this.#end(batch, this.#messages(batch)) !== 'again') break
    }
    for (const { message, errno, report } of this.#answers) this.#socket.acknowledge(this.#reader, message, errno, report)
  }

  /** Carries out the messages. What came of them, and BATCH_END if it is there. */
  #messages(batch: Batch): { failed: boolean; end: Message | undefined } {
    let failed = false
    for (let at = this.#begin.end; ; ) {
      const message = messageAt(this.#reader, at)
      if (!message && this.#reader.end - at < HEADER) return { failed, end: undefined }
      if (!message || message.end - message.payload < NETFILTER_HEADER || message.type === BATCH_BEGIN) {
        this.#answers = [] // nothing is told of a batch that makes no sense
        return { failed: true, end: undefined }
      }
      if (message.flags & NLM_F_REQUEST && message.type === BATCH_END) return { failed, end: message }
      if (!this.#message(batch, message)) failed = true
      at = message.end
    }
  }

  /** False when it failed. */
  #message(batch: Batch, message: Message): boolean {
    const report: Report = {}
    let errno = 0
    try {
      reporting(report, () => this.#carryOut(batch, message, report))
    } catch (error) {
      errno = errnoOf(error)
    }
    if (errno || message.flags & NLM_F_ACK) this.#answer(message, errno, report)
    return errno === 0
  }

  #carryOut(batch: Batch, message: Message, report: Report): void {
    const { type, flags } = message
    if (!(flags & NLM_F_REQUEST) || type < NLMSG_MIN_TYPE || type >> 8 !== this.#number) throw new Errno(EINVAL)
    const callback = this.#subsystem.callback(type & 255)
    if (!callback?.write) throw new Errno(EINVAL)
    callback.write(requestOf(this.#socket, this.#reader, message, callback.policy, report), batch)
  }

  #end(batch: Batch, { failed, end }: { failed: boolean; end: Message | undefined }): Outcome {
    if (failed || !end) return batch.abort(!failed)
    const first = messageAt(this.#reader, this.#begin.end) ?? end
    const outcome = batch.commit(this.#socket, first)
    if (outcome instanceof Errno) this.#socket.acknowledge(this.#reader, first, outcome.errno)
    else if (outcome === 'done' && end.flags & NLM_F_ACK) this.#answer(end, 0)
    return outcome
  }

  #answer(message: Message, errno: number, report: Report = {}): void {
    this.#answers.push({ message, errno, report })
  }
}

function requestOf(
  socket: KernelSocket,
  reader: MessageReader,
  message: Message,
  policy: Policy,
  report: Report,
): NetfilterRequest {
  const attributes = new Nest(reader, message.payload + NETFILTER_HEADER, message.end, policy, report)
  return { socket, reader, message, report, family: reader.bytes[message.payload] as number, attributes }
}

/** What an error points at is part of the report. */
function reporting(report: Report, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (error instanceof Errno && error.offset !== undefined) Object.assign(report, { offset: error.offset, rule: undefined })
    throw error
  }
}

function errnoOf(error: unknown): number {
  if (error instanceof Errno) return error.errno
  throw error
}
