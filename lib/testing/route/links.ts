/** Devices (net/core/rtnetlink.c, net/core/dev.c, drivers/net/veth.c). */
import { type MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { group, linkAttributes, linkHeader, message, NLM_F_EXCL, VETH_INFO_PEER } from '../../route/wire.js'
import { EBUSY, EEXIST, EINVAL, ENODEV, EOPNOTSUPP, Errno } from '../errno.js'
import type { Report } from '../policy.js'
import { addressesDown, addressesGone, addressesUp } from './addresses.js'
import { routesDown, routesGone } from './routes.js'
import type { Link, LinkAttributes, Put, State } from './state.js'

const IFF = { up: 1, broadcast: 2, loopback: 8, running: 0x40, noArp: 0x80, multicast: 0x1000, lowerUp: 0x1_0000 }
const ARPHRD_ETHER = 1
const ARPHRD_LOOPBACK = 772
const OPER = { unknown: 0, down: 2, lowerLayerDown: 3, up: 6 }
const KINDS: readonly string[] = ['veth', 'bridge', 'dummy']
const ETHERNET = 1500
const NOTHING = '00:00:00:00:00:00'
const EVERYBODY = 'ff:ff:ff:ff:ff:ff'

/** Those that are there at the start. */
export function startLinks(state: State): void {
  for (const [name, mtu] of Object.entries(state.options.interfaces)) {
    const link = add(state, { name, kind: undefined, mtu, address: name === 'lo' ? NOTHING : undefined, peer: undefined })
    if (name === 'lo') link.up = state.options.loopbackUp
  }
}

interface Wanted {
  readonly name: string
  readonly kind: string | undefined
  readonly mtu: number | undefined
  readonly address: string | undefined
  readonly peer: number | undefined
}

function add(state: State, { name, kind, mtu = ETHERNET, address, peer }: Wanted): Link {
  const index = Math.max(0, ...state.links.keys()) + 1
  // Locally administered, and different from each other.
  const hardware = address ?? `02:00:00:00:${hex(index >> 8)}:${hex(index & 255)}`
  const link: Link = { index, name, kind, up: false, mtu, address: hardware, master: undefined, peer }
  state.links.set(index, link)
  return link
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

function hasCarrier(state: State, { index, kind, peer }: Link): boolean {
  if (kind === 'veth') return state.links.get(peer ?? 0)?.up === true
  if (kind === 'bridge')
    return [...state.links.values()].some(port => port.master === index && port.up && hasCarrier(state, port))
  return true
}

function describe(state: State, link: Link): { readonly flags: number; readonly operational: number } {
  const { name, kind, up } = link
  const carrier = hasCarrier(state, link)
  const own = name === 'lo' ? IFF.loopback : IFF.broadcast | (kind === 'dummy' ? IFF.noArp : IFF.multicast)
  const flags = own | (up ? IFF.up : 0) | (up && carrier ? IFF.running | IFF.lowerUp : 0)
  if (!up) return { flags, operational: OPER.down }
  if (!carrier) return { flags, operational: kind === 'veth' ? OPER.lowerLayerDown : OPER.down }
  return { flags, operational: kind === 'veth' || kind === 'bridge' ? OPER.up : OPER.unknown }
}

/** rtnl_fill_ifinfo */
export function putLink(state: State, link: Link): Put {
  return writer => {
    const { index, name, kind, mtu, address, master, peer } = link
    const { flags, operational } = describe(state, link)
    linkHeader.write(writer, { type: name === 'lo' ? ARPHRD_LOOPBACK : ARPHRD_ETHER, index, flags })
    linkAttributes.encode(writer, {
      name,
      state: operational,
      mtu,
      group: 0,
      link: peer,
      master,
      address,
      broadcast: name === 'lo' ? NOTHING : EVERYBODY,
      info: kind === undefined ? undefined : { kind },
    })
  }
}

function tell(state: State, link: Link, type: number): void {
  state.tell(group.link, type, 0, putLink(state, link))
}

/** The device of a request, by its index or its name. */
export function linkOf(state: State, index: number, attributes: LinkAttributes): Link | undefined {
  return index > 0 ? state.links.get(index) : attributes.name === undefined ? undefined : state.linkByName(attributes.name)
}

/** rtnl_newlink, rtnl_setlink */
export function newLink(
  state: State,
  reader: MessageReader,
  start: number,
  end: number,
  type: number,
  flags: number,
  report: Report,
): void {
  const header = linkHeader.read(reader, start)
  const attributes = linkAttributes.decode(reader, start + linkHeader.size, end) ?? {}
  const link = linkOf(state, header.index, attributes)
  if (link && flags & NLM_F_EXCL) throw new Errno(EEXIST)
  if (!link && type === message.setLink) throw new Errno(ENODEV)
  if (link) return change(state, link, header, attributes)
  create(state, header, attributes, report)
}

interface Switch {
  readonly flags: number
  readonly change: number
}

function create(state: State, header: Switch, attributes: LinkAttributes, report: Report): void {
  const { name, info, mtu, address } = attributes
  const kind = info?.kind
  if (kind === undefined || !KINDS.includes(kind)) {
    report.message = 'Unknown device type'
    throw new Errno(EOPNOTSUPP)
  }
  if (name === undefined) throw new Errno(EINVAL)
  if (attributes.master !== undefined && !state.links.has(attributes.master)) throw new Errno(EINVAL)
  const made: Link[] = []
  if (kind === 'veth') {
    const index = Math.max(...state.links.keys()) + 1
    const peer = peerOf(info?.data) ?? {}
    if (peer.name !== undefined && (state.linkByName(peer.name) || peer.name === name)) throw new Errno(EEXIST)
    made.push(add(state, { name: peer.name ?? `veth${index}`, kind, mtu: peer.mtu, address: peer.address, peer: index + 1 }))
    made.push(add(state, { name, kind, mtu, address, peer: index }))
  } else made.push(add(state, { name, kind, mtu, address, peer: undefined }))
  for (const link of made) tell(state, link, message.newLink)
  const link = made.at(-1)
  if (link) change(state, link, header, { master: attributes.master })
}

/** What is asked for of the other end (veth_newlink). */
function peerOf(data: Uint8Array | undefined): LinkAttributes | undefined {
  if (!data || data.length < 4 + linkHeader.size) return undefined
  const writer = new MessageWriter(data.length + 4)
  writer.append(data)
  const reader = { bytes: writer.bytes, u16: writer.u16, u32: writer.u32, end: data.length }
  const length = reader.u16[0] as number
  if (((reader.u16[1] as number) & 0x3fff) !== VETH_INFO_PEER) return undefined
  return linkAttributes.decode(reader, 4 + linkHeader.size, length)
}

/** do_setlink */
function change(state: State, link: Link, { flags, change }: Switch, attributes: LinkAttributes): void {
  const { name, mtu, address, master, netnsFd, netnsPid } = attributes
  if (netnsFd !== undefined || netnsPid !== undefined) throw new Errno(EINVAL) // there is no other namespace
  if (name !== undefined && name !== link.name) {
    if (state.linkByName(name)) throw new Errno(EEXIST)
    link.name = name
  }
  if (master !== undefined && master !== 0 && state.links.get(master)?.kind !== 'bridge') throw new Errno(EOPNOTSUPP)
  if (master === link.index) throw new Errno(EBUSY)
  if (mtu !== undefined) link.mtu = mtu
  if (address !== undefined) link.address = address
  if (master !== undefined) link.master = master || undefined
  const up = change & IFF.up ? (flags & IFF.up) !== 0 : link.up
  if (up !== link.up) setUp(state, link, up)
  tell(state, link, message.newLink)
  const peer = state.links.get(link.peer ?? 0)
  if (peer && up !== undefined && change & IFF.up) tell(state, peer, message.newLink)
}

function setUp(state: State, link: Link, up: boolean): void {
  link.up = up
  if (up) return addressesUp(state, link)
  addressesDown(state, link)
  routesDown(state, link.index)
}

/** rtnl_dellink */
export function deleteLink(state: State, reader: MessageReader, start: number, end: number): void {
  const { index } = linkHeader.read(reader, start)
  const link = linkOf(state, index, linkAttributes.decode(reader, start + linkHeader.size, end) ?? {})
  if (!link) throw new Errno(ENODEV)
  if (link.kind === undefined) throw new Errno(EOPNOTSUPP)
  const peer = state.links.get(link.peer ?? 0)
  for (const gone of peer ? [link, peer] : [link]) {
    gone.up = false
    for (const port of state.links.values()) if (port.master === gone.index) port.master = undefined
    routesGone(state, gone.index)
    addressesGone(state, gone.index)
    state.links.delete(gone.index)
    tell(state, gone, message.deleteLink)
  }
}
