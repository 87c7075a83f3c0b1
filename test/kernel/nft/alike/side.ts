/** A kernel that is asked by bytes, and what it answers, without what is different each time: ports, processes, where things lie in memory. */
import {
  errnoName,
  type Message,
  MessageReader,
  messagesOf,
  NETLINK_NETFILTER,
  readAcknowledgement,
  type Socket,
  type Transport,
} from '../../../../lib/netlink/index.js'
import { message } from '../../../../lib/nft/wire.js'
import { bytesOf, DUMP, raw, type Spec } from './messages.js'

const NLMSG_NOOP = 1
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NFNLGRP_NFTABLES = 7
const ACK = 4
/** Milliseconds until a kernel that has not answered is taken for one that does not. */
const SILENT = 30
const LIMIT = 20_000
const BUFFERS = { receiveBuffer: 8 << 20, sendBuffer: 8 << 20 }

/** Sockets by names, opened when they are used. */
export class Side {
  readonly #transport: Transport
  readonly #sockets = new Map<string, { readonly socket: Socket; sequence: number }>()

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Joins the group of all changes. */
  listen(name: string): void {
    this.#open(name).socket.join(NFNLGRP_NFTABLES)
  }

  /** Sends messages in one datagram, and returns all that is answered. */
  async ask(name: string, messages: readonly Spec[]): Promise<string[]> {
    const entry = this.#open(name)
    const { socket } = entry
    const request = Buffer.concat(messages.map(one => bytesOf(one, entry.sequence++)))
    const [first] = messages
    if (messages.length === 1 && first && (first.flags & DUMP) === DUMP && first.type >> 8 === 10)
      return this.#told(socket, (await socket.exchange(request, entry.sequence - 1, LIMIT)).data)
    // The first answer, if there is one, and behind a barrier the others.
    const answer = await socket.page(request, 0, 1, SILENT)
    return [...this.#told(socket, answer.data), ...(await this.read(name))]
  }

  /** What has come without having been asked for. */
  async read(name: string): Promise<string[]> {
    const entry = this.#open(name)
    const sequence = entry.sequence++
    const { data } = await entry.socket.exchange(bytesOf(raw(NLMSG_NOOP, ACK), sequence), sequence, LIMIT)
    return this.#told(entry.socket, data, sequence)
  }

  async close(name: string): Promise<void> {
    await this.#sockets.get(name)?.socket.close()
    this.#sockets.delete(name)
  }

  async end(): Promise<void> {
    for (const name of this.#sockets.keys()) await this.close(name)
    await this.#transport.close()
  }

  #open(name: string): { readonly socket: Socket; sequence: number } {
    const known = this.#sockets.get(name)
    if (known) return known
    const entry = { socket: this.#transport.open({ protocol: NETLINK_NETFILTER, ...BUFFERS }), sequence: 100 }
    this.#sockets.set(name, entry)
    return entry
  }

  #told(socket: Socket, data: Uint8Array, barrier = 0): string[] {
    const reader = new MessageReader(data)
    return [...messagesOf(reader)]
      .filter(({ sequence }) => barrier === 0 || sequence !== barrier)
      .map(one => describe(reader, one, socket.portId))
  }
}

/** One message: who it is to, what it is, and its bytes. */
function describe(reader: MessageReader, one: Message, portId: number): string {
  const { type, flags, sequence, start, payload, end } = one
  const port = reader.u32[(start >> 2) + 3]
  const header = `#${sequence} ${port === portId ? 'mine' : port === 0 ? 'kernel' : 'other'} ${flags.toString(16)}`
  if (type === NLMSG_DONE) return `${header} done`
  if (type === NLMSG_ERROR) {
    const { errno, offset, kernelMessage = '' } = readAcknowledgement(reader, one)
    return `${header} ${errno === 0 ? 'acknowledged' : errnoName(errno)} at ${offset} ${kernelMessage}`
  }
  const bytes = Buffer.from(reader.bytes.subarray(payload, end))
  const attributes = attributesOf(bytes.subarray(4), type & 255, portId)
  return `${header} ${NAMES.get(type & 255) ?? type} ${bytes.toString('hex', 0, 4)} ${attributes}`
}

const NAMES = new Map<number, string>(Object.entries(message).map(([name, number]) => [number, name]))

const ELEMENTS = 3
const BACKEND = 19
const OWNER = 7
const PROCESS = [2, 3]

function attributesOf(bytes: Buffer, number: number, portId: number): string {
  return (split(bytes) ?? [])
    .filter(({ type }) => !(number === message.newSet && type === BACKEND))
    .filter(({ type }) => !(number === message.newGeneration && PROCESS.includes(type)))
    .map(({ type, payload }) => {
      if (number === message.newTable && type === OWNER) return `${type}:${payload.readUInt32BE() === portId ? 'me' : 'other'}`
      const elements = type === ELEMENTS && number === message.newElements
      return `${type}:${elements ? sorted(payload) : shown(payload)}`
    })
    .join(' ')
}

/** Sets that are hashes tell their elements in no order. */
function sorted(payload: Buffer): string {
  const elements = split(payload) ?? []
  return elements
    .map(element => shown(element.payload))
    .sort()
    .join(' ')
}

/** What can be attributes as such, else digits. The names of unnamed chains are numbered for all namespaces together. */
function shown(payload: Buffer): string {
  if (/^__chain\d+\0$/.test(payload.toString('latin1'))) return '__chain'
  const attributes = split(payload)
  if (!attributes || attributes.length === 0) return payload.toString('hex')
  return `{${attributes.map(attribute => `${attribute.type}:${shown(attribute.payload)}`).join(' ')}}`
}

/** Types with their flags. Undefined for what can be no attributes. */
function split(bytes: Buffer): { readonly type: number; readonly payload: Buffer }[] | undefined {
  const attributes: { type: number; payload: Buffer }[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? bytes.readUInt16LE(at) : 0
    if (length < 4 || at + length > bytes.length) return undefined
    attributes.push({ type: bytes.readUInt16LE(at + 2), payload: bytes.subarray(at + 4, at + length) })
    at += (length + 3) & ~3
  }
  return attributes
}
