/**
 * IPVS messages as bytes, with the names and numbers of include/uapi/linux/ip_vs.h: for what the client refuses to send, and to look at
 * answers without its tables.
 */
import {
  beginMessage,
  endMessage,
  errnoName,
  MessageReader,
  MessageWriter,
  messagesOf,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  type Reply,
  readAcknowledgement,
  type Socket,
  type Transport,
} from '../../../lib/netlink/index.js'
import { attribute, attributesOf, readU16, text } from './bytes.js'

export const COMMAND = {
  NEW_SERVICE: 1,
  SET_SERVICE: 2,
  DEL_SERVICE: 3,
  GET_SERVICE: 4,
  NEW_DEST: 5,
  SET_DEST: 6,
  DEL_DEST: 7,
  GET_DEST: 8,
  NEW_DAEMON: 9,
  DEL_DAEMON: 10,
  GET_DAEMON: 11,
  SET_CONFIG: 12,
  GET_CONFIG: 13,
  SET_INFO: 14,
  GET_INFO: 15,
  ZERO: 16,
  FLUSH: 17,
} as const

const NESTS = {
  service: {
    AF: 1,
    PROTOCOL: 2,
    ADDR: 3,
    PORT: 4,
    FWMARK: 5,
    SCHED_NAME: 6,
    FLAGS: 7,
    TIMEOUT: 8,
    NETMASK: 9,
    STATS: 10,
    PE_NAME: 11,
    STATS64: 12,
    UNKNOWN: 60,
  },
  dest: {
    ADDR: 1,
    PORT: 2,
    FWD_METHOD: 3,
    WEIGHT: 4,
    U_THRESH: 5,
    L_THRESH: 6,
    ACTIVE_CONNS: 7,
    INACT_CONNS: 8,
    PERSIST_CONNS: 9,
    STATS: 10,
    ADDR_FAMILY: 11,
    STATS64: 12,
    TUN_TYPE: 13,
    TUN_PORT: 14,
    TUN_FLAGS: 15,
    UNKNOWN: 60,
  },
  daemon: {
    STATE: 1,
    MCAST_IFN: 2,
    SYNC_ID: 3,
    SYNC_MAXLEN: 4,
    MCAST_GROUP: 5,
    MCAST_GROUP6: 6,
    MCAST_PORT: 7,
    MCAST_TTL: 8,
  },
} as const
const NEST_NUMBERS = { service: 1, dest: 2, daemon: 3 } as const
const TOP = { TIMEOUT_TCP: 4, TIMEOUT_TCP_FIN: 5, TIMEOUT_UDP: 6, UNKNOWN: 60 } as const
const NLA_F_NESTED = 0x8000

export type ServicePayloads = Payloads<typeof NESTS.service>
export type DestPayloads = Payloads<typeof NESTS.dest>
export type DaemonPayloads = Payloads<typeof NESTS.daemon>
type Payloads<T> = { readonly [K in keyof T]?: Buffer | undefined }

/** The attributes of a message by name; an undefined one is left out. */
export interface Attributes {
  readonly service?: Payloads<typeof NESTS.service>
  readonly dest?: Payloads<typeof NESTS.dest>
  readonly daemon?: Payloads<typeof NESTS.daemon>
  readonly top?: Payloads<typeof TOP>
  /** Sets NLA_F_NESTED in the type of nests, as newer programs do. Default false. */
  readonly nestedFlag?: boolean
}

/** A message of the family as it came. */
export interface Message {
  readonly type: number
  readonly command: number
  readonly flags: number
  readonly sequence: number
  /** Attributes at the top by number: info replies use the numbers of other messages. */
  readonly top: ReadonlyMap<number, Buffer>
  readonly service: Payloads<typeof NESTS.service> | undefined
  readonly dest: Payloads<typeof NESTS.dest> | undefined
  readonly daemon: Payloads<typeof NESTS.daemon> | undefined
  /** All of it behind the header of generic netlink. */
  readonly payload: Buffer
}

export interface Answer {
  /** `OK`, or the name of the errno. */
  readonly code: string
  readonly kernelMessage: string | undefined
  readonly messages: readonly Message[]
  /** How many NLMSG_DONE came. */
  readonly done: number
}

export interface Envelope {
  readonly flags?: number
  readonly version?: number
  /** Type of the message instead of the family's number. */
  readonly type?: number
}

export type CommandName = keyof typeof COMMAND

export class Raw {
  readonly #transport: Transport
  #socket: Socket | undefined
  #sequence = 1000
  #family: number | undefined

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** One request with an acknowledgement. */
  do(command: CommandName | number, attributes: Attributes = {}, envelope: Envelope = {}): Promise<Answer> {
    return this.#ask(command, attributes, { flags: NLM_F_REQUEST | NLM_F_ACK, ...envelope })
  }

  /** A request without an acknowledgement, and a barrier behind it: only a failure is answered. */
  async tell(command: CommandName, attributes: Attributes = {}): Promise<Answer> {
    const [answer] = await this.tellAll(command, [attributes])
    return answer as Answer
  }

  /** The same for many requests in one buffer. */
  async tellAll(command: CommandName, all: readonly Attributes[]): Promise<Answer[]> {
    const told = []
    for (const attributes of all) told.push(await this.message(command, attributes, { flags: NLM_F_REQUEST }))
    const barrier = this.#sequence++
    const bytes = Buffer.concat([...told.map(message => message.bytes), request(NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, barrier)])
    const reply = await this.socket.exchange(bytes, barrier, LIMIT)
    return told.map(({ sequence }) => answerOf(reply, sequence))
  }

  /** A dump to its end. */
  dump(command: CommandName | number, attributes: Attributes = {}): Promise<Answer> {
    return this.#ask(command, attributes, { flags: NLM_F_REQUEST | NLM_F_DUMP })
  }

  /** Bytes of a request, and its sequence number. */
  async message(
    command: CommandName | number,
    attributes: Attributes,
    { flags = NLM_F_REQUEST | NLM_F_ACK, version = 1, type }: Envelope,
  ): Promise<{ bytes: Uint8Array; sequence: number }> {
    const sequence = this.#sequence++
    const number = typeof command === 'number' ? command : COMMAND[command]
    return {
      bytes: request(type ?? (await this.family()), flags, sequence, header(number, version), encode(attributes)),
      sequence,
    }
  }

  /** Number of the family. */
  async family(): Promise<number> {
    this.#family ??= await this.#lookup()
    return this.#family
  }

  /** The socket that it all goes through. */
  get socket(): Socket {
    this.#socket ??= this.#transport.open({ protocol: NETLINK_GENERIC })
    return this.#socket
  }

  async close(): Promise<void> {
    await this.#socket?.close()
  }

  async #ask(command: CommandName | number, attributes: Attributes, envelope: Envelope): Promise<Answer> {
    const { bytes, sequence } = await this.message(command, attributes, envelope)
    return answerOf(await this.socket.exchange(bytes, sequence, LIMIT), sequence)
  }

  async #lookup(): Promise<number> {
    const sequence = this.#sequence++
    const name = attribute(CTRL_ATTR_FAMILY_NAME, text('IPVS'))
    const bytes = request(GENL_ID_CTRL, NLM_F_REQUEST, sequence, header(CTRL_CMD_GETFAMILY, 1), name)
    const { messages } = answerOf(await this.socket.exchange(bytes, sequence, LIMIT), sequence)
    const id = messages[0]?.top.get(CTRL_ATTR_FAMILY_ID)
    if (!id) throw new Error('the kernel has no family IPVS')
    return readU16(id) ?? 0
  }
}

/** Milliseconds: for a kernel under emulation, while modules load. */
const LIMIT = 120_000
const GENL_ID_CTRL = 16
const CTRL_CMD_GETFAMILY = 3
const CTRL_ATTR_FAMILY_ID = 1
const CTRL_ATTR_FAMILY_NAME = 2

const header = (command: number, version: number): Buffer => Buffer.from([command, version, 0, 0])

function request(type: number, flags: number, sequence: number, ...body: Uint8Array[]): Uint8Array {
  const writer = new MessageWriter(4096)
  const start = beginMessage(writer, type, flags, sequence)
  for (const part of body) {
    writer.reserve(part.length)
    writer.bytes.set(part, writer.offset)
    writer.offset += part.length
  }
  endMessage(writer, start)
  return writer.written()
}

function encode({ service, dest, daemon, top = {}, nestedFlag = false }: Attributes): Buffer {
  const nests = { service, dest, daemon }
  const names = Object.keys(NESTS) as (keyof typeof NESTS)[]
  return Buffer.concat([
    ...names.flatMap(name => {
      const payloads = nests[name]
      return payloads
        ? [attribute(NEST_NUMBERS[name] | (nestedFlag ? NLA_F_NESTED : 0), Buffer.concat(inOrder(NESTS[name], payloads)))]
        : []
    }),
    ...inOrder(TOP, top),
  ])
}

function inOrder(
  numbers: Readonly<Record<string, number>>,
  payloads: Readonly<Record<string, Uint8Array | undefined>>,
): Buffer[] {
  return Object.entries(payloads).flatMap(([name, payload]) => {
    const number = numbers[name]
    return payload && number !== undefined ? [attribute(number, payload)] : []
  })
}

/** What was answered to one request. */
export function answerOf(reply: Reply, sequence: number): Answer {
  if (reply.errno !== 0) return { code: errnoName(reply.errno), kernelMessage: reply.syscall, messages: [], done: 0 }
  const reader = new MessageReader(reply.data)
  const messages: Message[] = []
  let [code, kernelMessage, done] = ['OK', undefined as string | undefined, 0]
  for (const message of messagesOf(reader)) {
    if (message.sequence !== sequence) continue
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      const acknowledgement = readAcknowledgement(reader, message)
      if (message.type === NLMSG_DONE) done++
      if (acknowledgement.errno !== 0) code = errnoName(acknowledgement.errno)
      kernelMessage ??= acknowledgement.kernelMessage
    } else messages.push(decode(Buffer.from(reader.bytes.subarray(message.payload, message.end)), message))
  }
  return { code, kernelMessage, messages, done }
}

/** Sequence numbers of all messages that came, in order. */
export function sequencesOf(reply: Reply): number[] {
  return [...messagesOf(new MessageReader(reply.data))].map(({ sequence }) => sequence)
}

function decode(payload: Buffer, { type, flags, sequence }: { type: number; flags: number; sequence: number }): Message {
  const attributes = payload.subarray(4)
  const top = attributesOf(attributes)
  const nest = <K extends keyof typeof NESTS>(name: K): Payloads<(typeof NESTS)[K]> | undefined => {
    const bytes = top.get(NEST_NUMBERS[name])
    return bytes && named(NESTS[name], attributesOf(bytes))
  }
  const command = payload[0] ?? 0
  return {
    type,
    flags,
    sequence,
    command,
    top,
    service: nest('service'),
    dest: nest('dest'),
    daemon: nest('daemon'),
    payload: attributes,
  }
}

function named<T extends Readonly<Record<string, number>>>(numbers: T, found: ReadonlyMap<number, Buffer>): Payloads<T> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, found.get(number)])) as Payloads<T>
}
