/** Generic netlink in the memory kernel (net/netlink/genetlink.c): families by number, and the controller that tells the numbers. */
import { type MessageReader, MessageWriter } from '../netlink/buffer.js'
import { GENERIC_HEADER } from '../netlink/generic.js'
import { beginNest, endMessage, endNest, NLM_F_ACK, NLM_F_DUMP, NLM_F_MULTI, NLM_F_REQUEST } from '../netlink/message.js'
import { attributes, cstring, u16, u32 } from '../netlink/schema.js'
import { EINVAL, ENOENT, EOPNOTSUPP, EPERM, Errno } from './errno.js'
import { beginReply, type Dump, type Page, type Request } from './netlink.js'
import { type Payload, type Policy, parse, text, u16Rule } from './policy.js'

const CONTROLLER = 16
const CTRL_CMD_NEWFAMILY = 1
const CTRL_CMD_GETFAMILY = 3
const CTRL_ATTR_OPS = 6
const NLM_F_ECHO = 8

/** GENL_ADMIN_PERM, GENL_CMD_CAP_DO, GENL_CMD_CAP_DUMP, GENL_CMD_CAP_HASPOL */
const operationFlag = { administrator: 1, do: 2, dump: 4, policy: 8 } as const

/** What a family does for a command. One that is missing is answered with EOPNOTSUPP. */
export interface Operation {
  readonly do?: (call: Call) => void
  /** Starts a dump. Its request was not looked at before. */
  readonly dump?: (call: Call) => Dump
}

export interface KernelFamily {
  readonly name: string
  readonly version: number
  /** Rules of the attributes at the top, and the highest number of one. */
  readonly policy: Policy
  readonly maximumAttribute: number
  /** Whether CAP_NET_ADMIN in the initial user namespace is needed. */
  readonly privileged: boolean
  readonly operations: Readonly<Record<number, Operation>>
}

/** One command on its way to its operation. */
export class Call {
  readonly request: Request
  readonly command: number
  readonly family: number
  readonly version: number

  constructor(request: Request, family: number, version: number) {
    this.request = request
    this.command = request.reader.bytes[request.message.payload] as number
    this.family = family
    this.version = version
  }

  get reader(): MessageReader {
    return this.request.reader
  }

  /** The attributes at the top. */
  parse(policy: Policy, report = this.request.report): Map<number, Payload> {
    const { reader, message } = this.request
    return parse(reader, message.payload + GENERIC_HEADER, message.end, policy, report)
  }

  /** Answers with one message. */
  reply(command: number, body: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter(512)
    this.#write(writer, command, 0, body)
    this.request.socket.deliver(writer.written())
  }

  /** Adds a message to a page of a dump. False when it did not fit. */
  put(page: Page, command: number, body: (writer: MessageWriter) => void): boolean {
    return page.put(writer => this.#write(writer, command, NLM_F_MULTI, body))
  }

  #write(writer: MessageWriter, command: number, flags: number, body: (writer: MessageWriter) => void): void {
    const { socket, message } = this.request
    const start = beginReply(writer, socket.portId, this.family, flags, message.sequence)
    writer.u32[writer.offset >> 2] = 0
    writer.bytes[writer.offset] = command
    writer.bytes[writer.offset + 1] = this.version
    writer.offset += GENERIC_HEADER
    body(writer)
    endMessage(writer, start)
  }
}

/** In the order of the kernel's reply (ctrl_fill_info). */
const familyTable = attributes({
  familyName: [2, cstring],
  familyId: [1, u16],
  version: [3, u32],
  headerSize: [4, u32],
  maximumAttribute: [5, u32],
})
const operationTable = attributes({ command: [1, u32], flags: [2, u32] })
const familyPolicy: Policy = { 1: u16Rule, 2: text(15) }

export class GenericNetlink {
  readonly #families = new Map<number, KernelFamily>()
  /** What the caller may do. */
  readonly #permitted: boolean
  #nextId = 28

  constructor(permitted: boolean) {
    this.#permitted = permitted
    this.#families.set(CONTROLLER, {
      name: 'nlctrl',
      version: 2,
      policy: familyPolicy,
      maximumAttribute: 10,
      privileged: false,
      operations: { [CTRL_CMD_GETFAMILY]: { do: call => this.#getFamily(call), dump: call => this.#dumpFamilies(call) } },
    })
  }

  /** Gives a family the next number: one that comes back has another than before (idr_alloc_cyclic). */
  register(family: KernelFamily): number {
    const id = this.#nextId++
    this.#families.set(id, family)
    return id
  }

  unregister(id: number): void {
    this.#families.delete(id)
  }

  /** genl_rcv_msg */
  readonly handle = (request: Request): void => {
    const { message } = request
    const family = this.#families.get(message.type)
    if (!family) throw new Errno(ENOENT)
    if (message.end - message.payload < GENERIC_HEADER) throw new Errno(EINVAL)
    const call = new Call(request, message.type, family.version)
    const operation = family.operations[call.command]
    if (!operation) throw unknownCommand(call, family)
    if (family.privileged && !this.#permitted) throw new Errno(EPERM)
    const dumping = (message.flags & NLM_F_DUMP) === NLM_F_DUMP
    const { do: carryOut, dump } = operation
    if (dumping && dump) request.socket.startDump(message.sequence, () => dump(call))
    if (dumping || !carryOut) throw new Errno(EOPNOTSUPP)
    carryOut(call)
  }

  /** ctrl_getfamily */
  #getFamily(call: Call): void {
    const wanted = call.parse(familyPolicy)
    const id = wanted.get(1)
    const name = wanted.get(2)
    if (!id && !name) throw new Errno(EINVAL)
    for (const [number, family] of this.#families) {
      const found = name
        ? family.name === cstring.read(call.reader, name.start, name.end - name.start)
        : id && number === u16.read(call.reader, id.start, 2)
      if (found) return call.reply(CTRL_CMD_NEWFAMILY, writer => encodeFamily(writer, number, family))
    }
    throw new Errno(ENOENT)
  }

  /** ctrl_dumpfamily */
  #dumpFamilies(call: Call): Dump {
    let done = 0
    return page => {
      for (const [id, family] of [...this.#families].slice(done)) {
        if (!call.put(page, CTRL_CMD_NEWFAMILY, writer => encodeFamily(writer, id, family))) return
        done++
      }
    }
  }
}

/** Commands past a family's last one are held to the flags that exist (genl_header_check, Linux 6.1). */
function unknownCommand(call: Call, family: KernelFamily): Errno {
  const { reader, message, report } = call.request
  if (call.command <= Math.max(...Object.keys(family.operations).map(Number))) return new Errno(EOPNOTSUPP)
  const flags = (message.flags & NLM_F_DUMP) === NLM_F_DUMP ? message.flags & ~NLM_F_DUMP : message.flags
  if (reader.u16[(message.payload >> 1) + 1]) report.message = 'genlmsghdr.reserved field is not 0'
  else if (flags & ~(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)) report.message = 'ambiguous or reserved bits set in nlmsg_flags'
  else return new Errno(EOPNOTSUPP)
  return new Errno(EINVAL)
}

function encodeFamily(writer: MessageWriter, id: number, family: KernelFamily): void {
  const { name, version, maximumAttribute, privileged } = family
  familyTable.encode(writer, { familyName: name, familyId: id, version, headerSize: 0, maximumAttribute })
  const operations = beginNest(writer, CTRL_ATTR_OPS)
  Object.entries(family.operations).forEach(([command, operation], i) => {
    const nest = beginNest(writer, i + 1)
    const flags =
      (privileged ? operationFlag.administrator : 0) |
      (operation.dump ? operationFlag.dump : 0) |
      (operation.do ? operationFlag.do : 0) |
      operationFlag.policy
    operationTable.encode(writer, { command: Number(command), flags })
    endNest(writer, nest)
  })
  endNest(writer, operations)
}
