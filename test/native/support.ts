import { execFile, execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type Addon from '../../addon.cjs'

function findRoot(folder: string): string {
  return existsSync(join(folder, 'addon.cjs')) ? folder : findRoot(dirname(folder))
}

/** The project's folder, from the sources as well as from build/js. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)))
export const addon = createRequire(import.meta.url)(join(root, 'addon.cjs')) as typeof Addon
export type Socket = Addon.Socket

/** For tests that make namespaces, or that play the kernel: sending to another process's port takes CAP_NET_ADMIN. */
export const unlessRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root' }

export const { errno } = constants
export const NETLINK_ROUTE = 0
export const NETLINK_GENERIC = 16

const NLM_F_REQUEST = 1
export const NLM_F_ACK = 4
export const NLM_F_MULTI = 2
const NLM_F_DUMP = 0x300
export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
/** The controller of generic netlink: every kernel has it, and asking it changes nothing. */
const GENL_ID_CTRL = 16

export interface Message {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly payload: Buffer
}

export function message({ type, flags, seq, payload }: Message): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(16 + payload.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt32LE(seq, 8)
  return Buffer.concat([header, payload])
}

export function messages(data: Buffer): Message[] {
  const found: Message[] = []
  for (let at = 0; at < data.length; at += (data.readUInt32LE(at) + 3) & ~3) {
    const [length, type, flags, seq] = [
      data.readUInt32LE(at),
      data.readUInt16LE(at + 4),
      data.readUInt16LE(at + 6),
      data.readUInt32LE(at + 8),
    ]
    found.push({ type, flags, seq, payload: data.subarray(at + 16, at + length) })
  }
  return found
}

const nothing = Buffer.alloc(0)
/** CTRL_CMD_GETFAMILY (3), version 2; with the name "nlctrl" (CTRL_ATTR_FAMILY_NAME is 2) or a dump of all families. */
const getFamilyHeader = Buffer.from([3, 2, 0, 0])
const nameOfCtrl = Buffer.concat([Buffer.from([11, 0, 2, 0]), Buffer.from('nlctrl\0\0')])

/** Answered by one message without NLM_F_MULTI. */
export const getFamily = (seq: number) =>
  message({ type: GENL_ID_CTRL, flags: NLM_F_REQUEST, seq, payload: Buffer.concat([getFamilyHeader, nameOfCtrl]) })
/** Answered by messages with NLM_F_MULTI and an NLMSG_DONE. */
export const dumpFamilies = (seq: number) =>
  message({ type: GENL_ID_CTRL, flags: NLM_F_REQUEST | NLM_F_DUMP, seq, payload: getFamilyHeader })
/** Answered by an NLMSG_ERROR that says 0, behind all that was sent before it. */
export const barrier = (seq: number) => message({ type: NLMSG_NOOP, flags: NLM_F_REQUEST | NLM_F_ACK, seq, payload: nothing })
/** Answered by nothing. */
export const silent = (seq: number) => message({ type: NLMSG_NOOP, flags: NLM_F_REQUEST, seq, payload: nothing })
/** What a peer that plays the kernel answers. */
export const answer = (seq: number, text = '') => message({ type: 0x20, flags: 0, seq, payload: Buffer.from(text) })

export function open(options: Partial<Addon.OpenOptions> = {}): Socket {
  return opened(options).socket
}

export function opened(options: Partial<Addon.OpenOptions> = {}): Addon.Opened & { socket: Socket } {
  const { socket, ...rest } = addon.open({ protocol: NETLINK_GENERIC, ...options })
  if (socket === undefined) throw new Error(`${rest.syscall} gave ${rest.errno}`)
  return { socket, ...rest }
}

/**
 * A client whose kernel is a second socket of this process. The kernel gives a process its pid as the first port, and again when the
 * socket that had it is closed: so each of the two can be told the other's port.
 */
export async function openWithPeer(
  netns: number,
): Promise<{ client: Socket; clientPort: number; peer: Socket; peerPort: number }> {
  const place = opened({ netns })
  const client = opened({ netns, destination: place.portId })
  await addon.close(place.socket)
  const peer = opened({ netns, destination: client.portId })
  if (peer.portId !== place.portId) throw new Error('another socket took the port')
  return { client: client.socket, clientPort: client.portId, peer: peer.socket, peerPort: peer.portId }
}

/** Sends without an answer to wait for. */
export async function tell(socket: Socket, data: Buffer): Promise<void> {
  await addon.exchange(socket, data, 0xffff_ffff, 1)
}

/** The words behind `ip` that make a link, and its other end. */
export const addLink = (name: string) => ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-peer`]

let namespaces = 0
/** A network namespace of the test's own, until it ends. */
export function namespace(t: { after(undo: () => void): void }) {
  const name = `ts-ipvs-native-${process.pid}-${namespaces++}`
  execFileSync('ip', ['netns', 'add', name])
  const fd = openSync(`/run/netns/${name}`, 'r')
  t.after(() => {
    closeSync(fd)
    execFileSync('ip', ['netns', 'delete', name])
  })
  return { name, fd, addLink: (link: string) => promisify(execFile)('ip', ['-n', name, ...addLink(link)]) }
}

/** What this process's descriptors point to. */
export function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/, '')]
    } catch {
      return [] // the one that readdirSync had open
    }
  })
}
