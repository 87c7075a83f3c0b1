/** Messages of nftables to a socket (include/linux/netfilter/nfnetlink.h, nfnl_msg_put). */
import { MessageWriter } from '../../netlink/buffer.js'
import { endMessage, NLM_F_MULTI } from '../../netlink/message.js'
import { NETFILTER_HEADER } from '../../netlink/netfilter.js'
import { beginReply, type KernelSocket } from '../netlink.js'

/** NFNL_SUBSYS_NFTABLES */
const SUBSYSTEM = 10
const NLM_F_DUMP_INTR = 0x10

export interface Header {
  readonly number: number
  readonly flags: number
  readonly family: number
  readonly portId: number
  readonly sequence: number
  /** Of which the low 16 bits are told. */
  readonly generation: number
}

export function putMessage(writer: MessageWriter, header: Header, body: (writer: MessageWriter) => void): void {
  const { portId, number, flags, sequence, family, generation } = header
  const start = beginReply(writer, portId, (SUBSYSTEM << 8) | number, flags, sequence)
  const { bytes, offset } = writer
  bytes[offset] = family
  bytes[offset + 1] = 0
  bytes[offset + 2] = generation >> 8
  bytes[offset + 3] = generation
  writer.offset = offset + NETFILTER_HEADER
  body(writer)
  endMessage(writer, start)
}

/** Answers with one message. */
export function reply(socket: KernelSocket, header: Header, body: (writer: MessageWriter) => void): void {
  const writer = new MessageWriter(512)
  putMessage(writer, header, body)
  socket.deliver(writer.written())
}

/** What is told of one thing in a dump. */
export interface Entry {
  readonly family: number
  /** Flags besides NLM_F_MULTI. */
  readonly flags?: number | undefined
  put(writer: MessageWriter): void
  /** When it has been told. */
  told?(): void
}

/** Answers with many messages, page by page. A page that was made after a change says so, for things may be told twice or never. */
export function startDump(
  socket: KernelSocket,
  header: Pick<Header, 'number' | 'sequence'>,
  generation: () => number,
  entries: () => Iterable<Entry>,
): never {
  socket.startDump(header.sequence, () => {
    let done = 0
    let before: number | undefined
    return page => {
      const now = generation()
      let skipped = 0
      for (const { family, flags = 0, put, told } of entries()) {
        if (skipped++ < done) continue
        const interrupted = before !== undefined && before !== now ? NLM_F_DUMP_INTR : 0
        const common = { ...header, portId: socket.portId, family, generation: now }
        if (!page.put(writer => putMessage(writer, { ...common, flags: NLM_F_MULTI | flags | interrupted }, put))) return
        before = now
        told?.()
        done++
      }
      page.interrupted = before !== undefined && before !== now
    }
  })
}
