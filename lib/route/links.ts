/** Network devices: plain object to message and back. */
import { type MessageReader, MessageWriter } from '../netlink/buffer.js'
import { boolean, type Check, Fields, whole } from '../netlink/fields.js'
import { beginNest, endNest } from '../netlink/message.js'
import { BadValue, shown } from '../netlink/schema.js'
import type { Device, Link, LinkChange, LinkConfig, LinkFlag, LinkState, LinkType } from './types.js'
import { DEVICE_NAME, linkAttributes, linkHeader, VETH_INFO_PEER } from './wire.js'

/** IFF_* */
export const LINK_FLAGS: Readonly<Record<LinkFlag, number>> = {
  up: 1,
  broadcast: 2,
  debug: 4,
  loopback: 8,
  'point-to-point': 0x10,
  'no-trailers': 0x20,
  running: 0x40,
  'no-arp': 0x80,
  promiscuous: 0x100,
  'all-multicast': 0x200,
  master: 0x400,
  slave: 0x800,
  multicast: 0x1000,
  'port-select': 0x2000,
  'auto-media': 0x4000,
  dynamic: 0x8000,
  'lower-up': 0x1_0000,
  dormant: 0x2_0000,
  echo: 0x4_0000,
}

/** ARPHRD_* */
const TYPES: ReadonlyMap<number, LinkType> = new Map([
  [1, 'ethernet'],
  [512, 'ppp'],
  [768, 'tunnel'],
  [769, 'tunnel6'],
  [772, 'loopback'],
  [776, 'sit'],
  [778, 'gre'],
  [823, 'gre6'],
  [0xfffe, 'none'],
])

/** IF_OPER_* */
const STATES: readonly LinkState[] = ['unknown', 'not-present', 'down', 'lower-layer-down', 'testing', 'dormant', 'up']

/** A link's message. Undefined where it makes no sense. */
export function readLink(reader: MessageReader, start: number, end: number): Link | undefined {
  if (end - start < linkHeader.size) return undefined
  const { type, index, flags } = linkHeader.read(reader, start)
  const found = linkAttributes.decode(reader, start + linkHeader.size, end)
  if (found?.name === undefined) return undefined
  const { name, info, state = 0, mtu = 0, address, broadcast, master, link, group } = found
  return {
    index,
    name,
    ...(info?.kind !== undefined && { kind: info.kind }),
    type: TYPES.get(type) ?? type,
    flags: wordsOf(flags),
    up: (flags & LINK_FLAGS.up) !== 0,
    state: STATES[state] ?? 'unknown',
    mtu,
    ...(address && { address }),
    ...(broadcast && { broadcast }),
    ...(master && { master }),
    ...(link && { link }),
    ...(group && { group }),
  }
}

const wordsOf = (flags: number): LinkFlag[] =>
  (Object.entries(LINK_FLAGS) as [LinkFlag, number][]).filter(([, bit]) => flags & bit).map(([word]) => word)

/** A device's name as the kernel takes it (dev_valid_name). */
export const nameCheck: Check<string> = value => {
  if (typeof value !== 'string') throw new BadValue('type', `${shown(value)}: give a device's name`)
  if (value === '' || Buffer.byteLength(value) > DEVICE_NAME || value === '.' || value === '..' || /[\s/:%\0]/.test(value))
    throw new BadValue('range', `${shown(value)}: is no device's name: give 1 to ${DEVICE_NAME} bytes without spaces, /, : and %`)
  return value
}

/** A name, or an index. */
export const deviceCheck: Check<Device> = value => {
  if (typeof value === 'number') return whole(1, 0x7fff_ffff)(value)
  if (typeof value === 'string') return nameCheck(value)
  throw new BadValue('type', `${shown(value)}: give the name of a device, or its index`)
}

const hardwareCheck: Check<string> = value => {
  if (typeof value === 'string' && /^[\da-f]{2}(:[\da-f]{2}){0,31}$/i.test(value)) return value.toLowerCase()
  const kind = typeof value === 'string' ? 'range' : 'type'
  throw new BadValue(kind, `${shown(value)}: is no hardware address: give pairs of hexadecimal digits, '02:42:ac:11:00:02'`)
}

const kindCheck: Check<string> = value => {
  if (typeof value !== 'string') throw new BadValue('type', `${shown(value)}: give the kind of a device, as 'veth'`)
  if (/^[\w-]{1,55}$/.test(value)) return value
  throw new BadValue('range', `${shown(value)}: is no kind of device: give 'veth', 'bridge', 'dummy', or another one's name`)
}

/** Below 68 bytes there is no IPv4; the kernel knows the limits of each kind. */
const mtuCheck = whole(1, 0x7fff_ffff)

/** A device to be made. The master is still to be looked up. */
export interface NewLink {
  readonly name: string
  readonly kind: string
  readonly peer: { readonly name: string; readonly address: string | undefined; readonly mtu: number | undefined } | undefined
  readonly mtu: number | undefined
  readonly address: string | undefined
  readonly up: boolean
  readonly master: Device | undefined
}

/** Throws a `BadValue`. */
export function checkNewLink(config: LinkConfig): NewLink {
  const fields = new Fields(config, ['name', 'kind', 'peer', 'mtu', 'address', 'up', 'master'])
  const kind = fields.required('kind', kindCheck)
  if (fields.has('peer') && kind !== 'veth')
    throw new BadValue('range', `only a veth has a peer, not a ${kind}: leave it out`).within('peer')
  return {
    name: fields.required('name', nameCheck),
    kind,
    peer: fields.optional('peer', checkPeer),
    mtu: fields.optional('mtu', mtuCheck),
    address: fields.optional('address', hardwareCheck),
    up: fields.optional('up', boolean) ?? false,
    master: fields.optional('master', deviceCheck),
  }
}

function checkPeer(value: unknown): NewLink['peer'] {
  const fields = new Fields(value, ['name', 'address', 'mtu'])
  return {
    name: fields.required('name', nameCheck),
    address: fields.optional('address', hardwareCheck),
    mtu: fields.optional('mtu', mtuCheck),
  }
}

/** Writes the message that makes it. */
export function writeNewLink(writer: MessageWriter, link: NewLink, master: number | undefined): void {
  const { name, kind, peer, mtu, address, up } = link
  const flags = up ? LINK_FLAGS.up : 0
  linkHeader.write(writer, { flags, change: flags })
  linkAttributes.encode(writer, { name, mtu, address, master, info: { kind, data: peer && peerData(peer) } })
}

/** IFLA_INFO_DATA of a veth. */
function peerData(peer: NonNullable<NewLink['peer']>): Uint8Array {
  const writer = new MessageWriter(256)
  const nest = beginNest(writer, VETH_INFO_PEER)
  linkHeader.write(writer, {})
  linkAttributes.encode(writer, peer)
  endNest(writer, nest)
  return writer.written()
}

/** What is changed. The master is still to be looked up; 0 is none. */
export interface Changes {
  readonly name: string | undefined
  readonly up: boolean | undefined
  readonly mtu: number | undefined
  readonly address: string | undefined
  readonly master: Device | 0 | undefined
}

/** Throws a `BadValue`. */
export function checkLinkChange(change: LinkChange): Changes {
  const fields = new Fields(change, ['name', 'up', 'mtu', 'address', 'master'])
  return {
    name: fields.optional('name', nameCheck),
    up: fields.optional('up', boolean),
    mtu: fields.optional('mtu', mtuCheck),
    address: fields.optional('address', hardwareCheck),
    master: fields.optional('master', value => (value === null ? 0 : deviceCheck(value))),
  }
}

/** Writes the message that changes a device, or moves it to the namespace of a descriptor. */
export function writeLinkChange(
  writer: MessageWriter,
  index: number,
  { name, up, mtu, address }: Omit<Changes, 'master'>,
  master: number | undefined,
  netns?: number,
): void {
  linkHeader.write(writer, { index, flags: up ? LINK_FLAGS.up : 0, change: up === undefined ? 0 : LINK_FLAGS.up })
  linkAttributes.encode(writer, { name, mtu, address, master, netnsFd: netns })
}
